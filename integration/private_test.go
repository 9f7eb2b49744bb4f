//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

func TestPrivateTreeIsStartedOnceAndFoundAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := w.context()
	defer cancel()
	tree, started, err := s6.StartPrivate(ctx, w.config)
	require.NoError(t, err)
	assert.True(t, started)
	w.tree = tree
	first := w.svscan()
	p, err := proc.System.Read(first)
	require.NoError(t, err)
	assert.Equal(t, w.config.ScanDir, p.Dir)
	session, err := syscall.Getpgid(first)
	require.NoError(t, err)
	assert.Equal(t, first, session, "a terminal's interrupt does not reach it")

	require.NoError(t, tree.Close())
	w.tree, started, err = s6.StartPrivate(ctx, w.config)
	require.NoError(t, err)
	assert.False(t, started)
	assert.Equal(t, first, w.svscan())
	require.NoError(t, w.tree.Close())

	w.tree, err = s6.Attach(w.config)
	require.NoError(t, err)
	require.NoError(t, w.tree.Shutdown(ctx))
	gone(t, first)
	noneLeft(t, w.root)
	require.NoError(t, w.tree.Shutdown(ctx), "twice is no harm")
}

func TestRelativeDirectories(t *testing.T) {
	w := newWorld(t)
	t.Chdir(w.root)
	absolute := w.config
	w.config = s6.TreeConfig{ScanDir: "scan", ServicesDir: "./services/", LogsDir: "x/../logs"}
	w.open()
	w.config = absolute
	assert.Equal(t, s6.Layout{ScanDir: absolute.ScanDir, ServicesDir: absolute.ServicesDir, LogsDir: absolute.LogsDir}, w.tree.Layout())
	w.manage()
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	w.single("a")
}

func TestAttachNeedsSomebodyWhoServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	check := func() {
		_, err := s6.Attach(w.config)
		require.ErrorIs(t, err, supervise.ErrNotSupervised)
		assert.ErrorContains(t, err, fmt.Sprintf("no s6-svscan serves %s: start one with", w.config.ScanDir))
	}
	check()
	require.NoError(t, os.Mkdir(w.config.ScanDir, 0o755))
	check()
	w.open()
	slay(t, w.svscan())
	require.NoError(t, w.tree.Close())
	w.tree = nil
	for _, p := range processesOf(w.root) { // where it was replaced meanwhile
		_ = syscall.Kill(p.PID, syscall.SIGKILL)
		gone(t, p.PID)
	}
	check()
}

func TestSecondProgramIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.startManager(running(map[string]*s6.Spec{"a": w.probe("a")}))
	m.until(t, "done")
	ctx, cancel := w.context()
	defer cancel()
	_, _, err := s6.StartPrivate(ctx, w.config)
	var held *supervise.LockHeldError
	require.ErrorAs(t, err, &held)
	assert.Equal(t, m.cmd.Process.Pid, held.PID)
	assert.ErrorContains(t, err, fmt.Sprintf("process %d holds it", held.PID))
	_, err = s6.Attach(w.config)
	require.ErrorAs(t, err, &held)
	// Other directories under the same s6-svscan are another matter.
	other := w.config
	other.ServicesDir = filepath.Join(w.root, "other services")
	tree, err := s6.Attach(other)
	require.NoError(t, err)
	require.NoError(t, tree.Close())

	m.kill()
	w.open()
	w.pid("a")
}

func TestToolsAreLookedFor(t *testing.T) {
	real := needS6(t)
	empty := t.TempDir()
	some := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(real.Dir, "s6-svscan"), filepath.Join(some, "s6-svscan")))
	whole := t.TempDir()
	entries, err := filepath.Glob(filepath.Join(real.Dir, "s6-*"))
	require.NoError(t, err)
	for _, e := range entries {
		require.NoError(t, os.Symlink(e, filepath.Join(whole, filepath.Base(e))))
	}

	t.Setenv("PATH", whole)
	tools, err := s6.FindTools()
	require.NoError(t, err)
	assert.Equal(t, whole, tools.Dir)

	// A directory that lacks some is passed over, PATH need not name any.
	for _, path := range []string{some, empty, ""} {
		t.Setenv("PATH", path)
		tools, err = s6.FindTools()
		require.NoError(t, err)
		assert.Contains(t, []string{"/command", "/usr/bin", "/bin", "/usr/local/bin"}, tools.Dir)
	}
}

func TestMissingToolsAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Tools.Dir = filepath.Join(w.root, "nothing")
	ctx, cancel := w.context()
	defer cancel()
	_, _, err := s6.StartPrivate(ctx, w.config)
	assert.ErrorContains(t, err, filepath.Join(w.config.Tools.Dir, "s6-svscan"))
	assert.ErrorContains(t, err, "apt-get install s6")
}

// It is not parallel: a process that another test starts could have the program
// open that is written here, and it could not be run.
func TestScannerThatEndsAtOnceIsTold(t *testing.T) {
	w := newWorld(t)
	w.config.Tools.Dir = filepath.Join(w.root, "tools")
	require.NoError(t, os.Mkdir(w.config.Tools.Dir, 0o755))
	real := needS6(t)
	for _, program := range []string{"s6-supervise", "s6-log", "s6-setlock", "s6-envdir", "s6-softlimit", "s6-setuidgid", "s6-notifyoncheck"} {
		require.NoError(t, os.Symlink(filepath.Join(real.Dir, program), filepath.Join(w.config.Tools.Dir, program)))
	}
	svscan := filepath.Join(w.config.Tools.Dir, "s6-svscan")
	require.NoError(t, os.WriteFile(svscan, []byte("#!/bin/sh\necho nothing doing >&2; exit 1\n"), 0o755))
	ctx, cancel := w.context()
	defer cancel()
	_, _, err := s6.StartPrivate(ctx, w.config)
	require.ErrorContains(t, err, "it ended at once")
	said := filepath.Join(w.config.ScanDir, ".stderr")
	assert.ErrorContains(t, err, said)
	data, err := os.ReadFile(said)
	require.NoError(t, err)
	assert.Equal(t, "nothing doing\n", string(data))

	// One that never serves.
	require.NoError(t, os.WriteFile(svscan, []byte("#!/bin/sh\nexec sleep 1000000\n"), 0o755))
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	_, _, err = s6.StartPrivate(short, w.config)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	eventually(t, patience, "it is gone", func() bool { return len(processesOf(w.root)) == 0 })

	// The lock was given up each time.
	w.config.Tools = s6.Tools{}
	w.open()
}

func TestDanglingLinkDoesNotKeepTheTreeFromStarting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, os.Mkdir(w.config.ScanDir, 0o755))
	require.NoError(t, os.Symlink(filepath.Join(w.root, "gone"), filepath.Join(w.config.ScanDir, "dangling")))
	require.NoError(t, os.WriteFile(filepath.Join(w.config.ScanDir, "file"), nil, 0o644))
	w.open()
	assert.False(t, exists(t, filepath.Join(w.config.ScanDir, "dangling")))
	w.manage()
	w.run(map[string]*s6.Spec{"a": w.probe("a")})

	// While it runs, too.
	require.NoError(t, os.Symlink(filepath.Join(w.root, "gone"), filepath.Join(w.config.ScanDir, "dangling")))
	w.run(map[string]*s6.Spec{"a": w.probe("a"), "b": w.probe("b")})
	w.unmanage()
	ctx, cancel := w.context()
	defer cancel()
	require.NoError(t, w.tree.Shutdown(ctx))
	noneLeft(t, w.root)
}

// request is what the role "private" is to do, as a user without privileges.
type request struct {
	Config s6.TreeConfig
	Spec   *s6.Spec
}

const requestEnv = "EVENKEEL_TEST_REQUEST"

// playPrivate runs one service under a private tree until it is ready, says
// which process that is, and shuts the tree down when its input ends.
func playPrivate() error {
	var r request
	if err := json.Unmarshal([]byte(os.Getenv(requestEnv)), &r); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tree, _, err := s6.StartPrivate(ctx, r.Config)
	if err != nil {
		return err
	}
	services, err := s6.NewManager(tree, fsm.Config{})
	if err != nil {
		return errors.Join(err, tree.Close())
	}
	go services.Run(ctx)
	if err := reach(ctx, services, running(map[string]*s6.Spec{"a": r.Spec})); err != nil {
		return errors.Join(err, tree.Close())
	}
	a, _ := services.Instance("a")
	fmt.Println(a.Observed.PID())
	_, err = fmt.Scanln()
	return errors.Join(ignoreEOF(err), tree.Shutdown(ctx), tree.Close())
}

