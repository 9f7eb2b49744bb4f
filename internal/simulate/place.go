package simulate

import (
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/order"
	"github.com/evenkeel/evenkeel/s6"
)

// place is what is known of an instance for those that need it, and for what it
// needs.
type place struct {
	rests  bool              // no process of it has started since it was stopped, or was about to
	rested time.Time         // since when
	begun  map[int]time.Time // its processes
	up     spell             // there was one
	ready  spell             // it was said to be running
	done   spell             // it was said to be done
	turned time.Time         // when it was asked to run, or not to; an earlier time where that was taken back at once
	wanted time.Time         // when it was asked to run last; an earlier time where it was to stop for a moment alone
	last   time.Time         // when that was, the last time
	anew   time.Time         // when it was asked to run as another process; zero where it may run still as before
	steady int               // the process that was promised to go on until it was asked to stop
}

// spell is the last time in which something was so.
type spell struct {
	is          bool
	from, until time.Time // until counts while it is not so
}

func (s *spell) set(is bool) {
	switch now := time.Now(); {
	case is && !s.is:
		s.from = now
	case s.is && !is:
		s.until = now
	}
	s.is = is
}

// noticed is when a manager has noticed at the latest that something is not so any
// more.
const noticed = 2 * time.Second

// lasted reports whether it was so at some time since then, as far as a manager may
// know, and had begun to be after anew.
func (s *spell) lasted(then, anew time.Time) bool {
	return (s.is || s.until.After(then.Add(-noticed))) && (anew.IsZero() || s.from.After(anew))
}

// asks notes that something else is asked of the instance. taken says that a manager
// has taken what was asked before.
func (p *place) asks(before, asked declaration, promised int, taken bool) {
	now, runs := time.Now(), asked.state == s6.Running
	switch {
	case asked.sameProcess(before):
	case before.state == s6.Running && runs && taken && promised != 0:
		p.anew = now
	default:
		p.anew = time.Time{}
	}
	if runs == (before.state == s6.Running) {
		return
	}
	if !runs {
		p.steady = promised
	}
	stopped := p.last
	if p.last = now; taken || p.turned.IsZero() {
		p.turned = now
	}
	if runs && (now.Sub(stopped) > noticed || p.rested.After(stopped)) {
		p.wanted = p.turned
	}
}

// phase notes what the manager says of it.
func (p *place) phase(of fsm.Phase) {
	p.ready.set(of == fsm.PhaseRunning)
	p.done.set(of == fsm.PhaseDone)
}

// begins notes a process, and ends its end.
func (p *place) begins(pid int) {
	p.begun[pid], p.rests = time.Now(), false
	p.up.set(true)
	p.up.from = time.Now() // it may have begun beside another one, which is to end
}

func (p *place) ends(pid int) {
	delete(p.begun, pid)
	p.up.set(len(p.begun) > 0)
}

// starts says that another program starts, which has said nothing yet.
func (p *place) starts() { p.phase(fsm.PhaseToBeCreated) }

// was reports whether the instance was what another one needs, at some time since
// then, and began to be after anew.
func (p *place) was(what order.Is, then, anew time.Time) bool {
	switch done := p.done.lasted(then, anew); what {
	case order.Ready:
		return done || p.ready.lasted(then, anew)
	case order.Running:
		return done || p.up.lasted(then, anew)
	default:
		return done
	}
}
