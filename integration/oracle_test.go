//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// situation is a state that a service can be in.
type situation struct {
	name  string
	files map[string]string
	// reach brings a service, which has come up, into the situation.
	reach func(t *testing.T, w *world, service string)
	// is reports whether a view is of that situation.
	is func(v view) bool
}

const sleeps = "#!/bin/sh\nexec sleep 1000000\n"

// finishes goes on until the test is over.
const finishes = "#!/bin/sh\nuntil test -e ../over; do sleep 0.05; done\n"

func send(commands ...supervise.Command) func(t *testing.T, w *world, service string) {
	return func(t *testing.T, w *world, service string) { require.NoError(t, w.Tree.Control(service, commands...)) }
}

func stopAndContinue(t *testing.T, w *world, service string) {
	require.NoError(t, w.Tree.Control(service, supervise.CommandStop))
	harness.Eventually(t, "it is paused", func() bool { return w.bySystem(service).Status.Paused })
	require.NoError(t, w.Tree.Control(service, supervise.CommandCont))
}

var situations = []situation{
	{name: "never up", files: map[string]string{"run": sleeps, "down": ""},
		is: func(v view) bool { return !v.Status.Up() && !v.Status.WantUp && v.AskedDown }},
	{name: "up", files: map[string]string{"run": sleeps},
		is: func(v view) bool { return v.Status.Up() && v.Status.WantUp && !v.Status.Ready }},
	{name: "ready", files: map[string]string{"run": "#!/bin/sh\necho >&4\nexec sleep 1000000\n", "notification-fd": "4\n"},
		is: func(v view) bool { return v.Status.Up() && v.Status.Ready }},
	{name: "paused", files: map[string]string{"run": sleeps}, reach: send(supervise.CommandStop),
		is: func(v view) bool { return v.Status.Up() && v.Status.Paused }},
	{name: "continued", files: map[string]string{"run": sleeps}, reach: stopAndContinue,
		is: func(v view) bool { return v.Status.Up() && !v.Status.Paused }},
	{name: "up once", files: map[string]string{"run": sleeps}, reach: send(supervise.CommandOnce),
		is: func(v view) bool { return v.Status.Up() && !v.Status.WantUp }},
	{name: "finishing", files: map[string]string{"run": sleeps, "finish": finishes, "timeout-finish": "0\n"},
		reach: send(supervise.CommandDown),
		is:    func(v view) bool { return v.Status.Finishing && v.Status.PID != 0 && !v.Status.WantUp }},
	{name: "finishing to start again", files: map[string]string{"run": "#!/bin/sh\nexit 9\n", "finish": finishes, "timeout-finish": "0\n"},
		is: func(v view) bool {
			return v.Status.Finishing && v.Status.WantUp && v.Status.WaitStatus.ExitCode() == 9 && len(v.Deaths) > 0
		}},
	{name: "down", files: map[string]string{"run": sleeps}, reach: send(supervise.CommandDown),
		is: func(v view) bool { return v.Status.FinishDone() && v.Status.WaitStatus.Signal() == syscall.SIGTERM }},
	{name: "killed and down", files: map[string]string{"run": sleeps}, reach: send(supervise.CommandOnceAtMost, supervise.CommandKill),
		is: func(v view) bool { return v.Status.FinishDone() && v.Status.WaitStatus.Signal() == syscall.SIGKILL }},
	{name: "crashed and waiting", files: map[string]string{"run": "#!/bin/sh\nexit 3\n"},
		is: func(v view) bool {
			return v.Status.PID == 0 && v.Status.WantUp && v.Status.WaitStatus.ExitCode() == 3 && len(v.Deaths) > 1
		}},
	{name: "failed for good", files: map[string]string{"run": "#!/bin/sh\nexit 3\n", "finish": "#!/bin/sh\nexit 125\n"},
		is: func(v view) bool {
			return v.Status.FinishDone() && !v.Status.WantUp && v.Status.WaitStatus.ExitCode() == 3
		}},
	{name: "without a run that can start", files: map[string]string{"other": ""},
		is: func(v view) bool { return v.Supervised.Held && v.Status.WantUp && !v.Status.Up() }},
	{name: "supervisor told to exit", files: map[string]string{"run": sleeps}, reach: send(supervise.CommandDown, supervise.CommandExit),
		is: func(v view) bool { return !v.Supervised.Held }},
	{name: "supervisor killed", files: map[string]string{"run": sleeps},
		reach: func(t *testing.T, w *world, service string) {
			pid := w.bySystem(service).Status.PID
			harness.Slay(t, w.supervisor(service))
			harness.Slay(t, pid)
		},
		is: func(v view) bool { return !v.Supervised.Held }},
}

