package fsm_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
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

// heard is a listener that remembers what it was told.
type heard struct {
	mu  sync.Mutex // guards all
	all []fsm.Notice
}

func (h *heard) listen(n fsm.Notice) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, n)
}

func (h *heard) taken() []fsm.Notice {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.all
	h.all = nil
	return all
}

func TestPassesThatFailAreToldOnceAndWhenTheySucceedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		i, driver, _ := asked(t, fsm.InstanceConfig{Listener: h.listen})
		h.taken()
		about := fsm.Subject{At: time.Now(), Kind: "stub", Instance: "a"}
		var err error
		driver.observe = func(context.Context) (int, error) { return 0, err }
		step := func(with error) []fsm.Notice {
			err = with
			pass(t, i)
			return h.taken()
		}
		told := step(errBroken)
		require.Len(t, told, 1)
		failed := told[0].(fsm.PassFailed)
		assert.Equal(t, about, failed.About())
		assert.EqualError(t, failed.Err, "cannot observe: broken")
		assert.Equal(t, 1, failed.Failures)
		assert.Equal(t, i.Snapshot().NextTry, failed.NextTry)

		assert.Empty(t, step(errBroken), "the same is not told again")
		told = step(errors.New("fog"))
		require.Len(t, told, 1)
		assert.EqualError(t, told[0].(fsm.PassFailed).Err, "cannot observe: fog")
		told = step(nil)
		require.Len(t, told, 1)
		assert.EqualError(t, told[0].(fsm.PassRecovered).Err, "cannot observe: fog")
		assert.Empty(t, step(nil))
	})
}

func TestManyHearTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first, second, later heard
		h := newHouse()
		m := running(t, h.kind(t), fsm.Config{Listeners: []fsm.Listener{first.listen, second.listen}})
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40)}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		all := first.taken()
		assert.Equal(t, all, second.taken())
		assert.Len(t, all, 4, "to creating, off, lighting, lit")

		stop := m.Listen(later.listen)
		require.Error(t, m.Apply(t.Context(), declarations{"a": {State: "bright"}}))
		told := later.taken()
		require.Len(t, told, 1)
		assert.ErrorContains(t, told[0].(fsm.Refused).Err, `"bright" cannot be asked for`)
		assert.Equal(t, told, first.taken())
		assert.Equal(t, told, second.taken())
		stop()

		require.NoError(t, m.Apply(t.Context(), declarations{}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRemoved))
		synctest.Wait()
		told = first.taken()
		closed := told[len(told)-1].(fsm.Closed)
		assert.Equal(t, "a", closed.Instance)
		assert.NoError(t, closed.Err)
		assert.Equal(t, told, second.taken())
		assert.Empty(t, later.taken(), "it stopped listening")
	})
}

func TestAPassThatDoesNotEndIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told heard
		h := newHouse()
		hook, release := hanging("a")
		h.hook(hook)
		m := running(t, h.kind(t), fsm.Config{Listeners: []fsm.Listener{told.listen}, PassTimeout: time.Second})
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40)}))
		<-time.After(3 * time.Second)
		all := told.taken()
		require.Len(t, all, 1)
		assert.Equal(t, time.Second, all[0].(fsm.Overran).After)
		assert.Equal(t, "a", all[0].About().Instance)
		release()
	})
}

// What lasts is told again when it has become ten times as much.
func TestPassesThatFailAreToldAgainWhenTheyHaveTenfold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		i, driver, _ := asked(t, fsm.InstanceConfig{Listener: h.listen})
		h.taken()
		begun, err := time.Now(), errBroken
		driver.observe = func(context.Context) (int, error) { return 0, err }
		told := make(map[int]time.Time)
		for n := range 1234 {
			pass(t, i)
			for _, notice := range h.taken() {
				failed := notice.(fsm.PassFailed)
				assert.Equal(t, n+1, failed.Failures)
				told[failed.Failures] = failed.Since
			}
			<-time.After(time.Second)
		}
		assert.Equal(t, map[int]time.Time{1: begun, 10: begun, 100: begun, 1000: begun}, told)
		err = errors.New("fog")
		pass(t, i)
		changed := h.taken()
		require.Len(t, changed, 1)
		assert.Equal(t, 1235, changed[0].(fsm.PassFailed).Failures)
		assert.Equal(t, begun, changed[0].(fsm.PassFailed).Since)
		err = nil
		pass(t, i)
		over := h.taken()
		require.Len(t, over, 1)
		assert.Equal(t, 1235, over[0].(fsm.PassRecovered).Failures)
		assert.Equal(t, begun, over[0].(fsm.PassRecovered).Since)
		err = errBroken
		<-time.After(time.Second)
		pass(t, i)
		assert.Equal(t, time.Now(), h.taken()[0].(fsm.PassFailed).Since, "the count begins again")
	})
}

