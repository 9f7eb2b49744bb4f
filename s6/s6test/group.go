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

// Record implements s6.Tree. Times are those of scripts.
func (t *Tree) Record(service string, pid int) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.supervisor(service)
	if s == nil || !slices.ContainsFunc(t.processes, func(p *process) bool { return p.pid == pid && p.supervisor == s && !p.dead }) {
		return "", nil
	}
	return fmt.Sprintf("%d %s %d", pid, s.mark(), t.now()), nil
}

// finish is what a finish script of package s6 does: it ends a group, follows a
// policy, and runs a command, where there are such. A script of somebody else is a command.
type finish struct {
	started  string // the file in which run has said who leads the group
	told     bool   // it knows that from its supervisor, where that says so
	signal   syscall.Signal
	patience time.Duration
	border   bool
	policy   *policy
	command  bool          // it is one
	limit    time.Duration // of the command that it runs, zero for none
}

var (
	finishRecord  = regexp.MustCompile(`read -r hash group by .*<(\S+) \|\|`)
	finishCommand = regexp.MustCompile(`(?m)^timeout -s KILL (\d+) /bin/sh -c`)
	finishEnd     = regexp.MustCompile(`end ([A-Z0-9]+) (\d+) \|\| end KILL`)
)

func parseFinish(text string) (f finish) {
	record, end := finishRecord.FindStringSubmatch(text), finishEnd.FindStringSubmatch(text)
	if record == nil || end == nil {
		return finish{command: true}
	}
	f.started, f.signal = record[1], unix.SignalNum("SIG"+end[1])
	f.patience, f.policy = centiseconds(end[2]), parsePolicy(text)
	f.border, f.told = hasBorder(text), strings.Contains(text, "group=$4")
	if m := finishCommand.FindStringSubmatch(text); m != nil {
		seconds, _ := strconv.Atoi(m[1])
		f.limit = time.Duration(seconds) * time.Second
	}
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

// leads returns the process whose group a finish script is to end: the one that
// its supervisor names, else the one that is written down, 0 where that was another
// supervisor's. What the program has written down counts where a process of the
// group is older than that.
func (p *process) leads(f finish) (leader int) {
	if f.told && p.tree.config.Version != V211 {
		return p.after
	}
	record := p.read(f.started)
	if len(record) < 3 || p.supervisor == nil || record[2] != p.supervisor.mark() {
		return 0
	}
	leader, _ = strconv.Atoi(record[1])
	if len(record) == 3 {
		return leader
	}
	seen, _ := strconv.ParseInt(record[3], 10, 64)
	older := func(member *process) bool { return p.tree.ticks(member.started) < seen }
	if !slices.ContainsFunc(p.tree.group(p.dir, leader), older) {
		return 0
	}
	return leader
}

// concludes is the rest of what a finish script does, once nothing is left of
// the process that ended. code is what its policy has said, started what run had
// written down.
func (p *process) concludes(f finish, code int, started []string) {
	if code == notBegun {
		p.exit(125)
		return
	}
	if f.limit == 0 {
		if f.command { // a script of somebody else
			p.program = p.tree.programOf(p)
			p.later(p.program.FinishFor, func() { p.exit(p.program.FinishCode) })
			return
		}
		p.exit(code)
		return
	}
	p.program = p.tree.programOf(p)
	p.later(min(p.program.FinishFor, f.limit), func() {
		if p.program.FinishCode == 125 && p.program.FinishFor <= f.limit {
			code = p.over("refused 0 0 0 " + started[0])
		}
		p.exit(code)
	})
}

// finish does what a finish script does.
func (p *process) finish(f finish) {
	leader := p.leads(f)
	started := append(p.read(f.started), "", "")
	code := 0
	if f.policy != nil {
		pid, _ := strconv.Atoi(started[1])
		code = f.policy.follow(p, started[0], pid)
	}
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
		p.concludes(f, code, started)
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
