package simulate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// Check names what is held against a run. The numbers are those of the
// invariants in ARCHITECTURE.md.
type Check string

// The checks.
const (
	TwoProcesses   Check = "1: never two processes of one instance"
	PIDKept        Check = "2: a process that nobody gave a reason to end goes on"
	Refused        Check = "3: what is refused is named and stops nothing"
	NotDeleted     Check = "4: what is to be is not deleted, whatever cannot be read"
	DeletedAlive   Check = "5: nothing is deleted under a live process"
	Truthful       Check = "6: what is said to run runs, as declared"
	Explained      Check = "6: what is not as asked has a reason and a time of the next look"
	Bounded        Check = "6: no state waits without a bound"
	Converged      Check = "7: when the adversary stops, all comes to what was declared"
	Quiet          Check = "7: what has come there stays there"
	NothingRuns    Check = "10: of what is stopped nothing runs"
	TreeIsSound    Check = "the tree in memory has no fault of its own"
	ProgramsEnd    Check = "a program that is closed ends"
	NoPanic        Check = "nothing panics"
	ManagersAnswer Check = "what the user asks is answered"
)

// Violation is a check that failed.
type Violation struct {
	Check Check
	Text  string
}

// judge knows what was asked and what happened, and says what must not be. Its
// methods may be called from any goroutine; none calls into the tree.
type judge struct {
	story   *story
	alive   func(name string) []s6test.Process // of the process table: leaders, without loggers
	kids    func(name string) []s6test.Process // of the process table: what those have started
	engines *engines
	faults  *faults

	mu    sync.Mutex // guards all below
	known map[string]*known
	first *Violation
}

// known is what is known of an instance from outside.
type known struct {
	asked    declaration    // the last that is not spoiled
	disturbs int            // the newest version that asks for another process
	changed  int            // the version of the user's file that asked for it
	applied  int            // the newest version that a manager has taken
	promised int            // the process that must not end, 0 for none
	kept     bool           // its directory must not be deleted
	behaves  s6test.Program // its next processes
	never    bool           // the last that began never becomes ready
	children int            // how many children that has
	started  map[int]bool   // those that have begun, and whether they are not to be promised
	excused  time.Time      // when somebody gave a reason last
	gone     time.Time      // when the last of them ended
}

func newJudge(s *story) *judge {
	j := &judge{story: s, known: make(map[string]*known)}
	for _, name := range names() {
		j.known[name] = &known{started: make(map[int]bool)}
	}
	return j
}

// violated records a violation. Only the first counts.
func (j *judge) violated(c Check, format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.violatedLocked(c, format, args...)
}

func (j *judge) violatedLocked(c Check, format string, args ...any) {
	v := &Violation{c, fmt.Sprintf(format, args...)}
	if j.first == nil {
		j.first = v
		j.story.tell("VIOLATED", "%s: %s", v.Check, v.Text)
	}
}

// verdict returns the first violation, nil for none.
func (j *judge) verdict() *Violation {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first
}

// excuse says that somebody gives a service's processes a reason to end.
func (j *judge) excuse(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.known[name].excuse()
}

// excuseUntil says that there is a reason for a service's processes to end up to
// then.
func (j *judge) excuseUntil(name string, then time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.known[name].excuse()
	j.known[name].excused = then
}

// doom says that somebody ends a service's processes, now or after a while.
func (j *judge) doom(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.known[name]
	s.excuse()
	for pid := range s.started {
		s.started[pid] = true
	}
}

func (s *known) excuse() {
	s.promised, s.kept = 0, false
	if now := time.Now(); s.excused.Before(now) {
		s.excused = now
	}
}

// behave says how the next processes behave.
func (j *judge) behave(name string, p s6test.Program) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.known[name].behaves = p
}

// begets returns how many children the last process that began has started.
func (j *judge) begets(name string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.known[name].children
}

// hopeless reports whether a process runs that never becomes ready.
func (j *judge) hopeless(name string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.known[name].never
}

// ask says that the user asks for something else with a version of the file.
func (j *judge) ask(name string, d declaration, version int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.known[name]
	if d.spoiled || d.same(s.asked) {
		return
	}
	before := s.asked
	s.asked, s.changed = d, version
	if !d.sameProcess(before) {
		s.disturbs = version
		s.excuse()
	}
}

// took says that a manager has taken a version of the file.
func (j *judge) took(version int, names ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, name := range names {
		s := j.known[name]
		if s.applied < s.disturbs {
			s.excuse()
		}
		s.applied = max(s.applied, version)
	}
}

