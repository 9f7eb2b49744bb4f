package s6test

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// policy is what a finish script of package s6 does about a process that has ended
// by itself.
type policy struct {
	restart        string
	from, to, long time.Duration
	limit          int
}

var policyLine = regexp.MustCompile(`(?m)^policy (\S+) (\d+) (\d+) (\d+) (\d+) "\$1"`)

// coursePath is the file in which scripts of package s6 write down what becomes
// of processes.
const coursePath = "data/course"

func parsePolicy(text string) *policy {
	m := policyLine.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	limit, _ := strconv.Atoi(m[4])
	return &policy{restart: m[1], from: centiseconds(m[2]), to: centiseconds(m[3]), limit: limit, long: centiseconds(m[5])}
}

// centiseconds is a text of a script in hundredths of a second.
func centiseconds(text string) time.Duration {
	n, _ := strconv.ParseInt(text, 10, 64)
	return time.Duration(n) * 10 * time.Millisecond
}

// now is what the machine's uptime is in a script.
func (t *Tree) now() int64 { return int64(t.uptime() / (10 * time.Millisecond)) }

// writes writes the first line of a file that is there.
func (p *process) writes(file, line string) {
	if p.in() {
		p.tree.note(p.tree.mem.WriteFile(path.Join(p.dir, file), []byte(line+"\n"), 0o644))
	}
}

// over is for a service that is not to run again.
func (p *process) over(course string) int {
	p.writes(coursePath, course)
	p.supervisor.write("down", nil)
	return 125
}

// follow does what the policy says, and returns the exit code. The process that
// has ended was started from hash.
func (f *policy) follow(p *process, hash string, leader int) int {
	s := p.supervisor
	if s == nil || !s.status.WantUp {
		return 0
	}
	if marked := p.read("data/marked"); len(marked) > 1 && marked[0] == strings.Repeat("1", 64) && marked[1] == strconv.Itoa(leader) {
		p.writes(coursePath, "none 0 0 0 -")
		return 0
	}
	well := s.status.WaitStatus.Exited() && s.status.WaitStatus.ExitCode() == 0
	if well && f.restart != "always" {
		return p.over("done 0 0 0 " + hash)
	}
	course := append(p.read(coursePath), "", "", "", "", "")
	failures, _ := strconv.Atoi(course[1])
	since, _ := strconv.ParseInt(course[2], 10, 64)
	ran := time.Duration(p.tree.now()-since) * 10 * time.Millisecond
	if course[0] != "wait" && (course[0] != "runs" || ran >= f.long) {
		failures = 0
	}
	failures++
	if f.restart == "never" || f.limit > 0 && failures >= f.limit {
		return p.over(fmt.Sprintf("failed %d 0 0 %s", failures, hash))
	}
	pause := f.from
	for n := 1; n < failures && pause < f.to; n++ {
		pause *= 2
	}
	pause = min(pause, f.to)
	ticks := int64(pause / (10 * time.Millisecond))
	p.writes(coursePath, fmt.Sprintf("wait %d %d %d -", failures, p.tree.now()+ticks, ticks))
	return 0
}

// heldBack is how long a process has to wait before it begins.
func (p *process) heldBack() time.Duration {
	course := p.read(coursePath)
	if len(course) < 4 || course[0] != "wait" {
		return 0
	}
	until, _ := strconv.ParseInt(course[2], 10, 64)
	pause, _ := strconv.ParseInt(course[3], 10, 64)
	left := until - p.tree.now()
	if left <= 0 || left > pause {
		return 0
	}
	return time.Duration(left) * 10 * time.Millisecond
}

// begins writes down that a process has begun.
func (p *process) begins() {
	if course := p.read(coursePath); len(course) > 1 {
		p.writes(coursePath, fmt.Sprintf("runs %s %d 0 -", course[1], p.tree.now()))
	}
}
