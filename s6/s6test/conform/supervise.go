package conform

import (
	"fmt"
	"path"
	"syscall"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

const (
	ready  = "3\n" // of notification-fd
	finish = "#!/bin/sh\nexec ./finish-program \"$@\"\n"
)

// silent is a program that never announces readiness.
var silent = s6test.Program{ReadyAfter: s6test.Never}

// lives are what an s6-supervise does.
func lives() []Scenario {
	return []Scenario{
		{"each command to a service that is down and up", eachCommand},
		{"each signal", eachSignal},
		{"pause and go on", pause},
		{"down and up again by their files", downByFile},
		{"deaths", deaths},
		{"a tally that is lost", lostTally},
		{"a pause of a second before a restart", restartDelay},
		{"a pause after a finish script, and none for what is told to be up", pauseAfterFinish},
		{"no pause after a second of readiness", noRestartDelay},
		{"a restart after less than a second of readiness", someRestartDelay},
		{"readiness", readiness},
		{"a finish script", finishScript},
		{"commands while the finish script runs", whileFinishing},
		{"a finish script that fails for good", finishForGood},
		{"a finish script that does not end", finishForEver},
		{"a process that does not end", deaf},
		{"a process that takes its time to end", slow},
		{"a process that does not end and need not", deafForEver},
		{"the signal to go down", downSignal},
		{"no run script", noRun},
		{"a run script that is not executable", notExecutable},
		{"a command that is missing", noCommand},
		{"files", files},
	}
}

// eachCommand goes through what s6-svc can do.
func eachCommand(s *stage) {
	a := s.serve("a", s6test.Program{}, map[string]string{"down": "", "notification-fd": ready, "finish": finish}, "s", s.neverUp("down, ready"))
	for _, step := range []struct{ commands, events, is string }{
		{"r", "", s.neverUp("down, ready")}, // does nothing to what is down
		{"t", "", s.neverUp("down, ready")},
		{"p", "", s.neverUp("down, ready")},
		{"z", "", s.neverUp("down, ready")}, // unknown
		{"u", "uU", "up, wanted, ready"},
		{"u", "", "up, wanted, ready"},
		{"O", "", "up, ready"},
		{"t", "dD", "down, ready, after signal 15 (terminated)"},
		{"O", "", "down, ready, after signal 15 (terminated)"},
		{"o", "uU", "up, ready, after signal 15 (terminated)"},
		{"k", "dD", "down, ready, after signal 9 (killed)"},
		{"d", "", "down, ready, after signal 9 (killed)"},
		{"u", "uU", "up, wanted, ready, after signal 9 (killed)"},
		{"o", "", "up, ready, after signal 9 (killed)"}, // it is up once
		{"u", "", "up, wanted, ready, after signal 9 (killed)"},
		{"d", "dD", "down, ready, after signal 15 (terminated)"},
		{"u", "uU", "up, wanted, ready, after signal 15 (terminated)"},
		{"x", "", "up, wanted, ready, after signal 15 (terminated)"}, // waits
		{"d", "dDxs", s.neverUp("down, ready")},                      // s6-svscan starts another
		{"dx", "xs", s.neverUp("down, ready")},
	} {
		a.tell(step.commands)
		if step.events == "" {
			a.stays(50*time.Millisecond, step.is)
		}
		if step.events != "" {
			a.shows(step.events, step.is)
		}
	}
}

// eachSignal: the service is up once for each.
func eachSignal(s *stage) {
	a := s.serve("a", silent, map[string]string{"down": ""}, "s", s.neverUp("down, ready"))
	last := ""
	for command, signal := range map[rune]string{
		't': "signal 15 (terminated)", 'k': "signal 9 (killed)", 'i': "signal 2 (interrupt)", 'h': "signal 1 (hangup)",
		'q': "signal 3 (quit)", 'a': "signal 14 (alarm clock)", 'b': "signal 6 (aborted)",
		'1': "signal 10 (user defined signal 1)", '2': "signal 12 (user defined signal 2)",
	} {
		a.tell("o")
		a.shows("u", "up"+last)
		a.runs()
		a.tell("y") // SIGWINCH ends nothing
		a.stays(20*time.Millisecond, "up"+last)
		a.tell(string(command))
		last = ", after " + signal
		a.shows("dD", "down, ready"+last)
	}
}

// runs waits until the service's own command runs.
func (a *actor) runs() {
	a.t.Helper()
	a.Eventually(a.name+" runs", func() error {
		l, err := a.Process(a.dir)
		if err == nil && (!l.Held || !a.Begun(a.name, l.PID)) {
			err = fmt.Errorf("its lock: %+v", l)
		}
		return err
	})
}

func pause(s *stage) {
	a := s.serve("a", silent, nil, "su", "up, wanted")
	a.runs()
	a.tell("p")
	a.shows("", "up, wanted, paused")
	a.tell("c")
	a.shows("", "up, wanted")
	a.tell("p")
	a.shows("", "up, wanted, paused")
	a.tell("O")
	a.shows("", "up, paused")
	a.Eventually("it is stopped", func() error {
		if pid := a.status().PID; !a.Stopped(pid) {
			return fmt.Errorf("process %d is not", pid)
		}
		return nil
	})
	a.tell("t") // it waits
	a.stays(50*time.Millisecond, "up, paused")
	a.tell("c")
	a.shows("dD", "down, ready, after signal 15 (terminated)")
	for _, command := range []string{"d", "k"} { // neither waits
		a.tell("o")
		a.Eventually("it is up", func() error { return a.up() })
		a.runs()
		a.tell("p")
		a.Eventually("it is paused", func() error {
			if !a.status().Paused {
				return fmt.Errorf("it is not")
			}
			return nil
		})
		a.tell(command)
		last := map[string]string{"d": "signal 15 (terminated)", "k": "signal 9 (killed)"}[command]
		a.shows("udD", "down, ready, after "+last)
	}
}

func (a *actor) up() error {
	if s := a.status(); !s.Up() {
		return fmt.Errorf("it is %s", words(s))
	}
	return nil
}

// downByFile: D makes the file down, U removes it.
func downByFile(s *stage) {
	a := s.serve("a", silent, nil, "su", "up, wanted")
	exists := func() bool {
		_, err := s.FS().Lstat(path.Join(a.dir, "down"))
		return err == nil
	}
	a.runs()
	a.tell("D")
	a.shows("dD", "down, ready, after signal 15 (terminated)")
	assert.True(s.t, exists())
	a.tell("u")
	a.shows("u", "up, wanted, after signal 15 (terminated)")
	assert.True(s.t, exists())
	a.tell("U")
	a.Eventually("the file is gone", func() error {
		if exists() {
			return fmt.Errorf("it is there")
		}
		return nil
	})
	a.stays(20*time.Millisecond, "up, wanted, after signal 15 (terminated)")
}

// deaths are tallied by a supervisor, with its own stamps.
func deaths(s *stage) {
	a := s.serve("a", s6test.Program{ReadyAfter: s6test.Never, RunFor: 10 * time.Millisecond, ExitCode: 3}, map[string]string{"down": ""}, "s", s.neverUp("down, ready"))
	a.deaths("")
	a.tell("o")
	a.shows("udD", "down, ready, after exit 3")
	a.deaths("3/0")
	a.Program("a", silent)
	a.tell("o")
	a.shows("u", "up, after exit 3")
	a.runs()
	a.tell("k")
	a.shows("dD", "down, ready, after signal 9 (killed)")
	a.deaths("3/0 137/9")
	all, err := supervise.ReadTally(s.FS(), a.dir)
	require.NoError(s.t, err)
	assert.Equal(s.t, a.status().Stamp, all[1].Time, "when it went down")
	a.tell("o")
	a.shows("u", "up, after signal 9 (killed)")
	a.runs()
	a.tell("d")
	a.shows("dD", "down, ready, after signal 15 (terminated)")
	a.deaths("3/0 137/9 143/15")
	a.tell("x")
	a.shows("xs", s.neverUp("down, ready"))
	a.deaths("")
}

// readiness is announced by the process, or on its behalf.
func readiness(s *stage) {
	a := s.serve("a", s6test.Program{ReadyAfter: visible}, map[string]string{"notification-fd": ready}, "su", "up, wanted")
	a.shows("U", "up, wanted, ready")
	b := s.serve("b", silent, map[string]string{"notification-fd": ready}, "su", "up, wanted")
	b.runs()
	pid := b.status().PID
	assert.Error(s.t, s.AnnounceReady(b.dir, pid+1))
	require.NoError(s.t, s.AnnounceReady(b.dir, pid))
	b.shows("U", "up, wanted, ready")
	require.NoError(s.t, s.AnnounceReady(b.dir, pid))
	c := s.serve("c", silent, nil, "su", "up, wanted")
	c.runs()
	assert.Error(s.t, s.AnnounceReady(c.dir, c.status().PID))
	assert.Error(s.t, s.AnnounceReady("/nowhere", pid))
	b.tell("d")
	b.shows("dD", "down, ready, after signal 15 (terminated)")
	assert.Error(s.t, s.AnnounceReady(b.dir, pid))
}

func downSignal(s *stage) {
	for name, test := range map[string][2]string{
		"a": {"SIGUSR1\n", "signal 10 (user defined signal 1)"}, "b": {"INT\n", "signal 2 (interrupt)"},
		"c": {"12\n", "signal 12 (user defined signal 2)"}, "d": {"NONE\n", "signal 15 (terminated)"}, "e": {"\n", "signal 15 (terminated)"},
		"f": {"QUIT", "signal 3 (quit)"}, "g": {"usr1\n", "signal 10 (user defined signal 1)"},
	} {
		a := s.serve(name, silent, map[string]string{"down-signal": test[0]}, "su", "up, wanted")
		a.runs()
		a.tell("O")
		a.shows("", "up")
		a.tell("r")
		a.shows("dD", "down, ready, after "+test[1])
	}
}

// noRun: what cannot be started leaves no trace, and can be told to begin.
func noRun(s *stage) {
	a := s.serve("a", silent, map[string]string{"run": missing}, "s", s.neverUp("down, wanted, ready"))
	a.stays(1200*time.Millisecond, s.neverUp("down, wanted, ready"))
	a.write("run", locked)
	a.tell("u")
	a.shows("u", "up, wanted")
}

func notExecutable(s *stage) {
	a := s.make("a", silent, nil)
	require.NoError(s.t, s.FS().ReplaceFile(path.Join(a.dir, "run"), []byte(locked), 0o644))
	a.link()
	a.shows("s", s.neverUp("down, wanted, ready"))
	a.stays(300*time.Millisecond, s.neverUp("down, wanted, ready"))
	a.tell("d")
	a.shows("", "down, ready")
	a.write("run", locked)
	a.tell("u")
	a.shows("u", "up, wanted")
	a.runs()
	require.NoError(s.t, s.FS().ReplaceFile(path.Join(a.dir, "run"), []byte(locked), 0o644))
	a.tell("k")
	a.shows("dD", "down, wanted, ready, after signal 9 (killed)")
	a.stays(1200*time.Millisecond, "down, wanted, ready, after signal 9 (killed)")
}

func noCommand(s *stage) {
	run := "#!/bin/sh\nexec 2>&1\nexec s6-setlock ./data/lock ./none\n"
	a := s.make("a", silent, map[string]string{"run": run, "down": ""})
	a.link()
	a.shows("s", s.neverUp("down, ready"))
	a.tell("o")
	a.shows("udD", "down, ready, after exit 127")
}

// files are what is in a directory that is supervised.
func files(s *stage) {
	a := s.serve("a", silent, map[string]string{"down": ""}, "s", s.neverUp("down, ready"))
	size := supervise.StatusSize
	if s.Version() == s6test.V213 {
		size = supervise.StatusSizeWithPGID
	}
	data, err := s.FS().ReadFile(path.Join(a.dir, "supervise/status"))
	require.NoError(s.t, err)
	assert.Len(s.t, data, size)
	for file, want := range map[string]int64{"supervise/lock": 0, "supervise/death_tally": 0} {
		info, err := s.FS().Lstat(path.Join(a.dir, file))
		require.NoError(s.t, err)
		assert.Equal(s.t, want, info.Size(), file)
	}
	a.tell("o")
	a.shows("u", "up")
	status := a.status()
	if s.Version() == s6test.V213 {
		assert.Equal(s.t, status.PID, status.PGID)
	} else {
		assert.Zero(s.t, status.PGID)
	}
	child, err := s.Child(a.dir, status.PID)
	require.NoError(s.t, err)
	assert.True(s.t, child)
	a.runs()
	holder, err := s.Process(a.dir)
	require.NoError(s.t, err)
	assert.Equal(s.t, supervise.LockState{Held: true, PID: status.PID}, holder)
	assert.ErrorIs(s.t, s.Signal(a.dir, status.PID+1, syscall.SIGTERM), syscall.ESRCH)
	a.tell("k")
	a.shows("dD", "down, ready, after signal 9 (killed)")
	info, err := s.FS().Lstat(path.Join(a.dir, "supervise/death_tally"))
	require.NoError(s.t, err)
	assert.EqualValues(s.t, supervise.TallySize, info.Size())
}
