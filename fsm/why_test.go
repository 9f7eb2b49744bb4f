package fsm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// said returns the sentences of a Why, each with its part, its layer, and how long
// after begin it is from.
func said(w fsm.Why, begin time.Time) (lines []string) {
	for _, l := range w.Chain {
		line := string(l.Part)
		if l.By != "" {
			line += " (" + l.By + ")"
		}
		if !l.At.IsZero() {
			line += fmt.Sprintf(" +%v", l.At.Sub(begin))
		}
		lines = append(lines, line+": "+l.Text)
	}
	return lines
}

func TestWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		kind := h.kind(t)
		kind.Resync = 10 * time.Second
		kind.Validate = func(_ context.Context, all, _ declarations) (map[string]error, error) {
			refused := make(map[string]error)
			for name, d := range all {
				if d.Spec > 100 {
					refused[name] = errors.New("too bright: password=hunter2")
				}
			}
			return refused, nil
		}
		kind.Explain = func(s *fsm.Snapshot[watts, bulb]) []fsm.Link {
			if s.Phase == fsm.PhaseRunning {
				return []fsm.Link{{Part: fsm.PartSeen, Text: fmt.Sprintf("it has %d W", s.Observed.Watts)}}
			}
			return []fsm.Link{
				{Part: fsm.PartHelp, Text: "give it power"},
				{Part: fsm.PartSeen, Text: "its switch is off; token=abc", At: s.Since},
			}
		}
		m := running(t, kind, fsm.Config{Backoff: fsm.Backoff{Jitter: -1}})
		_, known := m.Why("a")
		assert.False(t, known)

		begin := time.Now()
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40)}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		w, known := m.Why("a")
		require.True(t, known)
		s, _ := m.Instance("a")
		assert.Equal(t, fsm.Why{Kind: "lamp", Name: "a", State: lampLit, Phase: fsm.PhaseRunning, Since: s.Since, Chain: w.Chain}, w)
		assert.Equal(t, []string{
			"asked (declared) +0s: it is asked to be lit",
			"state +" + s.Since.Sub(begin).String() + ": it is lit",
			"seen: it has 40 W",
			"next +" + s.NextPass.Sub(begin).String() + ": it is looked at when something changes, and in any case",
		}, said(w, begin))

		broken := errors.New("no room: password=hunter2")
		h.hook(func(_ context.Context, _, op string) error {
			if op == "switch_on" {
				return broken
			}
			return nil
		})
		h.cut("a")
		h.wake("a")
		time.Sleep(3500 * time.Millisecond)
		assert.Error(t, m.Apply(t.Context(), declarations{"a": lit(500), "b": lit(500)}))
		synctest.Wait()
		w, _ = m.Why("a")
		s, _ = m.Instance("a")
		assert.Equal(t, []string{
			"asked (declared) +0s: it is asked to be lit",
			"refused: its last declaration is refused, and what was asked before goes on: too bright: password=***",
			"state +" + s.Since.Sub(begin).String() + ": it is dark: it does not glow",
			"seen +" + s.Since.Sub(begin).String() + ": its switch is off; token=***",
			fmt.Sprintf("trouble: the last pass over it failed, %d times in a row: cannot switch_on: no room: password=***", s.Failures),
			"next +" + s.NextTry.Sub(begin).String() + ": what failed is tried again",
			"help: give it power",
			"help: mend what is declared of it: it is taken as soon as it is in order",
		}, said(w, begin))

		w, known = m.Why("b")
		assert.True(t, known)
		assert.Equal(t, []string{
			"refused: its declaration is refused: too bright: password=***",
			"help: mend what is declared of it: nothing of it exists",
		}, said(w, begin))
		text, err := json.Marshal(w)
		require.NoError(t, err)
		assert.JSONEq(t, `{"kind": "lamp", "name": "b", "phase": "to_be_created", "chain": [
			{"part": "refused", "text": "its declaration is refused: too bright: password=***"},
			{"part": "help", "text": "mend what is declared of it: nothing of it exists"}]}`, string(text))
	})
}

func TestWhyOfWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.hook(func(_ context.Context, _, op string) error {
			if op == "screw_in" {
				return fsm.Permanent(errBroken)
			}
			return nil
		})
		kind := h.kind(t)
		kind.Explain = func(*fsm.Snapshot[watts, bulb]) []fsm.Link { panic("boom") }
		m := running(t, kind, fsm.Config{})
		begin := time.Now()
		require.NoError(t, m.Apply(t.Context(), declarations{"a": {State: lampLit, Spec: 40, Rejected: fsm.Because("60 W").With("it burnt out")}}))
		require.ErrorIs(t, m.Wait(t.Context(), "a", fsm.PhaseRunning), fsm.ErrHeld)
		w, _ := m.Why("a")
		assert.Equal(t, []string{
			"asked (taken back) +0s: it is asked to be lit as before a change that was taken back",
			"refused: 60 W: it burnt out",
			"state +0s: it is creating: it is being screwed in",
			"trouble: its kind cannot say more: panic: boom",
			"trouble: the last pass over it failed: cannot screw_in: broken",
			"next: it is not tried again until something changes, or somebody asks for it",
			"help: mend the cause, and then change what is declared of it, or retry it",
		}, said(w, begin))
	})
}

// What waits says for what, and which layer has it wait.
func TestWhyOfWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, newHouse().kind(t), fsm.Config{Gate: shut{}})
		begin := time.Now()
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40)}))
		time.Sleep(time.Second)
		w, _ := m.Why("a")
		s, _ := m.Instance("a")
		assert.Equal(t, "shut", s.HeldBy)
		assert.Equal(t, lampLit, s.Asked)
		assert.Equal(t, lampOff, s.Desired.State)
		assert.Equal(t, []string{
			"asked (declared) +0s: it is asked to be lit",
			"held (shut): waits",
			"state +" + s.Since.Sub(begin).String() + ": it is off",
		}, said(w, begin)[:3])
	})
}
