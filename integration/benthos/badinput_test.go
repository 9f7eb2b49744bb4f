//go:build integration

package benthos

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// refused runs fivebenthos, which is to end at once with one sentence that says
// why, and leave nothing behind.
func (h *home) refused(cmd *exec.Cmd) (sentence string) {
	h.t.Helper()
	p := h.run(cmd)
	assert.Equal(h.t, 1, p.End())
	assert.Empty(h.t, p.Stdout.String())
	said := p.Stderr.String()
	assert.True(h.t, strings.HasPrefix(said, "fivebenthos: "), said)
	assert.Equal(h.t, 1, strings.Count(said, "\n"), said)
	assert.Empty(h.t, harness.ProcessesOf(h.root))
	return said
}

func TestFlagsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"-instnces", "5"}, "-instnces"},
		{[]string{"-instances", "many"}, `"many"`},
		{[]string{"-instances", "0"}, "-instances must be at least 1"},
		{[]string{"-http-port", "65534"}, "65538"},
		{[]string{"-http-port", "0"}, "must be from 1 to 65535"},
		{[]string{"-http-port", "9000", "-metrics-port", "9004"}, "9004 twice"},
		{[]string{"-duration", "-1s"}, "must not be negative"},
		{[]string{"-duration", "soon"}, `"soon"`},
		{[]string{"-stop-timeout", "0"}, "-stop-timeout must be more than 0"},
		{[]string{"-patience", "-1s"}, "-patience must be more than 0"},
		{[]string{"-metrics", "statsd"}, "statsd"},
		{[]string{"-listen", "not a host"}, "host is neither a host name nor an IP address"},
		{[]string{"verify"}, "only flags"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			assert.Contains(t, h.refused(h.command(c.args...)), c.says)
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	p := h.start("-help")
	assert.Zero(t, p.End())
	assert.Contains(t, p.Stdout.String(), "-scan-dir")
	assert.Empty(t, p.Stderr.String())
}

// s6 is where PATH leads, or else where it usually is, which cannot be removed
// here: a directory with a part of it must not do.
func TestPartOfS6InPath(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	stray := filepath.Join(h.root, "stray")
	require.NoError(t, os.Mkdir(stray, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(stray, "s6-svscan"), []byte("#!/bin/sh\nexit 1\n"), 0o755))
	cmd := h.command()
	cmd.Env = []string{"PATH=" + stray}
	p := h.run(cmd)
	h.serving()
	p.interrupt(syscall.SIGINT)
}

// In a root of its own there is no s6 anywhere.
func TestWithoutS6(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	cmd := exec.Command("go", "build", "-o", filepath.Join(h.root, "fivebenthos"), "../../examples/fivebenthos")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	cmd = h.command("-dir", "/here", "-benthos", "/nothing")
	cmd.Path, cmd.Dir = "/fivebenthos", "/"
	cmd.SysProcAttr.Chroot = h.root
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}}
	}
	assert.Contains(t, h.refused(cmd), `s6 is not installed (there is no`)
}

func TestScanDirThatNobodyServes(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	empty := filepath.Join(h.root, "empty")
	require.NoError(t, os.Mkdir(empty, 0o755))
	says := h.refused(h.command("-scan-dir", empty))
	assert.Contains(t, says, `no s6-svscan serves `+empty+`: start one with "s6-svscan `+empty+`"`)
}

// asNobody makes a command run without privileges: as another user, if that
// removes any.
func (h *home) asNobody(cmd *exec.Cmd) *exec.Cmd {
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return cmd
}

const nobody = 65534

// public makes every directory on the way to a path accessible to everybody.
func public(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		for ; path != "/tmp" && path != "/"; path = filepath.Dir(path) {
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.NoError(t, os.Chmod(path, info.Mode().Perm()|0o055))
		}
	}
}

func TestDirThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	public(t, h.root, fivebenthos(t))
	require.NoError(t, os.Chmod(h.root, 0o555))
	says := h.refused(h.asNobody(h.command()))
	assert.Contains(t, says, h.root)
	assert.Contains(t, says, "permission denied: give one that this user can write")
}

func TestRunWithoutPrivileges(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	public(t, h.root, fivebenthos(t))
	if os.Getuid() == 0 {
		require.NoError(t, os.Chown(h.root, nobody, nobody))
	}
	cmd := h.asNobody(h.command())
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(h.root, "nowhere")) // none is needed
	p := h.run(cmd)
	h.serving()
	p.interrupt(syscall.SIGINT)
}

