//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
)

// report is what a process reports about itself.
type report struct {
	Args   []string
	Env    []string
	Dir    string
	UID    int
	GID    int
	Groups []int
	// Config is what it can read in its configuration directory.
	Config map[string]string
	// FDs are its open descriptors and what they lead to.
	FDs map[string]string
}

// reportEnv names the file that the role "report" writes, configEnv the
// directory that it reads.
const (
	reportEnv = "EVENKEEL_TEST_REPORT"
	configEnv = "EVENKEEL_TEST_CONFIG"
)

// playReport is a service that reports how it was started and runs until it
// is told to end.
func playReport() error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	r := report{Args: os.Args[1:], Env: os.Environ(), Dir: dir, UID: os.Getuid(), GID: os.Getgid(), Groups: groups,
		Config: make(map[string]string), FDs: make(map[string]string)}
	self, err := proc.System.Open(os.Getpid())
	if err != nil {
		return err
	}
	for n := range 6 {
		if target, err := self.Descriptor(n); err == nil {
			r.FDs[strconv.Itoa(n)] = target
		}
	}
	if err := self.Close(); err != nil {
		return err
	}
	if config := os.Getenv(configEnv); config != "" {
		entries, err := os.ReadDir(config)
		if err != nil {
			return err
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(config, e.Name()))
			if err != nil {
				return err
			}
			r.Config[e.Name()] = string(data)
		}
	}
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	file := os.Getenv(reportEnv)
	if err := os.WriteFile(file+".new", data, 0o644); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	<-ended
	return nil
}

// program returns a copy of this test's program that every user may run.
func (w *world) program() string {
	w.T.Helper()
	program := filepath.Join(w.Root, "program")
	if harness.Exists(w.T, program) {
		return program
	}
	// By another process: this process's children have a file that it writes
	// open too, for a moment, and then the file cannot be run.
	self, err := os.Executable()
	require.NoError(w.T, err)
	out, err := exec.Command("install", "-m", "755", self, program).CombinedOutput()
	require.NoError(w.T, err, string(out))
	return program
}

// reporter returns the spec of a service that reports into a directory which
// every user may write.
func (w *world) reporter(name string, args ...string) *s6.Spec {
	w.T.Helper()
	dir := filepath.Join(w.Root, "reports")
	require.NoError(w.T, os.MkdirAll(dir, 0o755))
	require.NoError(w.T, os.Chmod(dir, 0o1777))
	return &s6.Spec{
		Command: append([]string{w.program()}, args...),
		Env:     map[string]string{roleEnv: "report", reportEnv: filepath.Join(dir, name)},
	}
}

// reported waits for what a service reports.
func (w *world) reported(name string) (r report) {
	w.T.Helper()
	file := filepath.Join(w.Root, "reports", name)
	harness.Eventually(w.T, "the report of "+name, func() bool { return harness.Exists(w.T, file) })
	data, err := os.ReadFile(file)
	require.NoError(w.T, err)
	require.NoError(w.T, json.Unmarshal(data, &r))
	return r
}

// hostile are strings that mean something to a shell, to s6-envdir, or to
// nothing.
var hostile = map[string]string{
	"empty":             "",
	"space":             " ",
	"spaces":            "  a  b  ",
	"newline":           "\n",
	"newlines at end":   "a\n\n\n",
	"newline at start":  "\na",
	"newlines inside":   "a\nb\n\nc",
	"single quote":      "it's",
	"only quotes":       `'''"""`,
	"backslash":         `a\b\\c\`,
	"backslash newline": "a\\\nb",
	"dollar":            `$HOME ${PATH} $(id) $$ $`,
	"backquote":         "`id`",
	"glob":              "* ? [a] ~ ~root {a,b}",
	"operators":         "a; b & c | d > e < f # g",
	"history":           "!! !1",
	"tab and return":    "\ta\r\n",
	"equals":            "a=b",
	"dash":              "-n",
	"double dash":       "--",
	"unicode":           "äöü 日本語 \u2028 \U0001f600",
	"control":           "\x01\x1b[31m\x7f",
	"long":              strings.Repeat("0123456789", 10000),
}

func TestStringsArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	w := start(t)
	dir := filepath.Join(w.Root, "a 'dir' with $x\n and \\ and \"")
	require.NoError(t, os.Mkdir(dir, 0o755))
	args := []string{}
	spec := w.reporter("a")
	spec.Dir = dir
	spec.ConfigFiles = make(map[string]string)
	for name, value := range hostile {
		args = append(args, name, value)
		spec.Env["VALUE_"+strings.ReplaceAll(name, " ", "_")] = value
		spec.ConfigFiles[name+" $x 'y'"] = value
	}
	spec.Env["a b"] = "a name that no shell can have"
	spec.Command = append(spec.Command, args...)
	spec.Env[configEnv] = filepath.Join(w.Service("a"), "config")
	w.run(map[string]*s6.Spec{"a": spec})
	r := w.reported("a")
	assert.Equal(t, args, r.Args)
	assert.Equal(t, dir, r.Dir)
	assert.Equal(t, spec.ConfigFiles, r.Config)
	env := make(map[string]string)
	for _, e := range r.Env {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	for name, value := range spec.Env {
		if name == roleEnv {
			continue // it unsets that itself
		}
		got, set := env[name]
		assert.True(t, set, name)
		assert.True(t, value == got, name)
	}
	assert.Contains(t, env, "PATH", "the tree's environment is kept")
	assert.Equal(t, r.FDs["1"], r.FDs["2"], "both outputs go to the log")
	assert.Contains(t, slices.Collect(maps.Values(r.FDs)), filepath.Join(w.Service("a"), "data", "lock"), "its hold on its instance")
}

// TestGeneratedStringsArriveAsTheyAre: whatever strings are made of, the process
// receives them byte for byte, as arguments, as its environment and as files.
func TestGeneratedStringsArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 0))
		generated := func() string {
			var b strings.Builder
			for range random.IntN(40) {
				switch random.IntN(3) {
				case 0: // what means something to a shell, an environment, a terminal
					b.WriteByte(" \t\n\r\\\"'`$&|;<>(){}[]*?~#!=%^-\x01\x1b\x7f"[random.IntN(32)])
				case 1:
					b.WriteByte(byte(' ' + random.IntN(95)))
				default:
					b.WriteRune([]rune("ä日\u0085\u009b\u200b\u202e\u2028\ufeff\ufffd😀\U000e0041")[random.IntN(11)])
				}
			}
			return b.String()
		}
		w := start(t)
		spec := w.reporter("a")
		spec.ConfigFiles = make(map[string]string)
		var args []string
		for n := range 100 {
			args = append(args, generated())
			spec.Env[fmt.Sprint("VALUE_", n)] = generated()
			spec.ConfigFiles[fmt.Sprint("file ", n)] = generated()
		}
		spec.Command = append(spec.Command, args...)
		spec.Env[configEnv] = filepath.Join(w.Service("a"), "config")
		w.run(map[string]*s6.Spec{"a": spec})
		r := w.reported("a")
		assert.Equal(t, args, r.Args, "seed %d", seed)
		assert.Equal(t, spec.ConfigFiles, r.Config, "seed %d", seed)
		for name, value := range spec.Env {
			if name != roleEnv { // it unsets that itself
				assert.Contains(t, r.Env, name+"="+value, "seed %d", seed)
			}
		}
	}
}