// An attempt that is put off has failed as often as before, whatever passes are
// made meanwhile.
func TestPassesThatTryNothingTellNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		i, driver, decides := asked(t, fsm.InstanceConfig{Listener: h.listen})
		h.taken()
		driver.do = func(context.Context, fsm.Action) error { return errBroken }
		decides.says(fsm.Decision{Do: []fsm.Action{"light"}})
		for len(driver.taken()) == 0 {
			pass(t, i)
		}
		require.Len(t, h.taken(), 1)
		for range 20 {
			pass(t, i)
			assert.Empty(t, driver.taken())
			assert.Empty(t, h.taken())
		}
	})
}

func TestTheEndOfARefusalIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told heard
		ended := func() (names []string) {
			for _, n := range told.taken() {
				if over, ok := n.(fsm.RefusalEnded); ok {
					assert.Equal(t, "lamp", over.Kind)
					assert.ErrorContains(t, over.Err, "cannot be asked for")
					names = append(names, over.Instance)
				}
			}
			return names
		}
		bad := lampDesired{State: "bright"}
		m := running(t, newHouse().kind(t), fsm.Config{Listeners: []fsm.Listener{told.listen}})
		require.Error(t, m.Apply(t.Context(), declarations{"a": bad, "b": bad, "c": bad, "d": bad}))
		require.Error(t, m.Apply(t.Context(), declarations{"a": bad, "b": lit(40), "d": bad}))
		assert.Equal(t, []string{"b", "c"}, ended(), "one is taken, and one is not declared any more")
		require.NoError(t, m.Set(t.Context(), "a", lit(40)))
		assert.Equal(t, []string{"a"}, ended())
		require.NoError(t, m.Remove(t.Context(), "d"))
		assert.Equal(t, []string{"d"}, ended())
		require.NoError(t, m.Apply(t.Context(), declarations{}))
		assert.Empty(t, ended())
	})
}

// teller is a driver that owns something that tells.
type teller struct {
	*stub
	tell fsm.Listener
}

func (d *teller) TellTo(l fsm.Listener) { d.tell = l }

func TestWhatIsOwnedSpeaksThroughItsOwner(t *testing.T) {
	driver := &teller{stub: &stub{}}
	kind := fsm.Kind[string, int]{
		Name: "house", Table: lampTable(t),
		Decide: func(stubInput) fsm.Decision { return fsm.Decision{} },
		Open:   func(string, func()) (fsm.Driver[string, int], error) { return driver, nil },
	}
	var told heard
	_, err := fsm.NewInstance(&kind, "a", fsm.InstanceConfig{Listener: told.listen}, nil)
	require.NoError(t, err)
	inner := fsm.Transition{Subject: fsm.Subject{At: time.Now(), Kind: "lamp", Instance: "hall"}, From: lampOff, To: lampLit}
	driver.tell(inner)
	assert.Equal(t, []fsm.Notice{fsm.Owned{
		Subject: fsm.Subject{At: inner.At, Kind: "house", Instance: "a"}, Notice: inner,
	}}, told.taken())

	_, err = fsm.NewInstance(&kind, "b", fsm.InstanceConfig{}, nil)
	require.NoError(t, err)
	driver.tell(inner) // nobody listens
}