func TestSecondOnTheSameDir(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	first := h.start()
	pids := h.serving()
	second := h.start()
	assert.Equal(t, 1, second.End())
	assert.Contains(t, second.Stderr.String(), "process "+strconv.Itoa(first.PID())+" holds it")
	assert.Equal(t, 1, strings.Count(second.Stderr.String(), "\n"))
	assert.Equal(t, pids, h.serving())
	first.interrupt(syscall.SIGINT)
}

// An engine that is missing is reported with its path, and looked for again.
func TestEngineThatCannotBeRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		make func(*testing.T, string)
		says string
	}{
		{"missing", func(*testing.T, string) {}, ""},
		{"not executable", func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, []byte("x"), 0o644)) }, ""},
		{"a directory", func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o755)) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			real := h.engine
			h.engine = filepath.Join(h.root, "engine")
			c.make(t, h.engine)
			p := h.start("-json")
			p.await("start_failed", five)
			assert.GreaterOrEqual(t, strings.Count(p.Stdout.String(), h.engine), five, p.Stdout)
			assert.Equal(t, [five]int{}, h.pids())

			require.NoError(t, os.RemoveAll(h.engine))
			require.NoError(t, os.Symlink(real, h.engine))
			h.serving()
			p.await("recovered", five)
			p.interrupt(syscall.SIGINT)
		})
	}
}

func TestEngineThatIsNone(t *testing.T) {
	t.Parallel()
	h := newHome(t, "/bin/true")
	assert.Contains(t, h.refused(h.command()), "cannot lint with /bin/true")
}

func TestEngineWithoutTheExporter(t *testing.T) {
	t.Parallel()
	h := newHome(t, redpanda(t))
	says := h.refused(h.command("-metrics", "prometheus"))
	assert.Contains(t, says, "prometheus")
	assert.Contains(t, says, "and 4 more")
	p := h.start()
	h.serving()
	status, _, err := h.get(0, "/metrics")
	require.NoError(t, err)
	assert.NotEqual(t, http.StatusOK, status)
	p.interrupt(syscall.SIGTERM)
}

// An instance that a second declaration refuses goes on as it was.
func TestChangeThatIsRefused(t *testing.T) {
	t.Parallel()
	h := newHome(t, redpanda(t))
	first := h.start("-metrics", "none")
	pids := h.serving()
	first.Slay()
	second := h.start("-json", "-metrics", "prometheus")
	second.await("start_done", five)
	assert.Equal(t, pids, h.serving())
	assert.Equal(t, five, strings.Count(second.Stderr.String(), "fivebenthos: refused"), second.Stderr)
	second.Signal(syscall.SIGINT)
	assert.Zero(t, second.End())
	harness.NoneLeft(t, h.root)
}

// What hinders an instance is reported, and keeps nothing from ending.
func TestInstanceThatCannotBeMade(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{"lines": nil, "data": {"-json"}, "problems alone": {"-verbosity", "0"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			require.NoError(t, os.MkdirAll(filepath.Dir(h.service(instance(0))), 0o755))
			require.NoError(t, os.WriteFile(h.service(instance(0)), nil, 0o644))
			p := h.start(flags...)
			for n := range five {
				if n != 0 {
					harness.Eventually(t, "the others serve", func() bool { return h.post(n, "{}", 0) == nil })
				}
			}
			harness.Eventually(t, "it is told", func() bool {
				return regexp.MustCompile(`benthos-0.*to_be_created.*services/benthos-0.* not a directory`).MatchString(p.Stdout.String())
			})
			begun := time.Now()
			p.interrupt(syscall.SIGTERM)
			t.Log("it ended after", time.Since(begun))
			assert.Equal(t, 1, strings.Count(p.Stdout.String(), "not a directory"), "it is told once")
		})
	}
}

func TestPortOfSomebodyElse(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(h.metricsPort+1)))
	require.NoError(t, err)
	defer l.Close()
	p := h.start()
	harness.Eventually(t, "it says whose the port is", func() bool {
		return strings.Contains(p.Stdout.String(), "port "+strconv.Itoa(h.metricsPort+1)+" is taken: process "+strconv.Itoa(os.Getpid()))
	})
	for n := range five {
		if n != 1 {
			harness.Eventually(t, "the others serve", func() bool { return h.post(n, "{}", 0) == nil })
		}
	}
	require.NoError(t, l.Close())
	h.serving()
	p.interrupt(syscall.SIGINT)
}
