package runner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// killing kills a program in one of its operations, on the tree or beside its
// declarations: that is half done, and none after it is.
type killing struct {
	armed, dead atomic.Bool
	left        atomic.Int64
}

func (k *killing) Inject(filesystemtest.Op) filesystemtest.Fault {
	if k.armed.Load() && k.left.Add(-1) < 0 {
		k.dead.Store(true)
	}
	if !k.dead.Load() {
		return filesystemtest.Fault{}
	}
	return filesystemtest.Fault{Err: filesystemtest.ErrCrashed, Torn: k.left.Load() == -1}
}

func (k *killing) String() string { return "a kill" }

// deed is one thing that somebody does.
type deed struct {
	does       string
	name       string          // of an instance
	wishes     map[string]wish // what is declared
	operations int64           // until the program is killed
	then       time.Duration   // from when it has declared on, at most
	killed     bool
}

// anyDeeds draws what is declared first, and what is done then. Nothing needs
// anything.
func anyDeeds(t *rapid.T) (deeds []deed) {
	var wishes map[string]wish
	declare := func() {
		after := map[string]wish{"e": {Sleeps: 1}}
		for _, name := range names {
			switch was, there := wishes[name]; rapid.SampledFrom([]string{"same", "same", "new", "new", "gone"}).Draw(t, name) {
			case "same":
				if there {
					after[name] = was
				}
			case "new":
				w := anyWish.Draw(t, name)
				w.Needs, w.Crashes = "", !w.Stopped && rapid.Bool().Draw(t, "crashes")
				after[name] = w
			}
		}
		wishes = after
	}
	declare()
	deeds = []deed{{does: "declare", wishes: wishes}}
	for range rapid.IntRange(1, 8).Draw(t, "deeds") {
		d := deed{
			does: rapid.SampledFrom([]string{"declare", "declare", "kill and declare", "stop by hand", "start by hand", "another program", "kill a process"}).Draw(t, "does"),
			name: rapid.SampledFrom(names).Draw(t, "of"),
		}
		switch d.does {
		case "declare":
			declare()
		case "kill and declare":
			declare()
			d.operations = rapid.Int64Range(0, 80).Draw(t, "operations")
			d.then = time.Duration(rapid.IntRange(0, 40_000).Draw(t, "ms")) * time.Millisecond
		case "another program":
			d.killed = rapid.Bool().Draw(t, "killed")
		}
		d.wishes = wishes
		deeds = append(deeds, d)
	}
	return deeds
}

// life is what becomes of an estate whose user declares, stops and starts by hand,
// and whose programs and processes are killed.
type life struct {
	*estate
	kill   *killing
	byHand map[string]bool
	good   map[string]wish // what each one ran as last, of those that have
	vague  map[string]bool // it was stopped since, so that there may be no way back to that
	pids   map[string]int
	was    map[string]wish // declared when those were seen
}

func newLife(t *testing.T) *life {
	l := &life{
		estate: newEstate(t), byHand: make(map[string]bool), good: make(map[string]wish), vague: make(map[string]bool), pids: make(map[string]int),
	}
	l.tree.Install("crash", s6test.Program{RunFor: 10 * time.Millisecond, ExitCode: 3})
	l.leave()
	l.lives()
	return l
}

// lives begins a program that can be killed.
func (l *life) lives() {
	l.kill = new(killing)
	l.fails = []filesystemtest.Injector{l.kill}
	l.begin()
	l.files.Store.FS = filesystemtest.Inject(l.fsys, l.kill)
	l.runner.probation.store = l.files.Store
	l.files.Tell = func(error) {}
}

// another ends the program, by killing it or not, and begins the next one.
func (l *life) another(killed bool) {
	if killed {
		l.kill.dead.Store(true)
	}
	l.end()
	l.runner.follows.Wait()
	_ = l.runner.Services.Close(context.Background()) // which may fail where it was killed
	_ = l.runner.Streams.Close(context.Background())
	l.lives()
}

// load has the file read until nothing of it is waited for, or the program is dead.
func (l *life) load() {
	for again := time.Duration(1); again > 0 && !l.kill.dead.Load(); time.Sleep(again) {
		var err error
		if again, err = l.files.Load(context.Background(), false); err != nil && !l.kill.dead.Load() {
			l.holds(false, "the file is not taken: %v", err)
			return
		}
	}
}

