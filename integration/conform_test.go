//go:build integration

package integration

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/s6test/conform"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// examined is a real tree as the conformance suite sees it. Nothing starts
// another s6-svscan in it.
type examined struct {
	*s6.SystemTree
	t       testing.TB
	version s6test.Version
}

// conformPatience bounds what takes a few seconds at most, so that one difference
// does not hide those after it for long.
const conformPatience = 20 * time.Second

func examine(t *testing.T) *examined {
	t.Helper()
	root := harness.NewRoot(t)
	e := &examined{t: t, version: versionOf(t)}
	config := s6.TreeConfig{ScanDir: filepath.Join(root, "scan"), ServicesDir: filepath.Join(root, "services"), LogsDir: filepath.Join(root, "logs")}
	require.NoError(t, os.Mkdir(config.ScanDir, 0o755))
	t.Cleanup(func() { harness.KillAll(root) })
	e.startIn(config.ScanDir)
	harness.Eventually(t, "it can be attached to", func() (err error) {
		e.SystemTree, err = s6.Attach(config)
		return err
	})
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

// versionOf returns the version of s6 on this machine: none of its tools says.
func versionOf(t testing.TB) s6test.Version {
	t.Helper()
	tools := harness.NeedS6(t)
	var exit *exec.ExitError
	require.ErrorAs(t, exec.Command(filepath.Join(tools.Dir, "s6-svc"), "-u", t.TempDir()).Run(), &exit)
	if exit.ExitCode() == 102 { // from 2.14 on
		return s6test.V215
	}
	// Up to 2.12 -c is for the number of services, from 2.13 on -C is known.
	said, _ := exec.Command(filepath.Join(tools.Dir, "s6-svstat"), "-o", "pgid", t.TempDir()).CombinedOutput()
	if bytes.Contains(said, []byte("invalid")) {
		return s6test.V211
	}
	return s6test.V213
}

func (e *examined) startIn(scanDir string) {
	e.t.Helper()
	cmd := exec.Command(filepath.Join(harness.NeedS6(e.t).Dir, "s6-svscan"), scanDir)
	stderr, err := os.OpenFile(filepath.Join(scanDir, ".stderr"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(e.t, err)
	defer stderr.Close()
	cmd.Stdout, cmd.Stderr = stderr, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	require.NoError(e.t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is killed
	}()
	e.t.Cleanup(func() {
		harness.KillAll(filepath.Dir(scanDir))
		<-ended
	})
}

func (e *examined) Version() s6test.Version { return e.version }

func (e *examined) StartSvscan() { e.startIn(e.Layout().ScanDir) }

func (e *examined) KillSvscan() {
	state, err := supervise.LockHolder(filepath.Join(e.Layout().ScanDir, ".s6-svscan", "lock"))
	require.NoError(e.t, err)
	harness.Slay(e.t, state.PID)
}

func (e *examined) Eventually(what string, so func() error) {
	e.t.Helper()
	harness.EventuallyWithin(e.t, conformPatience, what, so)
}

func (e *examined) Pause(d time.Duration, why string) { harness.Pause(e.t, d, why) }

// Program writes a shell script that does what the program says.
func (e *examined) Program(service string, p s6test.Program) {
	var b strings.Builder
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
	signals := []string{"TERM", "INT", "HUP", "QUIT", "ALRM", "ABRT", "USR1", "USR2"}
	fmt.Fprint(&b, "#!/bin/sh\nulimit -c 0\n")
	for _, line := range p.Prints {
		fmt.Fprintf(&b, "echo '%s'\n", line)
	}
	for _, signal := range signals {
		switch {
		case p.Deaf:
			fmt.Fprintf(&b, "trap '' %s\n", signal)
		case p.StopAfter > 0:
			fmt.Fprintf(&b, "trap 'sleep %s; trap - %s; kill -%s $$' %s\n", seconds(p.StopAfter), signal, signal, signal)
		}
	}
	fmt.Fprint(&b, "echo $$ >begun\n")
	if p.ReadyAfter >= 0 {
		fmt.Fprintf(&b, "sleep %s\ntest ! -e notification-fd || echo >&3\n", seconds(p.ReadyAfter))
	}
	switch {
	case p.RunFor > 0:
		fmt.Fprintf(&b, "sleep %s\nexit %d\n", seconds(p.RunFor), p.ExitCode)
	case p.StopAfter > 0:
		fmt.Fprint(&b, "while :; do sleep 0.02; done\n")
	default:
		fmt.Fprint(&b, "exec sleep 1000000\n")
	}
	finish := fmt.Sprintf("#!/bin/sh\nsleep %s\nexit %d\n", seconds(p.FinishFor), p.FinishCode)
	for file, script := range map[string]string{"program": b.String(), "finish-program": finish} {
		// Whoever runs the old one has it open for reading.
		require.NoError(e.t, e.FS().ReplaceFile(path.Join(e.Layout().Service(service), file), []byte(script), 0o755))
	}
}

// Begun asks the program, which writes down its id.
func (e *examined) Begun(service string, pid int) bool {
	begun, err := e.FS().ReadFile(path.Join(e.Layout().Service(service), "begun"))
	return err == nil && string(begun) == fmt.Sprintln(pid)
}

func (e *examined) Stopped(pid int) bool { return harness.Stopped(pid) }

// Print writes into the pipe that is the process's standard output.
func (e *examined) Print(service, line string) error {
	holder, err := e.Process(e.Layout().Service(service))
	if err != nil || !holder.Held {
		return fmt.Errorf("it does not run: %w", err)
	}
	out, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/1", holder.PID), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = out.WriteString(line + "\n")
	return err
}

// dirOf returns the directory of a service or of a logger.
func (e *examined) dirOf(name string) string {
	service, _, logger := strings.Cut(name, "/")
	if logger {
		return path.Join(e.Layout().Service(service), "log")
	}
	return e.Layout().Service(service)
}

func (e *examined) KillSupervisor(name string) error {
	state, err := e.Supervisor(e.dirOf(name))
	if err != nil || !state.Held {
		return errors.Join(err, supervise.ErrNotSupervised)
	}
	harness.Slay(e.t, state.PID)
	return nil
}

func (e *examined) Kill(name string, signal syscall.Signal) error {
	status, err := e.Status(e.dirOf(name))
	if err != nil || !status.Up() {
		return errors.Join(err, syscall.ESRCH)
	}
	return syscall.Kill(status.PID, signal)
}

// TestConforms plays on real s6 what s6/s6test plays in memory: where the two
// differ, the tree in memory is wrong.
func TestConforms(t *testing.T) {
	t.Parallel()
	for _, scenario := range conform.Scenarios() {
		t.Run(scenario.Name, func(t *testing.T) {
			t.Parallel()
			scenario.Play(t, examine(t))
		})
	}
}
