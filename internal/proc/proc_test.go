package proc

import (
	"io/fs"
	"maps"
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
	"golang.org/x/sys/unix"
)

// noPID is above every limit of the kernel's.
const noPID = 1<<22 + 1

// start runs a program that waits until its standard input ends.
func start(t *testing.T) *exec.Cmd {
	cmd := exec.Command("cat")
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"A=1", "B=two words", "C="}
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait() // a test may have done so
	})
	// It is what it is to be once it answers: before, it may have no arguments yet.
	_, err = stdin.Write([]byte{'x'})
	require.NoError(t, err)
	_, err = stdout.Read(make([]byte, 1))
	require.NoError(t, err)
	return cmd
}

func TestReadAProcess(t *testing.T) {
	cmd := start(t)
	got, err := System.Read(cmd.Process.Pid)
	require.NoError(t, err)
	assert.Equal(t, Process{
		PID: cmd.Process.Pid, Parent: os.Getpid(), Group: unix.Getpgrp(), Started: got.Started, State: got.State,
		Args: []string{"cat"}, Dir: cmd.Dir, Program: got.Program,
	}, got)
	assert.True(t, got.Is("cat"))
	assert.False(t, got.Is("tac"))
	assert.NotEmpty(t, got.Program)
	assert.True(t, got.In(cmd.Dir))
	assert.True(t, got.In(filepath.Dir(cmd.Dir)))
	assert.True(t, got.In("/"))
	assert.False(t, got.In(strings.TrimSuffix(cmd.Dir, cmd.Dir[len(cmd.Dir)-1:])), "a directory whose name begins alike")

	all, err := System.All()
	require.NoError(t, err)
	assert.True(t, slices.ContainsFunc(all, func(p Process) bool { return p.PID == cmd.Process.Pid && p.Dir == cmd.Dir }))
	assert.True(t, slices.IsSortedFunc(all, func(a, b Process) int { return a.PID - b.PID }))
	for _, dir := range []string{cmd.Dir, filepath.Dir(cmd.Dir)} {
		under, err := System.Under(dir)
		require.NoError(t, err)
		require.Len(t, under, 1)
		assert.Equal(t, cmd.Process.Pid, under[0].PID)
	}
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(cmd.Dir, link))
	under, err := System.UnderReal(link)
	require.NoError(t, err)
	require.Len(t, under, 1)
	assert.Equal(t, cmd.Process.Pid, under[0].PID)
	assert.False(t, under[0].OfS6())
	_, err = System.UnderReal(link + "/nowhere")
	require.ErrorIs(t, err, fs.ErrNotExist)
	under, err = System.Under(filepath.Join(cmd.Dir, "nowhere"))
	require.NoError(t, err)
	assert.Empty(t, under)

	before, err := SinceBoot()
	require.NoError(t, err)
	uptime, err := System.Uptime()
	require.NoError(t, err)
	assert.InDelta(t, before.Seconds(), uptime.Seconds(), 60, "of this machine they are the same")

	parent, err := System.Parent(cmd.Process.Pid)
	require.NoError(t, err)
	assert.Equal(t, os.Getpid(), parent)
	owner, err := System.Owner(cmd.Process.Pid)
	require.NoError(t, err)
	assert.Equal(t, os.Geteuid(), owner)
	environ, err := System.Environ(cmd.Process.Pid)
	require.NoError(t, err)
	assert.Equal(t, cmd.Env, environ)
	command, err := System.Command(cmd.Process.Pid)
	require.NoError(t, err)
	assert.Equal(t, "cat", command)
}

// A process group is there for as long as one of its processes is.
func TestGroup(t *testing.T) {
	leader := exec.Command("sh", "-c", "sleep 1000 & sleep 1000")
	leader.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	before, err := SinceBoot()
	require.NoError(t, err)
	require.NoError(t, leader.Start())
	id := leader.Process.Pid
	defer func() { _ = syscall.Kill(-id, syscall.SIGKILL) }()
	var members []Process
	require.Eventually(t, func() bool {
		members, err = System.Group(id)
		require.NoError(t, err)
		return len(members) == 3
	}, time.Minute, time.Millisecond)
	after, err := SinceBoot()
	require.NoError(t, err)
	for _, p := range members {
		assert.Equal(t, id, p.Group)
		assert.Greater(t, p.Started, before-2*Tick)
		assert.Less(t, p.Started, after)
		started, err := System.Start(p.PID)
		require.NoError(t, err)
		assert.Equal(t, p.Started, started)
	}
	require.NoError(t, leader.Process.Kill())
	_ = leader.Wait()
	left, err := System.Group(id)
	require.NoError(t, err)
	assert.Equal(t, pidsOf(members[1:]), pidsOf(left))
	require.NoError(t, syscall.Kill(-id, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		left, err := System.Group(id)
		require.NoError(t, err)
		return len(left) == 0
	}, time.Minute, time.Millisecond)
}

func pidsOf(all []Process) (pids []int) {
	for _, p := range all {
		pids = append(pids, p.PID)
	}
	return pids
}

func TestLimits(t *testing.T) {
	got, err := System.Limits(os.Getpid())
	require.NoError(t, err)
	var want unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_CORE, &want))
	assert.Equal(t, want.Cur, got.CoreFileSize)
}

