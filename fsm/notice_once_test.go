package fsm_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestWhatStandsIsLoggedOnce(t *testing.T) {
	of := func(kind, name string) fsm.Subject { return fsm.Subject{Kind: kind, Instance: name} }
	a, fog := of("lamp", "a"), errors.New("fog")
	const refused, over, warned = "declaration refused", "refusal ended", "declaration taken with a warning"
	log := &records{}
	hear := fsm.LogTo(slog.New(log))
	for _, step := range []struct {
		notice fsm.Notice
		said   string // "" for nothing
	}{
		{fsm.Refused{Subject: a, Err: errBroken}, refused},
		{fsm.Refused{Subject: a, Err: errors.New("broken")}, ""},
		{fsm.Transition{Subject: a}, "transition"},
		{fsm.Refused{Subject: a, Err: errBroken}, ""},
		{fsm.Closed{Subject: a}, ""},
		{fsm.Refused{Subject: a, Err: errBroken}, ""},
		{fsm.Refused{Subject: of("lamp", "b"), Err: errBroken}, refused},
		{fsm.Refused{Subject: of("house", "a"), Err: errBroken}, refused},
		{fsm.Refused{Subject: a, Err: fog}, refused},
		{fsm.Refused{Subject: a, Err: errBroken}, refused},
		{fsm.Warned{Subject: a, Err: errBroken}, warned},
		{fsm.Warned{Subject: a, Err: errBroken}, ""},
		{fsm.RefusalEnded{Subject: a, Err: errBroken}, over},
		{fsm.Warned{Subject: a, Err: errBroken}, ""},
		{fsm.Refused{Subject: a, Err: errBroken}, refused},
		{fsm.Warned{Subject: a, Err: fog}, warned},
		{fsm.Transition{Subject: a}, "transition"},
		{fsm.Warned{Subject: a, Err: fog}, warned},
		{fsm.Closed{Subject: a}, ""},
		{fsm.Warned{Subject: a, Err: fog}, warned},
	} {
		before := len(log.said)
		hear(step.notice)
		if step.said == "" {
			assert.Len(t, log.said, before, "%#v", step.notice)
		} else if assert.Len(t, log.said, before+1, "%#v", step.notice) {
			assert.Equal(t, step.said, log.said[before], "%#v", step.notice)
		}
	}
}

// Somebody declares the same every minute for hours, in which an instance cannot
// be lit.
func TestHoursOfTroubleAreAFewRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, log := newHouse(), &records{}
		m := running(t, h.kind(t), fsm.Config{Logger: slog.New(log)})
		tries := 0
		h.hook(func(_ context.Context, _, op string) error {
			if op != "switch_on" {
				return nil
			}
			tries++
			return errors.New("no power")
		})
		for end := time.Now().Add(6 * time.Hour); time.Now().Before(end); {
			require.Error(t, m.Apply(t.Context(), declarations{"a": lit(1), "b": {State: "bright"}}))
			elapse(time.Minute)
		}
		assert.Equal(t, 1, log.count("declaration refused"))
		require.Greater(t, tries, 100)
		assert.Equal(t, len(strconv.Itoa(tries)), log.count("pass failed"))
		h.hook(nil)
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(1)}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		assert.Equal(t, 1, log.count("refusal ended"))
		assert.Equal(t, 1, log.count("pass succeeded again"))
	})
}

// Names come and go, and nothing of them is kept.
func TestALogForgetsWhatIsGone(t *testing.T) {
	hear := fsm.LogTo(slog.New(slog.DiscardHandler))
	size := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	churn := func() {
		for n := range 50_000 {
			about := fsm.Subject{Kind: "lamp", Instance: fmt.Sprint("lamp-", n)}
			hear(fsm.Warned{Subject: about, Err: errBroken})
			hear(fsm.Refused{Subject: about, Err: errBroken})
			hear(fsm.RefusalEnded{Subject: about, Err: errBroken})
			hear(fsm.Closed{Subject: about})
		}
	}
	churn()
	before := size()
	churn()
	assert.Less(t, size(), before+1<<20)
	runtime.KeepAlive(hear)
}
