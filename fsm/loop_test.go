package fsm

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slow is a Runner whose dispatch takes its time and notes when it was called.
type slow struct {
	kick  chan struct{}
	takes time.Duration
	calls []time.Duration
	start time.Time
	next  time.Time
}

func (s *slow) begin() error             { return nil }
func (s *slow) end()                     {}
func (s *slow) wakeups() <-chan struct{} { return s.kick }
func (s *slow) ended() <-chan struct{}   { return nil }

func (s *slow) dispatch(context.Context) time.Time {
	s.calls = append(s.calls, time.Since(s.start))
	time.Sleep(s.takes)
	if !s.next.After(time.Now()) {
		return time.Time{}
	}
	return s.next
}

func runSlow(t *testing.T, s *slow, d time.Duration) *Loop {
	t.Helper()
	s.kick, s.start = make(chan struct{}, 1), time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	l := new(Loop)
	require.NoError(t, l.Run(ctx, s))
	return l
}

func TestTicksThatWereMissedAreCountedAndNotMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 350 * time.Millisecond}
		l := runSlow(t, s, 4*time.Second)
		ticks, late := l.Ticks()
		assert.InDelta(t, 4000/350, ticks, 1, "one each time it is free again")
		assert.InDelta(t, 39, ticks+late, 1, "the others are late")
		assert.Len(t, s.calls, int(ticks)+1, "none is made up for")
	})
}

func TestTicksKeepTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 30 * time.Millisecond}
		l := runSlow(t, s, 10*time.Second+time.Millisecond)
		ticks, late := l.Ticks()
		assert.EqualValues(t, 100, ticks)
		assert.Zero(t, late)
		for n, at := range s.calls[1:] {
			assert.Equal(t, time.Duration(n+1)*DefaultTick, at)
		}
	})
}

func TestALoopLooksAgainWhenTheNextIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{next: time.Now().Add(1234 * time.Millisecond)}
		runSlow(t, s, 1240*time.Millisecond)
		assert.Contains(t, s.calls, 1234*time.Millisecond, "between two ticks")
	})
}

func TestReadersNeverBlock(t *testing.T) {
	table, err := NewTable(TableSpec{
		Name: "t", States: []StateSpec{{"off", PhaseStopped}}, Initial: "off", Targets: []Target{{"off", PhaseStopped}},
	})
	require.NoError(t, err)
	kind := Kind[int, int]{
		Name: "k", Table: table,
		Decide: func(Input[int, int]) Decision { return Decision{} },
		Open:   func(string, func()) (Driver[int, int], error) { return nothing{}, nil },
	}
	m, err := NewManager(kind, Config{})
	require.NoError(t, err)
	require.NoError(t, m.Apply(t.Context(), map[string]Desired[int]{"a": {State: "off"}}))

	m.applying.Lock()
	m.mu.Lock()
	_, held := m.Instance("a")
	assert.True(t, held)
	assert.Len(t, m.Snapshot(), 1)
	assert.Empty(t, m.Refused())
	m.mu.Unlock()
	m.applying.Unlock()
	require.NoError(t, m.Close(t.Context()))
}

type nothing struct{}

func (nothing) Observe(context.Context, Desired[int]) (int, error) { return 0, nil }
func (nothing) Do(context.Context, Action, Desired[int]) error     { return nil }

// TestLooplabTraps pins down what the package works around: where looplab/fsm
// behaves otherwise, the workaround may go.
func TestLooplabTraps(t *testing.T) {
	table, err := NewTable(TableSpec{
		Name: "t", States: []StateSpec{{"off", PhaseStopped}}, Initial: "off", Targets: []Target{{"off", PhaseStopped}},
	})
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	machine := table.machine(StateToBeCreated)
	require.Error(t, machine.Event(ended, string(EventCreate)))
	require.ErrorContains(t, machine.Event(t.Context(), string(EventCreate)), "previous transition did not complete", "it is wedged")

	machine = table.machine(StateToBeCreated)
	require.NoError(t, machine.Event(context.WithoutCancel(ended), string(EventCreate)))
	require.NoError(t, machine.Event(context.WithoutCancel(ended), string(EventCreateDone)))
	assert.Equal(t, "off", machine.Current())
	assert.Error(t, machine.Event(t.Context(), string(EventCreate)), "no such row")
}
