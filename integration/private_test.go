//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

func TestPrivateTreeIsStartedOnceAndFoundAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := w.Context()
	defer cancel()
	tree, started, err := s6.StartPrivate(ctx, w.Config)
	require.NoError(t, err)
	assert.True(t, started)
	w.Tree = tree
	first := w.svscan()
	p, err := proc.System.Read(first)
	require.NoError(t, err)
	assert.Equal(t, w.Config.ScanDir, p.Dir)
	session, err := syscall.Getpgid(first)
	require.NoError(t, err)
	assert.Equal(t, first, session, "a terminal's interrupt does not reach it")

	require.NoError(t, tree.Close())
	w.Tree, started, err = s6.StartPrivate(ctx, w.Config)
	require.NoError(t, err)
	assert.False(t, started)
	assert.Equal(t, first, w.svscan())
	require.NoError(t, w.Tree.Close())

	w.Tree, err = s6.Attach(w.Config)
	require.NoError(t, err)
	require.NoError(t, w.Tree.Shutdown(ctx))
	harness.Gone(t, first)
	harness.NoneLeft(t, w.Root)
	require.NoError(t, w.Tree.Shutdown(ctx), "twice is no harm")
}

func TestRelativeDirectories(t *testing.T) {
	w := newWorld(t)
	t.Chdir(w.Root)
	absolute := w.Config
	w.Config = s6.TreeConfig{ScanDir: "scan", ServicesDir: "./services/", LogsDir: "x/../logs"}
	w.Open()
	w.Config = absolute
	assert.Equal(t, s6.Layout{ScanDir: absolute.ScanDir, ServicesDir: absolute.ServicesDir, LogsDir: absolute.LogsDir}, w.Tree.Layout())
	w.manage()
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	w.single("a")
}

func TestAttachNeedsSomebodyWhoServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	check := func() {
		_, err := s6.Attach(w.Config)
		require.ErrorIs(t, err, supervise.ErrNotSupervised)
		assert.ErrorContains(t, err, fmt.Sprintf("no s6-svscan serves %s: start one with", w.Config.ScanDir))
	}
	check()
	require.NoError(t, os.Mkdir(w.Config.ScanDir, 0o755))
	check()
	w.Open()
	harness.Slay(t, w.svscan())
	require.NoError(t, w.Tree.Close())
	w.Tree = nil
	for _, p := range harness.ProcessesOf(w.Root) { // where it was replaced meanwhile
		_ = syscall.Kill(p.PID, syscall.SIGKILL)
		harness.Gone(t, p.PID)
	}
	check()
}

func TestSecondProgramIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.startManager(running(map[string]*s6.Spec{"a": w.probe("a")}))
	m.Says("done")
	ctx, cancel := w.Context()
	defer cancel()
	_, _, err := s6.StartPrivate(ctx, w.Config)
	var held *supervise.LockHeldError
	require.ErrorAs(t, err, &held)
	assert.Equal(t, m.PID(), held.PID)
	assert.ErrorContains(t, err, fmt.Sprintf("process %d holds it", held.PID))
	_, err = s6.Attach(w.Config)
	require.ErrorAs(t, err, &held)
	// Other directories under the same s6-svscan are not concerned.
	other := w.Config
	other.ServicesDir = filepath.Join(w.Root, "other services")
	tree, err := s6.Attach(other)
	require.NoError(t, err)
	require.NoError(t, tree.Close())

	m.Slay()
	w.Open()
	w.pid("a")
}

func TestToolsAreLookedFor(t *testing.T) {
	real := harness.NeedS6(t)
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

	// A directory that lacks some programs is skipped, and PATH need not name
	// any.
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
	w.Config.Tools.Dir = filepath.Join(w.Root, "nothing")
	ctx, cancel := w.Context()
	defer cancel()
	_, _, err := s6.StartPrivate(ctx, w.Config)
	assert.ErrorContains(t, err, filepath.Join(w.Config.Tools.Dir, "s6-svscan"))
	assert.ErrorContains(t, err, "apt-get install s6")
}

