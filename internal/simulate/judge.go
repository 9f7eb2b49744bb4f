package simulate

import (
	"fmt"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/s6/s6test"
)

// Check names what is held against a run. The numbers are those of the
// invariants in ARCHITECTURE.md.
type Check string

// The checks.
const (
	TwoProcesses   Check = "1: never two processes of one instance"
	EndsOnce       Check = "2: what came to its end for good does not run again by itself"
	PIDKept        Check = "2: a process that nobody gave a reason to end goes on"
	Refused        Check = "3: what is refused is named and stops nothing"
	NotDeleted     Check = "4: what is to be is not deleted, whatever cannot be read"
	DeletedAlive   Check = "5: nothing is deleted under a live process"
	Truthful       Check = "6: what is said to run runs, as declared"
	Explained      Check = "6: what is not as asked has a reason and a time of the next look"
	Bounded        Check = "6: no state waits without a bound"
	Converged      Check = "7: when the adversary stops, all comes to what was declared"
	Quiet          Check = "7: what has come there stays there"
	Paced          Check = "what crashes again and again is not started at once each time"
	InOrder        Check = "what needs another starts after it, and stops before it"
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
	needs   needs
	engines *engines
	faults  *faults

	mu      sync.Mutex // guards all below
	began   time.Time  // when the program that runs, or did last, started
	jumped  time.Time  // when the clock was set last
	known   map[string]*known
	records *records
	bereft  map[int]bool // processes whose directory the adversary has taken
	reborn  map[int]bool // ids that others have since the last complaints
	first   *Violation
}

// known is what is known of an instance from outside.
type known struct {
	asked    declaration    // the last that is not spoiled
	since    time.Time      // when it was asked
	disturbs int            // the newest version that asks for another process
	changed  int            // the version of the user's file that asked for it
	applied  int            // the newest version that a manager has taken
	taken    int            // the same of the program that runs: what it refuses, an earlier one has asked
	promised int            // the process that must not end, 0 for none
	kept     bool           // its directory must not be deleted
	over     bool           // no other process may begin
	behaves  s6test.Program // its next processes
	never    bool           // the last that began never becomes ready
	children int            // how many children that has
	started  map[int]bool   // those that have begun, and whether they are not to be promised
	excused  time.Time      // when somebody gave a reason last
	gone     time.Time      // when the last of them ended
	starts   []time.Time    // when the last ones started that nobody had given a reason to
	restarts bool           // it was ever asked to be restarted for its check
	stalled  stall          // the process that was made to answer no check last
	erred    time.Time      // when a pass was last seen to have failed
	paused   time.Time      // until when a process may have been seen to answer none, for it was paused
	lost     loss           // what the adversary has taken, since a process began
	place    place          // among those that it needs, and that need it
}

// stall is since when a process answers no check.
type stall struct {
	pid   int
	since time.Time
}

func newJudge(s *story, n needs) *judge {
	j := &judge{story: s, needs: n, known: make(map[string]*known), records: newRecords(), bereft: make(map[int]bool), reborn: make(map[int]bool)}
	for _, name := range names() {
		j.known[name] = &known{started: make(map[int]bool), place: place{rests: true, begun: make(map[int]time.Time)}}
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
	j.known[name].place.steady = 0
}

// excuseUntil says that there is a reason for a service's processes to end up to
// then.
func (j *judge) excuseUntil(name string, then time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.known[name].excuse()
	j.known[name].excused = then
}

// loses says what the adversary has taken from a service, with these processes.
func (j *judge) loses(name string, lost loss, processes []s6test.Process) {
	j.mu.Lock()
	defer j.mu.Unlock()
	k := j.known[name]
	k.over, k.place.rests = false, false
	if lost.record {
		j.records.loses(name, lost.dir)
	}
	if lost.finish {
		j.records.losesFinish(name)
	}
	k.lost.dir, k.lost.record, k.lost.owner = k.lost.dir || lost.dir, k.lost.record || lost.record, k.lost.owner || lost.owner
	for _, p := range processes {
		if lost.dir && p.Service == name || lost.log && p.Service == name+"/log" {
			j.bereft[p.PID] = true
			delete(j.reborn, p.PID)
		}
	}
}

// lost returns what the adversary has taken from a service: its directory and its
// owner's name at any time, and the record of the process that runs.
func (j *judge) lost(name string) loss {
	j.mu.Lock()
	defer j.mu.Unlock()
	if k := j.known[name]; k != nil {
		return k.lost
	}
	return loss{}
}

// unsound judges a complaint about what is at work at a time.
func (j *judge) unsound(complaint string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.records.excuses(complaint) {
		j.violatedLocked(TreeIsSound, "%s", complaint)
	}
}

// deletedAlive judges complaints that a directory was deleted under a process.
func (j *judge) deletedAlive(complaints []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, complaint := range complaints {
		var pid int
		_, err := fmt.Sscanf(complaint, "the service directory of process %d", &pid)
		if err != nil || !j.bereft[pid] {
			j.violatedLocked(DeletedAlive, "%s", complaint)
		}
	}
	for pid := range j.reborn {
		delete(j.bereft, pid)
	}
	clear(j.reborn)
	j.records.heard()
}

// jumps says that the clock is set: how long a process has run cannot be told for
// a moment, for that is told by its stamp.
func (j *judge) jumps() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.jumped = time.Now()
}

// doom says that somebody ends a service's processes, now or after a while.
func (j *judge) doom(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.known[name].doom()
}

// stalls says that a service's process answers no check any more, or for 0 that
// each does.
func (j *judge) stalls(name string, pid int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.known[name].stalled = stall{pid, time.Now()}
}

// pauses says that a service's process answers no check until then, which is a
// reason to end it where it may be restarted for its check, also if that is asked
// for meanwhile.
func (j *judge) pauses(name string, until time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.known[name]
	if s.paused = until.Add(settleTime); s.restarts {
		s.doom()
	}
}

func (s *known) doom() {
	s.excuse()
	s.place.steady, s.place.rests = 0, false
	for pid := range s.started {
		s.started[pid] = true
	}
}

func (s *known) excuse() {
	s.promised, s.kept, s.over, s.starts = 0, false, false, nil
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
	s.over = false
	s.place.asks(before, d, s.promised, s.applied >= s.changed)
	s.asked, s.since, s.changed = d, time.Now(), version
	s.restarts = s.restarts || d.variant != nil && d.service != nil && d.service.Check.Restart
	if s.restarts && time.Now().Before(s.paused) {
		s.doom()
	}
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
		s.applied, s.taken = max(s.applied, version), max(s.taken, version)
	}
}

// starts says that another program starts, which has taken nothing yet.
func (j *judge) starts() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.began = time.Now()
	for _, s := range j.known {
		s.taken = 0
		s.place.starts()
	}
}

// mortal reports whether a process runs that will end by itself.
func (j *judge) mortal(name string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, ends := range j.known[name].started {
		if ends {
			return true
		}
	}
	return false
}
