//go:build integration

package integration

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

var (
	killings = flag.Int("killings", 15, "how many programs and how many supervisors are killed")
	seed     = flag.Uint64("seed", 1, "of what is done at random; 0 means one by the clock")
)

// newRandom returns the source of what a test does at random, and says its
// seed.
func newRandom(t testing.TB) *rand.Rand {
	t.Helper()
	n := *seed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("to do the same again: -run '^%s$' -seed %d -killings %d", t.Name(), n, *killings)
	return rand.New(rand.NewPCG(n, 0))
}

// killed is a world in which programs are killed, with what is declared in it.
type killed struct {
	*world
	random *rand.Rand
	specs  map[string]*s6.Spec
	keeps  map[string]int // processes of what no declaration changes
}

// keepers are declared always, and never so that their processes are concerned.
var keepers = []string{"keep", "slowkeep", "deafkeep", "live"}

func newKilled(t *testing.T) *killed {
	w := newWorld(t)
	k := &killed{world: w, random: newRandom(t), keeps: make(map[string]int), specs: map[string]*s6.Spec{
		"keep": w.probe("keep"), "slowkeep": w.slowProbe("slowkeep"), "deafkeep": w.deafProbe("deafkeep"), "live": w.probe("live"),
		"plain": w.probe("plain"), "slow": w.slowProbe("slow"), "deaf": w.deafProbe("deaf"),
	}}
	for _, name := range []string{"deafkeep", "deaf"} {
		k.specs[name].StopTimeout = 300 * time.Millisecond
	}
	return k
}

// declaration is what a program asks for: of each service that is no keeper
// that it runs in one of two versions, is stopped, or is not there.
func (k *killed) declaration() desired {
	d := make(desired)
	for name, spec := range k.specs {
		what := fsm.Desired[*s6.Spec]{State: s6.Running, Spec: spec}
		switch {
		case name == "live":
			what.Spec = with(spec, func(s *s6.Spec) { s.Log.FileSize = 8192 << k.random.IntN(3) })
		case !slices.Contains(keepers, name):
			what.Spec = version(spec, fmt.Sprint(k.random.IntN(2)))
			if k.random.IntN(4) == 0 {
				what.State = s6.Stopped
			}
			if k.random.IntN(4) == 0 {
				continue
			}
		}
		d[name] = what
	}
	return d
}

// holds checks what must hold at any time, whoever was killed.
func (k *killed) holds() {
	k.T.Helper()
	for name := range k.specs {
		assert.NoFileExists(k.T, filepath.Join(k.Root, "probes", name, "doubles"))
	}
	for name, pid := range k.keeps {
		assert.Equal(k.T, []int{pid}, k.starts(name), "%s was not changed", name)
		assert.True(k.T, harness.Alive(pid), name)
	}
	if k.T.Failed() {
		k.T.FailNow()
	}
}

// settled checks that everything is as declared, and nothing else is there.
func (k *killed) settled(d desired) {
	k.T.Helper()
	k.Open()
	defer k.Leave()
	var supervised, services []string
	for name, what := range d {
		supervised = append(supervised, name, name+"/log")
		services = append(services, name)
		if what.State == s6.Running {
			k.single(name)
			v := "VERSION=" + what.Spec.Env["VERSION"]
			assert.Equal(k.T, what.Spec.Env["VERSION"] != "", slices.Contains(harness.Environ(k.pid(name)), v), "%s is %s", name, v)
		}
	}
	for name := range k.specs {
		if d[name].State != s6.Running {
			harness.Eventually(k.T, "nothing of "+name+" runs", func() bool { return len(k.living(name)) == 0 })
		}
	}
	assert.Empty(k.T, k.leftovers())
	for _, dir := range []string{k.Config.ServicesDir, k.Config.ScanDir} {
		assert.ElementsMatch(k.T, services, visible(k.T, dir), dir)
	}
	slices.Sort(supervised)
	harness.Eventually(k.T, "there are supervisors of what is declared, and no others", func() error {
		var all []string
		for _, p := range harness.ProcessesOf(k.Root) {
			if p.Is("s6-supervise") {
				all = append(all, p.Args[1])
			}
		}
		if slices.Sort(all); !slices.Equal(all, supervised) {
			return fmt.Errorf("there are those of %v", all)
		}
		return nil
	})
	for _, name := range keepers {
		if k.keeps[name] == 0 {
			k.keeps[name] = k.pid(name)
		}
	}
	k.holds()
}

// visible lists a directory but for hidden names.
func visible(t testing.TB, dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// moment returns when to kill: soon as often as late.
func (k *killed) moment() time.Duration {
	return time.Millisecond << k.random.IntN(11) * time.Duration(500+k.random.IntN(1000)) / 1000
}

// Programs are killed at random moments of what they do: they create, change,
// start, stop and remove services. Each goes on with what the one before has
// left, and wants something else. Now and then one is left to finish: then
// everything is as it wants it, nothing else is there, and what nobody changed
// has its process still.
func TestProgramIsKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	k := newKilled(t)
	const each = 5 // is left to finish
	for n := range *killings {
		d := k.declaration()
		finishes := n%each == 0 || n == *killings-1
		t.Run(fmt.Sprintf("program %d", n), func(t *testing.T) {
			defer func(before testing.TB) { k.T = before }(k.T)
			k.T = t // which says what this one was about, if it fails
			for name, what := range d {
				t.Logf("%s: %s, version %q", name, what.State, what.Spec.Env["VERSION"])
			}
			m := k.startManager(d)
			if finishes {
				m.Says("done")
			} else {
				m.Says("begin")
				harness.Pause(t, k.moment(), "the program is at work")
			}
			m.Slay()
			k.holds()
			if finishes {
				k.settled(d)
			}
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d programs were killed; of %v no process was lost", *killings, keepers)
}

// Supervisors of services and of loggers are killed at random moments: never
// are there two processes of a service, and each has one in the end.
func TestSupervisorsAreKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	w, random := start(t), newRandom(t)
	specs := map[string]*s6.Spec{"plain": w.probe("plain"), "slow": w.slowProbe("slow"), "deaf": w.deafProbe("deaf"), "other": w.probe("other")}
	specs["deaf"].StopTimeout = 300 * time.Millisecond
	w.run(specs)
	other, last := w.pid("other"), 0
	for n := 0; n < *killings; {
		name := []string{"plain", "slow", "deaf"}[random.IntN(3)]
		dir := w.Service(name)
		if random.IntN(4) == 0 {
			dir = filepath.Join(dir, "log")
		}
		if pid := w.supervisor(dir); pid != 0 {
			t.Logf("killing %d: %s", n, dir)
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by itself
			last = pid
			n++
		}
		harness.Pause(t, time.Duration(random.IntN(700))*time.Millisecond, "s6 and the program put it right, or have not yet")
		for name := range specs {
			require.NoFileExists(t, filepath.Join(w.Root, "probes", name, "doubles"))
		}
	}
	harness.Gone(t, last) // a process that is killed has its locks for a moment
	w.Await(fsm.PhaseRunning, "plain", "slow", "deaf", "other")
	for name := range specs {
		w.single(name)
	}
	assert.Equal(t, []int{other}, w.starts("other"))
	t.Logf("%d supervisors were killed", *killings)
}
