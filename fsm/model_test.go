package fsm_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// trouble is what befalls the lamps of a model run.
type trouble struct {
	mu    sync.Mutex // guards both below
	fails map[string]error
	hangs map[string]chan struct{}
}

func newTrouble() *trouble {
	return &trouble{fails: map[string]error{}, hangs: map[string]chan struct{}{}}
}

func (tr *trouble) hook(ctx context.Context, name, op string) error {
	tr.mu.Lock()
	err, hang := tr.fails[name], tr.hangs[name]
	tr.mu.Unlock()
	if op == "close" {
		return nil
	}
	if hang != nil {
		<-hang
		return ctx.Err()
	}
	if errors.Is(err, errPanic) {
		panic(err)
	}
	if fsm.IsPermanent(err) && op == "observe" {
		return nil
	}
	return err
}

func (tr *trouble) calm() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, hang := range tr.hangs {
		close(hang)
	}
	clear(tr.hangs)
	clear(tr.fails)
}

var errPanic = errors.New("panic")

// befall gives one lamp some trouble, or ends its trouble.
func (tr *trouble) befall(random *rand.Rand, name string) (what string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if hang := tr.hangs[name]; hang != nil {
		close(hang)
		delete(tr.hangs, name)
		return "is released"
	}
	switch random.IntN(6) {
	case 0:
		tr.hangs[name] = make(chan struct{})
		return "hangs"
	case 1:
		tr.fails[name] = errors.New("fails")
		return "fails"
	case 2:
		tr.fails[name] = fsm.Permanent(errors.New("fails for good"))
		return "fails for good"
	case 3:
		tr.fails[name] = errPanic
		return "panics"
	}
	delete(tr.fails, name)
	return "is well"
}

// ledger is a listener that demands of the notices of each instance that they
// make a story.
type ledger struct {
	mu     sync.Mutex // guards all below
	states map[string]fsm.State
	fails  map[string]bool
	wrong  []string
}

func newLedger() *ledger { return &ledger{states: map[string]fsm.State{}, fails: map[string]bool{}} }

func (l *ledger) listen(n fsm.Notice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := n.About().Instance
	switch n := n.(type) {
	case fsm.Transition:
		if was := l.states[name]; n.From != was && (was != "" || n.From != fsm.StateToBeCreated) {
			l.wrong = append(l.wrong, fmt.Sprintf("%s leaves %s, and was in %q", name, n.From, was))
		}
		l.states[name] = n.To
	case fsm.PassFailed:
		l.fails[name] = true
	case fsm.PassRecovered:
		if !l.fails[name] {
			l.wrong = append(l.wrong, name+" recovers from nothing")
		}
		delete(l.fails, name)
	case fsm.Closed:
		delete(l.states, name)
		delete(l.fails, name)
	}
}

// model is a manager of lamps to which things happen at random, and what was
// asked of it.
type model struct {
	t      *testing.T
	random *rand.Rand
	h      *house
	tr     *trouble
	m      *lampManager
	stop   func() // the loop
	want   declarations
	story  []string
	claims int
	ledger *ledger
	ears   []func() // stop listening
}

var modelNames = []string{"a", "b", "c", "d", "e", "f"}

func newModel(t *testing.T, seed uint64) *model {
	x := &model{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), h: newHouse(), tr: newTrouble(), want: declarations{}, ledger: newLedger(),
	}
	kind := flickering(t, x.h)
	kind.Discover, kind.Compare = x.h.discover, compareLamp
	kind.Claim = func() (func(), error) { x.claims++; return func() { x.claims-- }, nil }
	x.h.put("c", bulb{There: true, Power: true, Glows: true, Watts: 10}, lit(10))
	x.h.hook(x.tr.hook)
	m, err := fsm.NewManager(kind, fsm.Config{
		Parallel: 2, PassTimeout: time.Second, Backoff: fsm.Backoff{Jitter: -1}, Listeners: []fsm.Listener{x.ledger.listen},
	})
	require.NoError(t, err)
	x.m = m
	_, x.stop = loop(t, m)
	t.Cleanup(x.tr.calm)
	return x
}

func (x *model) tell(format string, args ...any) {
	x.story = append(x.story, fmt.Sprintf(format, args...))
}

// random declaration of one, which may be none.
func (x *model) declaration() (d lampDesired, listed bool) {
	w := watts(x.random.IntN(3) * 20)
	switch x.random.IntN(5) {
	case 0, 1:
		return lit(w), true
	case 2:
		return off(w), true
	case 3:
		return gone(w), true
	}
	return d, false
}

