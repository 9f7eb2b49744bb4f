package conform

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"syscall"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Scenarios returns all there are.
func Scenarios() []Scenario {
	return append(lives(), []Scenario{
		{"names that are no services", noServices},
		{"what is attended to", attended},
		{"a link that goes", linkGoes},
		{"a directory that is another", anotherDirectory},
		{"a link that leads nowhere", dangling},
		{"two names of one directory", twoNames},
		{"a supervisor that is told to exit", exits},
		{"a supervisor that is killed", killed},
		{"a supervisor that is killed while nothing runs", killedDown},
		{"an s6-svscan that is killed", svscanKilled},
		{"a directory that is deleted", deleted},
		{"nobody serves", nobody},
		{"a logger", logger},
		{"a logger that is killed", loggerKilled},
		{"a logger that is told to end", loggerTold},
		{"the end of a service with a logger", loggerEnds},
	}...)
}

// noServices: s6-svscan passes by what is hidden and what is no directory.
func noServices(s *stage) {
	hidden := s.make(".hidden", silent, nil)
	require.NoError(s.t, s.FS().Symlink(hidden.dir, s.Layout().Link(".hidden")))
	require.NoError(s.t, s.FS().WriteFile(s.Layout().Link("file"), nil, 0o644))
	file := s.make("b", silent, nil)
	require.NoError(s.t, s.FS().Symlink(path.Join(file.dir, "run"), s.Layout().Link("b")))
	s.serve("z", silent, nil, "su", "up, wanted")
	s.Pause(100*time.Millisecond, "nothing is done to the others")
	assert.False(s.t, hidden.supervised())
	assert.False(s.t, file.supervised())
}

// linkGoes: a scan alone ends nothing.
func linkGoes(s *stage) {
	a := s.serve("a", silent, nil, "su", "up, wanted")
	a.runs()
	require.NoError(s.t, s.FS().Remove(s.Layout().Link("a")))
	require.NoError(s.t, s.Rescan())
	a.stays(300*time.Millisecond, "up, wanted")
	require.NoError(s.t, s.Prune())
	a.shows("dDx", "down, ready, after signal 15 (terminated)")
	a.becomes(false)
	assert.ErrorIs(s.t, s.Control(a.dir, supervise.CommandUp), supervise.ErrNotSupervised)
	// It comes again.
	a.link()
	a.shows("su", "up, wanted")
}

// anotherDirectory: services are known by their directory, not by their name.
func anotherDirectory(s *stage) {
	a := s.serve("a", silent, nil, "su", "up, wanted")
	a.runs()
	b := s.make("b", silent, nil)
	require.NoError(s.t, s.FS().Remove(s.Layout().Link("a")))
	require.NoError(s.t, s.FS().Symlink(b.dir, s.Layout().Link("a")))
	require.NoError(s.t, s.Rescan())
	b.shows("su", "up, wanted")
	a.stays(20*time.Millisecond, "up, wanted")
	require.NoError(s.t, s.Prune())
	a.shows("dDx", "down, ready, after signal 15 (terminated)")
	b.stays(100*time.Millisecond, "up, wanted")
	// One that is renamed is the same.
	require.NoError(s.t, s.FS().Rename(s.Layout().Link("a"), s.Layout().Link("c")))
	require.NoError(s.t, s.Prune())
	b.stays(300*time.Millisecond, "up, wanted")
}

// dangling: from 2.12 on a link that leads nowhere aborts a scan.
func dangling(s *stage) {
	require.NoError(s.t, s.FS().Symlink("/nowhere", s.Layout().Link("nowhere")))
	a := s.make("a", silent, nil)
	a.link()
	if s.Version() == s6test.V211 {
		a.shows("su", "up, wanted")
		return
	}
	s.Pause(500*time.Millisecond, "nothing is started")
	assert.False(s.t, a.supervised())
	require.NoError(s.t, s.FS().Remove(s.Layout().Link("nowhere")))
	require.NoError(s.t, s.Nudge())
	a.shows("su", "up, wanted")
}

func twoNames(s *stage) {
	a := s.serve("a", silent, nil, "su", "up, wanted")
	a.runs()
	require.NoError(s.t, s.FS().Symlink(a.dir, s.Layout().Link("other")))
	require.NoError(s.t, s.Prune())
	a.stays(1200*time.Millisecond, "up, wanted")
	require.NoError(s.t, s.FS().Remove(s.Layout().Link("a")))
	require.NoError(s.t, s.Prune())
	a.stays(300*time.Millisecond, "up, wanted")
}