// happens is told of each process.
func (j *judge) happens(h s6test.Happening) {
	name, log := strings.CutSuffix(h.Service, "/log")
	if log || h.Finish {
		return
	}
	if h.Child {
		j.story.tell(name, "child %d %s", h.PID, map[s6test.Change]string{s6test.Started: "starts", s6test.Begun: "begins", s6test.Ended: "ends"}[h.Change])
		return
	}
	switch h.Change {
	case s6test.Started:
		j.story.tell(name, "process %d starts", h.PID)
	case s6test.Ended:
		j.story.tell(name, "process %d ends: %s", h.PID, h.Wait)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.known[name]
	switch h.Change {
	case s6test.Begun:
		s.started[h.PID], s.never = s.behaves.RunFor > 0, s.behaves.ReadyAfter == s6test.Never
		s.children = len(s.behaves.Children)
	case s6test.Ended:
		delete(s.started, h.PID)
		s.gone = time.Now()
		if s.promised == h.PID {
			j.violatedLocked(PIDKept, "process %d of %s ended (%s)", h.PID, name, h.Wait)
		}
	}
}

// deletes is told before a service's directory is renamed or removed.
func (j *judge) deletes(name, what string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if s := j.known[name]; s != nil && s.kept {
		j.violatedLocked(NotDeleted, "%s is asked to be %s: %s", name, s.asked, what)
	}
}

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
	if all := append(running, j.kids(name)...); (n.Event == s6.EventStopDone || n.To == fsm.StateRemoved) && len(all) > 0 {
		j.violated(NothingRuns, "%s is %s, and there is process %d (a child: %v)", name, n.To, all[0].PID, all[0].Child)
	}
	if n.ToPhase == fsm.PhaseRunning {
		j.runs(name, running)
	}
	if n.Event == benthos.EventRecovered && isStream(name) && j.engines.knownToFail(name) {
		j.violated(Truthful, "%s is said to have recovered (%s), and its output still fails", name, n.Reason)
	}
}

// runs holds what is said to run against the process table. A process that has
// just ended may have been seen before.
func (j *judge) runs(name string, running []s6test.Process) {
	now, hangs := time.Now(), j.faults.hang()
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.known[name]
	early := now.Add(-900 * time.Millisecond)
	switch {
	case len(running) == 0 && !hangs && s.gone.Before(now.Add(-settleTime)):
		j.violatedLocked(Truthful, "%s is said to run, and nothing does", name)
	case len(running) == 1 && running[0].Started.After(early) && s.gone.Before(early) && s.applied >= s.changed && s.asked.state == s6.Running && s.asked.stays:
		j.violatedLocked(Truthful, "%s is said to run, and process %d has only just started", name, running[0].PID)
	}
}

// look holds what a manager says of an instance against what is.
func (j *judge) look(s *seen) {
	now, hangs := time.Now(), j.faults.hang()
	running := j.alive(s.name)
	unready, portless := j.engines.troubles(s.name)
	j.mu.Lock()
	defer j.mu.Unlock()
	known := j.known[s.name]
	j.promise(known, s, running)
	j.explained(s, now, hangs)
	saidToRun := s.phase == fsm.PhaseRunning && s.err == nil && !hangs
	if saidToRun && len(running) == 0 && now.Sub(known.gone) > settleTime {
		j.violatedLocked(Truthful, "%s is said to run, and nothing has since %s", s.name, stamp(known.gone.Sub(j.story.begin)))
	}
	if saidToRun && unready > settleTime {
		j.violatedLocked(Truthful, "%s is said to be %s, and its engine has not been ready for %v", s.name, s.state, unready)
	}
	if should := s.err == nil && !hangs && s.want.state == s6.Running && known.applied >= known.changed; should && portless > deafTime {
		j.violatedLocked(Bounded, "%s is %s (%s), and its engine has had no port for %v", s.name, s.state, s.reason, portless)
	}
	if s.phase == fsm.PhaseStopped && s.settled && known.applied >= known.changed && s.want.state == s6.Stopped &&
		len(running) > 0 && now.Sub(running[0].Started) > settleTime {
		j.violatedLocked(NothingRuns, "%s has been stopped since %s, and process %d runs", s.name, stamp(s.since.Sub(j.story.begin)), running[0].PID)
	}
}

// deafTime is for how long an engine may be without its port: it has thirty
// seconds to begin to listen, and the next one twice as many.
const deafTime = 2 * time.Minute

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
		if d.spoiled && why == nil || !d.spoiled && isRefusal(why) && !(isStream(name) && j.engines.contended()) {
			j.violated(Refused, "%s was declared %s, and the answer is %v", name, d, why)
		}
	}
}

// isRefusal reports whether an error says that a declaration is not valid.
func isRefusal(err error) bool {
	return errors.Is(err, s6.ErrSpec) || errors.Is(err, benthos.ErrConfig)
}
