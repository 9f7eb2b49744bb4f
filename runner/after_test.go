package runner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// wish is what a file says of one service.
type wish struct {
	Stopped bool
	Sleeps  int
	Env     string // of the variable X, none if empty
	// What is below needs no other process.
	LogSize     int
	StopTimeout time.Duration
}

// process is what a process has to be like.
func (w wish) process() wish { return wish{Stopped: w.Stopped, Sleeps: w.Sleeps, Env: w.Env} }

// names are those of all services there may be.
var names = []string{"a", "b", "c", "d"}

// anyWish draws what a file says of one service.
var anyWish = rapid.Custom(func(t *rapid.T) wish {
	return wish{
		Stopped:     rapid.SampledFrom([]bool{false, false, true}).Draw(t, "stopped"),
		Sleeps:      rapid.IntRange(1, 2).Draw(t, "sleeps"),
		Env:         rapid.SampledFrom([]string{"", "1", "${Y}"}).Draw(t, "env"),
		LogSize:     rapid.SampledFrom([]int{0, 5000}).Draw(t, "log"),
		StopTimeout: rapid.SampledFrom([]time.Duration{0, 2 * time.Second}).Draw(t, "stopTimeout"),
	}
})

// next draws a declaration that has much in common with another one, and asks for
// something.
func next(t *rapid.T, label string, before map[string]wish) map[string]wish {
	after := make(map[string]wish)
	for _, name := range names {
		was, there := before[name]
		switch rapid.SampledFrom([]string{"same", "same", "gone", "new"}).Draw(t, label+" of "+name) {
		case "same":
			if there {
				after[name] = was
			}
		case "new":
			after[name] = anyWish.Draw(t, name)
		}
	}
	if len(after) == 0 {
		after["e"] = anyWish.Draw(t, "e")
	}
	return after
}

// written is the file that says so.
func written(wishes map[string]wish) string {
	var b strings.Builder
	b.WriteString("services:\n")
	for _, name := range slices.Sorted(maps.Keys(wishes)) {
		w := wishes[name]
		fmt.Fprintf(&b, "  - name: %s\n    desiredState: %s\n", name, map[bool]string{false: "running", true: "stopped"}[w.Stopped])
		if w.StopTimeout > 0 {
			fmt.Fprintf(&b, "    stopTimeout: %v\n", w.StopTimeout)
		}
		fmt.Fprintf(&b, "    s6ServiceConfig:\n      command: [sleep, '%d']\n      logFilesize: %d\n", w.Sleeps, w.LogSize)
		if w.Env != "" {
			fmt.Fprintf(&b, "      env: {X: '%s'}\n", w.Env)
		}
	}
	return b.String()
}

// estate is a program with its instances, in memory.
type estate struct {
	t      *testing.T
	tree   *s6test.Tree
	files  *Files
	runner *Runner
	end    context.CancelFunc
}

func newEstate(t *testing.T) *estate {
	e := &estate{t: t, tree: s6test.New(s6test.Config{})}
	e.tree.Install("sleep", s6test.Program{})
	services, err := s6.NewManager(e.tree, fsm.Config{})
	require.NoError(t, err)
	streams, err := benthos.NewManager(e.tree, benthos.Options{Engine: "/usr/bin/benthos", Prober: benthostest.NewProber()}, fsm.Config{})
	require.NoError(t, err)
	e.runner = &Runner{Services: services, Streams: streams}
	fsys := memfs.New()
	require.NoError(t, fsys.MkdirAll("/etc/evenkeel", 0o755))
	e.files = &Files{
		Reader: config.Reader{FS: fsys}, Paths: []string{file}, Keeper: e.runner, Store: Store{fsys, "/data/declarations"},
		Tell: func(problem error) { t.Error(problem) },
	}
	var ctx context.Context
	ctx, e.end = context.WithCancel(context.Background())
	go new(fsm.Loop).Run(ctx, services, streams)
	return e
}

// keep has a declaration kept, and returns when it has been read and all that is
// missing from it has been given up.
func (e *estate) keep(wishes map[string]wish) {
	require.NoError(e.t, e.files.Reader.FS.WriteFile(file, []byte(written(wishes)), 0o600))
	for again := time.Duration(1); again > 0; time.Sleep(again) {
		var err error
		again, err = e.files.Load(context.Background(), false)
		require.NoError(e.t, err)
	}
}

// works returns the processes at work by their services.
func (e *estate) works() map[string]s6test.Process {
	works := make(map[string]s6test.Process)
	for _, p := range e.tree.Processes() {
		if !strings.Contains(p.Service, "/") && !p.Waiting && len(p.Command) > 0 {
			works[p.Service] = p
		}
	}
	return works
}

// outcome is what there is in the end, as texts: instances, processes and service
// directories.
func (e *estate) outcome() (all []string) {
	time.Sleep(time.Minute)
	for _, s := range e.runner.Services.Snapshot() {
		if s.State != fsm.StateRemoved {
			all = append(all, fmt.Sprintf("%s is %s as %s", s.Name, s.State, s.Desired.Spec.Hash()))
		}
	}
	for name, p := range e.works() {
		all = append(all, fmt.Sprintf("%s works as %q with %q", name, p.Command, p.Env))
	}
	layout := e.tree.Layout()
	for _, dir := range []string{layout.ScanDir, layout.ServicesDir} {
		entries, err := e.tree.FS().ReadDir(dir)
		require.NoError(e.t, err)
		for _, entry := range entries {
			all = append(all, dir+" has "+entry.Name())
		}
	}
	slices.Sort(all)
	return all
}

func (e *estate) close() {
	e.end()
	require.NoError(e.t, e.runner.Services.Close(context.Background()))
	require.NoError(e.t, e.runner.Streams.Close(context.Background()))
	require.NoError(e.t, e.tree.Close())
}

// TestOneDeclarationAfterAnother ends as if there had been no other, whenever it
// comes, and where both ask for one process, that goes on.
func TestOneDeclarationAfterAnother(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := next(rt, "a", nil)
		b := next(rt, "b", a)
		later := time.Duration(rapid.IntRange(0, 3000).Draw(rt, "ms")) * time.Millisecond
		var alone, after []string
		var before, works map[string]s6test.Process
		synctest.Test(t, func(t *testing.T) {
			e := newEstate(t)
			e.keep(b)
			alone = e.outcome()
			e.close()

			e = newEstate(t)
			e.keep(a)
			time.Sleep(later)
			before = e.works()
			e.keep(b)
			after, works = e.outcome(), e.works()
			e.close()
		})
		require.Equal(rt, alone, after)
		for name, p := range before {
			if b[name].process() == a[name].process() {
				require.Equal(rt, p.PID, works[name].PID, name)
			}
		}
	})
}