// One tree is driven through everything a service can be in. At each point the
// library and s6's own tools say the same, field by field.
func TestTreeAgreesWithTheTools(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Open()
	t.Cleanup(func() { assert.NoError(t, os.WriteFile(filepath.Join(w.Config.ServicesDir, "over"), nil, 0o644)) })
	services := make(map[string]string)
	for _, s := range situations {
		services[s.name] = w.makeService(s.name, s.files)
		w.makeService("logged "+s.name, map[string]string{"run": "#!/bin/sh\nexec sleep 1000000\n", "log/run": "#!/bin/sh\nexec cat >/dev/null\n"})
	}
	require.NoError(t, w.Tree.Rescan())
	for _, s := range situations {
		service := services[s.name]
		harness.Eventually(t, s.name+" is supervised", func() bool { return w.bySystem(service).Supervised.Held })
		log := filepath.Join(w.Service("logged "+s.name), "log")
		harness.Eventually(t, s.name+" has a logger", func() bool { return w.bySystem(log).Status.Up() })
	}
	scanner := w.svscan()
	for _, s := range situations {
		t.Run(s.name, func(t *testing.T) {
			service := services[s.name]
			if s.reach != nil {
				harness.Eventually(t, "it is up", func() bool { return w.bySystem(service).Status.Up() })
				// Nothing restarts meanwhile.
				harness.Stop(t, scanner)
				defer harness.Kill(t, scanner, syscall.SIGCONT)
				s.reach(t, w, service)
			}
			// Some change by themselves and come back.
			harness.Eventually(t, "it is there", func() bool { return s.is(w.bySystem(service)) && s.is(w.agreed(service)) })
			log := filepath.Join(w.Service("logged "+s.name), "log")
			assert.True(t, w.agreed(log).Status.Up())
		})
	}
}

func TestTreeAgreesThatNobodyServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Open()
	service := w.makeServiceDir("a", map[string]string{"run": sleeps})
	both := func(ask func(tree s6.Tree) error) {
		assert.ErrorIs(t, ask(w.Tree), supervise.ErrNotSupervised)
		assert.ErrorIs(t, ask(w.oracle()), supervise.ErrNotSupervised)
	}
	both(func(tree s6.Tree) error { return tree.Control(service, supervise.CommandUp) })
	assert.Equal(t, view{}, w.agreed(service))
	require.NoError(t, w.Tree.Served())
	require.NoError(t, w.oracle().Served())
	ctx, cancel := w.Context()
	defer cancel()
	require.NoError(t, w.Tree.Shutdown(ctx))
	both(s6.Tree.Served)
	both(s6.Tree.Rescan)
	both(s6.Tree.Prune)
}

