package s6_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6log"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

var renderTests = map[string]*s6.Spec{
	"minimal": {Command: []string{"sleep", "1000"}},
	"judged": {
		Command: []string{"sleep", "1000"},
		Policy:  s6.Policy{Restart: s6.RestartOnFailure, Backoff: s6.Backoff{From: time.Second, To: time.Minute}, GiveUpAfter: 5},
	},
	"full": {
		Command:      []string{"/opt/it's here/serve", "-name", "a b", ""},
		Env:          map[string]string{"LEVEL": "info", "EMPTY": "", "LINES": "a\nb\n"},
		Dir:          "/var/lib/with space",
		ConfigFiles:  map[string]string{"serve.yaml": "a: 1\n", "key": "secret"},
		User:         "nobody",
		Limits:       s6.Limits{Memory: 1 << 20, OpenFiles: 100, Processes: 10, FileSize: 1 << 10},
		Ready:        s6.Readiness{Check: []string{"curl", "-f", "http://localhost:1/?a=b&c=$d"}},
		StartTimeout: time.Minute, StopSignal: "SIGINT", StopTimeout: 2500 * time.Millisecond,
		Finish: []string{"/opt/finish", "it's over"}, FinishTimeout: time.Second,
		Log:  s6.Log{FileSize: 5000, Files: 3, TAI64N: true, RemoveWithService: true},
		Note: "<made> by hand",
	},
}

// TestRender compares service directories with what was written down before.
func TestRender(t *testing.T) {
	for name, spec := range renderTests {
		t.Run(name, func(t *testing.T) {
			files, err := s6.Render(spec, "/data/logs/my service", s6.Tools{Dir: "/command"})
			require.NoError(t, err)
			var b strings.Builder
			for _, f := range files {
				fmt.Fprintf(&b, "=== %s %#o\n%s\n", f.Name, f.Mode, f.Data)
			}
			golden := filepath.Join("testdata", "render", name+".golden")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
				require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), b.String())
		})
	}
}

func TestRenderOrderAndModes(t *testing.T) {
	for name, spec := range renderTests {
		files, err := s6.Render(spec, "/logs", s6.Tools{})
		require.NoError(t, err)
		assert.Equal(t, "data/hash", files[len(files)-1].Name, "the hash is written last")
		assert.Equal(t, spec.Hash(), files[len(files)-1].Data)
		seen := make(map[string]bool)
		for _, f := range files {
			assert.False(t, seen[f.Name], "%s: %s is there twice", name, f.Name)
			seen[f.Name] = true
			secret := strings.HasPrefix(f.Name, "env/") || strings.HasPrefix(f.Name, "config/") || f.Name == "data/manifest.json"
			if secret {
				assert.Equal(t, uint32(0o600), f.Mode, f.Name)
			}
			if f.Name == "timeout-kill" || f.Name == "log/timeout-kill" {
				assert.NotEqual(t, "0", strings.TrimSpace(f.Data), "a service deaf to TERM would never end")
			}
		}
		assert.True(t, seen["timeout-kill"] && seen["log/timeout-kill"] && seen["log/run"] && seen["run"])
	}
}

// hostile are words that a careless rendering changes.
var hostile = []string{
	"", " ", "'", `"`, `\`, "$HOME", "$(touch x)", "`touch x`", "a\nb", "\n", "~", "*", "?", "[a]", "{a,b}", "#", "!!", "a=b", "&", "|", ";",
	"(", ")", "<", ">", "-n", "--", "\t", "''", `'\''`, "\\", "\\\\n", "é", "日本", "\u2028", "\x01", "\x7f", "%s", "%%", "^", "a'b\"c$d`e\\f",
}

// randomWords returns words that are likely to be trouble.
func randomWords(random *rand.Rand, count int) (words []string) {
	const runes = "'\"\\$`*?[]{}()<>|&;#!~=% \t\nabé日-/.:@+,\x01\x1b\x7f"
	all := []rune(runes)
	for range count {
		var w strings.Builder
		for range random.IntN(12) {
			w.WriteRune(all[random.IntN(len(all))])
		}
		words = append(words, w.String())
	}
	return words
}

func TestQuoteForRealShell(t *testing.T) {
	words := append(hostile, randomWords(rand.New(rand.NewPCG(1, 2)), 800)...)
	out, err := exec.Command("/bin/sh", "-c", `printf '%s\0' `+s6.Quote(words...)).Output()
	require.NoError(t, err)
	got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	require.Len(t, got, len(words))
	for n, w := range words {
		assert.Equal(t, w, got[n])
	}
}

