package s6_test

import (
	"io"
	"path"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// inBubble runs a test with a tree whose time is that of the test.
func inBubble(t *testing.T, config s6test.Config, do func(t *testing.T, tree *s6test.Tree)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tree := s6test.New(config)
		t.Cleanup(func() { assert.NoError(t, tree.Close()) })
		tree.Install("sleep", s6test.Program{})
		do(t, tree)
	})
}

func observe(t testing.TB, tree s6.Tree, name string, d desired) s6.Observed {
	t.Helper()
	driver := s6.NewDriver(tree, name, func() {})
	defer func() { assert.NoError(t, driver.(io.Closer).Close()) }()
	o, err := driver.Observe(t.Context(), d)
	require.NoError(t, err)
	return o
}

func TestRecentDeaths(t *testing.T) {
	at := func(seconds ...int) (deaths []supervise.Death) {
		for _, s := range seconds {
			deaths = append(deaths, supervise.Death{Time: now.Add(time.Duration(s) * time.Second), ExitCode: 1})
		}
		return deaths
	}
	times := func(seconds ...int) (all []time.Time) {
		for _, d := range at(seconds...) {
			all = append(all, d.Time)
		}
		return all
	}
	for name, test := range map[string]struct {
		deaths  []supervise.Death
		asked   []time.Time
		changed time.Time
		want    int
	}{
		"none":                         {nil, nil, time.Time{}, 0},
		"all in the window":            {at(-29, -10, -1), nil, time.Time{}, 3},
		"some before the window":       {at(-100, -31, -30, -29, 0), nil, time.Time{}, 2},
		"one was asked for":            {at(-20, -10, -5), times(-11), time.Time{}, 2},
		"each request takes one":       {at(-20, -19, -10, -9), times(-21, -11), time.Time{}, 2},
		"asked for again and again":    {at(-20, -10), times(-23, -22, -21), time.Time{}, 1},
		"asked for, not dead yet":      {at(-20, -10), times(-5), time.Time{}, 2},
		"asked for in the same moment": {at(-20), times(-20), time.Time{}, 0},
		"before the change":            {at(-20, -10, -5), nil, now.Add(-8 * time.Second), 1},
		"changed and asked for":        {at(-20, -10, -5), times(-9), now.Add(-9 * time.Second), 0},
		"in the future, a little":      {at(5), nil, time.Time{}, 1},
		"in the future, far":           {at(3600), nil, time.Time{}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, s6.RecentDeaths(test.deaths, test.asked, time.Time{}, test.changed, now))
		})
	}
}

// Of what an earlier program asked, nothing is known but how it looks.
func TestRecentDeathsBeforeTheProgram(t *testing.T) {
	at := now.Add(-5 * time.Second)
	for name, test := range map[string]struct {
		death supervise.Death
		want  int
	}{
		"by the stop signal": {supervise.Death{Time: at, Signal: syscall.SIGTERM, ExitCode: 143}, 0},
		"well":               {supervise.Death{Time: at}, 0},
		"with an error":      {supervise.Death{Time: at, ExitCode: 1}, 1},
		"by another signal":  {supervise.Death{Time: at, Signal: syscall.SIGKILL, ExitCode: 137}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, s6.RecentDeaths([]supervise.Death{test.death}, nil, now, time.Time{}, now))
			assert.Equal(t, 1, s6.RecentDeaths([]supervise.Death{test.death}, nil, at.Add(-time.Second), time.Time{}, now), "since")
		})
	}
}

