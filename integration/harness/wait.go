package harness

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Patience is how long anything may take that has no time of its own. It is a
// bound against hanging and measures nothing.
const Patience = 2 * time.Minute

const (
	firstPoll = 2 * time.Millisecond
	lastPoll  = 25 * time.Millisecond
)

// Eventually polls a condition until it holds. A condition that returns an
// error does not hold. When the test's patience is over, the last error is
// reported.
func Eventually[C func() bool | func() error](t testing.TB, what string, condition C) {
	t.Helper()
	EventuallyWithin(t, Patience, what, condition)
}

// EventuallyWithin is Eventually for something that itself takes long.
func EventuallyWithin[C func() bool | func() error](t testing.TB, within time.Duration, what string, condition C) {
	t.Helper()
	end := time.Now().Add(within)
	for every := firstPoll; ; every = min(every*5/4, lastPoll) {
		seen := look(condition)
		if seen == nil {
			return
		}
		if time.Now().After(end) {
			require.FailNow(t, "it did not come about in "+within.String(), "%s: %v", what, seen)
		}
		time.Sleep(every)
	}
}

// look returns why a condition does not hold.
func look(condition any) error {
	switch c := condition.(type) {
	case func() error:
		return c()
	case func() bool:
		if c() {
			return nil
		}
	}
	return errNot
}

var errNot = fmt.Errorf("it is not so")

// Holds polls a condition for a while; it must hold all the time.
func Holds(t testing.TB, d time.Duration, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(d); ; time.Sleep(firstPoll) {
		if !condition() {
			require.FailNow(t, "it did not last", what)
		}
		if time.Now().After(end) {
			return
		}
	}
}

// Lasts polls a condition until it has held for a while.
func Lasts(t testing.TB, d time.Duration, what string, condition func() bool) {
	t.Helper()
	var since time.Time
	Eventually(t, what, func() error {
		switch {
		case !condition():
			since = time.Time{}
			return errNot
		case since.IsZero():
			since = time.Now()
		}
		if lasted := time.Since(since); lasted < d {
			return fmt.Errorf("it has been so for %v, not %v", lasted, d)
		}
		return nil
	})
}

// Pause lets time pass, where only time can show that nothing happens, or where
// a test acts at one moment among many. It says why.
func Pause(t testing.TB, d time.Duration, why string) {
	t.Helper()
	t.Logf("%v pass: %s", d, why)
	time.Sleep(d)
}

// Wait lets time pass in a program that a test has started, between two looks.
func Wait(d time.Duration) { time.Sleep(d) }