func ignoreEOF(err error) error {
	if err != nil && strings.Contains(err.Error(), "EOF") {
		return nil
	}
	return err
}

// asNobody returns a command of this test's program with the privileges of
// nobody, or as it is where there are none to lose.
func (w *world) asNobody(r request) *exec.Cmd {
	w.t.Helper()
	data, err := json.Marshal(r)
	require.NoError(w.t, err)
	w.openToAll()
	cmd := exec.Command(w.program())
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), roleEnv+"=private", requestEnv+"="+string(data))
	if os.Getuid() == 0 {
		nobody, err := user.Lookup("nobody")
		require.NoError(w.t, err)
		uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
		require.NoError(w.t, err)
		gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
		require.NoError(w.t, err)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	return cmd
}

func TestPrivateTreeNeedsNoPrivileges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, os.Mkdir(filepath.Join(w.root, "nobody"), 0o755))
	require.NoError(t, os.Chmod(filepath.Join(w.root, "nobody"), 0o777))
	for _, dir := range []*string{&w.config.ScanDir, &w.config.ServicesDir, &w.config.LogsDir} {
		*dir = filepath.Join(w.root, "nobody", filepath.Base(*dir))
	}
	spec := &s6.Spec{
		Command:     []string{"sh", "-c", "cat config/x; id -u; echo >&4; exec sleep 1000000"},
		Env:         map[string]string{"X": "y"},
		ConfigFiles: map[string]string{"x": "from a file\n"},
		Limits:      s6.Limits{OpenFiles: 100},
		Ready:       s6.Readiness{FD: 4},
	}
	cmd := w.asNobody(request{w.config, spec})
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var pid int
	_, err = fmt.Fscan(stdout, &pid)
	require.NoError(t, err)
	owner, err := proc.System.Owner(pid)
	require.NoError(t, err)
	uid := os.Getuid()
	if cmd.SysProcAttr != nil {
		uid = int(cmd.SysProcAttr.Credential.Uid)
	}
	assert.Equal(t, uid, owner)
	eventually(t, patience, "its log", func() bool { return len(w.texts("a")) == 2 })
	assert.Equal(t, []string{"from a file", strconv.Itoa(uid)}, w.texts("a"))
	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait())
	noneLeft(t, w.root)
}

func TestDirectoriesThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for name, which := range map[string]func(*s6.TreeConfig) *string{
		"scan":     func(c *s6.TreeConfig) *string { return &c.ScanDir },
		"services": func(c *s6.TreeConfig) *string { return &c.ServicesDir },
		"logs":     func(c *s6.TreeConfig) *string { return &c.LogsDir },
	} {
		for _, there := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, which is there: %v", name, there), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				open, closed := filepath.Join(w.root, "open"), filepath.Join(w.root, "closed")
				require.NoError(t, os.Mkdir(open, 0o755))
				require.NoError(t, os.Chmod(open, 0o777))
				config := s6.TreeConfig{ScanDir: open + "/scan", ServicesDir: open + "/services", LogsDir: open + "/logs"}
				dir := which(&config)
				*dir = filepath.Join(closed, "dir")
				require.NoError(t, os.Mkdir(closed, 0o555))
				if there {
					require.NoError(t, os.Chmod(closed, 0o755))
					require.NoError(t, os.Mkdir(*dir, 0o555))
				}
				said, err := w.asNobody(request{config, w.probe("a")}).CombinedOutput()
				require.Error(t, err)
				assert.Contains(t, string(said), *dir)
				assert.Contains(t, string(said), "permission denied")
				assert.Contains(t, string(said), "user")
				assert.Equal(t, 1, strings.Count(string(said), "\n"), "one sentence: %s", said)
				noneLeft(t, w.root)
			})
		}
	}
}

func TestDirectoriesThatAreNotThree(t *testing.T) {
	t.Parallel()
	needS6(t)
	dir := t.TempDir()
	for _, config := range []s6.TreeConfig{
		{},
		{ScanDir: dir + "/scan", ServicesDir: dir + "/services"},
		{ScanDir: dir + "/scan", ServicesDir: dir + "/scan/", LogsDir: dir + "/logs"},
		{ScanDir: dir + "/scan", ServicesDir: dir + "/services", LogsDir: dir + "/services"},
	} {
		_, err := s6.Attach(config)
		assert.ErrorContains(t, err, "ScanDir, ServicesDir and LogsDir must")
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}
