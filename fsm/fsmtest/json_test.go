package fsmtest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
)

// room is a spec with whatever may be in one.
type room struct {
	Doors   map[string]int `json:"doors,omitempty"`
	Height  float32        `json:"height"`
	Code    string         `json:"code,omitempty"`
	Style   map[string]any `json:"style,omitempty"`
	Corners [2]uint8       `json:"corners"`
	Inner   []*room        `json:"inner,omitempty"`
}

func (r *room) Masked() *room {
	shown := *r
	shown.Code = fsm.MaskSecret(r.Code)
	shown.Inner = nil
	for _, inner := range r.Inner {
		if inner != nil {
			inner = inner.Masked()
		}
		shown.Inner = append(shown.Inner, inner)
	}
	return &shown
}

type seen struct {
	At    time.Time     `json:"at,omitzero"`
	Since time.Duration `json:"since"`
	Of    *room         `json:"of,omitempty"`
}

func (s *seen) Masked() seen {
	shown := *s
	if s.Of != nil {
		shown.Of = s.Of.Masked()
	}
	return shown
}

// telltale is like seen and shows it all.
type telltale struct {
	Of *room `json:"of,omitempty"`
}

// forgetful is like seen with fields that do not survive, each in its way.
type forgetful struct {
	Untagged int
	Hidden   int      `json:"-"`
	Odd      oddly    `json:"odd"`
	Events   chan int `json:"events"`
}

type oddly int

func (o oddly) MarshalText() ([]byte, error) { return []byte("7"), nil }

func (o *oddly) UnmarshalText([]byte) error { *o = 0; return nil }

// failures is what would have failed.
type failures struct {
	testing.TB
	found []string
}

func (f *failures) Helper() {}

func (f *failures) Errorf(format string, args ...any) {
	f.found = append(f.found, fmt.Sprintf(format, args...))
}

func TestRoundTripJSON(t *testing.T) {
	fsmtest.RoundTripJSON[string, bool](t)
	now := time.Now()
	fsmtest.RoundTripJSON(t,
		&fsm.Snapshot[*room, seen]{},
		&fsm.Snapshot[*room, seen]{
			Since: now, Err: fmt.Errorf("cannot open: %w", errors.New("it is locked")), NextTry: now.Add(time.Second),
			Desired:  fsm.Desired[*room]{State: "open", Spec: &room{Style: map[string]any{"a": 1, "b": []any{2.5}}}},
			Observed: seen{At: now.In(time.FixedZone("there", 3600)), Of: &room{Doors: map[string]int{}}},
		})
}

// A parent sees its child as a snapshot, which is masked by itself.
func TestRoundTripJSONOfParent(t *testing.T) {
	type parent struct {
		Door fsm.ChildObserved[*room, seen] `json:"door"`
	}
	fsmtest.RoundTripJSON[string, parent](t)
	fsmtest.RoundTripJSON[string, fsm.ChildObserved[*room, seen]](t)

	f := &failures{TB: t}
	fsmtest.RoundTripJSON[string, telltale](f)
	assert.Len(t, f.found, 1, "a spec in an observation has to be masked by it")
	assert.Contains(t, f.found[0], "Snapshot.Observed.Of.Code was *** and is text")
}

func TestRoundTripJSONFindsWhatIsLost(t *testing.T) {
	f := &failures{TB: t}
	fsmtest.RoundTripJSON[int, forgetful](f)
	assert.Equal(t, []string{
		"Snapshot.Observed.Untagged has no json tag: give it one",
		"a snapshot cannot be filled: Observed: Events: chan int has no place in a snapshot",
	}, f.found[:2])
	assert.Len(t, f.found, 3)
	assert.Contains(t, f.found[2], "json: unsupported type: chan int")

	f = &failures{TB: t}
	fsmtest.RoundTripJSON[int, struct {
		Hidden int `json:"-"`
	}](f)
	assert.Len(t, f.found, 1)
	assert.Contains(t, f.found[0], "Snapshot.Observed.Hidden was ")

	f = &failures{TB: t}
	fsmtest.RoundTripJSON[oddly, bool](f)
	assert.Len(t, f.found, 1)
	assert.Contains(t, f.found[0], "Snapshot.Desired.Spec was ")
}
