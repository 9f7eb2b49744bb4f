package s6

import (
	"fmt"
	"math"
	"slices"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// CrashLimit is how many deaths within CrashWindow make a service degraded,
// although its process may run at the moment.
const CrashLimit = 3

// tallyCache holds the deaths that belong to a status.
type tallyCache struct {
	stamp  time.Time
	deaths []supervise.Death
	seen   []time.Time // when each was read first; zero where the clock had been set back by then
}

// read takes the deaths that belong to a status, oldest first, as they were read now.
func (c *tallyCache) read(stamp time.Time, deaths []supervise.Death, now time.Time) {
	seen, known := make([]time.Time, len(deaths)), 0
	for from := range c.deaths { // the oldest make room
		if all := c.deaths[from:]; len(all) <= len(deaths) && slices.Equal(all, deaths[:len(all)]) {
			known = copy(seen, c.seen[from:])
			break
		}
	}
	for n := known; n < len(deaths); n++ {
		// How far it was set back is not known: such a death counts as long ago.
		if ahead := deaths[n].Time.After(now.Round(0)); !ahead || !c.stamp.IsZero() {
			seen[n] = now
		}
	}
	*c = tallyCache{stamp, deaths, seen}
}

// age returns how long ago a death was, by the wall clock, which stamps it, and at
// least for as long as it has been known, whatever that clock was set to since.
func (c *tallyCache) age(n int, now time.Time) time.Duration {
	if c.seen[n].IsZero() {
		return math.MaxInt64
	}
	return max(now.Round(0).Sub(c.deaths[n].Time), now.Sub(c.seen[n]))
}

// requests are the reasons to expect a death.
type requests struct {
	opened  time.Time      // from when on it is known what was asked
	asked   []time.Time    // when the process was told to end, oldest first
	changed time.Time      // when what is wanted of the process changed
	stop    syscall.Signal // by which processes are told to end
}

// recentDeaths counts the deaths within CrashWindow before now that were not to
// be expected, and says whether the newest death of all was not. Expected are
// the first death after each request to end, the deaths of what was wanted
// before the last change, and, from the time before it was known what was
// asked, deaths that look as if they had been asked for. It compares ages: the
// clock of deaths is the wall clock, which may have been set since.
func recentDeaths(tally *tallyCache, r requests, now time.Time) (count int, unasked bool) {
	for n, death := range tally.deaths {
		age := tally.age(n, now)
		expected := age > now.Sub(r.changed) ||
			age > now.Sub(r.opened) && (death.Signal == r.stop || death.Signal == 0 && death.ExitCode == 0)
		for len(r.asked) > 0 && age <= now.Sub(r.asked[0]) {
			expected, r.asked = true, r.asked[1:]
		}
		if !expected && age < CrashWindow {
			count++
		}
		unasked = !expected
	}
	return count, unasked
}

// lastDeath says how the process ended last, and what it printed last, as evidence.
func (o *Observed) lastDeath() string {
	if o.Last.Time.IsZero() {
		return ""
	}
	how := fmt.Sprintf("exited with %d", o.Last.ExitCode)
	if o.Last.Signal != 0 {
		how = fmt.Sprintf("ended by signal %d (%v)", int(o.Last.Signal), o.Last.Signal)
	}
	how += " at " + o.Last.Time.Format(time.RFC3339Nano)
	if o.OutOfMemory != "" {
		how += "; " + o.OutOfMemory
	}
	if o.LastWords != "" {
		how += "; its last words: " + o.LastWords
	}
	return how
}

// crashedFirst reports that s6-supervise pauses after the first end in CrashWindow
// that nobody asked for. Whether the tally has that end is told by its stamp: where
// ends are not counted, each would be the first.
func (o *Observed) crashedFirst() bool {
	s := &o.Status
	return o.Supervised && s.PID == 0 && s.WantUp && !o.AskedDown && !o.Unheard && o.CommandProblem == "" &&
		o.Deaths == 1 && o.Unasked && o.Last.Time.Equal(s.Stamp)
}

// crashes reports that the process ends again and again. Where there are pauses in
// between, those say it.
func (o *Observed) crashes() bool { return o.Deaths >= CrashLimit && !o.Pauses }
