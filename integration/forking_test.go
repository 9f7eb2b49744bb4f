//go:build integration

package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// forkingTree is the oracle: it reads a tree and acts on it through s6's own
// tools, one process for each question. It takes from the process table what
// the tools cannot tell. It shares nothing with SystemTree but the paths and,
// as a tree for a manager, the locks and events, for which s6 has no tool.
type forkingTree struct {
	*s6.SystemTree
	dir string // of the tools
}

var _ s6.Tree = (*forkingTree)(nil)

func (w *world) oracle() *forkingTree {
	return &forkingTree{w.Tree, w.Tree.Tools().Dir}
}

// run runs one of s6's tools; code is its exit code.
func (o *forkingTree) run(tool string, args ...string) (out string, code int, err error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(filepath.Join(o.dir, tool), args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return stdout.String(), exit.ExitCode(), fmt.Errorf("%s: %w: %s", tool, err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), 0, err
}

// Served asks by a command that does nothing: to reap zombies.
func (o *forkingTree) Served() error { return o.svscanctl("-z") }

func (o *forkingTree) svscanctl(options string) error {
	_, code, err := o.run("s6-svscanctl", options, o.Layout().ScanDir)
	if code == 100 {
		return fmt.Errorf("%w: %w", supervise.ErrNotSupervised, err)
	}
	return err
}

func (o *forkingTree) Rescan() error { return o.svscanctl("-a") }
func (o *forkingTree) Prune() error  { return o.svscanctl("-an") }

// Supervisor asks s6-svok, and the process table for the id.
func (o *forkingTree) Supervisor(service string) (supervise.LockState, error) {
	_, code, err := o.run("s6-svok", service)
	if code == 1 {
		return supervise.LockState{}, nil
	}
	if err != nil {
		return supervise.LockState{}, err
	}
	return supervise.LockState{Held: true, PID: supervising(service)}, nil
}

// supervising returns the s6-supervise that works in a service directory.
func supervising(service string) int {
	dir, err := filepath.EvalSymlinks(service)
	if err != nil {
		return 0
	}
	for _, p := range harness.Running(dir, "s6-supervise") {
		if p.Dir == dir {
			return p.PID
		}
	}
	return 0
}

func (o *forkingTree) Control(service string, commands ...supervise.Command) error {
	args := []string{"-", service}
	for _, c := range commands {
		args[0] += string(rune(c))
	}
	_, code, err := o.run("s6-svc", args...)
	if code == 100 || code == 102 { // up to 2.13, from 2.14 on
		return fmt.Errorf("%w: %w", supervise.ErrNotSupervised, err)
	}
	return err
}

// Status asks s6-svstat. It refuses where nobody supervises.
func (o *forkingTree) Status(service string) (supervise.Status, error) {
	out, code, err := o.run("s6-svstat", "-o", "up,wantedup,ready,paused,pid,exitcode,signum,updownsince,readysince", service)
	if code == 1 {
		return supervise.Status{}, &fs.PathError{Op: "s6-svstat", Path: service, Err: fs.ErrNotExist}
	}
	if err != nil {
		return supervise.Status{}, err
	}
	var up, wantUp, ready, paused bool
	var pid, exit, signal int
	var stamp, readyStamp string
	if _, err := fmt.Sscan(out, &up, &wantUp, &ready, &paused, &pid, &exit, &signal, &stamp, &readyStamp); err != nil {
		return supervise.Status{}, fmt.Errorf("cannot read %q: %w", out, err)
	}
	s := supervise.Status{WantUp: wantUp, Paused: paused, Ready: ready, PGID: o.group(service)}
	if s.Stamp, err = supervise.ParseTAI64N(stamp); err != nil {
		return s, err
	}
	if s.ReadyStamp, err = supervise.ParseTAI64N(readyStamp); err != nil {
		return s, err
	}
	switch {
	case up:
		s.PID = pid
	case paused, exit < 0 && signal < 0: // up to 2.14, from 2.15 on
		// For a service that has not been started no tool tells whether it is
		// ready.
		return supervise.Status{NotStarted: true, WantUp: wantUp, Ready: true, Stamp: s.Stamp, ReadyStamp: s.ReadyStamp}, nil
	case exit >= 0:
		s.WaitStatus = supervise.WaitStatus(exit << 8)
	default:
		s.WaitStatus = supervise.WaitStatus(signal)
	}
	if up {
		return s, nil
	}
	// With fields s6-svstat does not tell the readiness of a service that is
	// down; its prose does.
	prose, _, err := o.run("s6-svstat", service)
	s.Ready = strings.Contains(prose, ", ready ")
	if !s.Ready {
		// Then it is finishing, or was never up.
		for _, p := range harness.Children(supervising(service)) {
			s.Finishing, s.PID = true, p.PID
		}
	}
	return s, err
}

// group asks s6-svstat for the process group, 0 where it does not know of any.
func (o *forkingTree) group(service string) (pgid int) {
	out, _, err := o.run("s6-svstat", "-o", "pgid", service)
	if err != nil {
		return 0
	}
	if _, err := fmt.Sscan(out, &pgid); err != nil || pgid < 0 {
		return 0
	}
	return pgid
}

// Deaths asks s6-svdt.
func (o *forkingTree) Deaths(t testing.TB, service string) (deaths []string) {
	t.Helper()
	out, _, err := o.run("s6-svdt", "-s", service)
	require.NoError(t, err)
	for line := range strings.Lines(out) {
		deaths = append(deaths, strings.TrimSpace(line))
	}
	return deaths
}

// view is what can be said of a service, by whatever means.
type view struct {
	Supervised supervise.LockState
	Status     supervise.Status
	Deaths     []string
	AskedDown  bool
}

// asTold writes deaths as s6-svdt does.
func asTold(deaths []supervise.Death) (told []string) {
	for _, d := range deaths {
		how := "exitcode " + strconv.Itoa(d.ExitCode)
		if d.Signal != 0 {
			how = "signal " + strconv.Itoa(int(d.Signal))
		}
		told = append(told, supervise.FormatTAI64N(d.Time)+" "+how)
	}
	return told
}

// bySystem looks at a service as the library does.
func (w *world) bySystem(service string) (v view) {
	w.T.Helper()
	var err error
	v.Supervised, err = w.Tree.Supervisor(service)
	require.NoError(w.T, err)
	if !v.Supervised.Held {
		return v // what s6's tools refuse to read
	}
	v.Status, err = w.Tree.Status(service)
	if errors.Is(err, fs.ErrNotExist) {
		return view{} // its supervisor has only just come
	}
	require.NoError(w.T, err)
	deaths, err := supervise.ReadTally(w.Tree.FS(), service)
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(w.T, err)
	}
	v.Deaths = asTold(deaths)
	if v.Status.Up() {
		// s6-svstat tells of deaths only while the service is down.
		v.Status.WaitStatus = 0
	}
	v.AskedDown = harness.Exists(w.T, filepath.Join(service, "down"))
	return v
}

