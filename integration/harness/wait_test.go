package harness

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// witness is a test that can fail without ending the real one.
type witness struct {
	testing.TB
	said string
}

type failed struct{}

func (*witness) Helper()                             {}
func (*witness) Name() string                        { return "witness" }
func (w *witness) Logf(string, ...any)               {}
func (w *witness) Errorf(format string, args ...any) { w.said += fmt.Sprintf(format, args...) }
func (w *witness) FailNow()                          { panic(failed{}) }

// failure returns what a failing test reports, "" if it does not fail.
func failure(test func(t testing.TB)) string {
	w := new(witness)
	func() {
		defer func() {
			if v := recover(); v != nil && v != any(failed{}) {
				panic(v)
			}
		}()
		test(w)
	}()
	return w.said
}

func TestEventually(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		assert.Empty(t, failure(func(t testing.TB) {
			Eventually(t, "a while", func() bool { return time.Since(begun) > Patience/2 })
			Eventually(t, "no error", func() error { return nil })
		}))
		looks := 0
		said := failure(func(t testing.TB) {
			Eventually(t, "a cow jumps", func() error { looks++; return fmt.Errorf("it stands, at look %d", looks) })
		})
		assert.Contains(t, said, "it did not come about in "+Patience.String())
		assert.Contains(t, said, fmt.Sprintf("a cow jumps: it stands, at look %d", looks), "the last that was seen")
		said = failure(func(t testing.TB) {
			EventuallyWithin(t, time.Second, "a cow jumps", func() bool { return false })
		})
		assert.Contains(t, said, "in 1s")
	})
}

func TestHoldsAndLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		until := func(d time.Duration) func() bool { return func() bool { return time.Since(begun) < d } }
		assert.Empty(t, failure(func(t testing.TB) { Holds(t, time.Second, "it stands", until(2*time.Second)) }))
		assert.Contains(t, failure(func(t testing.TB) { Holds(t, time.Hour, "it stands", until(time.Minute)) }), "it stands")

		// It begins again with each interruption.
		begun = time.Now()
		lasting := func() bool { since := time.Since(begun); return since < time.Second || since > 2*time.Second }
		assert.Empty(t, failure(func(t testing.TB) { Lasts(t, 3*time.Second, "it stands", lasting) }))
		assert.Greater(t, time.Since(begun), 5*time.Second)
		said := failure(func(t testing.TB) { Lasts(t, 2*Patience, "it stands", func() bool { return true }) })
		assert.Contains(t, said, "it stands: it has been so for ")
	})
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		Pause(t, time.Minute, "to see that it is exact")
		assert.Equal(t, time.Minute, time.Since(begun))
	})
}
