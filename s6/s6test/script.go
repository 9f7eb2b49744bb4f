package s6test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// script is what a run script of package s6 does, as far as it can be seen
// from outside.
type script struct {
	border        bool   // it ends what was printed before
	course        bool   // it waits where a policy says so
	pauses        string // the file in which it says that it is about to wait
	once          bool   // it does not begin after one of which nobody has seen the end
	long          time.Duration
	follows       bool   // it reads what the service's supervisor writes to
	hash, started string // what it writes into which file about itself
	by            bool   // it writes down its supervisor too
	unfinished    string // the file in which it keeps what was written down before
	lock          string // the file that it has s6-setlock lock
	envDir        string // that s6-envdir reads
	dir           string // the working directory it goes to
	command       []string
}

// startedLine is the line by which a script says what it is.
var startedLine = regexp.MustCompile(`^echo "([0-9a-f]{64}) \$\$( \$1)?" 1<>(\S+)$`)

// unfinishedLine is the line by which it keeps what was said before.
var unfinishedLine = regexp.MustCompile(`\|\| echo "\$3" >>(\S+)$`)

// pausesLine is the line by which it says that it is about to wait.
var pausesLine = regexp.MustCompile(`(?m)^\s*echo \$\$ 2>/dev/null >\./(\S+)$`)

// longRun is where it says after how long a run counts as none in a row.
var longRun = regexp.MustCompile(`evenkeel_now - evenkeel_at\)\) -lt (\d+) `)

// hasBorder reports whether a script prints what ends the text of a process.
func hasBorder(text string) bool { return strings.Contains(text, `\003\004\n`) }

// script returns what a script does. Each is parsed once.
func (t *Tree) script(text string) script {
	s, known := t.scripts[text]
	if !known {
		s = parseScript(text)
		t.scripts[text] = s
	}
	return s
}

// parseScript follows the chain of programs in the last line. In a script that
// package s6 has not written it finds the last command at most.
func parseScript(text string) (s script) {
	s.border, s.course = hasBorder(text), strings.Contains(text, coursePath)
	s.once = strings.Contains(text, `"$evenkeel" = runs`)
	if m := longRun.FindStringSubmatch(text); m != nil {
		s.long = centiseconds(m[1])
	}
	if m := pausesLine.FindStringSubmatch(text); m != nil {
		s.pauses = m[1]
	}
	s.follows = strings.Contains(text, "pipe=/proc/$pid/fd/1\n")
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := startedLine.FindStringSubmatch(line); m != nil {
			s.hash, s.by, s.started = m[1], m[2] != "", m[3]
		}
		if m := unfinishedLine.FindStringSubmatch(line); m != nil {
			s.unfinished = m[1]
		}
	}
	// The command goes on to the end: there may be quoted newlines in it.
	_, rest, _ := strings.Cut(text, "\nexec 2>&1")
	if _, command, ok := strings.Cut(rest, "\nexec "); ok {
		s.follow(words(command))
	}
	return s
}

// follow removes the programs that each become the next one.
func (s *script) follow(words []string) {
	take := func(n int) []string {
		n = min(n, len(words))
		taken := words[:n]
		words = words[n:]
		return append(taken[:n:n], make([]string, 4)...)
	}
	options := func(flags string) {
		for len(words) > 0 && strings.HasPrefix(words[0], "-") {
			if strings.Trim(words[0][1:], flags) == "" {
				take(1)
			} else {
				take(2)
			}
		}
	}
	for len(words) > 0 {
		switch path.Base(words[0]) {
		case "s6-envdir":
			take(1)
			options("fL")
			s.envDir = take(1)[0]
		case "s6-softlimit":
			take(1)
			options("")
		case "s6-setlock":
			s.lock = take(2)[1]
		case "s6-notifyoncheck":
			take(1)
			options("d")
		case "s6-setuidgid":
			take(2)
		case "sh":
			if len(words) > 4 && words[3] == "run" && strings.HasSuffix(words[2], "\nexec \"$@\"") {
				take(4) // begins the text of the process
				continue
			}
			if len(words) < 4 || words[1] != "-c" || !strings.HasPrefix(words[2], `cd "$0"`) {
				s.command = words
				return
			}
			s.dir = take(4)[3]
		default:
			s.command = words
			return
		}
	}
}

// words splits a line as a shell does, for a line in which only single quotes
// and backslashes have a meaning.
func words(line string) (all []string) {
	var word strings.Builder
	in, quoted, escaped := false, false, false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case quoted && r == '\'':
			quoted = false
		case quoted:
			word.WriteRune(r)
		case r == '\'':
			in, quoted = true, true
		case r == '\\':
			in, escaped = true, true
		case r == ' ' || r == '\n' || r == '\t':
			if in {
				all = append(all, word.String())
			}
			word.Reset()
			in = false
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if in {
		all = append(all, word.String())
	}
	return all
}

// programOf returns what a process does: what SetProgram said of the service,
// else what Install said of the command.
func (t *Tree) programOf(p *process) Program {
	if program, ok := t.programs[p.name]; ok {
		return program
	}
	return t.commands[t.find(p.dir, p.script)]
}

func (t *Tree) runnable(service string, s script) bool {
	info := t.stat(t.find(service, s))
	return info != nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// find returns where the command of a script is, or would be.
func (t *Tree) find(service string, s script) string {
	if len(s.command) == 0 {
		return ""
	}
	command := s.command[0]
	here := service
	if s.dir != "" {
		here = s.dir
	}
	switch {
	case path.IsAbs(command):
		return command
	case path.Base(command) != command:
		return path.Join(here, command)
	}
	search := os.Getenv("PATH")
	if data, err := t.mem.ReadFile(path.Join(service, s.envDir, "PATH")); err == nil && s.envDir != "" {
		search = strings.TrimSuffix(string(data), "\n")
	}
	for _, dir := range filepath.SplitList(search) {
		if !path.IsAbs(dir) {
			dir = path.Join(here, dir)
		}
		if file := path.Join(dir, command); t.stat(file) != nil {
			return file
		}
	}
	return ""
}

// environ returns what "s6-envdir -fL" makes of its directory: the content of
// each file less a newline at the end, but for empty files.
func (t *Tree) environ(service string, s script) map[string]string {
	if s.envDir == "" {
		return nil
	}
	dir := path.Join(service, s.envDir)
	entries, err := t.mem.ReadDir(dir)
	if err != nil {
		return nil
	}
	env := make(map[string]string)
	for _, e := range entries {
		data, err := t.mem.ReadFile(path.Join(dir, e.Name()))
		if err == nil && len(data) > 0 && !strings.HasPrefix(e.Name(), ".") {
			env[e.Name()] = strings.TrimSuffix(string(data), "\n")
		}
	}
	return env
}

// Bar makes starts of the named service fail for something that is none of its
// own, such as a limit on processes: its s6-supervise complains of that. Nothing,
// "", makes an end of it.
func (t *Tree) Bar(service, complaint string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.barred[service] = complaint
}

// Unstartable implements s6.Tree: there are no mounts.
func (t *Tree) Unstartable(string) (string, error) { return "", nil }

// Complaint implements s6.Tree. It knows of what Bar says.
func (t *Tree) Complaint(service string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.barred[path.Base(service)], nil
}