// exits: a supervisor that is told to exit is started again, a second after its
// own start.
func exits(s *stage) {
	a := s.serve("a", silent, nil, "su", "up, wanted")
	a.runs()
	before, err := s.Supervisor(a.dir)
	require.NoError(s.t, err)
	a.tell("dx")
	a.shows("dDxsu", "up, wanted")
	after, err := s.Supervisor(a.dir)
	require.NoError(s.t, err)
	assert.NotEqual(s.t, before.PID, after.PID)
}

// killed: the process goes on without its supervisor. The next one is started
// and waits for its lock.
func killed(s *stage) {
	a := s.serve("a", silent, nil, "su", "up, wanted")
	a.runs()
	a.tell("k")
	a.shows("dDu", "up, wanted, after signal 9 (killed)")
	a.runs()
	stray := a.status().PID
	require.NoError(s.t, s.KillSupervisor("a"))
	a.shows("su", "up, wanted")
	a.deaths("")
	next := a.status().PID
	assert.NotEqual(s.t, stray, next)
	s.Pause(300*time.Millisecond, "the second one waits")
	holder, err := s.Process(a.dir)
	require.NoError(s.t, err)
	assert.Equal(s.t, supervise.LockState{Held: true, PID: stray}, holder)
	child, err := s.Child(a.dir, stray)
	require.NoError(s.t, err)
	assert.False(s.t, child)
	child, err = s.Child(a.dir, next)
	require.NoError(s.t, err)
	assert.True(s.t, child)
	require.NoError(s.t, s.Signal(a.dir, stray, syscall.SIGTERM))
	s.Eventually("the second one goes on", func() error {
		holder, err := s.Process(a.dir)
		if err == nil && holder.PID != next {
			err = fmt.Errorf("%+v holds its lock", holder)
		}
		return err
	})
	a.shows("", "up, wanted")
	assert.Error(s.t, s.Signal(a.dir, stray, syscall.SIGTERM))
}

// killedDown: what is down by command begins with the next supervisor, unless
// the file down says otherwise.
func killedDown(s *stage) {
	a := s.serve("a", silent, nil, "su", "up, wanted")
	b := s.serve("b", silent, map[string]string{"down": ""}, "s", s.neverUp("down, ready"))
	a.runs()
	a.tell("d")
	a.shows("dD", "down, ready, after signal 15 (terminated)")
	require.NoError(s.t, s.KillSupervisor("a"))
	a.shows("su", "up, wanted")
	require.NoError(s.t, s.KillSupervisor("b"))
	b.shows("s", s.neverUp("down, ready"))
}

// svscanKilled: its supervisors go on. The next one has its own, which can only
// begin when the old ones have ended.
func svscanKilled(s *stage) {
	a := s.serve("a", silent, nil, "su", "up, wanted")
	a.runs()
	before, err := s.Supervisor(a.dir)
	require.NoError(s.t, err)
	s.KillSvscan()
	s.Eventually("nobody serves", func() error {
		if err := s.Served(); !errors.Is(err, supervise.ErrNotSupervised) {
			return fmt.Errorf("somebody does: %w", err)
		}
		return nil
	})
	assert.ErrorIs(s.t, s.Rescan(), supervise.ErrNotSupervised)
	assert.ErrorIs(s.t, s.Prune(), supervise.ErrNotSupervised)
	a.stays(100*time.Millisecond, "up, wanted")
	a.tell("k")
	a.shows("dDu", "up, wanted, after signal 9 (killed)")
	s.StartSvscan()
	s.Eventually("another serves", s.Served)
	a.stays(1500*time.Millisecond, "up, wanted, after signal 9 (killed)")
	same, err := s.Supervisor(a.dir)
	require.NoError(s.t, err)
	assert.Equal(s.t, before, same)
	a.runs()
	a.tell("dx")
	a.shows("dDxsu", "up, wanted")
}

// deleted: a service directory that was deleted is not made again by the next
// supervisor, which cannot begin.
func deleted(s *stage) {
	a := s.serve("a", silent, map[string]string{"down": ""}, "s", s.neverUp("down, ready"))
	require.NoError(s.t, s.KillSupervisor("a"))
	s.Eventually("its directory is deleted", func() error { return s.FS().RemoveAll(a.dir) })
	s.Pause(1500*time.Millisecond, "s6-svscan starts another one")
	_, err := s.FS().Lstat(a.dir)
	assert.ErrorIs(s.t, err, fs.ErrNotExist)
	assert.False(s.t, a.supervised())
}