// step has one thing happen.
func (x *model) step() {
	ctx, name := x.t.Context(), modelNames[x.random.IntN(len(modelNames))]
	switch x.random.IntN(14) {
	case 0, 1:
		want := declarations{}
		for _, name := range modelNames {
			if d, listed := x.declaration(); listed {
				want[name] = d
			}
		}
		x.tell("apply %v", want)
		require.NoError(x.t, x.m.Apply(ctx, want))
		x.want = want
	case 2, 3:
		d, _ := x.declaration()
		if d.State == "" {
			d.State = lampLit
		}
		x.tell("set %s %v", name, d)
		require.NoError(x.t, x.m.Set(ctx, name, d))
		x.want[name] = d
	case 4:
		err := x.m.Remove(ctx, name)
		x.tell("remove %s: %v", name, err)
		if err != nil {
			require.ErrorIs(x.t, err, fsm.ErrUnknown)
			require.NotContains(x.t, x.m.Declared(), name)
		}
		delete(x.want, name)
	case 5, 6, 7:
		x.tell("%s %s", name, x.tr.befall(x.random, name))
	case 8:
		x.h.cut(name)
		x.tell("%s goes dark", name)
	case 9:
		x.h.wake(name)
		_ = x.m.Retry(name)
		x.tell("%s is woken", name)
	case 10, 11:
		short, cancel := context.WithTimeout(ctx, time.Duration(x.random.Int64N(int64(2*time.Second))))
		x.tell("restart %s: %v", name, x.m.Restart(short, name))
		cancel()
	case 12:
		x.stop()
		time.Sleep(time.Duration(x.random.Int64N(int64(time.Second))))
		_, x.stop = loop(x.t, x.m)
		x.tell("another loop")
	case 13:
		if len(x.ears) > 0 && x.random.IntN(2) == 0 {
			x.ears[0]()
			x.ears = x.ears[1:]
			break
		}
		x.ears = append(x.ears, x.m.Listen(func(n fsm.Notice) { x.h.look(n.About().Instance) }))
	}
	time.Sleep(time.Duration(x.random.Int64N(int64(time.Second))))
}

// listed is what is wanted but what is to be removed.
func (x *model) listed() declarations {
	all := maps.Clone(x.want)
	maps.DeleteFunc(all, func(_ string, d lampDesired) bool { return d.State == fsm.StateRemoved })
	return all
}

// TestRandomLives has lamps suffer at random whatever a manager may meet, then
// lets calm return: every instance must come to what was asked of it last, and
// none may ever have been in two passes at once.
func TestRandomLives(t *testing.T) {
	for seed := range uint64(60) {
		fakeTime(t, fmt.Sprint("seed ", seed), func(t *testing.T) {
			x := newModel(t, seed)
			t.Cleanup(func() { assert.NoError(t, x.m.Close(context.Background())) })
			for range 120 {
				x.step()
				assert.Equal(t, x.listed(), declarations(x.m.Declared()))
			}
			x.tr.calm()
			for _, name := range modelNames {
				_ = x.m.Retry(name)
			}
			elapse(2 * time.Minute)
			checkCalm(t, x.h, x.m, x.listed())
			assert.Empty(t, x.ledger.wrong)
			assert.Empty(t, x.ledger.fails, "told to fail and not to be well again")
			for _, s := range x.m.Snapshot() {
				assert.Equal(t, s.State, x.ledger.states[s.Name])
			}
			if t.Failed() {
				t.Logf("what happened: %s", strings.Join(x.story, "\n"))
			}
		})
	}
}

// TestRandomEnds closes the manager at any moment of such a life. Nothing is
// done after that, what does not end is named, and what is claimed is let go of
// when all has ended.
func TestRandomEnds(t *testing.T) {
	for seed := range uint64(60) {
		fakeTime(t, fmt.Sprint("seed ", seed), func(t *testing.T) {
			x := newModel(t, seed)
			for range 10 + x.random.IntN(30) {
				x.step()
			}
			var waiting sync.WaitGroup
			for _, name := range modelNames {
				waiting.Go(func() { _ = x.m.Wait(context.Background(), name, fsm.PhaseDegraded) })
				waiting.Go(func() { _ = x.m.Restart(context.Background(), name) })
				waiting.Go(func() { _ = x.m.Set(context.Background(), name, lit(1)) })
			}
			time.Sleep(time.Duration(x.random.IntN(3)) * time.Millisecond)
			err := x.m.Close(within(t, 10*time.Second))
			waiting.Wait()
			overlong := strings.Count(fmt.Sprint(err), "its pass does not end")
			assert.Equal(t, overlong > 0, x.claims == 1, "%v", err)
			x.h.forget()
			x.tr.calm()
			synctest.Wait()
			require.NoError(t, x.m.Close(within(t, 10*time.Second)))
			assert.Zero(t, x.claims)
			elapse(time.Minute)
			open := 0
			for _, name := range modelNames {
				_, done, _ := x.h.look(name)
				assert.LessOrEqual(t, len(done), 3, "%s: %v", name, done)
				open += x.h.opened[name]
			}
			assert.LessOrEqual(t, open, overlong)
			assert.Empty(t, x.h.twice)
			assert.Empty(t, x.ledger.wrong)
			if t.Failed() {
				t.Logf("what happened: %s", strings.Join(x.story, "\n"))
			}
		})
	}
}

func checkCalm(t *testing.T, h *house, m *lampManager, want declarations) {
	t.Helper()
	assert.Equal(t, slices.Sorted(maps.Keys(want)), append([]string(nil), names(m)...))
	for _, s := range m.Snapshot() {
		target, _ := lampTable(t).Target(want[s.Name].State)
		assert.Equal(t, want[s.Name], s.Desired, s.Name)
		assert.Equal(t, target, s.Phase, "%s: %s %v", s.Name, s.Reason, s.Err)
		assert.True(t, s.Settled, s.Name)
		assert.NoError(t, s.Err, s.Name)
		lamp, _, _ := h.look(s.Name)
		assert.True(t, lamp.There)
		assert.Equal(t, s.State == lampLit, lamp.Glows, s.Name)
		if lamp.Glows {
			assert.Equal(t, want[s.Name].Spec, lamp.Watts, s.Name)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, open := range h.opened {
		expect := 0
		if _, listed := want[name]; listed {
			expect = 1
		}
		assert.Equal(t, expect, open, "drivers of %s that are open", name)
	}
	assert.Empty(t, h.twice, "a pass was entered twice")
}
