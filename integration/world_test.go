//go:build integration

package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

type (
	desired  = map[string]fsm.Desired[*s6.Spec]
	services = fsm.Manager[*s6.Spec, s6.Observed]
)

// world is a world of plain services.
type world struct {
	*harness.World[*s6.Spec, s6.Observed]
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return &world{harness.NewWorld[*s6.Spec, s6.Observed](t)}
}

// start makes a world with its tree and manager running.
func start(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	w.Open()
	w.manage()
	return w
}

// manage runs a manager of the tree's services.
func (w *world) manage() {
	w.T.Helper()
	w.manageOn(w.Tree)
}

func (w *world) manageOn(tree s6.Tree) {
	w.T.Helper()
	w.Manage(func(config fsm.Config) (*services, error) { return s6.NewManager(tree, config) })
}

// run declares what is to run, and nothing else, and waits for it.
func (w *world) run(specs map[string]*s6.Spec) {
	w.T.Helper()
	w.Run(running(specs))
}

func running(specs map[string]*s6.Spec) desired {
	d := make(desired)
	for name, spec := range specs {
		d[name] = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: spec}
	}
	return d
}

// pid returns the process that the tree says is the service's, having made
// sure that there is one. A process may have begun before its supervisor says so, and
// may have been replaced since.
func (w *world) pid(name string) int {
	w.T.Helper()
	var status supervise.Status
	harness.Eventually(w.T, name+" is up", func() (err error) {
		status, err = w.Tree.Status(w.Service(name))
		if err == nil && (!status.Up() || !harness.Alive(status.PID)) {
			err = fmt.Errorf("its status is %+v", status)
		}
		return err
	})
	require.NotZero(w.T, w.supervisor(w.Service(name)), name)
	return status.PID
}

// supervisor returns the s6-supervise of a service directory, 0 for none.
func (w *world) supervisor(service string) int {
	w.T.Helper()
	state, err := w.Tree.Supervisor(service)
	require.NoError(w.T, err)
	return state.PID
}

// svscan returns the s6-svscan of the scan directory.
func (w *world) svscan() int {
	w.T.Helper()
	state, err := supervise.LockHolder(filepath.Join(w.Config.ScanDir, ".s6-svscan", "lock"))
	require.NoError(w.T, err)
	require.NotZero(w.T, state.PID)
	return state.PID
}

// leftovers lists the names in the services directory that are not those of
// services.
func (w *world) leftovers() (found []string) {
	w.T.Helper()
	require.NoError(w.T, filepath.WalkDir(w.Config.ServicesDir, func(name string, e os.DirEntry, err error) error {
		if err == nil && e.Name()[0] == '.' && e.Name() != ".lock" {
			found = append(found, name)
		}
		return err
	}))
	return found
}

// A probe is a service that witnesses, independently of s6 and of evenkeel,
// that it is the only process of its instance. Each of its processes takes a
// lock and reports if it finds the lock taken. It is ready once it has
// reported.

// probe returns the spec of a service that runs until it is told to end.
func (w *world) probe(name string) *s6.Spec {
	return w.probeAs(name, "", "exec sleep 1000000")
}

const runsUntilTrapped = "while :; do sleep 0.05 9>&-; done"

// slowProbe returns the spec of a probe that takes its time to end.
func (w *world) slowProbe(name string) *s6.Spec {
	return w.probeAs(name, "trap 'sleep 0.15 9>&-; exit 0' TERM", runsUntilTrapped)
}

// deafProbe returns the spec of a probe that ends only when it is killed.
func (w *world) deafProbe(name string) *s6.Spec {
	return w.probeAs(name, "trap '' TERM", runsUntilTrapped)
}

// probeAs returns the spec of a probe that does something before and after it
// is ready.
func (w *world) probeAs(name, before, after string) *s6.Spec {
	dir := filepath.Join(w.Root, "probes", name)
	require.NoError(w.T, os.MkdirAll(dir, 0o755))
	// A process that has just died may not have released everything yet, but it
	// has no program any more.
	script := before + `
exec 9>>"$PROBE/lock"
flock -w 0.06 9 || {
	readlink "/proc/$(tail -n 1 "$PROBE/starts")/exe" >/dev/null && echo $$ >>"$PROBE/doubles"
	flock 9
}
echo $$ >>"$PROBE/starts"
echo >&3
exec 3>&-
` + after
	return &s6.Spec{
		Command: []string{"sh", "-c", script},
		Env:     map[string]string{"PROBE": dir},
		Ready:   s6.Readiness{FD: 3},
	}
}

// starts returns all processes that a probe has ever had.
func (w *world) starts(name string) (pids []int) {
	w.T.Helper()
	data, err := os.ReadFile(filepath.Join(w.Root, "probes", name, "starts"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(w.T, err)
	for line := range strings.Lines(string(data)) {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		require.NoError(w.T, err)
		pids = append(pids, pid)
	}
	return pids
}

// single checks that a probe never had two processes at once and now has one:
// the one that s6 names.
func (w *world) single(name string) {
	w.T.Helper()
	assert.NoFileExists(w.T, filepath.Join(w.Root, "probes", name, "doubles"))
	pid := w.pid(name)
	harness.Eventually(w.T, fmt.Sprintf("%d is the one process of %s", pid, name), func() bool {
		return slices.Equal(w.living(name), []int{pid})
	})
}

// living returns the processes that a probe has started and that live. The id of
// one that has ended may be that of another probe's by now.
func (w *world) living(name string) (pids []int) {
	w.T.Helper()
	probe := "PROBE=" + filepath.Join(w.Root, "probes", name)
	for _, p := range w.starts(name) {
		// The environment cannot be read while a process becomes another program.
		if harness.Alive(p) && slices.Contains(harness.Environ(p), probe) {
			pids = append(pids, p)
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}

// runsAs waits until a service's process is seen to be of a version.
func (w *world) runsAs(name, v string) {
	w.T.Helper()
	harness.Eventually(w.T, name+" runs as version "+v, func() bool { return slices.Contains(harness.Environ(w.pid(name)), "VERSION="+v) })
}

// with returns a copy of a spec that was changed.
func with(spec *s6.Spec, change func(*s6.Spec)) *s6.Spec {
	changed := *spec
	changed.Env = make(map[string]string)
	for k, v := range spec.Env {
		changed.Env[k] = v
	}
	change(&changed)
	return &changed
}

// version returns a changed copy of a spec, which needs another process.
func version(spec *s6.Spec, v string) *s6.Spec {
	return with(spec, func(s *s6.Spec) { s.Env["VERSION"] = v })
}
