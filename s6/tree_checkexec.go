package s6

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/filesystem"
)

const (
	// maxAnswer is how much is read of an answer.
	maxAnswer = 16 << 10
	// bodyPatience is for the body of an answer, which decides nothing: it is for
	// what the process says of a failure, and so that the process can write it.
	bodyPatience = 100 * time.Millisecond
)

// checkers are the commands of checks that run. The zero value has none.
type checkers struct {
	mu      sync.Mutex // guards the three below
	closed  bool
	running map[string]int // by service: the leader of a process group, negative once it is being reaped
	ended   chan struct{}  // closed and replaced when one of them has ended
}

// checker is one command.
type checker struct {
	cmd  *exec.Cmd
	user string // whom it is to become, empty for nobody else
	said printout
}

// exec runs the command of a check, and returns an error unless that exits with
// 0 before ctx ends. What is in its process group is killed before exec returns,
// and the end of that awaited for a while.
func (c *checkers) exec(ctx context.Context, tools Tools, service string, spec *Spec) error {
	cmd, err := checkCommand(tools, service, spec)
	if err != nil {
		return err
	}
	one := &checker{cmd: cmd, user: spec.User}
	cmd.Stdout, cmd.Stderr = &one.said, &one.said
	// What has left the process group may hold the pipe open.
	cmd.WaitDelay = bodyPatience
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.awaitLast(service)
	began := time.Now()
	over, err := c.begin(service, one)
	if err != nil {
		return err
	}
	select {
	case err = <-over:
		return one.verdict(err)
	case <-ctx.Done():
	}
	c.kill(service, cmd.Process.Pid)
	select {
	case <-over:
	case <-time.After(unkilledPatience):
		return fmt.Errorf("it did not end in %v, was killed, and has not ended for that%s", time.Since(began).Round(10*time.Millisecond), one.said.after())
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return fmt.Errorf("it did not end in %v%s", spec.Check.timeout(), one.said.after())
}

// awaitLast waits for a moment for an earlier command of the service to be gone:
// one whose process was replaced has been killed just now.
func (c *checkers) awaitLast(service string) {
	timer := time.NewTimer(killedPatience)
	defer timer.Stop()
	for {
		c.mu.Lock()
		running, ended := c.running[service] != 0, c.ended
		c.mu.Unlock()
		if !running {
			return
		}
		select {
		case <-ended:
		case <-timer.C:
			return
		}
	}
}

// begin starts a command, and sees to its end; over is told how that went.
func (c *checkers) begin(service string, one *checker) (over chan error, err error) {
	over = make(chan error, 1)
	started := make(chan error)
	go func() {
		// The kernel takes the end of this thread for that of the parent.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.start(service, one.cmd)
		started <- err
		if err != nil {
			return
		}
		pid := one.cmd.Process.Pid
		awaitExit(pid)
		c.kill(service, pid) // what it has left
		c.reap(service, pid)
		err = one.reap()
		c.finished(service)
		over <- err
	}()
	return over, <-started
}

// start starts a command, unless an earlier one of the service is still there or
// the tree is closed.
func (c *checkers) start(service string, cmd *exec.Cmd) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if pid := c.running[service]; pid != 0 {
		return fmt.Errorf("%w: process %d of the last one was killed, and has not ended", ErrNoCheck, max(pid, -pid))
	}
	if c.closed {
		return fmt.Errorf("%w: the tree is closed", ErrNoCheck)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: %w", ErrNoCheck, err)
	}
	if c.running == nil {
		c.running, c.ended = make(map[string]int), make(chan struct{})
	}
	c.running[service] = cmd.Process.Pid
	return nil
}

// kill kills the process group of a command that has not been reaped.
func (c *checkers) kill(service string, pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[service] == pid {
		_ = unix.Kill(-pid, unix.SIGKILL) // or it has ended
	}
}

// reap says that a command is being reaped: its id may be that of another group
// from now on.
func (c *checkers) reap(service string, pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[service] = -pid
}

