package s6test_test

import (
	"io/fs"
	"path"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/s6log"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// world is a tree with service directories that are written by hand.
type world struct {
	*s6test.Tree
	t *testing.T
}

// locked is a run script as package s6 writes it.
const locked = "#!/bin/sh\nexec 2>&1\nexec /usr/bin/s6-setlock ./data/lock sleep 1\n"

func inWorld(t *testing.T, config s6test.Config, do func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{s6test.New(config), t}
		t.Cleanup(func() { assert.NoError(t, w.Close()) })
		w.Install("sleep", s6test.Program{})
		do(w)
	})
}

// service writes a service directory, by files and their content, and links it.
func (w *world) service(name string, files map[string]string) (dir string) {
	w.t.Helper()
	dir = w.Layout().Service(name)
	all := map[string]string{"run": locked}
	for file, content := range files {
		all[file] = content
	}
	for file, content := range all {
		full := path.Join(dir, file)
		require.NoError(w.t, w.FS().MkdirAll(path.Dir(full), 0o755))
		mode := fs.FileMode(0o644)
		if path.Base(file) == "run" || path.Base(file) == "finish" {
			mode = 0o755
		}
		require.NoError(w.t, w.FS().WriteFile(full, []byte(content), mode))
	}
	require.NoError(w.t, w.FS().MkdirAll(path.Join(dir, "data"), 0o755))
	require.NoError(w.t, w.FS().MkdirAll(path.Join(dir, "event"), 0o755))
	require.NoError(w.t, w.FS().Symlink(dir, w.Layout().Link(name)))
	return dir
}

// serve writes a service directory and has it supervised.
func (w *world) serve(name string, files map[string]string) (dir string) {
	w.t.Helper()
	dir = w.service(name, files)
	require.NoError(w.t, w.Rescan())
	pass(10 * time.Millisecond)
	return dir
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) status(dir string) supervise.Status {
	w.t.Helper()
	s, err := w.Status(dir)
	require.NoError(w.t, err)
	return s
}

func (w *world) supervised(dir string) bool {
	w.t.Helper()
	l, err := w.Supervisor(dir)
	require.NoError(w.t, err)
	return l.Held
}

// tell sends commands and lets them be carried out.
func (w *world) tell(dir string, commands ...supervise.Command) {
	w.t.Helper()
	require.NoError(w.t, w.Control(dir, commands...))
	pass(10 * time.Millisecond)
}

// watch returns the events of a service as they come.
func (w *world) watch(dir string) *strings.Builder {
	w.t.Helper()
	var b strings.Builder
	watch, err := w.Watch(dir, func(e supervise.Event) { b.WriteByte(byte(e)) })
	require.NoError(w.t, err)
	w.t.Cleanup(func() { assert.NoError(w.t, watch.Close()) })
	return &b
}

func TestStatusBytes(t *testing.T) {
	for version, size := range map[s6test.Version]int{s6test.V211: 35, s6test.V213: 43, s6test.V215: 35} {
		inWorld(t, s6test.Config{Version: version}, func(w *world) {
			dir := w.serve("a", nil)
			content, err := w.FS().ReadFile(path.Join(dir, "supervise/status"))
			require.NoError(t, err)
			assert.Len(t, content, size)
			assert.Equal(t, byte(0x04), content[size-1], "up, as S6.md saw it")
			for _, step := range []struct {
				commands []supervise.Command
				flags    byte
			}{{[]supervise.Command{'p'}, 0x05}, {[]supervise.Command{'c'}, 0x04}, {[]supervise.Command{'d'}, 0x08}} {
				w.tell(dir, step.commands...)
				content, err = w.FS().ReadFile(path.Join(dir, "supervise/status"))
				require.NoError(t, err)
				assert.Equal(t, step.flags, content[size-1])
			}
		})
	}
}

