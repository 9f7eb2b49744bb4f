package simulate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// notice is told what managers say.
func (j *judge) notice(n fsm.Notice) {
	name := n.About().Instance
	switch n := n.(type) {
	case fsm.Owned:
		if failed, ok := n.Notice.(fsm.PassFailed); ok {
			j.failed(name, failed)
		}
	case fsm.Transition:
		j.moved(name, n)
	case fsm.PassFailed:
		j.story.tell(name, "cannot: %v", n.Err)
		j.failed(name, n)
	case fsm.PassRecovered:
		j.story.tell(name, "can again")
	case fsm.Refused:
		j.story.tell(name, "refused: %v", n.Err)
	case fsm.Overran:
		j.story.tellLast(name, "its pass takes longer than %v", n.After)
	}
}

func (j *judge) failed(name string, n fsm.PassFailed) {
	if errors.As(n.Err, new(*fsm.PanicError)) {
		j.violated(NoPanic, "%s: %v", name, n.Err)
	}
}

func (j *judge) moved(name string, n fsm.Transition) {
	j.story.tell(name, "%s → %s (%s)", n.From, n.To, n.Reason)
	running := j.alive(name)
	j.stands(name, n)
	if all := append(running, j.kids(name)...); (n.Event == s6.EventStopDone || n.To == fsm.StateRemoved) && len(all) > 0 {
		j.violated(NothingRuns, "%s is %s, and there is process %d (a child: %v)", name, n.To, all[0].PID, all[0].Child)
	}
	if n.ToPhase == fsm.PhaseRunning {
		j.runs(name, running, n)
	}
	if n.Event == benthos.EventRecovered && isStream(name) && j.engines.knownToFail(name) {
		j.violated(Truthful, "%s is said to have recovered (%s), and its output still fails", name, n.Reason)
	}
}

// runs holds what is said to run against the process table. A process that has
// just ended may have been seen before, and so may one that has ended since the pass
// began, unless the reason names the one that runs now.
func (j *judge) runs(name string, running []s6test.Process, n fsm.Transition) {
	now, hangs := time.Now(), j.faults.hang()
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.known[name]
	early := now.Add(-900 * time.Millisecond)
	var named int
	_, _ = fmt.Sscanf(n.Reason.Evidence, "pid %d", &named)
	ended := func(p s6test.Process) bool { return !s.gone.Before(early) || !s.gone.Before(n.At) && named != p.PID }
	switch {
	case len(running) == 0 && !hangs && s.gone.Before(now.Add(-settleTime)):
		j.violatedLocked(Truthful, "%s is said to run, and nothing does", name)
	case len(running) == 1 && running[0].Started.After(early) && j.jumped.Before(early) && !ended(running[0]) && s.since.Before(early) && s.taken >= s.changed && s.asked.state == s6.Running && s.asked.stays:
		j.violatedLocked(Truthful, "%s is said to run, and process %d has only just started", name, running[0].PID)
	}
}

// look holds what a manager says of an instance against what is.
func (j *judge) look(s *seen) {
	now, hangs := time.Now(), j.faults.hang()
	running := j.alive(s.name)
	if j.faults.lately() {
		j.engines.obscured()
	}
	unready, portless := j.engines.unready(s.name), j.engines.forgotten(s.name)
	j.mu.Lock()
	defer j.mu.Unlock()
	known := j.known[s.name]
	j.promise(known, s, running)
	j.ends(known, s)
	j.explained(s, now, hangs)
	if s.err != nil {
		known.erred = now
	} else {
		j.records.looks(s.name, s.observedAt)
	}
	saidToRun := s.phase == fsm.PhaseRunning && s.err == nil && !hangs
	quiet := saidToRun && !j.faults.lately() && now.Sub(s.since) > settleTime && now.Sub(known.erred) > settleTime
	if quiet && len(running) == 1 && j.records.since(s.name, running[0].PID) > settleTime {
		j.violatedLocked(Bounded, "%s is said to be %s, and it is written down nowhere that its process is %d", s.name, s.state, running[0].PID)
	}
	if saidToRun && len(running) == 0 && now.Sub(known.gone) > settleTime {
		j.violatedLocked(Truthful, "%s is said to run, and nothing has since %s", s.name, stamp(known.gone.Sub(j.story.begin)))
	}
	if dumb := known.stalled; saidToRun && dumb.pid != 0 && dumb.pid == s.service.PID() && known.checked(s, running) && now.Sub(dumb.since) > settleTime {
		j.violatedLocked(Truthful, "%s is said to be %s, and its process has not answered its check for %v", s.name, s.state, now.Sub(dumb.since))
	}
	if saidToRun && unready > settleTime {
		j.violatedLocked(Truthful, "%s is said to be %s, and its engine has not been ready for %v", s.name, s.state, unready)
	}
	if should := s.err == nil && !hangs && s.want.state == s6.Running && known.applied >= known.changed; should && portless > 0 {
		j.violatedLocked(Bounded, "%s is %s (%s), and its engine has had no port for %v", s.name, s.state, s.reason, portless)
	}
	if s.phase == fsm.PhaseStopped && s.settled && known.applied >= known.changed && s.want.state == s6.Stopped &&
		len(running) > 0 && now.Sub(running[0].Started) > settleTime {
		j.violatedLocked(NothingRuns, "%s has been stopped since %s, and process %d runs", s.name, stamp(s.since.Sub(j.story.begin)), running[0].PID)
	}
}