func TestEphemeralPorts(t *testing.T) {
	first, last, err := System.EphemeralPorts()
	require.NoError(t, err)
	assert.Positive(t, first)
	assert.Greater(t, last, first)
}

func TestThatThereIsNoProcessIsToldApart(t *testing.T) {
	calls := map[string]func(pid int) error{
		"Read":      func(pid int) error { _, err := System.Read(pid); return err },
		"Parent":    func(pid int) error { _, err := System.Parent(pid); return err },
		"ReadPipes": func(pid int) error { _, err := System.ReadPipes(pid); return err },
		"Start":     func(pid int) error { _, err := System.Start(pid); return err },
		"Owner":     func(pid int) error { _, err := System.Owner(pid); return err },
		"Environ":   func(pid int) error { _, err := System.Environ(pid); return err },
		"Limits":    func(pid int) error { _, err := System.Limits(pid); return err },
		"Command":   func(pid int) error { _, err := System.Command(pid); return err },
		"Holds":     func(pid int) error { _, err := System.Holds(pid, "pipe:[1]"); return err },
		"Open":      func(pid int) error { _, err := System.Open(pid); return err },
	}
	for name, call := range calls {
		require.ErrorIs(t, call(noPID), fs.ErrNotExist, name)
	}
}

// A process that nobody has reaped does not run any more.
func TestAProcessThatHasEndedIsNotThere(t *testing.T) {
	cmd := start(t)
	require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
	var info unix.Siginfo
	require.NoError(t, unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil))
	_, err := System.Read(cmd.Process.Pid)
	require.ErrorIs(t, err, fs.ErrNotExist)
	parent, err := System.Parent(cmd.Process.Pid)
	require.NoError(t, err)
	assert.Equal(t, os.Getpid(), parent, "it has a parent until it is reaped")
}

func TestHolds(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	self, err := System.Open(os.Getpid())
	require.NoError(t, err)
	defer self.Close()
	pipe, err := self.Descriptor(int(r.Fd()))
	require.NoError(t, err)
	require.Regexp(t, `^pipe:\[\d+\]$`, pipe)

	held, err := System.Holds(os.Getpid(), "pipe:[0]", pipe)
	require.NoError(t, err)
	assert.True(t, held)
	require.NoError(t, r.Close())
	require.NoError(t, w.Close())
	held, err = System.Holds(os.Getpid(), pipe)
	require.NoError(t, err)
	assert.False(t, held)
}

func TestReadPipes(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	defer r.Close()
	cmd := exec.Command("sleep", "1000")
	cmd.ExtraFiles = []*os.File{r}
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	self, err := System.Open(os.Getpid())
	require.NoError(t, err)
	defer self.Close()
	pipe, err := self.Descriptor(int(r.Fd()))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		got, err := System.ReadPipes(cmd.Process.Pid)
		require.NoError(t, err)
		return maps.Equal(got, map[int]string{3: pipe})
	}, time.Minute, time.Millisecond)
	got, err := System.ReadPipes(os.Getpid())
	require.NoError(t, err)
	assert.NotContains(t, got, int(r.Fd()), "it has the other end too")
}

// What could not be read is not known to be absent.
func TestADescriptorThatCannotBeReadIsAnError(t *testing.T) {
	root := t.TempDir()
	fds := filepath.Join(root, "7", "fd")
	require.NoError(t, os.MkdirAll(fds, 0o755))
	require.NoError(t, os.Symlink("socket:[1]", filepath.Join(fds, "0")))
	held, err := FS(root).Holds(7, "socket:[1]")
	require.NoError(t, err)
	assert.True(t, held)
	require.NoError(t, os.WriteFile(filepath.Join(fds, "1"), nil, 0o600)) // no link: EINVAL
	_, err = FS(root).Holds(7, "socket:[2]")
	assert.ErrorContains(t, err, "cannot read the descriptors of process 7: ")
}

func TestUnread(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	_, err = w.WriteString("four")
	require.NoError(t, err)
	h, err := System.Open(os.Getpid())
	require.NoError(t, err)
	defer h.Close()
	waiting, err := h.Unread(int(r.Fd()))
	require.NoError(t, err)
	assert.Equal(t, 4, waiting)
	_, err = h.Unread(9999)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// A handle is no other process's, whatever id that has.
func TestHandle(t *testing.T) {
	cmd := start(t)
	h, err := System.Open(cmd.Process.Pid)
	require.NoError(t, err)
	defer h.Close()
	waiting, err := h.Unread(0)
	require.NoError(t, err)
	assert.Zero(t, waiting)
	_, err = h.Descriptor(99)
	require.ErrorIs(t, err, fs.ErrNotExist)

	exists, err := h.Exists()
	require.NoError(t, err)
	assert.True(t, exists)
	require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
	_ = cmd.Wait()
	exists, err = h.Exists()
	require.NoError(t, err)
	assert.False(t, exists)
	_, err = h.Descriptor(0)
	require.ErrorIs(t, err, syscall.ESRCH)
	_, err = h.OpenDescriptor(0, unix.O_RDONLY)
	require.Error(t, err)
}
