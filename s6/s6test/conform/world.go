package conform

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// World is a tree of an s6, with what happens to real ones.
type World interface {
	s6.Tree
	// Version is that of the s6.
	Version() s6test.Version
	// Program makes the file program in a service directory do something, from
	// the service's next start on.
	Program(service string, p s6test.Program)
	// Begun reports whether the service's process has become its program, and takes
	// signals as that does.
	Begun(service string, pid int) bool
	// Stopped reports whether the process has been stopped: a signal to stop takes
	// its time, and one that is sent later may come before it.
	Stopped(pid int) bool
	// Print makes the service's process, which has the zero Program, print a
	// line.
	Print(service, line string) error
	// Kill, KillSupervisor, KillSvscan and StartSvscan are as in s6test.Tree.
	Kill(service string, signal syscall.Signal) error
	KillSupervisor(service string) error
	KillSvscan()
	StartSvscan()
	// Eventually waits until something is so: until nil is returned.
	Eventually(what string, so func() error)
	// Pause lets time pass, where nothing is to happen.
	Pause(d time.Duration, why string)
}

// Scenario is something that s6 does.
type Scenario struct {
	Name string
	play func(s *stage)
}

// Play plays the scenario in a world of its own.
func (s Scenario) Play(t testing.TB, w World) {
	s.play(&stage{World: w, t: t})
}

// stage is a world while a scenario is played in it.
type stage struct {
	World
	t testing.TB
}

// actor is a service on the stage.
type actor struct {
	*stage
	name string
	dir  string

	mu     sync.Mutex // guards events
	events string     // since they were looked at
}

// locked is a run script as package s6 writes it, readySh one of a process that
// s6-supervise listens to.
const locked = "#!/bin/sh\nexec 2>&1\nexec s6-setlock ./data/lock ./program\n"

// make makes a service directory with the files, beside a run script, and
// listens to its events.
func (s *stage) make(name string, p s6test.Program, files map[string]string) *actor {
	s.t.Helper()
	a := &actor{stage: s, name: name, dir: s.Layout().Service(name)}
	all := map[string]string{"run": locked, "data/lock": ""}
	for file, content := range files {
		all[file] = content
	}
	for _, dir := range []string{"data", "event"} {
		require.NoError(s.t, s.FS().MkdirAll(path.Join(a.dir, dir), 0o755))
	}
	for file, content := range all {
		if content == missing {
			continue
		}
		a.write(file, content)
	}
	a.Program(name, p)
	watch, err := s.Watch(a.dir, func(e supervise.Event) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.events += string(rune(e))
	})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, watch.Close()) })
	return a
}

// missing is the content of a file that is not there.
const missing = "\x00"

// write writes a file of the service directory: scripts are executable.
func (a *actor) write(file, content string) {
	a.t.Helper()
	full := path.Join(a.dir, file)
	require.NoError(a.t, a.FS().MkdirAll(path.Dir(full), 0o755))
	mode := fs.FileMode(0o644)
	if base := path.Base(file); base == "run" || base == "finish" {
		mode = 0o755
	}
	require.NoError(a.t, a.FS().ReplaceFile(full, []byte(content), mode))
}

// link has the service served.
func (a *actor) link() {
	a.t.Helper()
	require.NoError(a.t, a.FS().Symlink(a.dir, a.Layout().Link(a.name)))
	require.NoError(a.t, a.Rescan())
}

// serve makes a service and has it served, until it is as it says.
func (s *stage) serve(name string, p s6test.Program, files map[string]string, events, is string) *actor {
	s.t.Helper()
	a := s.make(name, p, files)
	a.link()
	a.shows(events, is)
	return a
}

// tell sends commands.
func (a *actor) tell(commands string) {
	a.t.Helper()
	var all []supervise.Command
	for _, c := range commands {
		all = append(all, supervise.Command(c))
	}
	require.NoError(a.t, a.Control(a.dir, all...))
}

// status reads the status.
func (a *actor) status() supervise.Status {
	a.t.Helper()
	s, err := a.Status(a.dir)
	require.NoError(a.t, err)
	return s
}

// shows waits until these are the events since the last look, and the service
// is like that: see words.
func (a *actor) shows(events, is string) {
	a.t.Helper()
	a.Eventually(fmt.Sprintf("%s is %q after %q", a.name, is, events), func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		status, err := a.Status(a.dir)
		if err != nil {
			return err
		}
		if now := words(status); now != is || a.events != events {
			return fmt.Errorf("it is %q after %q", now, a.events)
		}
		a.events = ""
		return nil
	})
}

// stays lets time pass, in which the service stays as it is.
func (a *actor) stays(d time.Duration, is string) {
	a.t.Helper()
	a.Pause(d, a.name+" stays "+is)
	a.shows("", is)
}

// words says in words what a status says. A service that is up still has the
// wait status of its last death.
func words(s supervise.Status) string {
	var all []string
	say := func(so bool, what string) {
		if so {
			all = append(all, what)
		}
	}
	say(s.Up(), "up")
	say(s.Finishing, "finishing")
	say(s.PID == 0, "down")
	say(s.WantUp, "wanted")
	say(s.Ready, "ready")
	say(s.Paused, "paused")
	say(s.NotStarted, "never started")
	say(s.WaitStatus != 0, "after "+s.WaitStatus.String())
	return strings.Join(all, ", ")
}

// neverUp adds to the words about a service that its supervisor has started
// nothing: 2.15 says so until it is told something.
func (s *stage) neverUp(is string) string {
	if s.Version() == s6test.V215 {
		return is + ", never started"
	}
	return is
}

// supervised reports whether the service has a supervisor.
func (a *actor) supervised() bool {
	a.t.Helper()
	l, err := a.Supervisor(a.dir)
	require.NoError(a.t, err)
	return l.Held
}

// becomes waits until the service has a supervisor, or none.
func (a *actor) becomes(supervised bool) {
	a.t.Helper()
	a.Eventually(fmt.Sprintf("%s is supervised: %v", a.name, supervised), func() error {
		l, err := a.Supervisor(a.dir)
		if err == nil && l.Held != supervised {
			err = fmt.Errorf("its lock is held: %v", l.Held)
		}
		return err
	})
}

// deaths waits until the tally says that.
func (a *actor) deaths(want string) {
	a.t.Helper()
	a.Eventually("the tally of "+a.name+" is "+want, func() error {
		deaths, err := supervise.ReadTally(a.FS(), a.dir)
		if err != nil {
			return err
		}
		var all []string
		for _, d := range deaths {
			all = append(all, fmt.Sprintf("%d/%d", d.ExitCode, d.Signal))
		}
		if got := strings.Join(all, " "); got != want {
			return fmt.Errorf("it is %q", got)
		}
		return nil
	})
}

// lines waits until the log has these lines, without their stamps.
func (a *actor) lines(want ...string) {
	a.t.Helper()
	a.Eventually(fmt.Sprintf("the log of %s has %q", a.name, want), func() error {
		data, err := a.FS().ReadFile(path.Join(a.Layout().Log(a.name), "current"))
		if err != nil {
			return err
		}
		var all []string
		for line := range strings.Lines(string(data)) {
			_, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			all = append(all, text)
		}
		if fmt.Sprint(all) != fmt.Sprint(want) {
			logger, err := a.Status(path.Join(a.dir, "log"))
			return errors.Join(fmt.Errorf("it has %q, and the logger is %s", all, words(logger)), err)
		}
		return nil
	})
}