func TestHostileServiceNames(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := make(map[string]*s6.Spec)
	for n, name := range []string{"a b", "it's", "$(id)", "-n", "--", "*", "日本語", "a;b", `a\b`, "log", "#", strings.Repeat("x", 200)} {
		specs[name] = w.probe(fmt.Sprint(n))
	}
	w.run(specs)
	for name := range specs {
		w.pid(name)
		current := filepath.Join(w.Config.LogsDir, name, "current")
		harness.Eventually(t, "its log", func() bool { return harness.Exists(t, current) })
	}
	w.Declare(nil)
	for name := range specs {
		w.Await(fsm.PhaseRemoved, name)
	}
	assert.Empty(t, w.leftovers())
}

func TestLimitsReachTheProcess(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.probe("a")
	spec.Limits = s6.Limits{Memory: 512 << 20, OpenFiles: 123, Processes: 4567, FileSize: 8 << 20}
	w.run(map[string]*s6.Spec{"a": spec, "b": w.probe("b")})
	got, err := proc.System.Limits(w.pid("a"))
	require.NoError(t, err)
	want, err := proc.System.Limits(w.pid("b"))
	require.NoError(t, err)
	want.DataSize, want.OpenFiles, want.Processes, want.FileSize = 512<<20, 123, 4567, 8<<20
	assert.Equal(t, want, got, "the others are as they were")
}

func TestFilesAreNotForOthers(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.probe("a")
	spec.Env["SECRET"] = "x"
	spec.ConfigFiles = map[string]string{"secret": "x"}
	check := func() {
		for name, mode := range map[string]os.FileMode{
			"data/manifest.json": 0o600, "env/SECRET": 0o600, "config/secret": 0o600, "run": 0o700, "log/run": 0o700,
			"env": 0o700, "config": 0o700, "data": 0o700,
		} {
			info, err := os.Stat(filepath.Join(w.Service("a"), name))
			require.NoError(t, err)
			assert.Equal(t, mode, info.Mode().Perm(), name)
		}
	}
	w.run(map[string]*s6.Spec{"a": spec})
	check()
	w.run(map[string]*s6.Spec{"a": version(spec, "2")})
	check()
}

func TestServiceOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Log("only root can change the user")
		return
	}
	t.Parallel()
	nobody, err := user.Lookup("nobody")
	require.NoError(t, err)
	w := start(t)
	harness.OpenToAll(t, w.Root)
	spec := w.reporter("a")
	spec.User = "nobody"
	spec.ConfigFiles = map[string]string{"one": "1", "it's two": "2"}
	spec.Env[configEnv] = filepath.Join(w.Service("a"), "config")
	spec.Ready = s6.Readiness{Check: []string{"sh", "-c", `test "$(id -un)" = nobody && test -e "$` + reportEnv + `"`}}
	w.run(map[string]*s6.Spec{"a": spec})
	r := w.reported("a")
	assert.Equal(t, nobody.Uid, fmt.Sprint(r.UID))
	assert.Equal(t, nobody.Gid, fmt.Sprint(r.GID))
	assert.NotContains(t, r.Groups, 0)
	assert.Equal(t, spec.ConfigFiles, r.Config)
	process, err := w.Tree.Process(w.Service("a"))
	require.NoError(t, err)
	assert.Equal(t, w.pid("a"), process.PID, "it holds its instance")
	for name := range spec.ConfigFiles {
		info, err := os.Stat(filepath.Join(w.Service("a"), "config", name))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}

	// After a change it can read the new files too.
	require.NoError(t, os.Remove(filepath.Join(w.Root, "reports", "a")))
	next := with(spec, func(s *s6.Spec) { s.ConfigFiles = map[string]string{"three": "3"} })
	w.run(map[string]*s6.Spec{"a": next})
	assert.Equal(t, next.ConfigFiles, w.reported("a").Config)
}
