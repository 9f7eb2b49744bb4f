package fsmtest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
)

// ledger is a testing.TB that only takes down what failed.
type ledger struct {
	testing.TB
	failures []string
}

func (l *ledger) Helper() {}

func (l *ledger) Errorf(format string, args ...any) {
	l.failures = append(l.failures, fmt.Sprintf(format, args...))
}

func TestCheckPassesASoundKind(t *testing.T) {
	pumpCheck(t).Run(t)
}

// breakage is something wrong with a check, and what its failures are to say.
type breakage struct {
	name   string
	breaks func(*fsmtest.Check[litres, gauge])
	says   []string
}

type check = fsmtest.Check[litres, gauge]

// decide has the pump's decisions broken.
func decide(c *check, broken func(pumpInput, fsm.Decision) fsm.Decision) {
	c.Kind.Decide = func(in pumpInput) fsm.Decision { return broken(in, decidePump(in)) }
}

// wrongDecisions break the promises of Decide itself.
func wrongDecisions() []breakage {
	calls := 0
	return []breakage{
		{"gets stuck", func(c *check) {
			decide(c, func(in pumpInput, d fsm.Decision) fsm.Decision {
				if in.State == pumpSpinning {
					return fsm.Decision{Reason: fsm.Reason{Summary: "waiting for nothing"}}
				}
				return d
			})
		}, []string{"it is not there after", "it is spinning_down", "waiting for nothing", "# asked for"}},
		{"no reason", func(c *check) {
			decide(c, func(in pumpInput, d fsm.Decision) fsm.Decision {
				if in.State == pumpPriming {
					d.Reason = fsm.Reason{}
				}
				return d
			})
		}, []string{"it is left in priming without a reason"}},
		{"impure", func(c *check) {
			decide(c, func(_ pumpInput, d fsm.Decision) fsm.Decision {
				calls++
				d.Reason.Evidence = fmt.Sprint("call ", calls)
				return d
			})
		}, []string{"Decide is not pure: in creating the same input gave", "call 1"}},
		{"remembers", func(c *check) {
			// Asked twice in a row it says the same.
			var last pumpInput
			pushes := 0
			decide(c, func(in pumpInput, d fsm.Decision) fsm.Decision {
				if in != last {
					last, pushes = in, pushes+1
				}
				d.After = time.Duration(pushes) * time.Millisecond
				return d
			})
		}, []string{"Decide is not pure: in "}},
		{"panics when it is asked of what was before", func(c *check) {
			var last time.Time
			decide(c, func(in pumpInput, d fsm.Decision) fsm.Decision {
				if in.Since.Before(last) {
					panic("time goes backwards")
				}
				last = in.Since
				return d
			})
		}, []string{"Decide is not pure: in ", "then a panic: time goes backwards"}},
		{"event without a row", func(c *check) {
			decide(c, func(in pumpInput, d fsm.Decision) fsm.Decision {
				if in.State == pumpPumping && d.Fire == "stop" {
					d.Fire = "halt"
				}
				return d
			})
		}, []string{"Decide fires halt in pumping, for which the table has no row"}},
		{"panics", func(c *check) {
			decide(c, func(in pumpInput, d fsm.Decision) fsm.Decision {
				if in.State == pumpDry {
					panic("dry run")
				}
				return d
			})
		}, []string{"Decide panics in dry: dry run"}},
		{"goes round in circles", func(c *check) {
			decide(c, func(in pumpInput, d fsm.Decision) fsm.Decision {
				if in.State == pumpDry && in.Desired.State == pumpPumping {
					return fsm.Decision{Fire: "pressure", Reason: fsm.Reason{Summary: "hope"}}
				}
				return d
			})
		}, []string{"it goes round in circles without letting time pass", "pumping -> dry (pressure_lost)", "dry -> pumping (pressure): hope"}},
	}
}

// wrongCourses lead to the wrong place, or there too late.
func wrongCourses() []breakage {
	return []breakage{
		{"cannot change its mind", func(c *check) {
			decide(c, func(in pumpInput, d fsm.Decision) fsm.Decision {
				if in.Desired.State == pumpOff && in.Observed.Pressure > 0 {
					return fsm.Decision{Reason: fsm.Reason{Summary: "too late"}}
				}
				return d
			})
			c.Scenes = c.Scenes[:1]
		}, []string{"nothing there: from to_be_created, asked for pumping 3, then off 3: it is not there", "# asked for off"}},
		{"negative After", func(c *check) {
			decide(c, func(_ pumpInput, d fsm.Decision) fsm.Decision {
				d.After = -time.Second
				return d
			})
		}, []string{"for another look after -1s"}},
		{"looks again too late", func(c *check) {
			decide(c, func(in pumpInput, d fsm.Decision) fsm.Decision {
				if in.State == pumpDry {
					d.After = 0
				}
				return d
			})
			c.Kind.Resync = time.Hour
			c.Scenes = c.Scenes[3:4]
		}, []string{"dry well: ", "its next look is 1h0m0s away"}},
		{"unknown action", func(c *check) {
			decide(c, func(in pumpInput, d fsm.Decision) fsm.Decision {
				if in.State == fsm.StateCreating && len(d.Do) > 0 {
					d.Do = []fsm.Action{"instal"}
				}
				return d
			})
		}, []string{"creating do [instal]: it is being installed; failed, cannot instal: unsupported operation"}},
	}
}

