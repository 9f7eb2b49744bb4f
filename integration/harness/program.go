package harness

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Output collects what a process prints.
type Output struct {
	mu   sync.Mutex // guards data
	data []byte
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.data = append(o.data, p...)
	return len(p), nil
}

// String returns what was printed so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.data)
}

// Program is a run of a program. It has ended when the test has.
type Program struct {
	T testing.TB
	// Cmd is what was started. Its ProcessState belongs to another goroutine
	// until the program has ended.
	Cmd            *exec.Cmd
	Stdout, Stderr *Output

	ended chan struct{}
}

// Start runs a program and collects what it prints, unless the command says
// where that goes. The program ends at a hangup, unless it sees to that itself,
// although the tests may have been started to ignore one, as by nohup.
func Start(t testing.TB, cmd *exec.Cmd) *Program {
	t.Helper()
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // what is caught is not passed on
	}
	p := &Program{T: t, Cmd: cmd, Stdout: new(Output), Stderr: new(Output), ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = p.Stdout
	}
	if cmd.Stderr == nil {
		cmd.Stderr = p.Stderr
	}
	cmd.WaitDelay = time.Second // what it has started may hold its outputs
	require.NoError(t, cmd.Start())
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // ProcessState tells
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended where the test has not failed
		<-p.ended
		if t.Failed() {
			t.Logf("%s\nstdout:\n%s\nstderr:\n%s", cmd, p.Stdout, p.Stderr)
		}
	})
	return p
}

// PID returns the id of the process.
func (p *Program) PID() int { return p.Cmd.Process.Pid }

// Runs reports whether the program has not ended.
func (p *Program) Runs() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Signal sends the program a signal.
func (p *Program) Signal(signal os.Signal) {
	p.T.Helper()
	require.NoError(p.T, p.Cmd.Process.Signal(signal))
}

// End waits until the program has ended by itself and returns its exit code.
func (p *Program) End() int {
	p.T.Helper()
	return p.EndWithin(Patience)
}

// EndWithin is End for a program that itself takes long.
func (p *Program) EndWithin(within time.Duration) int {
	p.T.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		p.Signal(syscall.SIGQUIT) // for its stacks
		<-p.ended
		require.FailNow(p.T, "it does not end", "%s\n%s", p.Stdout, p.Stderr)
	}
	return p.Cmd.ProcessState.ExitCode()
}

// Slay kills the program, if it has not ended.
func (p *Program) Slay() {
	p.T.Helper()
	if err := p.Cmd.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		require.NoError(p.T, err)
	}
	<-p.ended
}

// Says waits until the program has printed a line.
func (p *Program) Says(line string) {
	p.T.Helper()
	Eventually(p.T, "it says "+line, func() bool {
		ended := !p.Runs()
		said := strings.Contains("\n"+p.Stdout.String(), "\n"+line+"\n")
		if ended && !said {
			require.FailNow(p.T, "it ended before it said: "+line, p.Stderr.String())
		}
		return said
	})
}

// AsNobody makes a command run as nobody, if the test runs as root. It returns
// the user that the command runs as.
func AsNobody(t testing.TB, cmd *exec.Cmd) (uid, gid int) {
	t.Helper()
	if os.Getuid() != 0 {
		return os.Getuid(), os.Getgid()
	}
	nobody, err := user.Lookup("nobody")
	require.NoError(t, err)
	uid, err = strconv.Atoi(nobody.Uid)
	require.NoError(t, err)
	gid, err = strconv.Atoi(nobody.Gid)
	require.NoError(t, err)
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return uid, gid
}

// OpenToAll lets every user reach and read what is named.
func OpenToAll(t testing.TB, paths ...string) {
	t.Helper()
	for _, path := range paths {
		for ; path != os.TempDir() && path != "/"; path = filepath.Dir(path) {
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.NoError(t, os.Chmod(path, info.Mode().Perm()|0o055))
		}
	}
}