// byTools looks at a service by s6's tools.
func (w *world) byTools(service string) (v view) {
	w.T.Helper()
	o := w.oracle()
	var err error
	v.Supervised, err = o.Supervisor(service)
	require.NoError(w.T, err)
	if !v.Supervised.Held {
		return v
	}
	v.Status, err = o.Status(service)
	require.NoError(w.T, err)
	v.Deaths = o.Deaths(w.T, service)
	out, _, err := o.run("s6-svstat", "-o", "normallyup", service)
	require.NoError(w.T, err)
	v.AskedDown = strings.TrimSpace(out) == "false"
	return v
}

// agreed looks at a service both ways until both see the same, and the library
// sees it again after the tools. It looks again at what changes meanwhile: that
// may even have returned to where it was.
func (w *world) agreed(service string) (agreed view) {
	w.T.Helper()
	harness.Eventually(w.T, "both see the same of "+service, func() error {
		before := w.bySystem(service)
		told := w.byTools(service)
		if after := w.bySystem(service); fmt.Sprint(before) != fmt.Sprint(after) {
			return fmt.Errorf("it went on from %+v to %+v", before, after)
		}
		if before.Status.PGID == 0 {
			told.Status.PGID = 0 // from 2.14 on only the tool knows it
		}
		if !assert.ObjectsAreEqual(told, before) {
			return fmt.Errorf("the tools say %+v, the library %+v", told, before)
		}
		agreed = before
		return nil
	})
	return agreed
}

// makeService makes a service directory by hand and links it.
func (w *world) makeService(name string, files map[string]string) string {
	w.T.Helper()
	dir := w.makeServiceDir(name, files)
	require.NoError(w.T, os.Symlink(dir, filepath.Join(w.Config.ScanDir, name)))
	return dir
}

// makeServiceDir makes a service directory by hand.
func (w *world) makeServiceDir(name string, files map[string]string) string {
	w.T.Helper()
	dir := w.Service(name)
	require.NoError(w.T, os.MkdirAll(dir, 0o755))
	for file, data := range files {
		require.NoError(w.T, os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755))
		require.NoError(w.T, os.WriteFile(filepath.Join(dir, file), []byte(data), 0o755))
	}
	return dir
}
