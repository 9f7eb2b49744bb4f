package s6_test

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

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// faultyTree is a tree as a program sees it whose operations fail, or that dies
// at one of them. What it does to the tree is an operation like those on files.
type faultyTree struct {
	*s6test.Tree
	fs *filesystemtest.Faulty
}

func (f faultyTree) FS() filesystem.FS { return f.fs }

// gate is an operation that reads nothing, before one of the tree.
func (f faultyTree) gate() error {
	_, err := f.fs.Stat("/")
	return err
}

func (f faultyTree) Rescan() error {
	if err := f.gate(); err != nil {
		return err
	}
	return f.Tree.Rescan()
}

func (f faultyTree) Nudge() error {
	if err := f.gate(); err != nil {
		return err
	}
	return f.Tree.Nudge()
}

func (f faultyTree) Prune() error {
	if err := f.gate(); err != nil {
		return err
	}
	return f.Tree.Prune()
}

func (f faultyTree) Control(service string, commands ...supervise.Command) error {
	if err := f.gate(); err != nil {
		return err
	}
	return f.Tree.Control(service, commands...)
}

func (f faultyTree) Signal(service string, pid int, signal syscall.Signal) error {
	if err := f.gate(); err != nil {
		return err
	}
	return f.Tree.Signal(service, pid, signal)
}

func (f faultyTree) Watch(service string, fn func(supervise.Event)) (s6.Watch, error) {
	if err := f.gate(); err != nil {
		return nil, err
	}
	return f.Tree.Watch(service, fn)
}

func (f faultyTree) Supervisor(service string) (supervise.LockState, error) {
	if err := f.gate(); err != nil {
		return supervise.LockState{}, err
	}
	return f.Tree.Supervisor(service)
}

func (f faultyTree) Process(service string) (supervise.LockState, error) {
	if err := f.gate(); err != nil {
		return supervise.LockState{}, err
	}
	return f.Tree.Process(service)
}

func (f faultyTree) Status(service string) (supervise.Status, error) {
	return supervise.ReadStatus(f.fs, service)
}

// change is something that is asked of a service that runs already, or that is
// not there yet.
type change struct {
	name   string
	before *s6.Spec // nil: there is none
	ask    desired
	keeps  bool // the process goes on
}

var (
	specA    = &s6.Spec{Command: []string{"sleep", "1"}, Env: map[string]string{"A": "1", "B": "2"}, ConfigFiles: map[string]string{"x": "1"}}
	specALog = &s6.Spec{
		Command: []string{"sleep", "1"}, Env: map[string]string{"A": "1", "B": "2"}, ConfigFiles: map[string]string{"x": "1"},
		Log: s6.Log{TAI64N: true}, Note: "n",
	}
	specB = &s6.Spec{
		Command: []string{"sleep", "2"}, Env: map[string]string{"B": "3"}, ConfigFiles: map[string]string{"y": "2"},
		Ready: s6.Readiness{FD: 3}, Finish: []string{"true"}, StopSignal: "INT",
	}
	changes = []change{
		{name: "create", ask: desired{State: s6.Running, Spec: specA}},
		{name: "adopt", before: specA, ask: desired{State: s6.Running, Spec: specA}, keeps: true},
		{name: "write what is not the process's", before: specA, ask: desired{State: s6.Running, Spec: specALog}, keeps: true},
		{name: "write and restart", before: specA, ask: desired{State: s6.Running, Spec: specB}},
		{name: "stop", before: specB, ask: desired{State: s6.Stopped, Spec: specB}},
		{name: "remove", before: specB, ask: desired{State: fsm.StateRemoved, Spec: specB}},
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
		if c.before != nil {
			settle(t, x.tree, map[string]desired{"a": {State: s6.Running, Spec: c.before}})
			pass(time.Second)
			x.pid = x.runs()
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

// converges checks that the service gets where it is asked to be, and returns
// what is on disk then.
func (x *trial) converges(story *fsmtest.Story[*s6.Spec, s6.Observed]) (files string) {
	for end := time.Now().Add(time.Minute); !x.there(story.Snapshot()); {
		if time.Now().After(end) {
			x.Fatalf("it does not get there:\n%s", story)
		}
		story.Watch(100 * time.Millisecond)
	}
	pid := x.runs()
	assert.Equal(x, x.ask.State == s6.Running, pid != 0)
	if x.keeps {
		assert.Equal(x, x.pid, pid, "the process is another:\n%s", story)
	}
	files = list(x, x.tree.FS(), x.tree.Layout().ServicesDir) + list(x, x.tree.FS(), x.tree.Layout().ScanDir)
	if x.ask.State == fsm.StateRemoved {
		assert.Empty(x, files)
		return files
	}
	// One who has not seen it before finds it as it is to be.
	o, err := s6.NewDriver(x.tree, "a", func() {}).Observe(x.Context(), x.ask)
	require.NoError(x, err)
	assert.True(x, o.Intact)
	assert.Equal(x, x.ask.Spec.Hash(), o.Hash)
	if pid != 0 {
		assert.Equal(x, s6.ProcessHash(x.ask.Spec), o.Started)
		x.logs()
	}
	return files
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
func (x *trial) there(s *fsm.Snapshot[*s6.Spec, s6.Observed]) bool {
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

// sweep does each change with a fault at each of its operations in turn.
func sweep(t *testing.T, fault func(n int) filesystemtest.Injector, run func(x *trial, faulty faultyTree) (files string)) {
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var files, undisturbed string
			try(t, c, func(x *trial) { undisturbed = x.converges(x.story(x.tree)) })
			for n, more := 1, true; more; n++ {
				try(t, c, func(x *trial) {
					faulty := faultyTree{x.tree, filesystemtest.Inject(x.tree.FS(), fault(n))}
					files = run(x, faulty)
					more = faulty.fs.Count() >= n
				})
				if !assert.Equal(t, undisturbed, files, "after a fault at operation %d", n) || t.Failed() {
					t.Fatalf("failed at operation %d", n)
				}
			}
		})
	}
}

// TestOperationFails lets each operation of each change fail once.
func TestOperationFails(t *testing.T) {
	sweep(t, func(n int) filesystemtest.Injector { return filesystemtest.FailNth(n, syscall.EIO) },
		func(x *trial, faulty faultyTree) string { return x.converges(x.story(faulty)) })
}

// TestProgramDies kills the program at each operation of each change; another
// one goes on with what it finds.
func TestProgramDies(t *testing.T) {
	sweep(t, filesystemtest.Crash, func(x *trial, faulty faultyTree) string {
		first := x.story(faulty)
		for end := time.Now().Add(10 * time.Second); !x.there(first.Snapshot()) && time.Now().Before(end); {
			first.Watch(100 * time.Millisecond)
		}
		x.whole()
		return x.converges(x.story(x.tree))
	})
}