func (c *checkers) finished(service string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, service)
	close(c.ended)
	c.ended = make(chan struct{})
}

// end kills all commands, lets no other begin, and waits until ctx ends for them
// to be gone.
func (c *checkers) end(ctx context.Context) {
	for {
		c.mu.Lock()
		c.closed = true
		for pid := range maps.Values(c.running) {
			if pid > 0 {
				_ = unix.Kill(-pid, unix.SIGKILL)
			}
		}
		left, ended := len(c.running), c.ended
		c.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return
		}
	}
}

// awaitExit waits until a child has ended, and leaves it to be reaped: its id, and
// that of its group, are its own until then.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// reap reaps a command that has ended. Where this program is the one that orphans
// go to, as process 1 is, it reaps what was left in the process group as well.
func (o *checker) reap() error {
	group := o.cmd.Process.Pid
	err := o.cmd.Wait()
	for range 20 {
		pid, reapErr := unix.Wait4(-group, nil, unix.WNOHANG, nil)
		if reapErr != nil && !errors.Is(reapErr, unix.EINTR) {
			break // ECHILD: there are none
		}
		if pid == 0 {
			time.Sleep(poll)
		}
	}
	return err
}

// verdict says how the command failed, if it did.
func (o *checker) verdict(err error) error {
	state := o.cmd.ProcessState
	switch {
	case state == nil:
		return fmt.Errorf("%w: %w", ErrNoCheck, err)
	case state.Success():
		return nil
	}
	said := o.said.last()
	for _, part := range []string{"s6-setuidgid", "s6-envuidgid", "s6-applyuidgid"} { // it becomes the others
		if o.user != "" && strings.HasPrefix(said, part+": fatal: ") {
			return fmt.Errorf("%w: this program cannot become %s: %s: run it as root, or give a check by http or tcp", ErrNoCheck, o.user, said)
		}
	}
	how := fmt.Sprintf("exited with %d", state.ExitCode())
	if wait, ok := state.Sys().(syscall.WaitStatus); ok && wait.Signaled() {
		how = fmt.Sprintf("ended by signal %d (%v)", int(wait.Signal()), wait.Signal())
	}
	return errors.New(how + o.said.after())
}

// checkCommand returns the command of a check with all that it is to have. A
// command that is not there is an error.
func checkCommand(tools Tools, service string, spec *Spec) (*exec.Cmd, error) {
	dir := spec.workingDir(service)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%w: its directory, %s, is not there: %w", ErrNoCheck, dir, cmp.Or(errors.Unwrap(err), error(syscall.ENOTDIR)))
	}
	program, problem, err := spec.lookUp(filesystem.OS{}, service, spec.Check.Exec[0])
	if err != nil || problem != "" {
		return nil, fmt.Errorf("%w: %w", ErrNoCheck, errors.Join(err, textError(problem)))
	}
	args := asUser(spec, tools, append([]string{program}, spec.Check.Exec[1:]...))
	cmd := exec.Command(args[0], args[1:]...)
	if args[0] == program {
		cmd.Args[0] = spec.Check.Exec[0]
	}
	cmd.Dir, cmd.Env = dir, os.Environ()
	for _, name := range slices.Sorted(maps.Keys(spec.Env)) {
		cmd.Env = append(cmd.Env, name+"="+spec.Env[name])
	}
	return cmd, nil
}

func textError(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// printout keeps the end of what a command prints.
type printout struct {
	mu   sync.Mutex // guards text
	text []byte
}

// Write implements io.Writer.
func (w *printout) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	if over := len(w.text) - maxAnswer; over > 0 {
		w.text = append(w.text[:0], w.text[over:]...)
	}
	return len(p), nil
}

// last returns the last line that is not empty.
func (w *printout) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(w.text)), "\n")
	return shortened(lines[len(lines)-1], maxProblem)
}

// after is that line as it follows on what happened.
func (w *printout) after() string {
	if line := w.last(); line != "" {
		return ": " + line
	}
	return ""
}
