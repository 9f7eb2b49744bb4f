package fsm

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slow is a Runner whose dispatch takes its time and notes when it was called.
// Something is due after each, zero for never, and at next.
type slow struct {
	kick  chan struct{}
	takes time.Duration
	after time.Duration
	start time.Time
	next  time.Time

	mu    sync.Mutex // guards calls
	calls []time.Duration
}

// called returns when it was called, from its start on.
func (s *slow) called() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func (s *slow) begin() error             { return nil }
func (s *slow) end()                     {}
func (s *slow) wakeups() <-chan struct{} { return s.kick }
func (s *slow) ended() <-chan struct{}   { return nil }

func (s *slow) dispatch(context.Context) time.Time {
	began := time.Now()
	s.mu.Lock()
	s.calls = append(s.calls, began.Sub(s.start))
	s.mu.Unlock()
	time.Sleep(s.takes)
	switch {
	case s.after > 0:
		return began.Add(s.after)
	case s.next.After(time.Now()):
		return s.next
	}
	return time.Time{}
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
		s := &slow{takes: 350 * time.Millisecond, after: DefaultTick}
		l := runSlow(t, s, 4*time.Second)
		ticks, late := l.Ticks()
		assert.InDelta(t, 4000/350, ticks, 1, "one each time it is free again")
		assert.InDelta(t, 42, ticks+late, 1, "the others are late")
		assert.InDelta(t, len(s.called()), ticks, 1, "none is made up for")
	})
}

func TestTicksKeepTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 30 * time.Millisecond, after: DefaultTick}
		l := runSlow(t, s, 10*time.Second+time.Millisecond)
		ticks, late := l.Ticks()
		assert.EqualValues(t, 100, ticks)
		assert.Zero(t, late)
		for n, at := range s.called() {
			assert.Equal(t, time.Duration(n)*DefaultTick, at)
		}
	})
}

// TestALoopSleepsUntilSomethingIsDue: the ticks that it sleeps through are counted,
// whenever somebody asks for them.
func TestALoopSleepsUntilSomethingIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{next: time.Now().Add(time.Hour + 30*time.Millisecond)}
		s.kick, s.start = make(chan struct{}, 1), time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		l := new(Loop)
		go l.Run(ctx, s)
		asleep := func(d time.Duration, want uint64) {
			time.Sleep(d)
			synctest.Wait()
			ticks, late := l.Ticks()
			assert.Equal(t, want, ticks)
			assert.Zero(t, late)
		}
		asleep(30*time.Minute, 30*60*10)
		assert.Equal(t, []time.Duration{0}, s.called())
		s.kick <- struct{}{}
		asleep(time.Minute, 31*60*10)
		assert.Equal(t, []time.Duration{0, 30 * time.Minute}, s.called(), "a wake-up ends its sleep")
		asleep(time.Hour, 91*60*10)
		assert.Equal(t, []time.Duration{0, 30 * time.Minute, time.Hour + 30*time.Millisecond}, s.called(), "and what is due")
	})
}

// TestTicks: those are late at which the loop was to be at work, and was not.
func TestTicks(t *testing.T) {
	const ms = time.Millisecond
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	for name, tt := range map[string]struct {
		until      time.Time // the loop sleeps until then
		now        time.Duration
		made, late uint64
	}{
		"nothing is due":                {time.Time{}, 1000 * ms, 10, 0},
		"it is woken before":            {at(2000 * ms), 1000 * ms, 10, 0},
		"it wakes in time":              {at(1000 * ms), 1000 * ms, 10, 0},
		"it wakes before the next":      {at(1000 * ms), 1099 * ms, 10, 0},
		"it wakes at the next":          {at(1000 * ms), 1100 * ms, 11, 0},
		"it oversleeps":                 {at(1000 * ms), 1555 * ms, 11, 4},
		"it oversleeps, between two":    {at(1050 * ms), 1555 * ms, 11, 4},
		"the clock has not gone on":     {at(0), 0, 0, 0},
		"no tick has come meanwhile":    {at(20 * ms), 90 * ms, 0, 0},
		"it was held up from the first": {at(0), 350 * ms, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			ticks := newTicks(100*ms, start)
			ticks.sleep(start, tt.until)
			made, late := ticks.sum(at(tt.now))
			assert.Equal(t, [2]uint64{tt.made, tt.late}, [2]uint64{made, late})
			ticks.end(at(tt.now))
			again, _ := ticks.sum(at(time.Hour))
			assert.Equal(t, made, again, "a loop that has ended counts no more")
		})
	}
}

func TestALoopLooksAgainWhenTheNextIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{next: time.Now().Add(1234 * time.Millisecond)}
		runSlow(t, s, 1240*time.Millisecond)
		assert.Contains(t, s.called(), 1234*time.Millisecond, "between two ticks")
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
