package benthos

import (
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// endPause is how long no process is run after one that has ended by itself.
var endPause = fsm.Backoff{Base: time.Second, Cap: 5 * time.Minute, Jitter: -1}

// longRun is how long a process has to run for its end to be the first in a row.
const longRun = 5 * time.Minute

// ends are the processes of a stream that ended by themselves.
type ends struct {
	ended Ended
	began time.Time // when the process began that runs or ran last
	known time.Time // the newest death that was looked at
	any   bool      // one was, or there was none
	until time.Time // when the pause is over
	line  logKind   // what the log says of the last end
}

// note looks at the newest death. What had happened before the stream was first
// looked at is not its own.
func (e *ends) note(service *s6.Observed, policy s6.Policy) {
	death := &service.Last
	switch {
	case !e.any, death.Time.Equal(e.known):
	case !service.Unasked: // s6 may have run another one before the pause began
	case policy.Judges(): // which the service sees to
	case death.ExitCode == 0 && death.Signal == 0:
		e.add(death.Time)
	default:
		e.forget()
	}
	e.known, e.any = death.Time, true
	if service.Up() && !e.began.Equal(service.Status.Stamp) {
		e.began, e.line = service.Status.Stamp, logOther
	}
}

func (e *ends) add(at time.Time) {
	if !e.began.IsZero() && at.Sub(e.began) >= longRun {
		e.forget()
	}
	e.ended.Times++
	e.ended.At = at
	// Not the pass's reading: a slow pass must not shorten the pause.
	e.until = time.Now().Add(endPause.Delay(e.ended.Times))
}

// forget makes the next end the first in a row, and ends a pause.
func (e *ends) forget() { e.ended = Ended{} }

// still returns the end for which the instance waits, the zero Ended where it
// does not wait.
func (e *ends) still(now time.Time) Ended {
	if e.ended.Times == 0 || !now.Before(e.until) {
		return Ended{}
	}
	o := e.ended
	o.Again = e.until
	switch e.line {
	case logFinished:
		o.Why = "its input came to its end"
	case logStopping:
		o.Why = "something else told its process to end"
	default:
		o.Why = "its process ended by itself"
	}
	return o
}