// The clock of deaths is the wall's. It is set back by an hour, a minute after a
// change: what dies then dies after the change.
func TestRecentDeathsWhenTheClockIsSetBack(t *testing.T) {
	changed := time.Now()
	now := changed.Add(time.Minute)
	*(*uint64)(unsafe.Pointer(&now)) -= uint64(time.Hour/time.Second) << 30
	require.Equal(t, time.Minute, now.Sub(changed), "by the clock that is not set")
	require.Equal(t, -59*time.Minute, now.Round(0).Sub(changed.Round(0)), "by the wall's")
	var deaths []supervise.Death
	for _, ago := range []time.Duration{20, 15, 10, 5} {
		deaths = append(deaths, supervise.Death{Time: now.Add(-ago * time.Second).Round(0), ExitCode: 1})
	}
	assert.Equal(t, 4, s6.RecentDeaths(deaths, nil, time.Time{}, changed, now))
	asked := now.Add(-11 * time.Second)
	assert.Equal(t, 3, s6.RecentDeaths(deaths, []time.Time{asked}, time.Time{}, changed, now))

	for n, ago := range []time.Duration{20, 15, 10, 5} {
		deaths[n].Time = now.Round(0).Add(ago * time.Second)
	}
	assert.Equal(t, 4, s6.DeathsSeen(deaths, changed.Add(45*time.Second), nil, time.Time{}, time.Time{}, now), "before it was set back, a quarter of a minute ago")
	assert.Zero(t, s6.DeathsSeen(deaths, changed.Add(29*time.Second), nil, time.Time{}, time.Time{}, now), "half a minute ago")
}

// What died before the program began is not what dies now, though it has a time that
// is to come, for the clock was set back meanwhile.
func TestDeathsBeforeTheClockWasSetBack(t *testing.T) {
	for _, by := range []time.Duration{-20 * time.Second, -time.Minute} {
		t.Run(by.String(), func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				p := start(t, tree)
				p.wants(running("a"))
				for range s6.CrashLimit {
					require.NoError(t, tree.Kill("a", syscall.SIGKILL))
					pass(5 * time.Second)
				}
				p.stands(s6.StateDegraded, "its process ended 3 times in 30s")
				p.stop()
				tree.SetClock(by)
				p = start(t, tree)
				p.wants(running("a"))
				pass(2 * time.Minute)
				s, _ := p.Instance("a")
				assert.Equal(t, s6.StateRunning, s.State)
				for _, move := range s.History {
					assert.NotEqual(t, s6.StateDegraded, move.To, move.Reason)
				}
				require.NoError(t, tree.Kill("a", syscall.SIGKILL))
				pass(5 * time.Second)
				s, _ = p.Instance("a")
				assert.Equal(t, 1, s.Observed.Deaths)
			})
		})
	}
}

func TestCommandProblem(t *testing.T) {
	for name, test := range map[string]struct {
		spec s6.Spec
		want string
	}{
		"absolute":                 {s6.Spec{Command: []string{"/opt/good"}}, ""},
		"through a link":           {s6.Spec{Command: []string{"/opt/link"}}, ""},
		"not there":                {s6.Spec{Command: []string{"/opt/none"}}, "/opt/none does not exist"},
		"dangling":                 {s6.Spec{Command: []string{"/opt/dangling"}}, "/opt/dangling does not exist"},
		"not executable":           {s6.Spec{Command: []string{"/opt/plain"}}, "/opt/plain is not executable"},
		"a directory":              {s6.Spec{Command: []string{"/opt"}}, "/opt is a directory"},
		"below a file":             {s6.Spec{Command: []string{"/opt/good/x"}}, "/opt/good/x cannot be looked at: not a directory"},
		"a loop":                   {s6.Spec{Command: []string{"/opt/loop"}}, "/opt/loop cannot be looked at: too many levels of symbolic links"},
		"relative to Dir":          {s6.Spec{Command: []string{"./good"}, Dir: "/opt"}, ""},
		"not relative to Dir":      {s6.Spec{Command: []string{"./opt/good"}, Dir: "/opt"}, "/opt/opt/good does not exist"},
		"relative to nothing":      {s6.Spec{Command: []string{"./good"}}, "/data/services/a/good does not exist"},
		"in PATH":                  {s6.Spec{Command: []string{"sleep"}}, ""},
		"in its own PATH":          {s6.Spec{Command: []string{"good"}, Env: map[string]string{"PATH": "/usr:/opt"}}, ""},
		"PATH through a file":      {s6.Spec{Command: []string{"good"}, Env: map[string]string{"PATH": "/opt/good:/opt"}}, ""},
		"PATH relative to Dir":     {s6.Spec{Command: []string{"good"}, Dir: "/", Env: map[string]string{"PATH": "opt"}}, ""},
		"not in its own PATH":      {s6.Spec{Command: []string{"sleep"}, Env: map[string]string{"PATH": "/opt"}}, "sleep is not in PATH (/opt)"},
		"an empty PATH of its own": {s6.Spec{Command: []string{"sleep"}, Env: map[string]string{"PATH": ""}}, "sleep is not in PATH ()"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				fsys := tree.FS()
				tree.Install("/opt/good", s6test.Program{})
				require.NoError(t, fsys.WriteFile("/opt/plain", nil, 0o644))
				require.NoError(t, fsys.Symlink("good", "/opt/link"))
				require.NoError(t, fsys.Symlink("none", "/opt/dangling"))
				require.NoError(t, fsys.Symlink("loop", "/opt/loop"))
				assert.Equal(t, test.want, observe(t, tree, "a", desired{State: s6.Running, Spec: &test.spec}).CommandProblem)
			})
		})
	}
}

