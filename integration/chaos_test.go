//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

var (
	chaosFor      = flag.Duration("chaos", 5*time.Second, "how long chaos reigns")
	chaosServices = flag.Int("services", 8, "how many services live through it")
	chaosStreams  = flag.Int("streams", 0, "how many Benthos live through it")
	chaosRate     = flag.Float64("rate", 180, "how many things happen a minute")
	chaosDisk     = flag.Bool("disk", false, "whether all is on a small filesystem, which is full at times; it needs root")
)

// wanted is what the role "obey" reads from a file, and what it is told by the
// one who made it.
type wanted struct {
	Config   s6.TreeConfig
	Engine   string
	Services desired
	Streams  map[string]fsm.Desired[*benthos.Config]
}

// playObey declares what the file says, whenever it says something else.
func playObey() error {
	ctx := context.Background()
	read := func() (text string, all wanted, err error) {
		data, err := os.ReadFile(os.Getenv(scriptEnv))
		if err == nil {
			err = json.Unmarshal(data, &all)
		}
		return string(data), all, err
	}
	last, all, err := read()
	if err != nil {
		return err
	}
	tree, _, err := s6.StartPrivate(ctx, all.Config)
	if err != nil {
		return err
	}
	services, err := s6.NewManager(tree, fsm.Config{})
	if err != nil {
		return err
	}
	go services.Run(ctx)
	var streams *fsm.Manager[*benthos.Config, benthos.Observed]
	if all.Engine != "" {
		if streams, err = benthos.NewManager(tree, benthos.Options{Engine: all.Engine}, fsm.Config{}); err != nil {
			return err
		}
		go streams.Run(ctx)
	}
	for {
		fmt.Println("declared services:", services.Apply(ctx, all.Services))
		if streams != nil {
			fmt.Println("declared streams:", streams.Apply(ctx, all.Streams))
		}
		for {
			harness.Wait(50 * time.Millisecond)
			text, now, err := read()
			if err == nil && text != last {
				last, all = text, now
				break
			}
		}
	}
}

// chaos is a world to which things happen.
type chaos struct {
	*world
	random  *rand.Rand
	began   time.Time
	file    string // outside of what is full at times
	want    wanted
	program *exec.Cmd
	ended   chan struct{}
	keepers []string // nothing is done to these
	targets []string
	stopped []int // by SIGSTOP
	story   []string
}

// TestChaos lets things happen to a tree and its program, some fifty a minute
// where it is asked for at length, and judges by the process table, by the files
// and by what the services themselves witness.
func TestChaos(t *testing.T) {
	c := newChaos(t)
	c.declare()
	c.calm("in the beginning")
	for c.began = time.Now(); time.Until(c.began.Add(*chaosFor)) > 0; {
		c.happens()
		every := time.Duration(float64(time.Minute) / *chaosRate)
		harness.Pause(t, every/2+time.Duration(c.random.Int64N(int64(every))), "it takes its course")
		c.run()
		c.holds()
	}
	c.note("calm returns")
	c.heal()
	c.calm("in the end")
	t.Logf("%d things happened", len(c.story)-1)
}

