package fsm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestWhenTheNextPassIsDue(t *testing.T) {
	tests := []struct {
		name string
		d    fsm.Decision
		want time.Duration
	}{
		{"nothing to do", fsm.Decision{}, fsm.DefaultResync},
		{"After", fsm.Decision{After: time.Second}, time.Second},
		{"After beyond the resync", fsm.Decision{After: time.Hour}, fsm.DefaultResync},
		{"after an action", fsm.Decision{Do: []fsm.Action{"one"}}, fsm.DefaultTick},
		{"after an action with After", fsm.Decision{Do: []fsm.Action{"one"}, After: time.Second}, time.Second},
		{"after a transition", fsm.Decision{Fire: fsm.EventCreateDone, After: time.Second}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i, driver, decides := asked(t, fsm.InstanceConfig{})
				driver.observe = func(context.Context) (int, error) {
					time.Sleep(2 * time.Second)
					return 0, nil
				}
				decides.says(tt.d)
				if tt.d.After == 0 && tt.want == fsm.DefaultResync {
					next := pass(t, i).Next
					assert.True(t, next.After(time.Now()) && !next.After(time.Now().Add(tt.want)), "at its turn: %v", next)
					return
				}
				assert.Equal(t, time.Now().Add(2*time.Second+tt.want), pass(t, i).Next, "counted from the end of the pass")
			})
		})
	}
}

// attempts notes when each action was tried.
func attempts(driver *stub, err func() error) *[]time.Duration {
	start, at := time.Now(), new([]time.Duration)
	driver.do = func(context.Context, fsm.Action) error {
		*at = append(*at, time.Since(start))
		return err()
	}
	return at
}

func TestAFailingActionIsPutOffLongerAndLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, driver, decides := asked(t, fsm.InstanceConfig{Backoff: fsm.Backoff{Base: time.Second, Cap: 20 * time.Second, Jitter: -1}})
		decides.says(fsm.Decision{Do: []fsm.Action{"one"}, Reason: why("it is off")})
		at := attempts(driver, func() error { return errBroken })
		seen := follow(t, i, 70*time.Second)
		s := time.Second
		assert.Equal(t, []time.Duration{0, 1 * s, 3 * s, 7 * s, 15 * s, 31 * s, 51 * s}, *at)
		for n := 1; n < len(seen); n++ {
			assert.LessOrEqual(t, seen[n]-seen[n-1], fsm.DefaultResync, "it goes on being observed meanwhile, at the resync")
		}
		snap := i.Snapshot()
		assert.Equal(t, 7, snap.Failures)
		assert.ErrorIs(t, snap.Err, errBroken)
		assert.False(t, snap.Settled)
		assert.Equal(t, why("it is off"), snap.Reason)

		driver.do = nil
		i.Retry()
		require.NoError(t, pass(t, i).Err)
		snap = i.Snapshot()
		assert.Zero(t, snap.Failures)
		assert.NoError(t, snap.Err)
		assert.Zero(t, snap.NextTry)
	})
}

