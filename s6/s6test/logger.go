package s6test

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/s6/s6log"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// pipe leads from a service to its logger. s6-svscan holds both ends, so that
// lines wait in it while no logger runs; each s6-supervise and its processes
// hold one end.
type pipe struct {
	tree   *Tree
	lines  []string
	begun  string   // the beginning of a line
	reader *process // the logger, nil while none runs
	open   bool     // s6-svscan has not let go of the end for writing
}

func (p *pipe) print(line string) {
	p.lines = append(p.lines, p.begun+line)
	p.begun = ""
	p.flush()
}

// border ends a line that has begun.
func (p *pipe) border() {
	if p.begun != "" {
		p.print(s6log.Border)
	}
}

func (p *pipe) flush() {
	if p.reader == nil {
		return
	}
	for _, line := range p.lines {
		p.reader.logDir.write(line)
	}
	p.lines = nil
}

// hangUp closes s6-svscan's end for writing.
func (p *pipe) hangUp() {
	p.open = false
	p.ended()
}

// ended makes the logger end once nobody can write to it any more.
func (p *pipe) ended() {
	if p.reader == nil || p.open ||
		slices.ContainsFunc(p.tree.live, func(s *supervisor) bool { return s.log == p && !s.isLogger() }) ||
		slices.ContainsFunc(p.tree.processes, func(w *process) bool { return w.log == p && w.role != roleLogger }) {
		return
	}
	p.begun = "" // as s6-log 2.11 does
	p.reader.exit(0)
}

// Print makes the process of the named service, which must be at work, print a
// line.
func (t *Tree) Print(service, line string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.processes {
		if p.name == service && p.working && p.role == roleRun {
			p.log.print(line)
			return nil
		}
	}
	return fmt.Errorf("cannot print: %q does not run", service)
}

// logDir is what an s6-log writes to.
type logDir struct {
	id    fs.FileInfo // what was written after it was deleted is lost
	tree  *Tree
	dir   string
	files int
	size  int64
	label bool // lines begin with TAI64N labels
	local bool // then local time
}

// openLog begins the command of a logger, which has to be s6-log. In a script
// that was damaged there is none.
func (p *process) openLog() {
	if len(p.script.command) == 0 {
		p.exit(127)
		return
	}
	dir, err := parseLogScript(p.script.command)
	if err != nil {
		p.tree.violate(fmt.Sprintf("the logger of %s cannot run: %v", p.name, err))
		p.exit(100)
		return
	}
	locked := func(other *process) bool {
		return other.logDir != nil && other.logDir.dir == dir.dir && other.logDir.in() && other != p
	}
	if slices.ContainsFunc(p.tree.processes, locked) {
		p.exit(111)
		return
	}
	p.tree.note(p.tree.mem.MkdirAll(dir.dir, 0o755))
	for _, file := range []string{"current", "lock", "state"} {
		p.tree.note(p.tree.mem.Append(path.Join(dir.dir, file), nil))
	}
	dir.tree, dir.id = p.tree, p.tree.stat(dir.dir)
	p.logDir, p.log.reader = dir, p
	p.log.flush()
	p.announce()
	p.log.ended()
}

// parseLogScript reads the command line of s6-log: options, directives, and
// one directory.
func parseLogScript(command []string) (*logDir, error) {
	if len(command) == 0 || path.Base(command[0]) != "s6-log" {
		return nil, fmt.Errorf("%q is not s6-log", command)
	}
	l := &logDir{files: 10, size: 99999}
	words := command[1:]
	for len(words) > 1 && strings.HasPrefix(words[0], "-") && words[0] != "--" {
		words = words[2:]
	}
	for _, word := range slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "--" }) {
		var err error
		switch {
		case strings.HasPrefix(word, "-"): // a selection
		case word == "t" || word == "T":
			l.label, l.local = l.label || word == "t", l.local || word == "T"
		case strings.HasPrefix(word, "n"):
			l.files, err = strconv.Atoi(word[1:])
		case strings.HasPrefix(word, "s"):
			l.size, err = strconv.ParseInt(word[1:], 10, 64)
		case path.IsAbs(word):
			l.dir = word
		default:
			err = errors.New("it is not known here")
		}
		if err != nil {
			return nil, fmt.Errorf("directive %q: %w", word, err)
		}
	}
	if l.dir == "" {
		return nil, errors.New("no log directory is given")
	}
	return l, nil
}

// in reports whether the directory is still where it was.
func (l *logDir) in() bool { return l.tree.same(l.id, l.tree.stat(l.dir)) }

// write logs a line.
func (l *logDir) write(line string) {
	if !l.in() {
		return
	}
	now := time.Now()
	var stamp string
	if l.label {
		stamp = supervise.FormatTAI64N(now) + " "
	}
	if l.local {
		stamp += now.Format("2006-01-02 15:04:05.000000000") + "  "
	}
	current := path.Join(l.dir, "current")
	l.tree.note(l.tree.mem.Append(current, []byte(stamp+line+"\n")))
	if info := l.tree.stat(current); info != nil && info.Size() >= l.size {
		l.rotate()
	}
}

// rotate archives the current file under a unique label and removes the oldest
// archives.
func (l *logDir) rotate() {
	t := l.tree
	at := time.Now()
	if !at.After(t.lastLabel) {
		at = t.lastLabel.Add(time.Nanosecond)
	}
	t.lastLabel = at
	current := path.Join(l.dir, "current")
	t.note(t.mem.Rename(current, path.Join(l.dir, supervise.FormatTAI64N(at)+".s")))
	t.note(t.mem.WriteFile(current, nil, 0o644))
	entries, err := t.mem.ReadDir(l.dir)
	t.note(err)
	var archived []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "@") {
			archived = append(archived, e.Name())
		}
	}
	for _, name := range archived[:max(0, len(archived)-l.files)] {
		t.note(t.mem.Remove(path.Join(l.dir, name)))
	}
}
