package simulate

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/order"
	"github.com/evenkeel/evenkeel/s6"
)

// Bound is how long everything may take to come to what was declared, once the
// adversary has stopped. s6-supervise waits up to a minute before it tries
// again what it could not start, and a pass that failed up to 30 seconds.
const Bound = 3 * time.Minute

// quiet is for how long it then has to stay there.
const quiet = time.Minute

// calm has the adversary stop, and everything come to what was declared.
func (w *world) calm() {
	w.story.tell("ADVERSARY", "stops")
	w.faults.clear()
	w.later = nil
	w.tree.StartSvscan()
	for _, name := range names() {
		w.behave(name, 0)
		w.answers(name)
		if isStream(name) {
			w.engines.calm(name)
		}
		_ = w.tree.Kill(name, syscall.SIGCONT)
		_ = w.tree.Kill(name+"/log", syscall.SIGCONT)
		if w.file[name].spoiled {
			w.want(name, w.before[name])
		}
	}
	if p := w.program; p != nil && (p.isDead() || p.left.Load() >= 0) {
		p.die()
		w.program = nil
	}
	if w.program == nil {
		w.startProgram()
	}
	w.tell(Declare, "")
	w.story.tell("user", "wants %s", w.wanted())
	begin := time.Now()
	w.after(5*time.Second, w.helpByHand)
	w.after(45*time.Second, w.helpByHand) // what was only seen in a pass after many that had failed
	for w.unsettled() != nil {
		if time.Since(begin) > Bound {
			w.judge.violated(Converged, "after %v: %v", Bound, w.unsettled())
			return
		}
		if !w.wait(time.Now().Add(time.Second)) {
			return
		}
	}
	w.story.tell("world", "all is as declared after %v", time.Since(begin).Truncate(time.Second))
	if !w.wait(time.Now().Add(quiet)) {
		return
	}
	if why := w.unsettled(); why != nil {
		w.judge.violated(Quiet, "%v", why)
	}
}

// helpByHand does what only a person can: restart a process that never becomes
// ready, and what came to its end for good; and what a person need not wait for:
// that a process comes to its end, and that a stream which has is run again.
func (w *world) helpByHand() {
	for _, name := range names() {
		s, held := w.program.keeper(name).instance(name)
		if held && (s.phase.Over() || w.judge.mortal(name) || s.service.Once && s.service.StrayPID != 0 || s.waits || w.judge.hopeless(name) || w.engines.deaf(name)) {
			w.judge.excuse(name)
			w.story.tell("user", "restarts %s by hand", name)
			w.tell(Restart, name)
		}
	}
}

// unsettled says what is not as the user wants it, nil for nothing.
func (w *world) unsettled() error {
	for _, name := range names() {
		if err := w.unsettledOne(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return w.leftovers()
}

func (w *world) unsettledOne(name string) error {
	d, running, kids := w.file[name], w.alive(name), w.kids(name)
	s, held := w.program.keeper(name).instance(name)
	switch {
	case !held && d.state == "" && (len(running) == 0 || w.isNobodys(name)):
		return nil
	case !held && d.state == "":
		return fmt.Errorf("is to be removed, and process %d runs", running[0].PID)
	case !held:
		return fmt.Errorf("its manager does not have it")
	case d.state == "":
		return fmt.Errorf("is to be removed, and is %s (%s) %v", s.state, s.reason, s.err)
	case w.mayWait(name, &s) && len(running) == 0 && s.settled && s.phase == fsm.PhaseStopped:
		return nil
	case !s.want.same(d) || !s.asAsked() || !s.settled || s.err != nil:
		return fmt.Errorf("is to be %s, and is %s (%s) %v", d, s.state, s.reason, s.err)
	case s.service.Hash != s.spec.Hash():
		return fmt.Errorf("its files are not those of what was declared")
	case d.state == s6.Stopped && len(running) > 0:
		return fmt.Errorf("is to be stopped, and process %d runs", running[0].PID)
	case d.state == s6.Stopped && len(kids) > 0:
		return fmt.Errorf("is to be stopped, and child %d runs", kids[0].PID)
	case d.state == s6.Running && len(kids) > w.judge.begets(name):
		return fmt.Errorf("child %d is left of an earlier process", kids[0].PID)
	case d.state == s6.Running && len(running) != 1:
		return fmt.Errorf("is to run, and %d processes do", len(running))
	case d.state == s6.Running && (running[0].PID != s.service.PID() || !running[0].Supervised || running[0].Waiting):
		return fmt.Errorf("its process is not the one that its manager sees: %+v", running[0])
	case d.state == s6.Running && s.service.Started != s.service.WantProcess && !(s.service.Started == "" && w.judge.lost(name).record):
		return fmt.Errorf("its process was started from something else")
	}
	return w.whole.lacks(w.tree, name, s.service.Hash)
}

// mayWait reports whether an instance waits for one that is not what it has to be.
func (w *world) mayWait(name string, s *seen) bool {
	if s.behind == (fsm.Reason{}) || w.file[name].state != s6.Running {
		return false
	}
	for _, need := range w.plan.Needs[name] {
		of, held := w.program.keeper(need.Name).instance(need.Name)
		ready := held && w.file[need.Name].state == s6.Running && of.behind == (fsm.Reason{}) && of.phase == fsm.PhaseRunning
		if done := held && of.phase == fsm.PhaseDone; !done && (!ready || need.Is == order.Done) {
			return true
		}
	}
	return false
}

// isNobodys reports whether a service that is there does not say whose it is, since
// the adversary has taken that away. No manager touches it.
func (w *world) isNobodys(name string) bool {
	owner, err := s6.Owner(w.tree, name)
	return w.judge.lost(name).owner && there(w.tree.FS(), w.tree.Layout().Service(name)) && owner == "" && err == nil
}

// leftovers says what is there that nobody wants. What a program that was killed
// has left half done (a name that begins with a dot) is for whoever opens a real
// tree, as are links whose services the adversary has deleted.
func (w *world) leftovers() error {
	layout := w.tree.Layout()
	for _, dir := range []string{layout.ServicesDir, layout.ScanDir} {
		entries, err := w.tree.FS().ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if _, err := w.tree.FS().Stat(path.Join(dir, e.Name())); errors.Is(err, fs.ErrNotExist) && w.judge.lost(e.Name()).dir {
				continue
			}
			if !strings.HasPrefix(e.Name(), ".") && w.file[e.Name()].state == "" && !w.isNobodys(e.Name()) {
				return fmt.Errorf("%s is left in %s", e.Name(), dir)
			}
		}
	}
	for _, p := range w.tree.Processes() {
		name, _ := strings.CutSuffix(p.Service, "/log")
		if !slices.Contains(names(), name) || w.file[name].state == "" && !w.isNobodys(name) {
			return fmt.Errorf("process %d of %s is left", p.PID, p.Service)
		}
	}
	return nil
}