func TestLogTo(t *testing.T) {
	var out bytes.Buffer
	log := fsm.LogTo(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	at := time.Date(2000, 1, 2, 3, 4, 5, 0, time.UTC)
	about, owner := fsm.Subject{At: at, Kind: "lamp", Instance: "hall"}, fsm.Subject{At: at, Kind: "house", Instance: "a"}
	move := fsm.Transition{Subject: about, From: lampOff, To: lampLit, Event: "light", ToPhase: fsm.PhaseRunning, Reason: why("it is dark").With("no light")}
	for _, n := range []fsm.Notice{
		move,
		fsm.PassFailed{Subject: about, Err: errBroken, Failures: 10, Since: at.Add(-time.Hour), Held: true},
		fsm.PassRecovered{Subject: about, Err: errBroken, Failures: 12, Since: at.Add(-time.Hour)},
		fsm.Refused{Subject: about, Err: errBroken},
		fsm.RefusalEnded{Subject: about, Err: errBroken},
		fsm.Warned{Subject: about, Err: errBroken},
		fsm.Overran{Subject: about, After: time.Second},
		fsm.Closed{Subject: about},
		fsm.Closed{Subject: about, Err: errBroken},
		fsm.Owned{Subject: owner, Notice: move},
		fsm.Owned{Subject: owner, Notice: fsm.PassFailed{Subject: about, Err: errBroken, Failures: 1, Since: at}},
	} {
		log(n)
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		line, found := strings.CutPrefix(line, "time=2000-01-02T03:04:05.000Z ")
		assert.True(t, found, "it is the time of the notice: %s", line)
		lines = append(lines, strings.TrimSpace(line))
	}
	assert.Equal(t, []string{
		`level=INFO msg=transition kind=lamp name=hall from=off to=lit event=light phase=running reason="it is dark: no light"`,
		`level=WARN msg="pass failed" kind=lamp name=hall error=broken times=10 since=2000-01-02T02:04:05.000Z held=true`,
		`level=INFO msg="pass succeeded again" kind=lamp name=hall error=broken times=12 since=2000-01-02T02:04:05.000Z`,
		`level=WARN msg="declaration refused" kind=lamp name=hall reason=broken`,
		`level=INFO msg="refusal ended" kind=lamp name=hall reason=broken`,
		`level=WARN msg="declaration taken with a warning" kind=lamp name=hall reason=broken`,
		`level=ERROR msg="pass does not end" kind=lamp name=hall after=1s`,
		`level=WARN msg="cannot close driver" kind=lamp name=hall error=broken`,
		`level=DEBUG msg=transition kind=lamp name=hall from=off to=lit event=light phase=running reason="it is dark: no light" parent=house`,
		`level=WARN msg="pass failed" kind=lamp name=hall error=broken times=1 since=2000-01-02T03:04:05.000Z held=false parent=house`,
	}, lines)
}

func TestLogToEscapesTextOfOthers(t *testing.T) {
	var out strings.Builder
	log := fsm.LogTo(slog.New(slog.NewJSONHandler(&out, nil)))
	const wild = "\x1b[2J \a \u009b \u202e"
	log(fsm.Transition{Reason: fsm.Because(wild).With(wild)})
	log(fsm.PassFailed{Err: errors.New(wild)})
	log(fsm.Refused{Err: errors.New(wild)})
	log(fsm.Closed{Err: errors.New(wild)})
	assert.Equal(t, 5, strings.Count(out.String(), `\\x1b[2J \\x07 \\u009b \\u202e`), out.String())
	assert.NotContains(t, out.String(), "\u202e")
}

func TestLogToShowsNoSecrets(t *testing.T) {
	var out bytes.Buffer
	log := fsm.LogTo(slog.New(slog.NewJSONHandler(&out, nil)))
	err := errors.New("cannot ask http://u:" + planted + "@h")
	for _, n := range []fsm.Notice{
		fsm.Transition{Reason: why("it said").With("token=" + planted)}, fsm.PassFailed{Err: err}, fsm.Refused{Err: err}, fsm.Warned{Err: err}, fsm.Closed{Err: err},
	} {
		log(n)
	}
	assert.Equal(t, 5, strings.Count(out.String(), fsm.Mask), out.String())
	assert.NotContains(t, out.String(), planted)
}

func TestAListenerThatPanicsFailsThePassAndKeepsNothingFromTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told heard
		h := newHouse()
		boom := func(n fsm.Notice) {
			if move, ok := n.(fsm.Transition); ok && move.To == lampLit {
				panic("boom")
			}
		}
		m := running(t, h.kind(t), fsm.Config{Listeners: []fsm.Listener{boom, told.listen}})
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40)}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		synctest.Wait()
		i := slices.IndexFunc(told.all, func(n fsm.Notice) bool {
			failed, ok := n.(fsm.PassFailed)
			return ok && strings.Contains(failed.Err.Error(), "panic: boom")
		})
		assert.GreaterOrEqual(t, i, 0, "%v", told.all)
	})
}