// Each command has the same effect whichever way it is sent.
func TestTreeActsAsTheToolsDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Open()
	commands := [][]supervise.Command{
		{supervise.CommandDown}, {supervise.CommandOnce}, {supervise.CommandOnceAtMost}, {supervise.CommandRestart}, {supervise.CommandStop},
		{supervise.CommandStop, supervise.CommandCont}, {supervise.CommandTerm}, {supervise.CommandKill}, {supervise.CommandInt}, {supervise.CommandHup},
		{supervise.CommandQuit}, {supervise.CommandAlarm}, {supervise.CommandAbort}, {supervise.CommandUsr1}, {supervise.CommandUsr2}, {supervise.CommandWinch},
		{supervise.CommandDown, supervise.CommandExit}, {supervise.CommandDownCreateDown}, {supervise.CommandDown, supervise.CommandUpRemoveDown}, {supervise.CommandUp},
	}
	// Each service writes down which signals it got.
	const run = `#!/bin/sh
ulimit -c 0
for s in TERM INT HUP QUIT ALRM ABRT USR1 USR2 WINCH; do trap "echo $s >>signals; test $s = USR1 || test $s = WINCH || exit 0" $s; done
echo >&3
while :; do sleep 0.02; done
`
	for n := range commands {
		for _, by := range []string{"system", "tools"} {
			w.makeService(fmt.Sprintf("%s %d", by, n), map[string]string{"run": run, "notification-fd": "3\n"})
		}
	}
	require.NoError(t, w.Tree.Rescan())
	require.NoError(t, w.oracle().Rescan())
	ready := func(service string) bool { v := w.bySystem(service); return v.Status.Up() && v.Status.Ready }
	what := func(service string, pid int) string {
		v := w.bySystem(service)
		signals, err := os.ReadFile(filepath.Join(service, "signals"))
		if err != nil {
			require.ErrorIs(t, err, os.ErrNotExist)
		}
		deaths := ""
		if v.Supervised.Held {
			for _, d := range v.Deaths {
				deaths += d[len("@400000000000000000000000"):]
			}
		}
		return fmt.Sprintf("supervised %v, up %v, same process %v, wanted up %v, paused %v, asked down %v, signals %q, deaths%s", v.Supervised.Held,
			v.Status.Up(), v.Status.PID == pid, v.Status.WantUp, v.Status.Paused, v.AskedDown, signals, deaths)
	}
	for n, command := range commands {
		bySystem, byTools := w.Service(fmt.Sprintf("system %d", n)), w.Service(fmt.Sprintf("tools %d", n))
		harness.Eventually(t, "both are ready", func() bool { return ready(bySystem) && ready(byTools) })
		pids := [2]int{w.bySystem(bySystem).Status.PID, w.bySystem(byTools).Status.PID}
		before := what(byTools, pids[1])
		require.NoError(t, w.Tree.Control(bySystem, command...))
		require.NoError(t, w.oracle().Control(byTools, command...))
		if last := command[len(command)-1]; last != supervise.CommandUp && last != supervise.CommandCont { // which leave it as it was
			harness.Eventually(t, fmt.Sprintf("something comes of %q", command), func() bool { return what(byTools, pids[1]) != before })
		}
		// Some restart after a second, and one gets a supervisor again after
		// it.
		same := func() bool { return what(bySystem, pids[0]) == what(byTools, pids[1]) }
		harness.Lasts(t, 150*time.Millisecond, fmt.Sprintf("the same comes of %q", command), same)
		t.Logf("%q: %s", command, what(bySystem, pids[0]))
	}
}

// A manager achieves the same through s6's tools.
func TestManagerOnTheOracle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Open()
	// A pass forks a tool for each question; the time that tools take is
	// theirs.
	w.Settings.PassTimeout = harness.Patience
	w.manageOn(w.oracle())
	specs := map[string]*s6.Spec{"a": w.probe("a"), "b": w.slowProbe("b")}
	w.run(specs)
	a := w.pid("a")
	specs["b"] = version(specs["b"], "2")
	w.run(specs)
	assert.Equal(t, a, w.pid("a"))
	for name := range specs {
		w.single(name)
	}
	w.Declare(desired{"a": {State: s6.Stopped, Spec: specs["a"]}})
	w.Await(fsm.PhaseStopped, "a")
	w.Await(fsm.PhaseRemoved, "b")
	harness.Gone(t, a)
	assert.Empty(t, w.leftovers())
}
