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

// deafness is for how long a process has not listened on an address that nobody
// else has. Its port was taken when it began, by somebody who has gone since, and
// it never tries again. One that is slow to begin looks the same: the next one
// has more time, and so has each that follows one which was slow.
type deafness struct {
	pid    int
	to     Listen
	lasted time.Duration // as far as it was seen
	looked time.Time
	count  int           // processes in a row that were given up
	slow   time.Duration // the longest that one took and listened after all
}

// deafPatience is for how long that is no reason to run another process.
var deafPatience = fsm.Backoff{Base: 30 * time.Second, Cap: 10 * time.Minute, Jitter: -1}

// deafGap is the longest time between two looks that counts as one in which the
// process did not listen: it may have been frozen together with the program.
const deafGap = 2 * time.Second

// note notes where a process was seen not to listen, and reports whether that
// has lasted for too long. What could not be found out changes nothing.
func (d *deafness) note(now time.Time, pid int, l hearing) (tooLong bool) {
	if pid != d.pid {
		*d = deafness{pid: pid, count: d.count, slow: d.slow, looked: now}
	}
	since := min(now.Sub(d.looked), deafGap)
	d.looked = now
	switch {
	case l.all || l.heard != "" && l.heard == d.to.Addr():
		d.slow = min(max(d.slow, 2*d.lasted), deafPatience.Cap)
		d.to, d.lasted = Listen{}, 0
		return false
	case l.deaf == Listen{}:
		return false
	case l.deaf != d.to:
		d.to, d.lasted = l.deaf, 0
	default:
		d.lasted += since
	}
	return d.lasted >= max(deafPatience.Delay(d.count+1), d.slow)
}

// forget makes the next process that does not listen the first in a row.
func (d *deafness) forget() { d.count, d.lasted = 0, 0 }

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
