package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lock is the spec of a gate, which has a secret.
type lock struct {
	Code string `json:"code"`
}

func (l *lock) Masked() *lock {
	if l == nil {
		return nil
	}
	return &lock{fsm.Mask}
}

// yard has gates that can be raised and lowered.
type yard struct {
	mu     sync.Mutex // guards both
	open   map[string]bool
	broken map[string]error
}

type gateDriver struct {
	yard *yard
	name string
}

func (g gateDriver) Observe(context.Context, fsm.Desired[*lock]) (open bool, err error) {
	g.yard.mu.Lock()
	defer g.yard.mu.Unlock()
	return g.yard.open[g.name], nil
}

func (g gateDriver) Do(_ context.Context, action fsm.Action, _ fsm.Desired[*lock]) error {
	g.yard.mu.Lock()
	defer g.yard.mu.Unlock()
	if err := g.yard.broken[g.name]; err != nil {
		return err
	}
	g.yard.open[g.name] = action == "raise"
	return nil
}

func (g gateDriver) Restart(context.Context, fsm.Desired[*lock]) error { return nil }

func decideGate(in fsm.Input[*lock, bool]) fsm.Decision {
	up := in.Desired.State == "open"
	switch {
	case in.State == fsm.StateCreating:
		return fsm.Decision{Fire: fsm.EventCreateDone, Reason: fsm.Because("there is nothing to make")}
	case in.State == fsm.StateRemoving:
		return fsm.Decision{Fire: fsm.EventRemoveDone}
	case in.Desired.State == fsm.StateRemoved && in.State == "closed":
		return fsm.Decision{Fire: fsm.EventRemove}
	case up && !in.Observed:
		return fsm.Decision{Do: []fsm.Action{"raise"}, Reason: fsm.Because("it is down").With("\x1b[2J password=hunter2 \u202e")}
	case up && in.State == "closed":
		return fsm.Decision{Fire: "opened", Reason: fsm.Because("it is up")}
	case !up && in.Observed:
		return fsm.Decision{Do: []fsm.Action{"lower"}, Reason: fsm.Because("it is up")}
	case !up && in.State == "open":
		return fsm.Decision{Fire: "shut", Reason: fsm.Because("it is down")}
	}
	return fsm.Decision{}
}

type gates = fsm.Manager[*lock, bool]

// newGates returns a manager of gates that nobody runs, and what listens to it.
func newGates(t testing.TB, y *yard, feed *Feed) *gates {
	t.Helper()
	table, err := fsm.NewTable(fsm.TableSpec{
		Name:    "gate",
		States:  []fsm.StateSpec{{Name: "closed", Phase: fsm.PhaseStopped}, {Name: "open", Phase: fsm.PhaseRunning}},
		Initial: "closed",
		Targets: []fsm.Target{{Name: "closed", Phase: fsm.PhaseStopped}, {Name: "open", Phase: fsm.PhaseRunning}},
		Rows:    []fsm.Row{{Event: "opened", From: "closed", To: "open"}, {Event: "shut", From: "open", To: "closed"}},
	})
	require.NoError(t, err)
	kind := fsm.Kind[*lock, bool]{
		Name: "gate", Table: table, Decide: decideGate,
		Open: func(name string, _ func()) (fsm.Driver[*lock, bool], error) { return gateDriver{y, name}, nil },
		Validate: func(_ context.Context, all, _ map[string]fsm.Desired[*lock]) (map[string]error, error) {
			refused := make(map[string]error)
			for name, d := range all {
				if d.Spec.Code == "" {
					refused[name] = errors.New("it has no code: token=abc")
				}
			}
			return refused, nil
		},
	}
	m, err := fsm.NewManager(kind, fsm.Config{Listeners: []fsm.Listener{feed.Hear}, Backoff: fsm.Backoff{Jitter: -1}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close(context.Background())) })
	return m
}

// passes makes passes until all has settled that can.
func passes(t testing.TB, m *gates) {
	t.Helper()
	for range 5 {
		for _, s := range m.Snapshot() {
			m.Wake(s.Name)
		}
		require.NoError(t, m.Reconcile(t.Context()))
	}
}

func open(code string) fsm.Desired[*lock] {
	return fsm.Desired[*lock]{State: "open", Spec: &lock{code}}
}

// shown is a server of gates: north is open, south cannot be opened, and west was
// refused.
func shown(t testing.TB, hands Hands) (*Server, *gates, *yard) {
	t.Helper()
	y := &yard{open: make(map[string]bool), broken: map[string]error{"south": errors.New("its motor is stuck: password=hunter2")}}
	feed := NewFeed()
	m := newGates(t, y, feed)
	require.Error(t, m.Apply(t.Context(), map[string]fsm.Desired[*lock]{"north": open("7"), "south": open("hunter2"), "west": open("")}))
	passes(t, m)
	source := Of(m, func(s *fsm.Snapshot[*lock, bool]) Figures { return Figures{PID: len(s.Name)} })
	return &Server{Sources: []Source{source}, Feed: feed, Hands: hands, Version: "1.2.3"}, m, y
}

// ask asks a handler for something, and returns its answer.
func ask(t testing.TB, h http.Handler, method, target string, header ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}
