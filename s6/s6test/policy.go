package s6test

import (
	"fmt"
	"path"
	"regexp"
	"slices"
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
func (t *Tree) now() int64 { return t.ticks(time.Now()) }

// ticks is when something was, in the same.
func (t *Tree) ticks(when time.Time) int64 { return int64(when.Sub(t.born) / (10 * time.Millisecond)) }

// writes writes the first line of a file that is there.
func (p *process) writes(file, line string) {
	if p.in() {
		p.tree.note(p.tree.mem.WriteFile(path.Join(p.dir, file), []byte(line+"\n"), 0o644))
	}
}

// over is for a service that is not to run again.
func (p *process) over(course string) int {
	p.writes(coursePath, course)
	p.isOver()
	return 125
}

// isOver has nobody want it up.
func (p *process) isOver() {
	if s := p.supervisor; s != nil {
		s.write("down", nil)
		s.want(false)
	}
}

// isVerdict reports whether a course says that what was started from hash is not
// to run again.
func isVerdict(course []string, hash string) bool {
	return len(course) > 4 && slices.Contains([]string{"done", "failed", "refused"}, course[0]) && course[4] == hash
}

// notBegun is what follow returns for a process that was not to begin.
const notBegun = 126

// follow does what the policy says, and returns the exit code. The process that
// has ended was started from hash.
func (f *policy) follow(p *process, hash string, leader int) int {
	course := append(p.read(coursePath), make([]string, 5)...)
	if isVerdict(course, hash) {
		return notBegun
	}
	marked := p.read("data/marked")
	replaced := len(marked) > 1 && marked[0] == strings.Repeat("1", 64) && (leader == 0 || marked[1] == strconv.Itoa(leader))
	if replaced {
		p.writes("data/marked", "-")
	}
	s := p.supervisor
	if replaced || s == nil || !s.status.WantUp {
		p.writes(coursePath, "none 0 0 0 -")
		return 0
	}
	if p.heldBack() > 0 {
		return 0 // it was ended during its pause
	}
	well := s.status.WaitStatus.Exited() && s.status.WaitStatus.ExitCode() == 0
	if well && f.restart != "always" {
		return p.over("done 0 0 0 " + hash)
	}
	failures, _ := strconv.Atoi(course[1])
	if course[0] != "wait" && (course[0] != "runs" || !p.tree.within(course[2], f.long)) {
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

// within reports whether a time, as a script writes it, is less than d ago.
func (t *Tree) within(since string, d time.Duration) bool {
	n, _ := strconv.ParseInt(since, 10, 64)
	return n <= t.now() && time.Duration(t.now()-n)*10*time.Millisecond < d
}

// mayBegin reports whether a process is to begin: it has not come to its end, and
// is not one that is to run once after another of which nobody has seen the end.
func (p *process) mayBegin() bool {
	course := p.read(coursePath)
	if len(course) == 0 {
		return true
	}
	if p.script.once && course[0] == "runs" {
		p.over("failed 0 0 0 " + p.script.hash)
		return false
	}
	if isVerdict(course, p.script.hash) {
		p.isOver()
		return false
	}
	return true
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
	course := p.read(coursePath)
	if len(course) < 3 {
		return
	}
	failures := course[1]
	if course[0] != "wait" && (course[0] != "runs" || !p.tree.within(course[2], p.script.long)) {
		failures = "0"
	}
	p.writes(coursePath, fmt.Sprintf("runs %s %d 0 -", failures, p.tree.now()))
}