func (l *life) declare(wishes map[string]wish) {
	for name, w := range l.wishes {
		if _, stays := wishes[name]; w.Stopped || !stays {
			l.vague[name] = true
		}
	}
	l.wishes = wishes
	l.holds(l.files.Reader.FS.WriteFile(file, []byte(written(wishes)), 0o600) == nil, "the file is not written")
}

// does does one thing. It returns whose process may end for that, though nothing
// else is declared of it.
func (l *life) does(d deed) (disturbed string) {
	switch d.does {
	case "declare":
		l.declare(d.wishes)
	case "kill and declare":
		l.kill.left.Store(d.operations)
		l.kill.armed.Store(true)
		l.declare(d.wishes)
		l.load()
		time.Sleep(d.then)
		l.another(true)
	case "stop by hand":
		if _, declared := l.wishes[d.name]; declared {
			err := l.runner.StopByHand(service(d.name), "alice")
			l.holds(err == nil, "%s is not stopped: %v", d.name, err)
			l.byHand[d.name], l.vague[d.name] = true, true
		}
	case "start by hand":
		err := l.runner.StartByHand(service(d.name))
		l.holds(err == nil, "%s is not started: %v", d.name, err)
		delete(l.byHand, d.name)
	case "another program":
		l.another(d.killed)
	case "kill a process":
		_ = l.tree.Kill(d.name, syscall.SIGKILL)
		return d.name
	}
	return ""
}

// settle has everything come to rest, and holds what there is against what is
// asked.
func (l *life) settle(disturbed string) {
	l.load()
	time.Sleep(90 * time.Second) // a start may take thirty, and as long again where it is taken back
	synctest.Wait()
	works, pids := l.works(), make(map[string]int)
	for _, name := range names {
		w, declared := l.wishes[name]
		p, runs := works[name]
		good, known := l.good[name]
		before := l.pids[name]
		stays := name != disturbed && before != 0 && !l.vague[name]
		switch {
		case !declared:
			l.holds(!runs, "%s is not declared, and works as %q", name, p.Command)
			delete(l.byHand, name) // it goes with the service
			delete(l.good, name)
		case w.Stopped || l.byHand[name]:
			l.holds(!runs, "%s is to be stopped (by hand: %v), and works as %q", name, l.byHand[name], p.Command)
		case !w.Crashes:
			l.runsAs(name, w, p)
			l.holds(!stays || good.process() != w.process() || p.PID == before, "%s is as before, and has another process", name)
			l.good[name], l.vague[name], pids[name] = w, false, p.PID
		case known && !l.vague[name]:
			l.runsAs(name, good, p)
			l.holds(!stays || l.was[name] != w || p.PID == before, "a change of %s that was taken back was tried again", name)
			pids[name] = p.PID
		case runs && p.Command[0] != "crash":
			l.holds(known, "%s works as %q", name, p.Command)
			l.runsAs(name, good, p)
		}
	}
	l.pids, l.was = pids, maps.Clone(l.wishes)
}

func (l *life) runsAs(name string, w wish, p s6test.Process) {
	want := []string{w.command(), fmt.Sprint(w.Sleeps)}
	l.holds(slices.Equal(want, p.Command) && w.Env == p.Env["X"], "%s is to work as %q with %q, and works as %q with %q", name, want, w.Env, p.Command, p.Env)
}

func (l *life) holds(is bool, format string, args ...any) {
	if !is {
		l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
	}
}

// TestLives: whatever is declared, stopped by hand and killed, everything comes to
// what was declared last, and what was stopped by hand stays so. What does not run
// with a change runs as it did before, also if the program was killed at any moment.
func TestLives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		deeds := anyDeeds(rt)
		var wrong []string
		synctest.Test(t, func(t *testing.T) {
			l := newLife(t)
			defer l.close()
			for n, d := range deeds {
				if l.settle(l.does(d)); len(l.wrong) > 0 {
					wrong = append([]string{fmt.Sprintf("after deed %d", n)}, l.wrong...)
					return
				}
			}
		})
		require.Empty(rt, wrong)
	})
}