// TestLifeOfAService follows the events and the status through what s6-svc can
// do.
func TestLifeOfAService(t *testing.T) {
	inWorld(t, s6test.Config{}, func(w *world) {
		dir := w.service("a", map[string]string{"down": "", "notification-fd": "3\n", "finish": ""})
		w.SetProgram("a", s6test.Program{FinishFor: 3 * time.Millisecond})
		events := w.watch(dir)
		require.NoError(t, w.Rescan())
		pass(time.Minute)
		for _, step := range []struct {
			command  supervise.Command
			events   string
			up, want bool
		}{
			{'r', "s", false, false}, // does nothing to a service that is down
			{'c', "s", false, false},
			{'u', "suU", true, true},
			{'O', "suU", true, false},
			{'t', "suUdD", false, false},
			{'o', "suUdDuU", true, false},
			{'k', "suUdDuUdD", false, false},
			{'u', "suUdDuUdDuU", true, true},
			{'z', "suUdDuUdDuU", true, true},       // unknown
			{'x', "suUdDuUdDuU", true, true},       // waits
			{'d', "suUdDuUdDuUdDxs", false, false}, // s6-svscan starts another
		} {
			w.tell(dir, step.command)
			assert.Equal(t, step.events, events.String(), "after %c", step.command)
			s := w.status(dir)
			assert.Equal(t, step.up, s.Up(), "after %c", step.command)
			assert.Equal(t, step.want, s.WantUp, "after %c", step.command)
		}
	})
}

func TestRestartDelay(t *testing.T) {
	for name, test := range map[string]struct {
		files    map[string]string
		after    time.Duration
		from, to time.Duration
	}{
		"no readiness":               {nil, time.Minute, time.Second, 1010 * time.Millisecond},
		"ready for a while":          {map[string]string{"notification-fd": "3"}, time.Minute, 0, 10 * time.Millisecond},
		"ready for less than second": {map[string]string{"notification-fd": "3"}, 300 * time.Millisecond, 600 * time.Millisecond, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, s6test.Config{}, func(w *world) {
				dir := w.serve("a", test.files)
				pass(test.after)
				before := w.status(dir).PID
				require.NoError(t, w.Kill("a", syscall.SIGKILL))
				begin := time.Now()
				for w.status(dir).PID == before || !w.status(dir).Up() {
					pass(time.Millisecond)
				}
				assert.GreaterOrEqual(t, time.Since(begin), test.from)
				assert.LessOrEqual(t, time.Since(begin), test.to)
			})
		})
	}
}

func TestDeaths(t *testing.T) {
	inWorld(t, s6test.Config{}, func(w *world) {
		w.SetProgram("a", s6test.Program{RunFor: 10 * time.Millisecond, ExitCode: 3})
		dir := w.serve("a", nil)
		pass(200 * time.Second)
		deaths, err := supervise.ReadTally(w.FS(), dir)
		require.NoError(t, err)
		assert.Len(t, deaths, 100)
		assert.Equal(t, 3, deaths[99].ExitCode)
		assert.Equal(t, supervise.WaitStatus(3<<8), w.status(dir).WaitStatus)
		w.SetProgram("a", s6test.Program{})
		pass(2 * time.Second)
		w.tell(dir, 'k')
		deaths, err = supervise.ReadTally(w.FS(), dir)
		require.NoError(t, err)
		assert.Equal(t, supervise.Death{Time: w.status(dir).Stamp, ExitCode: 137, Signal: 9}, deaths[99])
		require.NoError(t, w.KillSupervisor("a"))
		pass(5 * time.Millisecond)
		deaths, err = supervise.ReadTally(w.FS(), dir)
		require.NoError(t, err)
		assert.Empty(t, deaths, "a supervisor begins with an empty one")
	})
}

func TestPermanentFailure(t *testing.T) {
	inWorld(t, s6test.Config{}, func(w *world) {
		w.SetProgram("a", s6test.Program{RunFor: 10 * time.Millisecond, FinishCode: 125})
		dir := w.service("a", map[string]string{"finish": ""})
		events := w.watch(dir)
		require.NoError(t, w.Rescan())
		pass(time.Hour)
		assert.Equal(t, "sudOD", events.String())
		s := w.status(dir)
		assert.True(t, s.FinishDone())
		assert.False(t, s.WantUp)
	})
}

