package benthos_test

import (
	"context"
	"path"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
	"github.com/evenkeel/evenkeel/ports"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// faultyProber asks as the program of a faulty tree does: each question is one
// of its operations.
type faultyProber struct {
	benthos.Prober
	ops *filesystemtest.Faulty
}

// query asks something.
func query[A any](p faultyProber, what string, ask func() (A, error)) (answer A, err error) {
	err = p.ops.Do(filesystemtest.Query, what, func() (err error) {
		answer, err = ask()
		return err
	})
	return answer, err
}

func (p faultyProber) Ping(ctx context.Context, addr string) error {
	return p.ops.Do(filesystemtest.Query, "ping", func() error { return p.Prober.Ping(ctx, addr) })
}

func (p faultyProber) Ready(ctx context.Context, addr string) (benthos.ReadyState, error) {
	return query(p, "ready", func() (benthos.ReadyState, error) { return p.Prober.Ready(ctx, addr) })
}

func (p faultyProber) Version(ctx context.Context, addr string) (benthos.VersionInfo, error) {
	return query(p, "version", func() (benthos.VersionInfo, error) { return p.Prober.Version(ctx, addr) })
}

func (p faultyProber) Metrics(ctx context.Context, addr string) (benthos.Metrics, error) {
	return query(p, "metrics", func() (benthos.Metrics, error) { return p.Prober.Metrics(ctx, addr) })
}

func (p faultyProber) Holder(addr string) (holder ports.Holder, found bool, err error) {
	err = p.ops.Do(filesystemtest.Query, "holder of the port", func() (err error) {
		holder, found, err = p.Prober.Holder(addr)
		return err
	})
	return holder, found, err
}

func (p faultyProber) Listens(pid int, addr string) (bool, error) {
	return query(p, "listens", func() (bool, error) { return p.Prober.Listens(pid, addr) })
}

// change is an operation of a stream's life.
type change struct {
	name   string
	before *fsm.Desired[*benthos.Config] // nil: there is none
	ask    fsm.Desired[*benthos.Config]
	keeps  bool                          // the process goes on
	next   *fsm.Desired[*benthos.Config] // once there was a mishap; nil: the same
}

func changes() []change {
	ask := func(state fsm.State, c *benthos.Config) *fsm.Desired[*benthos.Config] {
		return &fsm.Desired[*benthos.Config]{State: state, Spec: c}
	}
	one, two, loud := stream("1s"), stream("2s"), stream("1s")
	loud.Note = "a note"
	return []change{
		{name: "create", ask: *ask(benthos.Active, one)},
		{name: "create, taken back", ask: *ask(benthos.Active, one), next: ask(fsm.StateRemoved, one)},
		{name: "start", before: ask(benthos.Stopped, one), ask: *ask(benthos.Active, one)},
		{name: "adopt", before: ask(benthos.Active, one), ask: *ask(benthos.Active, one), keeps: true},
		{name: "change what is not the process's", before: ask(benthos.Active, one), ask: *ask(benthos.Active, loud), keeps: true},
		{name: "change", before: ask(benthos.Active, one), ask: *ask(benthos.Active, two)},
		{name: "change, taken back", before: ask(benthos.Active, one), ask: *ask(benthos.Active, two), next: ask(benthos.Active, one)},
		{name: "stop", before: ask(benthos.Active, one), ask: *ask(benthos.Stopped, one)},
		{name: "remove", before: ask(benthos.Active, one), ask: *ask(fsm.StateRemoved, one)},
		{name: "remove, taken back", before: ask(benthos.Active, one), ask: *ask(fsm.StateRemoved, one), next: ask(benthos.Active, two)},
	}
}

type story = *fsmtest.Story[*benthos.Config, benthos.Observed]

// trial is one run of a change.
type trial struct {
	*testing.T
	change
	*memory
	pid int
}

func try(t *testing.T, c change, do func(x *trial)) {
	synctest.Test(t, func(t *testing.T) {
		x := &trial{t, c, newMemory(t), 0}
		x.tree.Install("/usr/bin/benthos", s6test.Program{ReadyAfter: s6test.Never, StopAfter: 100 * time.Millisecond})
		x.prober.Set(endpoint, benthostest.Endpoint{})
		if c.before != nil {
			first := x.story(s6test.Inject(x.tree))
			first.Ask(*c.before)
			x.until(first, func() bool { return there(first, *c.before) })
			x.pid = x.runs()
		}
		do(x)
	})
}

// runs returns the process id of the stream, 0 for none.
func (x *trial) runs() (pid int) {
	for _, p := range x.tree.Processes() {
		if p.Service == "a" && !p.Waiting {
			assert.Zero(x, pid, "two processes of one instance")
			pid = p.PID
		}
	}
	return pid
}

// story is that of a program which sees the tree as it is given.
func (x *trial) story(tree *s6test.Faulty) story {
	options := x.options
	options.Prober = faultyProber{x.prober, tree.Ops()}
	kind, err := benthos.NewKind(tree, options)
	require.NoError(x, err)
	return fsmtest.NewStory(x, kind, "a")
}

// until makes passes, at least one, until something is so.
func (x *trial) until(s story, so func() bool) {
	s.Watch(time.Millisecond)
	for end := time.Now().Add(2 * time.Minute); !so(); s.Watch(20 * time.Millisecond) {
		if time.Now().After(end) {
			x.Fatalf("it does not get there:\n%s", s)
		}
	}
}

// there reports whether what is asked for is reached and nothing is left to do.
func there(s story, ask fsm.Desired[*benthos.Config]) bool {
	now := s.Snapshot()
	phase := map[fsm.State]fsm.Phase{benthos.Active: fsm.PhaseRunning, benthos.Stopped: fsm.PhaseStopped, fsm.StateRemoved: fsm.PhaseRemoved}
	return now.Settled && now.Phase == phase[ask.State]
}

// with does the change with a mishap, and returns what is on disk when it has
// converged. Where the program dies, another one goes on with what is there.
func (x *trial) with(m filesystemtest.Mishap, injector filesystemtest.Injector) (files map[string]string) {
	faulty := s6test.Inject(x.tree, injector)
	ops, first := faulty.Ops(), x.story(faulty)
	first.Ask(x.ask)
	x.until(first, func() bool { return there(first, x.ask) || ops.Crashed() || x.next != nil && ops.Failed() > 0 })
	if x.next != nil {
		x.ask = *x.next
		first.Ask(x.ask)
		x.until(first, func() bool { return there(first, x.ask) || ops.Crashed() })
	}
	if ops.Crashed() {
		if m.Loses != nil {
			require.NoError(x, ops.LosePower(m.Loses))
			x.tree, x.keeps = x.tree.Reboot(), false
			time.Sleep(3 * time.Second) // s6 begins before the program
		}
		first = x.story(s6test.Inject(x.tree))
		first.Ask(x.ask)
	}
	return x.converges(first)
}

// converges checks that the stream gets where it is asked to be, and returns
// what is on disk then.
func (x *trial) converges(s story) (files map[string]string) {
	x.until(s, func() bool { return there(s, x.ask) })
	pid := x.runs()
	assert.Equal(x, x.ask.State == benthos.Active, pid != 0, "%s", s)
	if x.keeps {
		assert.Equal(x, x.pid, pid, "the process is another:\n%s", s)
	}
	files = make(map[string]string)
	contents(x, x.tree.FS(), x.tree.Layout().ServicesDir, files)
	contents(x, x.tree.FS(), x.tree.Layout().ScanDir, files)
	if x.ask.State == fsm.StateRemoved {
		assert.Empty(x, files)
		assert.Empty(x, x.tree.Supervisors())
		assert.Empty(x, x.tree.Processes())
		return files
	}
	assert.Equal(x, []string{"a", "a/log"}, x.tree.Supervisors())
	for _, p := range x.tree.Processes() {
		if p.PID == pid {
			assert.Equal(x, "/usr/bin/benthos", p.Command[0])
		}
	}
	return files
}

// contents collects the files below a directory, but for s6's own and what
// differs from process to process.
func contents(t testing.TB, fsys filesystem.FS, dir string, all map[string]string) {
	entries, err := fsys.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case e.Name() == "marked":
		case e.IsDir() && e.Name() != "supervise":
			all[name] = "a directory"
			contents(t, fsys, name, all)
		case e.Type().IsRegular() && e.Name() != "started" && e.Name() != "unfinished":
			data, err := fsys.ReadFile(name)
			require.NoError(t, err)
			all[name] = string(data)
		default:
			all[name] = e.Type().String()
		}
	}
}

// TestSweep does each operation of a stream's life with each mishap at each
// operation on the filesystem, the tree and the engine, which it names where it
// fails.
func TestSweep(t *testing.T) {
	for _, c := range changes() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var undisturbed map[string]string
			try(t, c, func(x *trial) {
				if c.next != nil {
					x.ask = *c.next
				}
				s := x.story(s6test.Inject(x.tree))
				s.Ask(x.ask)
				undisturbed = x.converges(s)
			})
			filesystemtest.Sweep(t, filesystemtest.Mishaps(), func(t *testing.T, m filesystemtest.Mishap, injector filesystemtest.Injector) {
				try(t, c, func(x *trial) { assert.Equal(x, undisturbed, x.with(m, injector)) })
			})
		})
	}
}