func TestWhatIsPutOff(t *testing.T) {
	one := fsm.Decision{Do: []fsm.Action{"one"}, Reason: fsm.Reason{Summary: "it is off", Evidence: "seen at 1"}}
	two, otherReason, otherEvidence, otherEvent := one, one, one, one
	two.Do = []fsm.Action{"two"}
	otherReason.Reason.Summary = "it burned out"
	otherEvidence.Reason.Evidence = "seen at 2"
	otherEvent.Fire = fsm.EventCreateDone
	same := func(*fsm.Instance[string, int]) {}
	tests := []struct {
		name      string
		then      fsm.Decision
		change    func(*fsm.Instance[string, int])
		transient bool // tried at once after an ordinary failure
		held      bool // and after a permanent one, in time
	}{
		{"the same", one, same, false, false},
		{"other evidence", otherEvidence, same, false, true},
		{"another reason", otherReason, same, true, true},
		{"another action", two, same, true, true},
		{"another event", otherEvent, same, true, true},
		{"the same desired", one, func(i *fsm.Instance[string, int]) {
			require.NoError(t, i.SetDesired(fsm.Desired[string]{State: lampLit}))
		}, false, false},
		{"another desired", one, func(i *fsm.Instance[string, int]) {
			require.NoError(t, i.SetDesired(fsm.Desired[string]{State: lampLit, Spec: "new"}))
		}, true, true},
		{"asked to retry", one, func(i *fsm.Instance[string, int]) { i.Retry() }, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, err := range []error{errBroken, fsm.Permanent(errBroken)} {
					i, driver, decides := asked(t, fsm.InstanceConfig{Backoff: fsm.Backoff{Base: time.Second, Jitter: -1}})
					decides.says(one)
					driver.do = func(context.Context, fsm.Action) error { return err }
					pass(t, i)
					driver.taken()
					held := fsm.IsPermanent(err)
					assert.Equal(t, held, i.Snapshot().Held)
					assert.Equal(t, held, i.Snapshot().NextTry.IsZero())

					decides.says(tt.then)
					tt.change(i)
					res := pass(t, i)
					assert.Equal(t, tt.transient, len(driver.taken()) > 0, "at once: %v", err)
					if !tt.transient {
						assert.NoError(t, res.Err)
						assert.ErrorIs(t, i.Snapshot().Err, errBroken, "it is still said why")
					}
					if held {
						follow(t, i, time.Hour)
						assert.Equal(t, tt.held && !tt.transient, len(driver.taken()) > 0, "in time")
					}
				}
			})
		})
	}
}

func TestAHeldActionWithRestlessEvidenceIsStillPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, driver, decides := asked(t, fsm.InstanceConfig{})
		n := 0
		decides.decide = func(stubInput) fsm.Decision {
			n++
			return fsm.Decision{Do: []fsm.Action{"one"}, Reason: fsm.Reason{Summary: "it is off", Evidence: fmt.Sprint("look ", n)}}
		}
		for _, err := range []error{errBroken, fsm.Permanent(errBroken)} {
			driver.do = func(context.Context, fsm.Action) error { return err }
			follow(t, i, 10*time.Minute)
			tried := len(driver.taken())
			assert.Greater(t, tried, 10)
			assert.Less(t, tried, 50, "no oftener than the cap of 30 s allows, %v", err)
		}
	})
}

func TestAPassingBlindnessLeavesPutOffAndHeldAlone(t *testing.T) {
	for _, err := range []error{errBroken, fsm.Permanent(errBroken)} {
		synctest.Test(t, func(t *testing.T) {
			i, driver, decides := asked(t, fsm.InstanceConfig{Backoff: fsm.Backoff{Base: time.Second, Jitter: -1}})
			decides.says(fsm.Decision{Do: []fsm.Action{"one"}, Reason: why("it is off")})
			driver.do = func(context.Context, fsm.Action) error { return err }
			pass(t, i)
			held := i.Snapshot()

			driver.observe = func(context.Context) (int, error) { return 0, errors.New("fog") }
			pass(t, i)
			assert.ErrorContains(t, i.Snapshot().Err, "fog")
			driver.observe = nil
			driver.taken()
			pass(t, i)
			assert.Empty(t, driver.taken(), "not tried again because of the fog")
			after := i.Snapshot()
			assert.Equal(t, held.Err, after.Err)
			assert.Equal(t, held.Held, after.Held)
			assert.Equal(t, held.NextTry, after.NextTry)
			assert.Equal(t, 1, after.Failures)
		})
	}
}

