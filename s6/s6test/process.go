package s6test

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

type role int

const (
	roleRun role = iota
	roleFinish
	roleLogger
	roleChild // started by a process that run has become
)

// process is what an s6-supervise has started, beginning with the shell of its
// script.
type process struct {
	tree       *Tree
	pid        int
	role       role
	name       string // of the service, as of its supervisor
	dir        string
	id         fs.FileInfo // of dir
	supervisor *supervisor // nil once that is gone
	leader     int         // of its group; 0 for the leader itself
	after      int         // of finish: the process that has ended
	left       bool        // its leader has ended, and a finish script should have ended it
	program    Program
	script     script
	command    []string // what it became, with env
	env        map[string]string
	log        *pipe
	logDir     *logDir // of a logger

	started time.Time
	lock    fs.FileInfo // the file it locks or waits for; nil for none
	waiting bool        // for the lock
	working bool        // its command has begun
	ending  bool        // a signal has reached it that will end it
	paused  bool
	hangs   bool             // it answers no check
	pending []syscall.Signal // while paused
	dead    bool
	bereft  bool // its directory was deleted, and that was recorded
	timers  []*event
}

// Process is an entry of the process table.
type Process struct {
	PID int
	// Service is the name of its service; that of a logger ends in "/log".
	Service string
	// Finish: it is the service's finish command, and not the service.
	Finish bool
	// Child: its service's process has started it.
	Child bool
	// Supervised: its s6-supervise lives.
	Supervised bool
	// Waiting: it has not begun, for another process holds the instance lock.
	Waiting bool
	Started time.Time
	// Command is what a service's process began as, and Env what it was given
	// from the service directory: empty before it has begun.
	Command []string
	Env     map[string]string
}

// Processes returns the process table, oldest first: what s6-supervise started
// and the children of that, and neither s6-supervise nor s6-svscan.
func (t *Tree) Processes() []Process {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []Process
	for _, p := range t.processes {
		all = append(all, p.entry())
	}
	return all
}

// Supervisors returns whom the live s6-supervise serve, sorted; those of loggers
// end in "/log". A name that comes twice has one too many.
func (t *Tree) Supervisors() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	for _, s := range t.live {
		all = append(all, s.name)
	}
	slices.Sort(all)
	return all
}

// entry is a process in the process table.
func (p *process) entry() Process {
	return Process{
		PID: p.pid, Service: p.name, Finish: p.role == roleFinish, Child: p.role == roleChild,
		Supervised: p.supervisor != nil, Waiting: p.waiting, Started: p.started, Command: p.command, Env: p.env,
	}
}

// Change is what becomes of a process.
type Change int

// The changes, in their order. A process that waits for the instance lock in
// vain, or is told to end before, never begins.
const (
	Started Change = iota
	Begun          // its command
	Ended
)

// Happening is something that becomes of a process.
type Happening struct {
	Process
	Change Change
	Wait   supervise.WaitStatus // of one that ended
}

// happens tells the listener of the configuration.
func (p *process) happens(c Change, wait supervise.WaitStatus) {
	if tell := p.tree.config.OnProcess; tell != nil {
		tell(Happening{p.entry(), c, wait})
	}
}

// spawn starts run or finish.
func (t *Tree) spawn(s *supervisor, as role) *process {
	p := &process{
		tree: t, pid: t.newPID(), role: as, name: s.name, dir: s.dir, id: s.id,
		supervisor: s, log: s.log, started: time.Now(),
	}
	if s.isLogger() && as == roleRun {
		p.role = roleLogger
	}
	t.processes = append(t.processes, p)
	p.happens(Started, 0)
	if text, err := t.mem.ReadFile(path.Join(s.dir, "run")); err == nil {
		p.script = t.script(string(text))
	}
	if p.role == roleLogger && p.script.follows {
		if of := t.supervisor(path.Dir(s.dir)); of != nil {
			p.log = of.log
		}
	}
	if as == roleFinish {
		text, err := t.mem.ReadFile(path.Join(s.dir, "finish"))
		t.note(err)
		p.later(0, func() { p.finish(parseFinish(string(text))) })
		return p
	}
	p.later(0, p.begin)
	return p
}

// later calls fn after d, at least one step of s6 from now, if the process
// lives then.
func (p *process) later(d time.Duration, fn func()) {
	p.timers = append(p.timers, p.tree.after(max(d, p.tree.config.Latency), func() {
		if !p.dead {
			fn()
		}
	}))
}

// begin is what the script does before the command.
func (p *process) begin() {
	if p.script.hash != "" && p.in() {
		if record := p.read(p.script.started); len(record) > 1 && record[1] != "0" && p.script.unfinished != "" {
			p.tree.note(p.tree.mem.Append(path.Join(p.dir, p.script.unfinished), []byte(record[1]+"\n")))
		}
		text := fmt.Sprintf("%s %d\n", p.script.hash, p.pid)
		if p.script.by && p.supervisor != nil {
			text = fmt.Sprintf("%s %d %s\n", p.script.hash, p.pid, p.supervisor.mark())
		}
		p.tree.note(p.tree.mem.WriteFile(path.Join(p.dir, p.script.started), []byte(text), 0o644))
	}
	if p.script.lock != "" && !p.in() {
		p.exit(111) // s6-setlock finds no directory
		return
	}
	if p.script.lock != "" {
		file := path.Join(p.dir, p.script.lock)
		if p.tree.stat(file) == nil {
			p.tree.note(p.tree.mem.WriteFile(file, nil, 0o644))
		}
		p.lock = p.tree.stat(file)
		p.waiting = slices.ContainsFunc(p.tree.processes, func(other *process) bool {
			return other.working && p.tree.same(other.lock, p.lock)
		})
	}
	if !p.waiting {
		p.work()
	}
}

