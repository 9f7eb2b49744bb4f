package s6test

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// beget starts what a process starts itself: the other processes of its group.
func (p *process) beget() {
	for _, program := range p.program.Children {
		child := &process{
			tree: p.tree, pid: p.tree.newPID(), role: roleChild, name: p.name, dir: p.dir, id: p.id,
			leader: p.pid, program: program, log: p.log, started: time.Now(), working: true,
		}
		p.tree.processes = append(p.tree.processes, child)
		child.happens(Started, 0)
		child.happens(Begun, 0)
		if program.RunFor > 0 {
			child.later(program.RunFor, func() { child.exit(program.ExitCode) })
		}
	}
}

// group returns the processes of a group, the leader last if it lives.
func (t *Tree) group(service string, leader int) (all []*process) {
	for _, p := range slices.Backward(t.processes) {
		if (p.pid == leader || p.leader == leader) && p.dir == service {
			all = append(all, p)
		}
	}
	return all
}

// excuse is for what has been left in a service directory when the finish script
// did not come to its end.
func (t *Tree) excuse(service string) {
	for _, p := range t.processes {
		p.left = p.left && p.dir != service
	}
}

// Group implements s6.Tree. The ids of groups are not given out twice here.
func (t *Tree) Group(service string, leader int, _ time.Time) (pids []int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.group(service, leader) {
		pids = append(pids, p.pid)
	}
	return pids, nil
}

// SignalGroup implements s6.Tree.
func (t *Tree) SignalGroup(service string, leader int, _ time.Time, signal syscall.Signal) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.group(service, leader) {
		p.signal(signal)
	}
	return nil
}

// finish is what a finish script of package s6 does: it ends a group, follows a
// policy, and runs a command, where there are such. A script of somebody else is a command.
type finish struct {
	started  string // the file in which run has said who leads the group
	signal   syscall.Signal
	patience time.Duration
	border   bool
	policy   *policy
	command  bool
}

var (
	finishRecord = regexp.MustCompile(`read -r hash group by .*<(\S+) &&`)
	finishEnd    = regexp.MustCompile(`end ([A-Z0-9]+) (\d+) \|\| end KILL`)
)

func parseFinish(text string) (f finish) {
	record, end := finishRecord.FindStringSubmatch(text), finishEnd.FindStringSubmatch(text)
	if record == nil || end == nil {
		return finish{command: true}
	}
	f.started, f.signal = record[1], unix.SignalNum("SIG"+end[1])
	f.patience, f.policy = centiseconds(end[2]), parsePolicy(text)
	f.border = hasBorder(text)
	f.command = strings.Contains(text, "\n(exec ")
	return f
}

// mark is what a run script writes down of its supervisor.
func (s *supervisor) mark() string { return fmt.Sprintf("%d.%d", s.pid, s.born.UnixNano()) }

// read returns the words of the first line of a file in the service directory.
func (p *process) read(file string) []string {
	data, err := p.tree.mem.ReadFile(path.Join(p.dir, file))
	if err != nil || !p.in() {
		return nil
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.Fields(line)
}

// record returns the process that the run script has written down, 0 where that
// was another supervisor's.
func (p *process) record(file string) (leader int) {
	record := p.read(file)
	if len(record) != 3 || p.supervisor == nil || record[2] != p.supervisor.mark() {
		return 0
	}
	leader, _ = strconv.Atoi(record[1])
	return leader
}

// concludes is the rest of what a finish script does, once nothing is left of
// the process that ended, of which run had written down what it was started from.
func (p *process) concludes(f finish, started []string) {
	code := 0
	if f.policy != nil {
		pid, _ := strconv.Atoi(started[1])
		code = f.policy.follow(p, started[0], pid)
	}
	if !f.command {
		p.exit(code)
		return
	}
	if code == 125 && f.policy != nil {
		p.supervisor.want(false)
	}
	p.program = p.tree.programOf(p)
	p.later(p.program.FinishFor, func() {
		if p.program.FinishCode == 125 && f.policy != nil && p.supervisor != nil {
			code = p.over("refused 0 0 0 " + started[0])
		}
		if f.policy == nil {
			code = p.program.FinishCode
		}
		p.exit(code)
	})
}

// finish does what a finish script does.
func (p *process) finish(f finish) {
	leader := p.record(f.started)
	started := append(p.read(f.started), "", "")
	end := func(signal syscall.Signal) {
		for _, child := range p.tree.group(p.dir, leader) {
			child.signal(signal)
		}
	}
	over := func() {
		if record := p.read(f.started); leader != 0 && len(record) > 1 && record[1] == strconv.Itoa(leader) {
			p.tree.note(p.tree.mem.WriteFile(path.Join(p.dir, f.started), []byte(record[0]+" 0\n"), 0o644))
		}
		if f.border {
			p.log.border()
		}
		p.concludes(f, started)
	}
	if leader == 0 || len(p.tree.group(p.dir, leader)) == 0 {
		over()
		return
	}
	end(f.signal)
	began := time.Now()
	var look func()
	look = func() {
		if len(p.tree.group(p.dir, leader)) == 0 {
			over()
			return
		}
		if time.Since(began) >= f.patience {
			end(syscall.SIGKILL)
		}
		p.later(10*time.Millisecond, look)
	}
	p.later(0, look)
}