func newChaos(t *testing.T) *chaos {
	w := newWorld(t)
	c := &chaos{world: w, random: newRandom(t), file: filepath.Join(t.TempDir(), "wanted.json"), began: time.Now()}
	if *chaosDisk {
		require.NoError(t, syscall.Mount("tmpfs", w.Root, "tmpfs", 0, "size=64m"), "a small filesystem needs root")
		t.Cleanup(func() {
			harness.KillAll(w.Root)
			require.NoError(t, syscall.Unmount(w.Root, syscall.MNT_DETACH))
		})
	}
	c.want = wanted{Config: w.Config, Services: make(desired), Streams: make(map[string]fsm.Desired[*benthos.Config])}
	if *chaosStreams > 0 {
		c.want.Engine = os.Getenv("EVENKEEL_BENTHOS")
		require.NotEmpty(t, c.want.Engine, "EVENKEEL_BENTHOS has to name an engine")
	}
	for n := range *chaosServices {
		name := fmt.Sprintf("s%03d", n)
		make := []func(string) *s6.Spec{c.probe, c.probe, c.slowProbe, c.probe, c.deafProbe}[n%5]
		spec := make(name)
		spec.StopTimeout = 500 * time.Millisecond
		c.want.Services[name] = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: spec}
		if n%8 == 0 {
			c.keepers = append(c.keepers, name)
		} else {
			c.targets = append(c.targets, name)
		}
	}
	for n := range *chaosStreams {
		name := fmt.Sprintf("b%02d", n)
		c.want.Streams[name] = fsm.Desired[*benthos.Config]{State: benthos.Active, Spec: &benthos.Config{
			MetricsPort: freePort(t),
			Input:       map[string]any{"generate": map[string]any{"interval": "1s", "mapping": `root = "hello"`}},
			Output:      map[string]any{"drop": map[string]any{}},
		}}
		c.targets = append(c.targets, name)
	}
	t.Cleanup(func() {
		if t.Failed() {
			said, _ := os.ReadFile(c.file + ".said") // of a failed test
			t.Logf("what happened:\n%s\nwhat there is: %v\nwhat the programs said at last:\n%s",
				strings.Join(c.story, "\n"), harness.ProcessesOf(c.Root), said[max(0, len(said)-5000):])
		}
		c.end()
	})
	return c
}