// checked reports whether an instance has been checked for a while, as far as is
// known: also since its process may fail checks because it starts.
func (k *known) checked(s *seen, running []s6test.Process) bool {
	return !isStream(s.name) && s.want.variant != nil && len(running) == 1 && s.observedAt.Sub(running[0].Started) > s.want.service.StartTime()+settleTime && s.want.same(k.asked) && k.applied >= k.changed &&
		!s.want.service.Check.IsZero() && s.observedAt.Sub(k.since) > settleTime && s.observedAt.Sub(k.erred) > settleTime && s.observedAt.Sub(s.since) > settleTime
}

// promiseAfter is for how long a process has to be as asked before it is
// promised: one that was told to end, by a program that was killed since, may
// take a while.
const promiseAfter = 5 * time.Second

// promise promises that what is as asked stays.
func (j *judge) promise(known *known, s *seen, running []s6test.Process) {
	if known.applied < known.changed || s.want.variant == nil || !s.want.same(known.asked) || !s.asAsked() || !s.settled || s.err != nil {
		return
	}
	if s.observedAt.Sub(s.since) < promiseAfter || s.observedAt.Sub(known.excused) < promiseAfter {
		return
	}
	known.kept = true
	if s.phase != fsm.PhaseRunning || len(running) != 1 || running[0].PID != s.service.PID() {
		return
	}
	p := running[0]
	if !slices.Equal(p.Command, s.spec.Command) || !maps.Equal(p.Env, s.spec.Env) {
		j.violatedLocked(Truthful, "%s is said to run, and process %d is %q with %v", s.name, p.PID, p.Command, p.Env)
	}
	if mortal, begun := known.started[p.PID]; begun && !mortal {
		known.promised = p.PID
	}
}

// ends promises that what came to its end, by what its spec says about that, does
// not run again by itself.
func (j *judge) ends(known *known, s *seen) {
	asked := known.applied >= known.changed && s.want.variant != nil && s.want.same(known.asked) && s.want.state == s6.Running
	since := min(s.observedAt.Sub(s.since), s.observedAt.Sub(known.excused))
	if asked && s.phase.Over() && s.service.Verdict != "" && s.settled && s.err == nil && since >= promiseAfter {
		known.over = true
	}
}

// explained holds what invariant 6 says of an instance.
func (j *judge) explained(s *seen, now time.Time, hangs bool) {
	if s.want.state == "" {
		return
	}
	switch {
	case !s.asAsked() && s.reason.Summary == "" && s.err == nil && s.state != fsm.StateToBeCreated:
		j.violatedLocked(Explained, "%s is %s and says not why", s.name, s.state)
	case s.held && s.err == nil:
		j.violatedLocked(Explained, "%s is held and says not why", s.name)
	case !hangs && !s.nextPass.IsZero() && now.Sub(s.nextPass) > settleTime:
		j.violatedLocked(Explained, "%s was to be looked at at %s", s.name, stamp(s.nextPass.Sub(j.story.begin)))
	case s.phase == fsm.PhaseStarting && s.err == nil && !hangs && now.Sub(s.since) > 3*time.Minute:
		j.violatedLocked(Bounded, "%s has been starting since %s (%s)", s.name, stamp(s.since.Sub(j.story.begin)), s.reason)
	}
}

// refusals holds what a manager has refused against what was spoiled. It may
// also refuse what it could not look at; then its answer is another. What would
// listen where somebody else does is refused, too.
func (j *judge) refusals(file map[string]declaration, refused map[string]error) {
	for _, name := range slices.Sorted(maps.Keys(file)) {
		d, why := file[name], refused[name]
		if d.spoiled && why == nil || !d.spoiled && isRefusal(why) && !(isStream(name) && d.variant != nil && j.engines.contended(d.stream.EndpointAddr())) {
			j.violated(Refused, "%s was declared %s, and the answer is %v", name, d, why)
		}
	}
}

// isRefusal reports whether an error says that a declaration is not valid.
func isRefusal(err error) bool {
	return errors.Is(err, s6.ErrSpec) || errors.Is(err, benthos.ErrConfig)
}