func nobody(s *stage) {
	a := s.make("a", silent, nil)
	assert.False(s.t, a.supervised())
	_, err := s.Status(a.dir)
	assert.Error(s.t, err)
	assert.ErrorIs(s.t, s.Control(a.dir, supervise.CommandUp), supervise.ErrNotSupervised)
	holder, err := s.Process(a.dir)
	require.NoError(s.t, err)
	assert.Equal(s.t, supervise.LockState{}, holder)
	// What a supervisor leaves stays.
	a.link()
	a.shows("su", "up, wanted")
	a.runs()
	require.NoError(s.t, s.FS().Remove(s.Layout().Link("a")))
	require.NoError(s.t, s.Prune())
	a.shows("dDx", "down, ready, after signal 15 (terminated)")
	a.becomes(false)
	a.stays(20*time.Millisecond, "down, ready, after signal 15 (terminated)")
}

// logRun is the run script of a logger.
func (s *stage) logRun(name string) map[string]string {
	return map[string]string{
		"log/run":             "#!/bin/sh\nexec 2>&1\nexec s6-log -d 3 -- t " + s.Layout().Log(name) + "\n",
		"log/notification-fd": ready,
	}
}

// serveLogged serves a service whose logger is up.
func (s *stage) serveLogged(name string) (a, log *actor) {
	s.t.Helper()
	a = s.make(name, silent, s.logRun(name))
	log = &actor{stage: s, name: name + "/log", dir: path.Join(a.dir, "log")}
	a.link()
	a.shows("su", "up, wanted")
	a.runs()
	log.Eventually("the logger is ready", func() error {
		status, err := s.Status(log.dir)
		if err == nil && !(status.Up() && status.Ready) {
			err = fmt.Errorf("it is %s", words(status))
		}
		return err
	})
	return a, log
}

func logger(s *stage) {
	a, _ := s.serveLogged("a")
	require.NoError(s.t, s.Print("a", "one"))
	require.NoError(s.t, s.Print("a", "two"))
	a.lines("one", "two")
	holder, err := s.Logger("a")
	require.NoError(s.t, err)
	assert.True(s.t, holder.Held)
	entries, err := s.FS().ReadDir(s.Layout().Log("a"))
	require.NoError(s.t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.Equal(s.t, []string{"current", "lock", "state"}, names)
	// The service's own restarts do nothing to it.
	a.tell("k")
	a.shows("dDu", "up, wanted, after signal 9 (killed)")
	a.runs()
	require.NoError(s.t, s.Print("a", "three"))
	a.lines("one", "two", "three")
	again, err := s.Logger("a")
	require.NoError(s.t, err)
	assert.Equal(s.t, holder, again)
}

// loggerKilled: what is printed meanwhile waits.
func loggerKilled(s *stage) {
	a, log := s.serveLogged("a")
	require.NoError(s.t, s.Print("a", "one"))
	a.lines("one")
	s.Pause(1200*time.Millisecond, "the logger is ready for a second")
	require.NoError(s.t, s.Kill("a/log", syscall.SIGKILL))
	require.NoError(s.t, s.Print("a", "two"))
	a.stays(20*time.Millisecond, "up, wanted")
	s.Eventually("there is another", func() error { return log.up() })
	require.NoError(s.t, s.Print("a", "three"))
	s.Eventually("no line is lost", func() error { return s.logged("a", 2) }) // one may begin a file of its own
}

// logged reports whether so many lines at least are in current.
func (s *stage) logged(name string, lines int) error {
	data, err := s.FS().ReadFile(path.Join(s.Layout().Log(name), "current"))
	if err != nil {
		return err
	}
	if n := bytes.Count(data, []byte{'\n'}); n < lines {
		return fmt.Errorf("it has %d", n)
	}
	return nil
}

// loggerTold: TERM ends a logger, and another goes on.
func loggerTold(s *stage) {
	a, log := s.serveLogged("a")
	require.NoError(s.t, s.Print("a", "one"))
	a.lines("one")
	s.Pause(1200*time.Millisecond, "the logger is ready for a second")
	before := log.status().PID
	log.tell("t")
	s.Eventually("there is another", func() error {
		if status := log.status(); !status.Up() || status.PID == before {
			return fmt.Errorf("it is %s", words(status))
		}
		return nil
	})
	assert.Zero(s.t, log.status().WaitStatus, "it ended well")
	require.NoError(s.t, s.Print("a", "two"))
	a.lines("one", "two")
}

// loggerEnds: with the service its logger goes, when it has read to the end.
func loggerEnds(s *stage) {
	a, log := s.serveLogged("a")
	require.NoError(s.t, s.Print("a", "one"))
	require.NoError(s.t, s.FS().Remove(s.Layout().Link("a")))
	require.NoError(s.t, s.Prune())
	a.shows("dDx", "down, ready, after signal 15 (terminated)")
	a.becomes(false)
	log.becomes(false)
	a.lines("one")
	holder, err := s.Logger("a")
	require.NoError(s.t, err)
	assert.False(s.t, holder.Held)
}