// It is not parallel: a process that another test starts could hold open the
// program that is written here, and then the program could not be run.
func TestScannerThatEndsAtOnceIsTold(t *testing.T) {
	w := newWorld(t)
	w.Config.Tools.Dir = filepath.Join(w.Root, "tools")
	require.NoError(t, os.Mkdir(w.Config.Tools.Dir, 0o755))
	real := harness.NeedS6(t)
	for _, program := range []string{"s6-supervise", "s6-log", "s6-setlock", "s6-envdir", "s6-softlimit", "s6-setuidgid", "s6-notifyoncheck", "s6-svstat", "s6-svc"} {
		require.NoError(t, os.Symlink(filepath.Join(real.Dir, program), filepath.Join(w.Config.Tools.Dir, program)))
	}
	svscan := filepath.Join(w.Config.Tools.Dir, "s6-svscan")
	require.NoError(t, os.WriteFile(svscan, []byte("#!/bin/sh\necho nothing doing >&2; exit 1\n"), 0o755))
	ctx, cancel := w.Context()
	defer cancel()
	_, _, err := s6.StartPrivate(ctx, w.Config)
	require.ErrorContains(t, err, "it ended at once")
	said := filepath.Join(w.Config.ScanDir, ".stderr")
	assert.ErrorContains(t, err, said)
	data, err := os.ReadFile(said)
	require.NoError(t, err)
	assert.Equal(t, "nothing doing\n", string(data))

	// An s6-svscan that never serves.
	require.NoError(t, os.WriteFile(svscan, []byte("#!/bin/sh\nexec sleep 1000000\n"), 0o755))
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	_, _, err = s6.StartPrivate(short, w.Config)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	harness.Eventually(t, "it is gone", func() bool { return len(harness.ProcessesOf(w.Root)) == 0 })

	// The lock was released each time.
	w.Config.Tools = s6.Tools{}
	w.Open()
}

func TestDanglingLinkDoesNotKeepTheTreeFromStarting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, os.Mkdir(w.Config.ScanDir, 0o755))
	require.NoError(t, os.Symlink(filepath.Join(w.Root, "gone"), filepath.Join(w.Config.ScanDir, "dangling")))
	require.NoError(t, os.WriteFile(filepath.Join(w.Config.ScanDir, "file"), nil, 0o644))
	w.Open()
	assert.False(t, harness.Exists(t, filepath.Join(w.Config.ScanDir, "dangling")))
	w.manage()
	w.run(map[string]*s6.Spec{"a": w.probe("a")})

	// While it runs, too.
	require.NoError(t, os.Symlink(filepath.Join(w.Root, "gone"), filepath.Join(w.Config.ScanDir, "dangling")))
	w.run(map[string]*s6.Spec{"a": w.probe("a"), "b": w.probe("b")})
	w.Unmanage()
	ctx, cancel := w.Context()
	defer cancel()
	require.NoError(t, w.Tree.Shutdown(ctx))
	harness.NoneLeft(t, w.Root)
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
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
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
// nobody, or unchanged if there are no privileges to lose, and the user that it
// runs as.
func (w *world) asNobody(r request) (cmd *exec.Cmd, uid int) {
	w.T.Helper()
	data, err := json.Marshal(r)
	require.NoError(w.T, err)
	harness.OpenToAll(w.T, w.Root)
	cmd = exec.Command(w.program())
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), roleEnv+"=private", requestEnv+"="+string(data))
	uid, _ = harness.AsNobody(w.T, cmd)
	return cmd, uid
}