// TestUnreadableIsNotAbsent lets each read of an observation fail: the
// observation fails, whatever it was.
func TestUnreadableIsNotAbsent(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		d := desired{State: s6.Running, Spec: plainSpec}
		settle(t, tree, map[string]desired{"a": d})
		for n, more := 1, true; more; n++ {
			faulty := s6test.Inject(tree, filesystemtest.FailNth(n, syscall.EIO))
			_, err := s6.NewDriver(faulty, "a", func() {}).Observe(t.Context(), d)
			more = faulty.Ops().Count() >= n
			if more {
				assert.ErrorIs(t, err, syscall.EIO, "read %d", n)
			} else {
				assert.NoError(t, err)
			}
		}
	})
}

func TestForeignName(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		require.NoError(t, tree.FS().Symlink("/elsewhere", tree.Layout().Link("link")))
		require.NoError(t, tree.FS().Mkdir(tree.Layout().Link("dir"), 0o755))
		for name, want := range map[string]string{
			"link": `/run/service/link leads to /elsewhere: another service has the name "link" in the scan directory`,
			"dir":  `/run/service/dir is not a link: another service has the name "dir" in the scan directory`,
		} {
			driver := s6.NewDriver(tree, name, func() {})
			_, err := driver.Observe(t.Context(), desired{State: s6.Running, Spec: plainSpec})
			assert.EqualError(t, err, want)
		}
	})
}

// TestStartedIsOfThisProcess: what an earlier process was started from says
// nothing about this one.
func TestStartedIsOfThisProcess(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		d := desired{State: s6.Running, Spec: plainSpec}
		settle(t, tree, map[string]desired{"a": d})
		o := observe(t, tree, "a", d)
		assert.Equal(t, s6.ProcessHash(plainSpec), o.Started)
		started := path.Join(tree.Layout().Service("a"), "data/started")
		other := s6.ProcessHash(specB)
		for content, want := range map[string]string{
			other + " 1\n": "", other + "\n": "", other: "", other[1:] + " 1\n": "", "": "",
			other + " " + itoa(o.PID()) + "\n5\n": other,
		} {
			require.NoError(t, tree.FS().WriteFile(started, []byte(content), 0o644))
			o := observe(t, tree, "a", d)
			assert.Equal(t, want, o.Started, "%q", content)
			assert.Equal(t, want != "", o.Stale())
		}
	})
}

