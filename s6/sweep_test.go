package s6_test

import (
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// change is an operation of a service's life: something that is asked of a
// service that is there already, or is not.
type change struct {
	name   string
	before *desired // nil: there is none
	ask    desired
	keeps  bool // the process goes on
	// next is what is asked once there was a mishap, of another program where
	// that one died; nil: the same.
	next *desired
	// met is what happens to the tree right before.
	met func(tree *s6test.Tree) error
	// program is what its process does.
	program s6test.Program
}

var (
	specA    = &s6.Spec{Command: []string{"sleep", "1"}, Env: map[string]string{"A": "one of two", "B": "two of two"}, ConfigFiles: map[string]string{"x": "1"}}
	specALog = &s6.Spec{
		Command: []string{"sleep", "1"}, Env: map[string]string{"A": "one of two", "B": "two of two"}, ConfigFiles: map[string]string{"x": "1"},
		Log: s6.Log{TAI64N: true}, Note: "n",
	}
	specB = &s6.Spec{
		Command: []string{"sleep", "2"}, Env: map[string]string{"B": "another B"}, ConfigFiles: map[string]string{"y": "2"},
		Ready: s6.Readiness{FD: 3}, Finish: []string{"true"}, StopSignal: "INT",
	}

	runsA, runsALog, runsB = desired{State: s6.Running, Spec: specA}, desired{State: s6.Running, Spec: specALog}, desired{State: s6.Running, Spec: specB}
	stopsA, stopsB         = desired{State: s6.Stopped, Spec: specA}, desired{State: s6.Stopped, Spec: specB}
	removesB               = desired{State: fsm.StateRemoved, Spec: specB}

	slow = s6test.Program{StopAfter: 150 * time.Millisecond, FinishFor: 20 * time.Millisecond}

	changes = []change{
		{name: "create", ask: runsA},
		{name: "create stopped", ask: stopsA},
		{name: "create, taken back", ask: runsB, next: &removesB},
		{name: "start", before: &stopsB, ask: runsB},
		{name: "start, taken back", before: &stopsB, ask: runsB, next: &stopsB},
		{name: "adopt", before: &runsA, ask: runsA, keeps: true},
		{name: "adopt stopped", before: &stopsA, ask: stopsA},
		{name: "adopt a process that lost its supervisor", before: &runsA, ask: runsA, program: slow, met: func(tree *s6test.Tree) error { return tree.KillSupervisor("a") }},
		{name: "adopt a process whose logger lost its supervisor", before: &runsA, ask: runsA, keeps: true, met: func(tree *s6test.Tree) error { return tree.KillSupervisor("a/log") }},
		{name: "change what is not the process's", before: &runsA, ask: runsALog, keeps: true},
		{name: "change and restart", before: &runsA, ask: runsB, program: slow},
		{name: "change, taken back", before: &runsA, ask: runsB, next: &runsA, program: slow},
		{name: "change stopped", before: &stopsA, ask: stopsB},
		{name: "change and start", before: &stopsA, ask: runsB},
		{name: "stop", before: &runsB, ask: stopsB, program: slow},
		{name: "stop a deaf process", before: &runsB, ask: stopsB, program: s6test.Program{Deaf: true}},
		{name: "stop, taken back", before: &runsB, ask: stopsB, next: &runsB, program: slow},
		{name: "remove", before: &runsB, ask: removesB, program: slow},
		{name: "remove stopped", before: &stopsB, ask: removesB},
		{name: "remove a process that lost its supervisor", before: &runsB, ask: removesB, program: slow, met: func(tree *s6test.Tree) error { return tree.KillSupervisor("a") }},
		{name: "remove, taken back", before: &runsB, ask: removesB, next: &runsA, program: slow},
	}
)

// trial is one run of a change.
type trial struct {
	*testing.T
	change
	tree *s6test.Tree
	pid  int
}

func try(t *testing.T, c change, do func(x *trial)) {
	synctest.Test(t, func(t *testing.T) {
		x := &trial{t, c, s6test.New(s6test.Config{}), 0}
		t.Cleanup(func() { assert.NoError(t, x.tree.Close()) })
		x.tree.Install("sleep", s6test.Program{})
		x.tree.SetProgram("a", c.program)
		if c.before != nil {
			settle(t, x.tree, map[string]desired{"a": *c.before})
			pass(time.Second)
			x.pid = x.runs()
		}
		if c.met != nil {
			require.NoError(t, c.met(x.tree))
		}
		do(x)
	})
}

// runs returns the process id of the service, 0 for none.
func (x *trial) runs() (pid int) {
	for _, p := range x.tree.Processes() {
		if p.Service == "a" && !p.Waiting {
			assert.Zero(x, pid, "two processes of one instance")
			pid = p.PID
		}
	}
	return pid
}

// story is the beginning of what the change is to the service.
func (x *trial) story(tree s6.Tree) *fsmtest.Story[*s6.Spec, s6.Observed] {
	kind, err := s6.NewKind(tree, s6.KindName)
	require.NoError(x, err)
	story := fsmtest.NewStory(x, kind, "a")
	story.Ask(x.ask)
	return story
}

// with does the change with a mishap, and returns what is on disk when it has
// converged. Where the program dies, another one goes on with what is there.
func (x *trial) with(m filesystemtest.Mishap, injector filesystemtest.Injector) (files string) {
	faulty := s6test.Inject(x.tree, injector)
	first := x.story(faulty)
	ops := faulty.Ops()
	x.until(first, func() bool {
		return x.there(first) || ops.Crashed() || x.next != nil && ops.Failed() > 0
	})
	if x.next != nil {
		x.ask, x.keeps = *x.next, false
		first.Ask(x.ask)
		x.until(first, func() bool { return x.there(first) || ops.Crashed() })
	}
	switch {
	case !ops.Crashed():
		return x.converges(first)
	case m.Loses != nil:
		require.NoError(x, ops.LosePower(m.Loses))
		x.tree, x.keeps = x.tree.Reboot(), false
		pass(3 * time.Second) // s6 begins before the program
	default:
		x.whole()
	}
	return x.converges(x.story(x.tree))
}

// until makes passes, at least one, until something is so.
func (x *trial) until(story *fsmtest.Story[*s6.Spec, s6.Observed], so func() bool) {
	story.Watch(time.Millisecond)
	for end := time.Now().Add(time.Minute); !so(); story.Watch(5 * time.Millisecond) {
		if time.Now().After(end) {
			x.Fatalf("it does not get there:\n%s", story)
		}
	}
}

// converges checks that the service gets where it is asked to be, and returns
// what is on disk then.
func (x *trial) converges(story *fsmtest.Story[*s6.Spec, s6.Observed]) (files string) {
	x.until(story, func() bool { return x.there(story) })
	pid := x.runs()
	assert.Equal(x, x.ask.State == s6.Running, pid != 0, "%s", story)
	if x.keeps {
		assert.Equal(x, x.pid, pid, "the process is another:\n%s", story)
	}
	layout := x.tree.Layout()
	files = list(x, x.tree.FS(), layout.ServicesDir) + list(x, x.tree.FS(), layout.ScanDir)
	if x.ask.State == fsm.StateRemoved {
		assert.Empty(x, files)
		assert.Empty(x, x.tree.Supervisors())
		assert.Empty(x, x.tree.Processes())
		return files
	}
	assert.Equal(x, []string{"a", "a/log"}, x.tree.Supervisors())
	// One who has not seen it before finds it as it is to be.
	o, err := s6.NewDriver(x.tree, "a", func() {}).Observe(x.Context(), x.ask)
	require.NoError(x, err)
	assert.True(x, o.Intact)
	assert.Equal(x, x.ask.Spec.Hash(), o.Hash)
	assert.Equal(x, x.ask.State == s6.Stopped, o.AskedDown)
	if pid != 0 {
		assert.Equal(x, s6.ProcessHash(x.ask.Spec), o.Started)
		x.began(pid)
		x.logs()
	}
	return files
}

// began checks that a process was given what the spec says.
func (x *trial) began(pid int) {
	for _, p := range x.tree.Processes() {
		if p.PID == pid {
			assert.Equal(x, x.ask.Spec.Command, p.Command)
			assert.Equal(x, x.ask.Spec.Env, p.Env)
		}
	}
	for name, want := range x.ask.Spec.ConfigFiles {
		data, err := x.tree.FS().ReadFile(path.Join(x.tree.Layout().Service("a"), "config", name))
		require.NoError(x, err)
		assert.Equal(x, want, string(data))
	}
}

// logs checks that the logger does what the spec says.
func (x *trial) logs() {
	pass(2 * time.Second)
	require.NoError(x, x.tree.Print("a", "hello"))
	log, err := x.tree.FS().ReadFile(path.Join(x.tree.Layout().Log("a"), "current"))
	require.NoError(x, err)
	lines := strings.Split(strings.TrimSuffix(string(log), "\n"), "\n")
	last := lines[len(lines)-1]
	assert.Contains(x, last, "hello")
	assert.Equal(x, !x.ask.Spec.Log.TAI64N, strings.Contains(last, "  "), last)
}

// there reports whether what is asked for is reached and nothing is left to do.
func (x *trial) there(story *fsmtest.Story[*s6.Spec, s6.Observed]) bool {
	s := story.Snapshot()
	return s.Settled && string(s.State) == string(x.ask.State)
}

// whole checks that whatever has the service's name is a whole service
// directory, whoever looks.
func (x *trial) whole() {
	fsys, service := x.tree.FS(), x.tree.Layout().Service("a")
	if _, err := fsys.Lstat(service); err != nil {
		assert.ErrorIs(x, err, fs.ErrNotExist)
		return
	}
	for _, file := range []string{"run", "timeout-kill", "data/manifest.json", "data/lock", "log/run", "event", "log/event"} {
		_, err := fsys.Lstat(path.Join(service, file))
		assert.NoError(x, err)
	}
}

// list lists a directory and all below it, but for s6's own files.
func list(t testing.TB, fsys filesystem.FS, dir string) string {
	entries, err := fsys.ReadDir(dir)
	require.NoError(t, err)
	var b strings.Builder
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		b.WriteString(name + "\n")
		if e.IsDir() && e.Name() != "supervise" {
			b.WriteString(list(t, fsys, name))
		}
	}
	return b.String()
}

// TestSweep does each operation of a service's life with each mishap at each
// operation on the filesystem and the tree, which it names where it fails.
func TestSweep(t *testing.T) {
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var undisturbed string
			try(t, c, func(x *trial) {
				if c.next != nil {
					x.ask = *c.next
				}
				undisturbed = x.converges(x.story(x.tree))
			})
			filesystemtest.Sweep(t, filesystemtest.Mishaps(), func(t *testing.T, m filesystemtest.Mishap, injector filesystemtest.Injector) {
				try(t, c, func(x *trial) { assert.Equal(x, undisturbed, x.with(m, injector)) })
			})
		})
	}
}