// work begins the command.
func (p *process) work() {
	p.waiting, p.working = false, true
	p.happens(Begun, 0)
	if p.role != roleLogger && !p.tree.runnable(p.dir, p.script) {
		p.exit(127)
		return
	}
	for _, other := range p.tree.processes {
		if other != p && other.working && other.role == roleRun && p.role == roleRun && other.dir == p.dir {
			p.tree.violate(fmt.Sprintf("two processes of %s are at work: %d and %d", p.name, other.pid, p.pid))
		}
		if other.left && p.role == roleRun && other.dir == p.dir {
			p.tree.violate(fmt.Sprintf("process %d of %s is at work beside %d, which an earlier one has left", p.pid, p.name, other.pid))
		}
	}
	if p.role == roleLogger {
		p.openLog()
		return
	}
	if p.script.border {
		p.log.border()
	}
	if p.script.course {
		if !p.mayBegin() {
			p.exit(125)
			return
		}
		if p.heldBack() > 0 {
			p.pauses()
			return
		}
	}
	p.runs()
}

// pauses waits for as long as it has to after it has said that it is about to.
func (p *process) pauses() {
	if p.script.pauses != "" {
		p.writes(p.script.pauses, strconv.Itoa(p.pid))
	}
	p.later(0, func() {
		if wait := p.heldBack(); wait > 0 {
			p.later(wait, p.runs)
			return
		}
		p.runs()
	})
}

// runs begins the command itself.
func (p *process) runs() {
	if p.script.course {
		p.begins()
	}
	p.command, p.env = p.script.command, p.tree.environ(p.dir, p.script)
	p.program = p.tree.programOf(p)
	p.beget()
	for _, line := range p.program.Prints {
		p.log.print(line)
	}
	if after := p.program.ReadyAfter; after >= 0 {
		p.later(after, p.announce)
	}
	if p.program.RunFor > 0 {
		p.later(p.program.RunFor, func() { p.exit(p.program.ExitCode) })
	}
}

// announce tells the supervisor that the process is ready, if the supervisor
// listens.
func (p *process) announce() {
	if s := p.supervisor; s != nil && s.notified && !p.ending {
		s.ready()
	}
}

// signal delivers a signal.
func (p *process) signal(signal syscall.Signal) {
	switch {
	case p.dead:
	case signal == syscall.SIGKILL:
		p.killed(signal)
	case signal == syscall.SIGSTOP:
		p.paused = true
	case signal == syscall.SIGCONT:
		p.paused = false
		pending := p.pending
		p.pending = nil
		for _, s := range pending {
			p.signal(s)
		}
	case p.paused:
		p.pending = append(p.pending, signal)
	case signal == syscall.SIGWINCH, p.working && p.program.Deaf, p.ending:
	case p.role == roleLogger && p.working:
		p.exit(0)
	case p.working && p.program.StopAfter > 0:
		p.ending = true
		p.later(p.program.StopAfter, func() { p.killed(signal) })
	default:
		p.killed(signal)
	}
}

func (p *process) exit(code int) { p.die(supervise.WaitStatus(code&0xff) << 8) }

func (p *process) killed(signal syscall.Signal) { p.die(supervise.WaitStatus(signal)) }

// die removes the process from the table. A process that waits for its lock
// gets it; its supervisor will notice.
func (p *process) die(wait supervise.WaitStatus) {
	p.checkDir()
	p.dead = true
	if p.working && p.role == roleRun {
		p.log.begun += p.program.LastWords
	}
	for _, timer := range p.timers {
		timer.Stop()
	}
	t := p.tree
	for _, other := range t.processes {
		if p.role == roleRun && other.leader == p.pid {
			other.left = p.supervisor != nil
		}
	}
	if p.role == roleFinish && wait.Signaled() {
		t.excuse(p.dir)
	}
	t.processes = slices.DeleteFunc(t.processes, func(other *process) bool { return other == p })
	p.happens(Ended, wait)
	p.closes()
	if p.log.reader == p {
		p.log.reader = nil
	}
	if p.lock != nil && p.working {
		waits := func(other *process) bool { return other.waiting && t.same(other.lock, p.lock) }
		if next := slices.IndexFunc(t.processes, waits); next >= 0 {
			t.processes[next].work()
		}
	}
	if s := p.supervisor; s != nil {
		t.after(t.config.Latency, func() {
			if !s.gone && s.process == p {
				s.reap(wait)
			}
		})
	}
	p.log.ended()
}

// closes closes the locks that it has open.
func (p *process) closes() {
	if p.lock != nil && p.in() {
		p.tree.closes(path.Join(p.dir, p.script.lock))
	}
	if p.logDir != nil && p.logDir.in() {
		p.tree.closes(path.Join(p.logDir.dir, "lock"))
	}
}

func (p *process) in() bool { return p.tree.same(p.id, p.tree.stat(p.dir)) }

// checkDir records a violation, once, if the service directory was deleted under
// the process. A logger without a supervisor is about to end, and has a directory
// of its own.
func (p *process) checkDir() {
	if !p.bereft && !p.in() && (p.role != roleLogger || p.supervisor != nil) {
		p.bereft = true
		p.tree.violations = append(p.tree.violations, "the service directory of process "+strconv.Itoa(p.pid)+" of "+p.name+" was deleted while it lived")
	}
}