// TestRemovalOfDeafProcess: the time until it is killed does not begin again
// while its removal is waited for.
func TestRemovalOfDeafProcess(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{Deaf: true})
		spec := &s6.Spec{Command: []string{"sleep"}, StopTimeout: 5 * time.Second}
		settle(t, tree, map[string]desired{"a": {State: s6.Running, Spec: spec}})
		kind, err := s6.NewKind(tree, s6.KindName)
		require.NoError(t, err)
		i, err := fsm.NewInstance(&kind, "a", fsm.InstanceConfig{}, nil)
		require.NoError(t, err)
		defer func() { assert.NoError(t, i.Close()) }()
		require.NoError(t, i.SetDesired(desired{State: fsm.StateRemoved, Spec: spec}))
		begin := time.Now()
		for i.Snapshot().State != fsm.StateRemoved {
			pass(time.Until(i.Reconcile(t.Context()).Next))
			require.Less(t, time.Since(begin), 8*time.Second)
		}
		assert.Greater(t, time.Since(begin), 5*time.Second)
	})
}

// TestDirectoryDeletedByHand: what ran in it ends, and one process takes its
// place.
func TestDirectoryDeletedByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := s6test.New(s6test.Config{})
		defer func() { assert.ErrorContains(t, tree.Close(), "was deleted while it lived") }()
		tree.Install("sleep", s6test.Program{})
		p := start(t, tree)
		p.wants(running("a"))
		before := pids(t, tree)["a"]
		require.NoError(t, tree.FS().RemoveAll(tree.Layout().Service("a")))
		pass(10 * time.Second)
		p.wants(running("a"))
		after := pids(t, tree)["a"]
		assert.NotEqual(t, before, after)
		s, _ := p.Instance("a")
		assert.Equal(t, after, s.Observed.PID())
		assert.Len(t, tree.Processes(), 2, "the process and its logger")
		p.stop()
	})
}

// TestStrayThatHasEnded: that a process is gone which is to go is no error.
func TestStrayThatHasEnded(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		d := running("a")["a"]
		settle(t, tree, running("a"))
		driver := s6.NewDriver(tree, "a", func() {})
		require.NoError(t, tree.KillSupervisor("a"))
		stray := pids(t, tree)["a"]
		for range 2 {
			o, err := driver.Observe(t.Context(), d)
			require.NoError(t, err)
			require.True(t, o.Locked)
			pass(100 * time.Millisecond)
		}
		o, err := driver.Observe(t.Context(), d)
		require.NoError(t, err)
		require.Equal(t, stray, o.StrayPID)
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		require.NoError(t, driver.Do(t.Context(), "end stray process", d))
	})
}

// TestRemoveRefusesUnderLiveProcess: also where what was observed is out of
// date by now.
func TestRemoveRefusesUnderLiveProcess(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		d := running("a")["a"]
		settle(t, tree, running("a"))
		tree.KillSvscan()
		require.NoError(t, tree.KillSupervisor("a"))
		require.NoError(t, tree.KillSupervisor("a/log"))
		driver := s6.NewDriver(tree, "a", func() {})
		for range 3 {
			require.EqualError(t, driver.Do(t.Context(), "remove", d), "one of its processes has not ended")
		}
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		require.NoError(t, driver.Do(t.Context(), "remove", d))
		assert.Empty(t, list(t, tree.FS(), tree.Layout().ServicesDir))
	})
}

// TestStrayGetsTheStopSignal that the service is to be stopped by, and KILL
// when it does not end for it.
func TestStrayGetsTheStopSignal(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{Deaf: true})
		sent := &signalTree{Tree: tree}
		p := start(t, sent)
		all := running("a")
		all["a"].Spec.StopSignal, all["a"].Spec.StopTimeout = "SIGINT", 2*time.Second
		p.wants(all)
		require.NoError(t, tree.KillSupervisor("a"))
		pass(time.Second)
		p.wants(all)
		p.stop()
		assert.Equal(t, []syscall.Signal{syscall.SIGINT, syscall.SIGKILL}, sent.signals)
	})
}

// signalTree notes the signals that are sent.
type signalTree struct {
	*s6test.Tree
	signals []syscall.Signal
}

func (s *signalTree) Signal(service string, pid int, signal syscall.Signal) error {
	s.signals = append(s.signals, signal)
	return s.Tree.Signal(service, pid, signal)
}
