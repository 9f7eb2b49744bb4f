package runner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// wish is what a file says of one service.
type wish struct {
	Stopped bool
	Crashes bool // soon after each start
	Sleeps  int
	Env     string // of the variable X, none if empty
	// What is below needs no other process.
	LogSize     int
	StopTimeout time.Duration
	Needs       string // another one, none if empty
}

// process is what a process has to be like.
func (w wish) process() wish {
	return wish{Stopped: w.Stopped, Crashes: w.Crashes, Sleeps: w.Sleeps, Env: w.Env}
}

func (w wish) command() string {
	if w.Crashes {
		return "crash"
	}
	return "sleep"
}

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
		Needs:       rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "needs"),
	}
})

// next draws a declaration that has much in common with another one, and asks for
// something.
func next(t *rapid.T, label string, before map[string]wish) map[string]wish {
	after := make(map[string]wish)
	ends := rapid.SampledFrom([]bool{false, false, true}).Draw(t, label+" ends what there is")
	for _, name := range names {
		was, there := before[name]
		if ends && there {
			if was.Stopped = true; rapid.Bool().Draw(t, label+" has "+name) {
				after[name] = was
			}
			continue
		}
		becomes := []string{"same", "same", "gone", "new"}
		if !there {
			becomes = []string{"nothing", "new", "new"}
		}
		switch rapid.SampledFrom(becomes).Draw(t, label+" of "+name) {
		case "same":
			after[name] = was
		case "new":
			after[name] = anyWish.Draw(t, name)
		}
	}
	if len(after) == 0 {
		after["e"] = anyWish.Draw(t, "e")
	}
	for name, w := range after {
		// What it needs comes before it, and is to run.
		if need, there := after[w.Needs]; w.Needs >= name || !there || need.Stopped && !w.Stopped {
			w.Needs = ""
			after[name] = w
		}
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
		if w.Needs != "" {
			fmt.Fprintf(&b, "    dependsOn: [%s]\n", w.Needs)
		}
		if w.StopTimeout > 0 {
			fmt.Fprintf(&b, "    stopTimeout: %v\n", w.StopTimeout)
		}
		fmt.Fprintf(&b, "    s6ServiceConfig:\n      command: [%s, '%d']\n      logFilesize: %d\n", w.command(), w.Sleeps, w.LogSize)
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
	fsys   filesystem.FS
	fails  []filesystemtest.Injector // for the next program
	files  *Files
	runner *Runner
	end    context.CancelFunc
	wishes map[string]wish // in the file

	mu       sync.Mutex // guards all below
	phases   map[string]fsm.Phase
	ready    map[string]time.Time // since when
	declared time.Time
	was, now map[string]wish // declared before, and at present
	wrong    []string        // what was not in order
}

func newEstate(t *testing.T) *estate {
	e := &estate{t: t, tree: s6test.New(s6test.Config{}), phases: make(map[string]fsm.Phase), ready: make(map[string]time.Time), fsys: memfs.New()}
	e.tree.Install("sleep", s6test.Program{})
	require.NoError(t, e.fsys.MkdirAll("/etc/evenkeel", 0o755))
	e.begin()
	return e
}

// begin begins a program.
func (e *estate) begin() {
	t, store := e.t, Store{e.fsys, "/data/declarations"}
	e.declared = time.Now() // what works was not started by this one
	e.runner = &Runner{}
	var ctx context.Context
	ctx, e.end = context.WithCancel(context.Background())
	require.NoError(t, e.runner.manage(ctx, s6test.Inject(e.tree, e.fails...), benthos.Options{Engine: "/usr/bin/benthos", Prober: benthostest.NewProber()}, store, Config{Listeners: []fsm.Listener{e.hear}}.told()))
	e.files = &Files{
		Reader: config.Reader{FS: e.fsys}, Paths: []string{file}, AllowEmpty: true, Keeper: e, Store: store,
		Tell: func(problem error) { t.Error(problem) },
	}
}

// leave ends the program, and leaves what it keeps.
func (e *estate) leave() {
	e.end()
	e.runner.follows.Wait()
	require.NoError(e.t, e.runner.Services.Close(context.Background()))
	require.NoError(e.t, e.runner.Streams.Close(context.Background()))
}

// hear holds each start and stop against the order.
func (e *estate) hear(n fsm.Notice) {
	move, moved := n.(fsm.Transition)
	if !moved {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	name := move.Instance
	e.phases[name] = move.ToPhase
	if delete(e.ready, name); move.ToPhase == fsm.PhaseRunning {
		e.ready[name] = move.At
	}
	switch move.Event {
	case s6.EventStart:
		began := move.At
		if p, works := e.works()[name]; works {
			began = p.Started
		}
		need := e.now[name].Needs
		if ready, is := e.ready[need]; need != "" && began.After(e.declared) && (!is || began.Before(ready)) {
			e.wrong = append(e.wrong, fmt.Sprintf("%s starts, and %s is %v", name, need, e.phases[need]))
		}
	case s6.EventStop:
		for user, w := range e.was {
			now, declared := e.now[user]
			if declared {
				w = now
			}
			stays := declared && !now.Stopped
			if _, works := e.works()[user]; works && w.Needs == name && !stays {
				e.wrong = append(e.wrong, fmt.Sprintf("%s stops, and %s is %v", name, user, e.phases[user]))
			}
		}
	}
}

// Recall and the two below implement Keeper.
func (e *estate) Recall(last *config.Declaration) error { return e.runner.Recall(last) }

func (e *estate) Refused() map[config.Key]error { return e.runner.Refused() }

func (e *estate) Apply(ctx context.Context, w Wanted) error {
	e.mu.Lock()
	if !maps.Equal(e.now, e.wishes) {
		e.was, e.now, e.declared = e.now, e.wishes, time.Now()
	}
	e.mu.Unlock()
	return e.runner.Apply(ctx, w)
}

// keep has a declaration kept, and returns when it has been read and all that is
// missing from it has been given up.
func (e *estate) keep(wishes map[string]wish) {
	e.wishes = wishes
	e.keepText(written(wishes))
}

// keepText has a file kept.
func (e *estate) keepText(text string) {
	require.NoError(e.t, e.files.Reader.FS.WriteFile(file, []byte(text), 0o600))
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
	e.leave()
	require.NoError(e.t, e.tree.Close())
}

// TestOneDeclarationAfterAnother ends as if there had been no other, whenever it
// comes, to the same program or the next one, and where both ask for one process,
// that goes on. Nothing starts before what it depends on is ready, or stops after it.
func TestOneDeclarationAfterAnother(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := next(rt, "a", nil)
		b := next(rt, "b", a)
		later := time.Duration(rapid.IntRange(0, 6000).Draw(rt, "ms")) * time.Millisecond
		another := rapid.Bool().Draw(rt, "to another program")
		pause := time.Duration(rapid.IntRange(0, 2000).Draw(rt, "ms without one")) * time.Millisecond
		var alone, after, wrong []string
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
			if another {
				e.leave()
				time.Sleep(pause)
				e.begin()
			}
			e.keep(b)
			after, works = e.outcome(), e.works()
			e.close()
			wrong = e.wrong
		})
		require.Empty(rt, wrong)
		require.Equal(rt, alone, after)
		for name, p := range before {
			if b[name].process() == a[name].process() {
				require.Equal(rt, p.PID, works[name].PID, name)
			}
		}
	})
}