func TestPrivateTreeNeedsNoPrivileges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, os.Mkdir(filepath.Join(w.Root, "nobody"), 0o755))
	require.NoError(t, os.Chmod(filepath.Join(w.Root, "nobody"), 0o777))
	for _, dir := range []*string{&w.Config.ScanDir, &w.Config.ServicesDir, &w.Config.LogsDir} {
		*dir = filepath.Join(w.Root, "nobody", filepath.Base(*dir))
	}
	spec := &s6.Spec{
		Command:     []string{"sh", "-c", "cat config/x; id -u; echo >&4; exec sleep 1000000"},
		Env:         map[string]string{"X": "y"},
		ConfigFiles: map[string]string{"x": "from a file\n"},
		Limits:      s6.Limits{OpenFiles: 100},
		Ready:       s6.Readiness{FD: 4},
	}
	cmd, uid := w.asNobody(request{w.Config, spec})
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	p := harness.Start(t, cmd)
	var pid int
	harness.Eventually(t, "it says which process is ready", func() error {
		_, err := fmt.Sscanln(p.Stdout.String(), &pid)
		return err
	})
	owner, err := proc.System.Owner(pid)
	require.NoError(t, err)
	assert.Equal(t, uid, owner)
	harness.Eventually(t, "its log", func() bool { return len(w.texts("a")) == 2 })
	assert.Equal(t, []string{"from a file", strconv.Itoa(uid)}, w.texts("a"))
	require.NoError(t, stdin.Close())
	assert.Zero(t, p.End())
	harness.NoneLeft(t, w.Root)
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
				open, closed := filepath.Join(w.Root, "open"), filepath.Join(w.Root, "closed")
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
				cmd, _ := w.asNobody(request{config, w.probe("a")})
				said, err := cmd.CombinedOutput()
				require.Error(t, err)
				assert.Contains(t, string(said), *dir)
				assert.Contains(t, string(said), "permission denied")
				assert.Contains(t, string(said), "user")
				assert.Equal(t, 1, strings.Count(string(said), "\n"), "one sentence: %s", said)
				harness.NoneLeft(t, w.Root)
			})
		}
	}
}

func TestDirectoriesThatAreNotThree(t *testing.T) {
	t.Parallel()
	harness.NeedS6(t)
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

// TestLimitIsRaisedWhereATreeIsStarted: a private tree takes more services than
// s6-svscan does by itself, and may open the files for their loggers.
func TestLimitIsRaisedWhereATreeIsStarted(t *testing.T) {
	t.Parallel()
	w := start(t)
	limits, err := w.Tree.Limits()
	require.NoError(t, err)
	require.Len(t, limits, 3)
	assert.GreaterOrEqual(t, limits[0].Most/(limits[0].PerService+limits[0].PerLogger), 10000)
	assert.Contains(t, limits[2].Name, "this program may open", "which hears of each service by a file")
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	harness.Slay(t, w.svscan())
	harness.Eventually(t, "another s6-svscan serves", func() bool { return w.Tree.Served() == nil })
	again, err := w.Tree.Limits()
	require.NoError(t, err)
	require.Len(t, again, 3)
	assert.Equal(t, limits[0].Most, again[0].Most)
	assert.Equal(t, limits[1].Most, again[1].Most)
}

// TestLimitOfAnotherIsNamed: an s6-svscan that somebody else has started has no
// room for all that is declared.
func TestLimitOfAnotherIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, os.Mkdir(w.Config.ScanDir, 0o755))
	tools := harness.NeedS6(t)
	svscan := exec.Command(filepath.Join(tools.Dir, "s6-svscan"), "-c", "4", w.Config.ScanDir)
	require.NoError(t, svscan.Start())
	go func() { _ = svscan.Wait() }() // the world's end is also its end
	harness.Eventually(t, "it can be attached to", func() (err error) {
		w.Tree, err = s6.Attach(w.Config)
		return err
	})
	w.manage()
	specs := make(map[string]*s6.Spec)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		specs[name] = w.probe(name)
	}
	err := w.Apply(running(specs))
	require.ErrorIs(t, err, s6.ErrRoom)
	assert.ErrorContains(t, err, fmt.Sprintf(`refused "d": there is no room for it: s6-svscan (pid %d) on %s takes 4 services (-c): start that s6-svscan with -`, svscan.Process.Pid, w.Config.ScanDir))
	assert.ErrorContains(t, err, `refused "e"`)
	w.Await(fsm.PhaseRunning, "a", "b", "c")
	for _, name := range []string{"a", "b", "c"} {
		w.single(name)
	}
}