// wrongScenes do not fit what the pump does.
func wrongScenes() []breakage {
	return []breakage{
		{"held where it must go on", func(c *check) {
			c.Scenes[4].Ends = nil
		}, []string{"no mains: from to_be_created, asked for pumping 3: it is not there after 5m0.2s: it is off"}},
		{"ends elsewhere", func(c *check) {
			c.Scenes[3].Ends = map[fsm.State][]fsm.Phase{pumpPumping: {fsm.PhaseStopped}}
		}, []string{"dry well: ", "it ended in dry of phase degraded, not in one of [stopped]"}},
		{"hopeless, yet gets there", func(c *check) {
			c.Scenes[0].Ends = map[fsm.State][]fsm.Phase{pumpPumping: {fsm.PhaseDegraded}}
		}, []string{"it got there, which the scene says it cannot: only to one of [degraded]"}},
		{"unused row", func(c *check) {
			c.Scenes = c.Scenes[:1]
		}, []string{"row no_pressure from priming to dry is never used"}},
		{"row unused by mistake", func(c *check) {
			c.Unused = []fsm.Row{{Event: "start", From: pumpOff, To: pumpPriming}}
		}, []string{"row start from off to priming is listed as unused but is used"}},
		{"no scene", func(c *check) { c.Scenes = nil }, []string{`cannot check kind "pump"`}},
	}
}

func TestCheckFailsABrokenKind(t *testing.T) {
	for _, tt := range slices.Concat(wrongDecisions(), wrongCourses(), wrongScenes()) {
		t.Run(tt.name, func(t *testing.T) {
			c := pumpCheck(t)
			tt.breaks(&c)
			l := &ledger{TB: t}
			c.Run(l)
			require.NotEmpty(t, l.failures)
			all := strings.Join(l.failures, "\n")
			for _, says := range tt.says {
				assert.Contains(t, all, says)
			}
			assert.LessOrEqual(t, len(l.failures), 11)
		})
	}
}

func TestCheckExcusesUnusedRows(t *testing.T) {
	c := pumpCheck(t)
	c.Scenes = c.Scenes[:1]
	l := &ledger{TB: t}
	c.Run(l)
	require.NotEmpty(t, l.failures)
	for _, row := range c.Kind.Table.Rows() {
		for _, failure := range l.failures {
			if strings.Contains(failure, fmt.Sprintf("row %s from %s to %s ", row.Event, row.From, row.To)) {
				c.Unused = append(c.Unused, row)
			}
		}
	}
	c.Run(t)
}

// sleeper is a pump whose clock is its own.
type sleeper struct {
	pump
	now time.Time
}

func (s *sleeper) Now() time.Time { return s.now }

func (s *sleeper) Advance(d time.Duration) {
	s.now = s.now.Add(d)
	s.pump.Advance(d)
}

// check refuses a pass that has another clock reading.
func (s *sleeper) check(ctx context.Context) error {
	if now := fsm.Now(ctx); now != s.now {
		return fmt.Errorf("at %v the pass is at %v", s.now, now)
	}
	return nil
}

func (s *sleeper) Observe(ctx context.Context, desired fsm.Desired[litres]) (gauge, error) {
	if err := s.check(ctx); err != nil {
		return gauge{}, err
	}
	return s.pump.Observe(ctx, desired)
}

func (s *sleeper) Do(ctx context.Context, action fsm.Action, desired fsm.Desired[litres]) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	return s.pump.Do(ctx, action, desired)
}

func TestCheckReadsAWorldsOwnClock(t *testing.T) {
	start := time.Date(2033, 4, 5, 6, 7, 8, 0, time.UTC)
	c := pumpCheck(t)
	decide := c.Kind.Decide
	c.Kind.Decide = func(in pumpInput) fsm.Decision {
		if in.Now.Before(start) || in.Since.Before(start) {
			panic("before the beginning of time")
		}
		return decide(in)
	}
	for n, scene := range c.Scenes {
		fresh := scene.New
		c.Scenes[n].New = func(now time.Time) fsmtest.World[litres, gauge] {
			return &sleeper{pump: *fresh(now).(*pump), now: start}
		}
	}
	c.Run(t)
}
