package benthos

import (
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// portTrouble is a port that a process could not listen on. The process began
// without the port, and was stopped for that. Even if nobody is seen to hold
// the port then, the instance is not started again and again in a row.
type portTrouble struct {
	pid     int
	problem string
	count   int
	until   time.Time
}

// deafness is how long a process has seemed not to listen. Its port was taken
// when it began, by somebody who has gone since, and it never tries again. One
// that is slow to begin looks the same: the next one has more time.
type deafness struct {
	pid   int
	since time.Time
	count int // processes in a row that were given up
}

// deafPatience is for how long that is no reason to run another process.
var deafPatience = fsm.Backoff{Base: 30 * time.Second, Cap: 10 * time.Minute, Jitter: -1}

// note notes whether a process seems not to listen, and reports whether that has
// lasted for too long.
func (d *deafness) note(now time.Time, pid int, deaf bool) (tooLong bool) {
	if !deaf || pid != d.pid {
		d.pid, d.since = pid, now
	}
	return deaf && now.Sub(d.since) >= deafPatience.Delay(d.count+1)
}

// portPause is how long no process is started after one found a port taken.
var portPause = fsm.Backoff{Base: time.Second, Jitter: -1}

func (p *portTrouble) found(pid int, problem string) {
	if problem == "" || pid == p.pid {
		return
	}
	p.pid, p.problem = pid, problem
	p.count++
	// Not the pass's reading: a slow pass must not shorten the pause.
	p.until = time.Now().Add(portPause.Delay(p.count))
}

// of returns what is wrong with a process. It is not asked again: an engine
// never tries to listen again, and says nothing of its ports while it ends.
func (p *portTrouble) of(pid int) string {
	if pid != p.pid {
		return ""
	}
	return p.problem
}

// still returns what is wrong now, or else what was wrong and may still be.
func (p *portTrouble) still(now time.Time, problem string) string {
	if problem == "" && now.Before(p.until) {
		return p.problem
	}
	return problem
}