func TestARetryWaitsUntilItCanBeTried(t *testing.T) {
	i, driver, decides := asked(t, fsm.InstanceConfig{})
	decides.says(fsm.Decision{Do: []fsm.Action{"one"}, Reason: why("it is off")})
	driver.do = func(context.Context, fsm.Action) error { return fsm.Permanent(errBroken) }
	pass(t, i)
	driver.taken()

	i.Retry()
	driver.observe = func(context.Context) (int, error) { return 0, errors.New("fog") }
	pass(t, i)
	driver.observe = nil
	pass(t, i)
	assert.Equal(t, []fsm.Action{"one"}, driver.taken())
	pass(t, i)
	assert.Empty(t, driver.taken(), "one retry is one try")
}

type timeoutError struct{}

func (timeoutError) Error() string { return "took too long" }
func (timeoutError) Timeout() bool { return true }

func TestATimeOutIsNeverPermanent(t *testing.T) {
	for name, err := range map[string]error{
		"deadline":        fsm.Permanent(context.DeadlineExceeded),
		"wrapped":         fsm.Permanent(fmt.Errorf("no answer: %w", context.DeadlineExceeded)),
		"wrapped outside": fmt.Errorf("no answer: %w", fsm.Permanent(context.DeadlineExceeded)),
		"cancelled":       fsm.Permanent(context.Canceled),
		"of the system":   fsm.Permanent(os.ErrDeadlineExceeded),
		"by method":       fsm.Permanent(timeoutError{}),
	} {
		t.Run(name, func(t *testing.T) {
			i, driver, decides := asked(t, fsm.InstanceConfig{})
			decides.says(fsm.Decision{Do: []fsm.Action{"one"}})
			driver.do = func(context.Context, fsm.Action) error { return err }
			require.Error(t, pass(t, i).Err)
			assert.False(t, i.Snapshot().Held)
			assert.False(t, i.Snapshot().NextTry.IsZero())
			assert.False(t, fsm.IsPermanent(err))
		})
	}
	t.Run("whatever it is called once the pass has run out of time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			i, driver, decides := asked(t, fsm.InstanceConfig{})
			decides.says(fsm.Decision{Do: []fsm.Action{"one"}})
			driver.do = func(ctx context.Context, _ fsm.Action) error {
				<-ctx.Done()
				return fsm.Permanent(errors.New("signal: killed"))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			res := i.Reconcile(ctx)
			assert.False(t, i.Snapshot().Held)
			assert.Equal(t, 1, i.Snapshot().Failures)
			assert.Equal(t, time.Now().Add(100*time.Millisecond), res.Next, "the back-off begins when the pass has ended")
		})
	})
}

func TestPermanentKeepsTheError(t *testing.T) {
	assert.NoError(t, fsm.Permanent(nil))
	err := fsm.Permanent(errBroken)
	assert.ErrorIs(t, err, errBroken)
	assert.EqualError(t, err, "broken")
	assert.True(t, fsm.IsPermanent(fmt.Errorf("more: %w", err)))
	assert.False(t, fsm.IsPermanent(errBroken))
	assert.False(t, fsm.IsPermanent(nil))
}

func TestAnObservationIsNeverPermanent(t *testing.T) {
	i, driver, _ := asked(t, fsm.InstanceConfig{})
	driver.observe = func(context.Context) (int, error) { return 0, fsm.Permanent(errBroken) }
	pass(t, i)
	assert.False(t, i.Snapshot().Held)
	assert.False(t, i.Snapshot().NextTry.IsZero())
}

func TestACallerThatGivesUpIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, driver, decides := asked(t, fsm.InstanceConfig{})
		decides.says(fsm.Decision{Do: []fsm.Action{"one"}})
		ctx, cancel := context.WithCancel(t.Context())
		driver.do = func(ctx context.Context, _ fsm.Action) error {
			cancel()
			return ctx.Err()
		}
		i.Retry()
		res := i.Reconcile(ctx)
		assert.ErrorIs(t, res.Err, context.Canceled)
		assert.Equal(t, time.Now().Add(fsm.DefaultTick), res.Next, "it is soon made again")
		s := i.Snapshot()
		assert.NoError(t, s.Err)
		assert.Zero(t, s.Failures)
		assert.False(t, s.Settled)
	})
}