// TestRunScriptInRealShell runs rendered scripts with stand-ins for s6's tools
// that only become the next program.
func TestRunScriptInRealShell(t *testing.T) {
	tools := filepath.Join(t.TempDir(), "s6's tools")
	require.NoError(t, os.Mkdir(tools, 0o755))
	for tool, become := range map[string]string{
		"s6-envdir": "shift 2", "s6-setlock": "shift", "s6-setuidgid": "shift",
		"s6-softlimit": "shift 8", "s6-notifyoncheck": "shift 9",
	} {
		script := "#!/bin/sh\n" + become + "\nexec \"$@\"\n"
		require.NoError(t, os.WriteFile(filepath.Join(tools, tool), []byte(script), 0o755))
	}
	words := append(hostile, randomWords(rand.New(rand.NewPCG(3, 4)), 50)...)
	work := filepath.Join(t.TempDir(), `it's $HOME "x"`)
	require.NoError(t, os.Mkdir(work, 0o755))
	show := append([]string{"sh", "-c", `pwd; echo $$; printf '%s\0' "$@"`, "sh"}, words...)
	for name, spec := range map[string]*s6.Spec{
		"plain": {Command: show},
		"everything": {
			Command: show, Dir: work, Env: map[string]string{"A": "b"}, User: "nobody",
			Limits: s6.Limits{Memory: 1 << 30, OpenFiles: 10, Processes: 10, FileSize: 10}, Ready: s6.Readiness{Check: []string{"true"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			service := writeService(t, spec, s6.Tools{Dir: tools})
			cmd := exec.Command("./run")
			cmd.Dir = service
			out, err := cmd.Output()
			require.NoError(t, err)
			dir, rest, _ := strings.Cut(string(out), "\n")
			pid, rest, _ := strings.Cut(rest, "\n")
			assert.Equal(t, words, strings.Split(strings.TrimSuffix(rest, "\x00"), "\x00"))
			if spec.Dir != "" {
				assert.Equal(t, work, dir)
			} else {
				assert.Equal(t, service, dir)
			}
			assert.Equal(t, fmt.Sprint(cmd.Process.Pid), pid, "the command has the id of the script")
			started, err := os.ReadFile(filepath.Join(service, "data/started"))
			require.NoError(t, err)
			assert.Equal(t, fmt.Sprintf("%s %s %s\n", s6.ProcessHash(spec), pid, self(t)), string(started))
		})
	}
}

// self returns what a script that this program starts writes down of its
// supervisor.
func self(t *testing.T) string {
	since, err := proc.System.Start(os.Getpid())
	require.NoError(t, err)
	return fmt.Sprintf("%d.%d", os.Getpid(), since/proc.Tick)
}

// TestCheckScriptInRealShell runs a readiness check where the service runs.
func TestCheckScriptInRealShell(t *testing.T) {
	work := t.TempDir()
	service := writeService(t, &s6.Spec{
		Command: []string{"true"}, Dir: work, Ready: s6.Readiness{Check: []string{"test", "-e", "is it's ready"}},
	}, s6.Tools{})
	check := func() error {
		cmd := exec.Command("./data/check")
		cmd.Dir = service
		return cmd.Run()
	}
	require.Error(t, check())
	require.NoError(t, os.WriteFile(filepath.Join(work, "is it's ready"), nil, 0o600))
	require.NoError(t, check())
}

// TestFinishScriptInRealShell has what s6-supervise says come last.
func TestFinishScriptInRealShell(t *testing.T) {
	service := writeService(t, &s6.Spec{Command: []string{"true"}, Finish: []string{"printf", `%s\n`, "a b"}}, s6.Tools{})
	cmd := exec.Command("./finish", "256", "9", "name")
	cmd.Dir = service
	out, err := cmd.Output()
	require.NoError(t, err)
	assert.Equal(t, s6log.Border+"\na b\n256\n9\nname\n", string(out))
}

// writeService writes a service directory to the real filesystem.
func writeService(t *testing.T, spec *s6.Spec, tools s6.Tools) (service string) {
	t.Helper()
	service, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	files, err := s6.Render(spec, "/logs", tools)
	require.NoError(t, err)
	for _, f := range files {
		name := path.Join(service, f.Name)
		require.NoError(t, os.MkdirAll(path.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(f.Data), os.FileMode(f.Mode)))
	}
	require.NoError(t, os.WriteFile(path.Join(service, "data/border"), []byte("1\n"), 0o644))
	return service
}

// TestBorderInRealShell: a border follows the text of each process, once, and
// comes before the text of the next one where it is missing.
func TestBorderInRealShell(t *testing.T) {
	tools := filepath.Join(t.TempDir(), "tools")
	require.NoError(t, os.Mkdir(tools, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(tools, "s6-setlock"), []byte("#!/bin/sh\nshift\nexec \"$@\"\n"), 0o755))
	service := writeService(t, &s6.Spec{Command: []string{"printf", "last words"}}, s6.Tools{Dir: tools})
	run := func(script string) string {
		cmd := exec.Command(script, "0", "0", "a")
		cmd.Dir = service
		out, err := cmd.CombinedOutput()
		require.NoError(t, err)
		return string(out)
	}
	assert.Equal(t, "last words", run("./run"))
	assert.Equal(t, s6log.Border+"\n", run("./finish"))
	assert.Equal(t, "last words", run("./run"))
	assert.Equal(t, s6log.Border+"\nlast words", run("./run"), "no finish came between")
	require.NoError(t, os.Remove(filepath.Join(service, "data/border")))
	assert.Equal(t, s6log.Border+"\nlast words", run("./run"), "in a directory of an earlier version")
	assert.Equal(t, s6log.Border+"\n", run("./finish"))
	assert.Equal(t, "last words", run("./run"))
}

// TestPipeIsHeldInRealShell: a process can print although nobody else reads,
// and a logger finds what its service's supervisor writes to.
func TestPipeIsHeldInRealShell(t *testing.T) {
	tools := filepath.Join(t.TempDir(), "tools")
	require.NoError(t, os.Mkdir(tools, 0o755))
	for tool, script := range map[string]string{"s6-setlock": "shift\nexec \"$@\"\n", "s6-log": "exec cat\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(tools, tool), []byte("#!/bin/sh\n"+script), 0o755))
	}
	for _, test := range []struct {
		fd         int
		supervisor string
	}{
		{3, "./run; true"}, {7, "./run; true"},
		{3, "exec 3<&0; ./run <&3 & exec >/dev/null 3<&-; wait"}, // it was told to exit
	} {
		service := writeService(t, &s6.Spec{
			Command: []string{"sh", "-c", "read go; trap '' PIPE; echo heard || echo broken >broken; read end"},
			Ready:   s6.Readiness{FD: test.fd},
		}, s6.Tools{Dir: tools})
		pipe, writer, err := os.Pipe()
		require.NoError(t, err)
		defer pipe.Close()
		// The supervisor is in the service directory, and so is its shell here.
		supervisor := exec.Command("sh", "-c", test.supervisor)
		supervisor.Dir, supervisor.Stdout = service, writer
		said, err := supervisor.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, supervisor.Start())
		require.NoError(t, writer.Close())
		started := func() bool {
			data, err := os.ReadFile(filepath.Join(service, "data/border"))
			return err == nil && string(data) == "0\n"
		}
		require.Eventually(t, started, time.Minute, time.Millisecond)
		require.NoError(t, pipe.Close(), "nobody reads any more")
		_, err = said.Write([]byte("go\n"))
		require.NoError(t, err)
		// The end of the pipe's text is the end of the supervisor.
		logger := exec.Command("./run")
		logger.Dir = filepath.Join(service, "log")
		var heard strings.Builder
		logger.Stdout = &heard
		require.NoError(t, logger.Start())
		require.Eventually(t, func() bool {
			from, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/0", logger.Process.Pid))
			return err == nil && strings.HasPrefix(from, "pipe:")
		}, time.Minute, time.Millisecond)
		require.NoError(t, said.Close())
		require.NoError(t, supervisor.Wait())
		require.NoError(t, logger.Wait())
		assert.Equal(t, "heard\n", heard.String())
		assert.NoFileExists(t, filepath.Join(service, "broken"))
	}
}

// TestLastWordsOfTwoProcesses: what a process prints last, without a newline,
// is a line of its own, with its time.
func TestLastWordsOfTwoProcesses(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{Prints: []string{"begins"}, LastWords: "ends", StopAfter: time.Second})
		p := start(t, tree)
		p.wants(running("a"))
		pass(time.Minute)
		p.wants(map[string]desired{"a": {State: s6.Stopped, Spec: plainSpec}})
		stopped := time.Now()
		pass(time.Hour)
		p.wants(running("a"))
		reader, err := s6log.NewReader(tree.FS(), tree.Layout().Log("a"), s6log.FromBeginning)
		require.NoError(t, err)
		defer reader.Close()
		lines, err := reader.Read(0)
		require.NoError(t, err)
		require.Len(t, lines, 3)
		assert.Equal(t, "begins", lines[0].Text)
		assert.Equal(t, "ends", lines[1].Text)
		assert.WithinDuration(t, stopped, lines[1].Time, time.Second)
		assert.Equal(t, "begins", lines[2].Text)
		p.stop()
	})
}
