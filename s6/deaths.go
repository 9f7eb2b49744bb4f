package s6

import (
	"fmt"
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
func recentDeaths(deaths []supervise.Death, r requests, now time.Time) (count int, unasked bool) {
	for _, death := range deaths {
		age := now.Round(0).Sub(death.Time)
		expected := age > now.Sub(r.changed) ||
			age > now.Sub(r.opened) && (death.Signal == r.stop || death.Signal == 0 && death.ExitCode == 0)
		for len(r.asked) > 0 && age <= now.Sub(r.asked[0]) {
			expected, r.asked = true, r.asked[1:]
		}
		if !expected && age < CrashWindow && age > -CrashWindow {
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

// crashes reports that the process ends again and again. Where there are pauses in
// between, those say it.
func (o *Observed) crashes() bool { return o.Deaths >= CrashLimit && !o.Pauses }