func freePort(t testing.TB) uint16 {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

func (c *chaos) note(format string, args ...any) {
	c.story = append(c.story, fmt.Sprintf("%8.3f s  ", time.Since(c.began).Seconds())+fmt.Sprintf(format, args...))
}

// declare writes down what is wanted, and sees to a program that reads it.
func (c *chaos) declare() {
	c.T.Helper()
	data, err := json.Marshal(c.want)
	require.NoError(c.T, err)
	require.NoError(c.T, os.WriteFile(c.file+".new", data, 0o600))
	require.NoError(c.T, os.Rename(c.file+".new", c.file))
	c.run()
}

// run starts the program where there is none.
func (c *chaos) run() {
	c.T.Helper()
	if c.program != nil {
		select {
		case <-c.ended:
		default:
			return
		}
	}
	said, err := os.OpenFile(c.file+".said", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(c.T, err)
	defer said.Close()
	c.program = exec.Command("/proc/self/exe")
	c.program.Env = append(os.Environ(), roleEnv+"=obey", scriptEnv+"="+c.file)
	c.program.Stdout, c.program.Stderr = said, said
	require.NoError(c.T, c.program.Start())
	ended, program := make(chan struct{}), c.program
	c.ended = ended
	go func() {
		defer close(ended)
		_ = program.Wait() // it is killed
	}()
}

// end kills the program.
func (c *chaos) end() {
	if c.program != nil {
		_ = c.program.Process.Kill()
		<-c.ended
		c.program = nil
	}
	for _, pid := range c.stopped {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// signal sends a signal to the holder of a lock.
func (c *chaos) signal(what, lock string, signal syscall.Signal) {
	state, err := supervise.LockHolder(lock)
	if err == nil && state.PID > 1 {
		c.note("%v to %s, process %d", signal, what, state.PID)
		_ = syscall.Kill(state.PID, signal) // it may have ended
	}
}

// happens lets one thing happen.
func (c *chaos) happens() {
	name := c.targets[c.random.IntN(len(c.targets))]
	dir := filepath.Join(c.Config.ServicesDir, name)
	switch c.random.IntN(14) {
	case 0, 1:
		c.signal("service "+name, filepath.Join(dir, "data/lock"), syscall.SIGKILL)
	case 2:
		c.signal("logger of "+name, filepath.Join(c.Config.LogsDir, name, "lock"), syscall.SIGKILL)
	case 3:
		c.signal("supervisor of "+name, filepath.Join(dir, "supervise/lock"), syscall.SIGKILL)
	case 4:
		c.signal("supervisor of the logger of "+name, filepath.Join(dir, "log/supervise/lock"), syscall.SIGKILL)
	case 5:
		c.signal("s6-svscan", filepath.Join(c.Config.ScanDir, ".s6-svscan/lock"), syscall.SIGKILL)
	case 6:
		c.note("SIGKILL to the program")
		_ = c.program.Process.Kill()
		<-c.ended
	case 7:
		if state, err := supervise.LockHolder(filepath.Join(dir, "data/lock")); err == nil && state.PID > 1 {
			c.note("SIGSTOP to service %s, process %d", name, state.PID)
			_ = syscall.Kill(state.PID, syscall.SIGSTOP) // it may have ended
			c.stopped = append(c.stopped, state.PID)
		}
	case 8, 9:
		c.change(name)
	case 10:
		c.refused(name)
	case 11:
		c.damage(name, dir)
	case 12:
		c.note("all that is stopped goes on")
		for _, pid := range c.stopped {
			_ = syscall.Kill(pid, syscall.SIGCONT) // it may have ended
		}
		c.stopped = nil
	case 13:
		c.fill()
	}
}

// change asks for something else of a service.
func (c *chaos) change(name string) {
	d, ok := c.want.Services[name]
	if !ok {
		return
	}
	if d.State = s6.Running; c.random.IntN(3) == 0 {
		d.State = s6.Stopped
	}
	d.Spec = version(d.Spec, fmt.Sprint(c.random.IntN(100)))
	c.want.Services[name] = d
	c.note("%s is to be %s, version %s", name, d.State, d.Spec.Env["VERSION"])
	c.declare()
}

// refused asks for something that is refused: what ran goes on, and it is taken
// back.
func (c *chaos) refused(name string) {
	d, ok := c.want.Services[name]
	if !ok {
		return
	}
	c.note("a declaration of %s that is refused", name)
	c.want.Services[name] = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: with(d.Spec, func(s *s6.Spec) { s.StopSignal = "NONE" })}
	c.declare()
	harness.Pause(c.T, 300*time.Millisecond, "it is refused")
	c.want.Services[name] = d
	c.declare()
}

// damage does to a service directory what is done to files.
func (c *chaos) damage(name, dir string) {
	file := []string{"run", "log/run", "data/manifest.json", "data/hash", "timeout-kill", "supervise/status"}[c.random.IntN(6)]
	switch c.random.IntN(5) {
	case 0:
		c.note("truncate %s of %s", file, name)
		_ = os.Truncate(filepath.Join(dir, file), 0) // it may be missing
	case 1:
		c.note("chmod 000 %s of %s", file, name)
		_ = os.Chmod(filepath.Join(dir, file), 0)
	case 2:
		c.note("rm %s of %s", file, name)
		_ = os.Remove(filepath.Join(dir, file))
	case 3:
		c.note("rm -rf %s/log", name)
		_ = os.RemoveAll(filepath.Join(dir, "log"))
	case 4:
		c.note("rm -rf %s", name)
		_ = os.RemoveAll(dir)
	}
}

// fill leaves no room for a while.
func (c *chaos) fill() {
	if !*chaosDisk {
		return
	}
	d := time.Duration(500+c.random.IntN(2000)) * time.Millisecond
	c.note("the disk is full for %v", d)
	filler := filepath.Join(c.Root, "filler")
	if out, err := os.Create(filler); err == nil {
		buf := make([]byte, 1<<16)
		for err == nil {
			_, err = out.Write(buf)
		}
		out.Close()
	}
	harness.Pause(c.T, d, "there is no room")
	_ = os.Remove(filler) // where it could be made
}

// holds checks what must hold at any time.
func (c *chaos) holds() {
	c.T.Helper()
	for name := range c.want.Services {
		if doubles, err := os.ReadFile(filepath.Join(c.Root, "probes", name, "doubles")); err == nil {
			assert.Fail(c.T, "two processes of "+name, "%s of %v", doubles, c.starts(name))
		}
	}
	for _, name := range c.keepers {
		assert.Len(c.T, c.starts(name), 1, "nothing was done to %s", name)
	}
	if c.T.Failed() {
		c.T.FailNow()
	}
}

// heal ends what would keep things as they are, and declares all anew.
func (c *chaos) heal() {
	_ = os.Remove(filepath.Join(c.Root, "filler"))
	for _, pid := range c.stopped {
		_ = syscall.Kill(pid, syscall.SIGCONT) // it may have ended
	}
	c.stopped = nil
	c.declare()
}

// calm waits until everything is as declared and nothing else is there, as seen
// from outside.
func (c *chaos) calm(when string) {
	c.T.Helper()
	harness.Eventually(c.T, "all is as declared "+when, func() error {
		c.run()
		return c.seen()
	})
	c.holds()
}

// seen says what is not as declared.
func (c *chaos) seen() error {
	processes := make(map[string][]int) // by service
	supervisors := make(map[string]int)
	for _, p := range harness.ProcessesOf(c.Root) {
		name, _ := filepath.Rel(c.Config.ServicesDir, p.Dir)
		if p.Is("s6-supervise") {
			supervisors[p.Args[1]]++
		} else if state, err := supervise.LockHolder(filepath.Join(p.Dir, "data/lock")); err == nil && state.PID == p.PID {
			processes[name] = append(processes[name], p.PID)
		}
	}
	wantSupervised := 0
	look := func(name string, runs bool) error {
		wantSupervised += 2
		if supervisors[name] != 1 || supervisors[name+"/log"] != 1 {
			return fmt.Errorf("%s has %d supervisors, its logger %d", name, supervisors[name], supervisors[name+"/log"])
		}
		if got := len(processes[name]); (got == 1) != runs || got > 1 {
			return fmt.Errorf("%s is to run (%v) and has the processes %v", name, runs, processes[name])
		}
		if state, err := supervise.LockHolder(filepath.Join(c.Config.LogsDir, name, "lock")); err != nil || state.PID == 0 {
			return fmt.Errorf("%s has no logger: %w", name, err)
		}
		return nil
	}
	for name, d := range c.want.Services {
		if err := look(name, d.State == s6.Running); err != nil {
			return err
		}
		if d.State == s6.Running {
			if v := d.Spec.Env["VERSION"]; v != "" && !slices.Contains(harness.Environ(processes[name][0]), "VERSION="+v) {
				return fmt.Errorf("%s does not run as version %s", name, v)
			}
		}
		if living := c.living(name); len(living) != len(processes[name]) {
			return fmt.Errorf("of %s live %v, its process is %v", name, living, processes[name])
		}
	}
	for name, d := range c.want.Streams {
		if err := look(name, true); err != nil {
			return err
		}
		answer, err := http.Get("http://" + d.Spec.EndpointAddr() + "/ready")
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s is not ready: %s", name, answer.Status)
		}
	}
	if len(supervisors) != wantSupervised {
		return fmt.Errorf("there are supervisors of %d, wanted are %d", len(supervisors), wantSupervised)
	}
	for _, dir := range []string{c.Config.ServicesDir, c.Config.ScanDir} {
		if names := visible(c.T, dir); len(names) != wantSupervised/2 {
			return fmt.Errorf("%s holds %v", dir, names)
		}
	}
	return nil
}

// living returns the processes of a probe that live.
func (c *chaos) living(name string) (pids []int) {
	probe := "PROBE=" + filepath.Join(c.Root, "probes", name)
	for _, pid := range c.starts(name) {
		if p, err := proc.System.Read(pid); err == nil && p.State != "Z" && slices.Contains(harness.Environ(pid), probe) {
			pids = append(pids, pid)
		}
	}
	return pids
}