func TestTimeouts(t *testing.T) {
	inWorld(t, s6test.Config{}, func(w *world) {
		w.SetProgram("a", s6test.Program{Deaf: true, FinishFor: time.Hour})
		dir := w.serve("a", map[string]string{"timeout-kill": "3000\n", "timeout-finish": "700\n", "finish": ""})
		w.tell(dir, 'd')
		pass(2900 * time.Millisecond)
		assert.True(t, w.status(dir).Up())
		pass(200 * time.Millisecond)
		s := w.status(dir)
		assert.True(t, s.Finishing)
		assert.Equal(t, syscall.SIGKILL, s.WaitStatus.Signal())
		pass(700 * time.Millisecond)
		assert.True(t, w.status(dir).FinishDone())

		// Told again, it has as much time once more.
		w.tell(dir, 'u')
		w.tell(dir, 'd')
		for range 10 {
			pass(2 * time.Second)
			w.tell(dir, 'd')
		}
		assert.True(t, w.status(dir).Up())
	})
}

func TestDownSignal(t *testing.T) {
	inWorld(t, s6test.Config{}, func(w *world) {
		dir := w.serve("a", map[string]string{"down-signal": "SIGUSR1\n"})
		w.tell(dir, 'p', 'd') // the signal reaches it although it is stopped
		assert.Equal(t, syscall.SIGUSR1, w.status(dir).WaitStatus.Signal())
	})
}

func TestUnstartableRun(t *testing.T) {
	for version, wait := range map[s6test.Version]time.Duration{s6test.V211: 10 * time.Second, s6test.V213: time.Minute} {
		inWorld(t, s6test.Config{Version: version}, func(w *world) {
			dir := w.serve("a", nil)
			run, err := w.FS().ReadFile(path.Join(dir, "run"))
			require.NoError(t, err)
			require.NoError(t, w.FS().ReplaceFile(path.Join(dir, "run"), run, 0o644))
			w.tell(dir, 'k')
			pass(time.Second)
			require.NoError(t, w.FS().ReplaceFile(path.Join(dir, "run"), run, 0o755))
			pass(wait - 2*time.Second)
			assert.False(t, w.status(dir).Up())
			pass(3 * time.Second)
			assert.True(t, w.status(dir).Up())
		})
	}
}

func TestMissingCommand(t *testing.T) {
	inWorld(t, s6test.Config{}, func(w *world) {
		dir := w.serve("a", map[string]string{"run": strings.ReplaceAll(locked, "sleep", "/opt/none")})
		assert.Equal(t, supervise.WaitStatus(127<<8), w.status(dir).WaitStatus)
	})
}

// TestStray: what a killed s6-supervise leaves keeps the next process waiting,
// where the run script has a lock, and runs beside it where not.
func TestStray(t *testing.T) {
	inWorld(t, s6test.Config{}, func(w *world) {
		dir := w.serve("a", nil)
		pass(2 * time.Second)
		stray := w.status(dir).PID
		require.NoError(t, w.KillSupervisor("a"))
		assert.False(t, w.supervised(dir))
		pass(100 * time.Millisecond)
		next := w.status(dir).PID
		assert.NotEqual(t, stray, next)
		all := w.Processes()
		require.Len(t, all, 2)
		assert.Equal(t, []bool{false, true}, []bool{all[0].Supervised, all[1].Supervised})
		assert.Equal(t, []bool{false, true}, []bool{all[0].Waiting, all[1].Waiting})
		holder, err := w.Process(dir)
		require.NoError(t, err)
		assert.Equal(t, supervise.LockState{Held: true, PID: stray}, holder)

		assert.ErrorIs(t, w.Signal(dir, next, syscall.SIGTERM), syscall.ESRCH)
		require.NoError(t, w.Signal(dir, stray, syscall.SIGTERM))
		holder, err = w.Process(dir)
		require.NoError(t, err)
		assert.Equal(t, next, holder.PID)
		assert.Empty(t, w.Violations())
	})
	synctest.Test(t, func(t *testing.T) {
		w := &world{s6test.New(s6test.Config{}), t}
		w.Install("sleep", s6test.Program{})
		w.serve("a", map[string]string{"run": "#!/bin/sh\nexec 2>&1\nexec sleep 1\n"})
		pass(2 * time.Second)
		require.NoError(t, w.KillSupervisor("a"))
		pass(100 * time.Millisecond)
		assert.ErrorContains(t, w.Close(), "two processes of a are at work")
	})
}

func TestDeletedUnderLiveProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{s6test.New(s6test.Config{}), t}
		w.Install("sleep", s6test.Program{})
		dir := w.serve("a", nil)
		assert.Empty(t, w.Violations())
		require.NoError(t, w.FS().RemoveAll(dir))
		assert.ErrorContains(t, w.Close(), "was deleted while it lived")
	})
}

func TestAnnounceReady(t *testing.T) {
	inWorld(t, s6test.Config{}, func(w *world) {
		w.SetProgram("a", s6test.Program{ReadyAfter: s6test.Never})
		dir := w.serve("a", map[string]string{"notification-fd": "3\n"})
		deaf := w.serve("b", nil)
		pass(time.Minute)
		s := w.status(dir)
		assert.False(t, s.Ready)
		assert.ErrorContains(t, w.AnnounceReady(dir, s.PID+1), "by now")
		assert.ErrorContains(t, w.AnnounceReady(deaf, w.status(deaf).PID), "does not listen")
		assert.ErrorIs(t, w.AnnounceReady("/nowhere", 1), supervise.ErrNotSupervised)
		require.NoError(t, w.AnnounceReady(dir, s.PID))
		require.NoError(t, w.AnnounceReady(dir, s.PID))
		assert.True(t, w.status(dir).Ready)
	})
}

func TestLog(t *testing.T) {
	inWorld(t, s6test.Config{}, func(w *world) {
		w.SetProgram("a", s6test.Program{Prints: []string{"begins"}})
		w.serve("a", map[string]string{
			"log/run":             "#!/bin/sh\nexec 2>&1\nexec s6-log -d 3 -- n2 s4096 T '/data/logs/a'\n",
			"log/notification-fd": "3\n",
		})
		for range 300 {
			require.NoError(t, w.Print("a", strings.Repeat("x", 70)))
		}
		entries, err := w.FS().ReadDir("/data/logs/a")
		require.NoError(t, err)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name()[:1])
		}
		assert.Equal(t, []string{"@", "@", "c", "l", "s"}, names)
		current, err := w.FS().ReadFile("/data/logs/a/current")
		require.NoError(t, err)
		for line := range strings.Lines(string(current)) {
			parsed := s6log.ParseLine([]byte(line))
			assert.Equal(t, strings.Repeat("x", 70), parsed.Text)
			assert.False(t, parsed.Time.IsZero())
		}
		assert.Error(t, w.Print("b", "x"))
	})
}

// TestSameTestSameTree: what happens at one time happens in one order.
func TestSameTestSameTree(t *testing.T) {
	var first []s6test.Process
	for range 20 {
		inWorld(t, s6test.Config{}, func(w *world) {
			for _, name := range []string{"a", "b", "c", "d"} {
				w.service(name, map[string]string{"log/run": "#!/bin/sh\nexec 2>&1\nexec s6-log /data/logs/" + name + "\n"})
			}
			require.NoError(t, w.Rescan())
			pass(time.Second)
			require.NoError(t, w.Kill("a", syscall.SIGKILL))
			require.NoError(t, w.Kill("b", syscall.SIGKILL))
			pass(2 * time.Second)
			if first == nil {
				first = w.Processes()
			}
			assert.Equal(t, first, w.Processes())
		})
	}
}
