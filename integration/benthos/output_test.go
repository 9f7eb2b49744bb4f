//go:build integration

package benthos

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// pipe returns a pipe with the smallest buffer there is.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	_, err = unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize())
	require.NoError(t, err)
	return r, w
}

// The end in order depends neither on being able to print, nor on one signal
// being one. Ctrl-C in "fivebenthos | tee log" ends the reader first; timeout(1)
// sends its signal to the program and to the program's process group.
func TestEndInOrderThoughNobodyReads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		gone bool
		args []string
	}{
		"the reader has gone":         {true, nil},
		"the reader of JSON has gone": {true, []string{"-json"}},
		// It prints more than the pipe takes.
		"the reader reads nothing more": {false, []string{"-json", "-verbosity", "3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			r, w := pipe(t)
			cmd := h.command(c.args...)
			cmd.Stdout, cmd.Stderr = w, w
			p := h.run(cmd)
			w.Close()
			_, err := io.ReadFull(r, make([]byte, 100))
			require.NoError(t, err, "it has begun to print")
			h.serving()
			if c.gone {
				r.Close()
			}
			p.Signal(syscall.SIGINT)
			_ = p.Cmd.Process.Signal(syscall.SIGINT) // it may have ended
			assert.Zero(t, p.End())
			harness.NoneLeft(t, h.root)
		})
	}
}

// What keeps instances goes on keeping them when nobody reads what it prints.
func TestInstancesAreKeptThoughNobodyReads(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	r, w := pipe(t)
	cmd := h.command()
	cmd.Stdout, cmd.Stderr = w, w
	p := h.run(cmd)
	before := h.serving()
	r.Close()
	w.Close()
	require.NoError(t, syscall.Kill(before[2], syscall.SIGKILL))
	harness.Eventually(t, "it is back", func() bool {
		pid := h.pids()[2]
		return pid != 0 && pid != before[2] && h.post(2, `{"test":"back"}`, 0) == nil
	})
	p.Signal(syscall.SIGTERM)
	assert.Zero(t, p.End())
	harness.NoneLeft(t, h.root)
}

// A second signal, when the first is old, ends the program at once. What runs
// goes on and is adopted.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	p := h.start()
	before := h.serving()
	held := make(chan error)
	at := h.received(3)
	go func() { held <- h.post(3, `{"test":"long"}`, harness.Patience) }()
	harness.Eventually(t, "the stream has taken the message", func() bool { return h.received(3) > at })
	p.Signal(syscall.SIGINT)
	harness.Eventually(t, "a second signal ends it, which is none within a second", func() bool {
		_ = p.Cmd.Process.Signal(syscall.SIGINT)
		return !p.Runs()
	})
	assert.Equal(t, -1, p.End(), "ended by a signal")
	assert.True(t, harness.Alive(before[3]))
	assert.Contains(t, p.Stderr.String(), "a second signal (interrupt) ends it at once")
	<-held

	again := h.start("-json")
	again.await("create", five) // until then a signal may come before it is heard
	h.serving()
	again.interrupt(syscall.SIGTERM)
}

// wildEngine is an engine whose last words a terminal would obey.
const wildEngine = `#!/bin/sh
[ "$1" = -c ] || exec %s "$@"
printf 'panic: \033[2J \a \302\233 31m \342\200\256 \177 \233\n' >&2
exit 1
`

// TestTextOfOthersReachesNoTerminalRaw: what an engine prints becomes evidence,
// and is told on a terminal, in lines and as JSON.
func TestTextOfOthersReachesNoTerminalRaw(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args  []string
		shown string // of the ESC
	}{
		"lines": {nil, `\x1b[2J`},
		"JSON":  {[]string{"-json"}, `\u001b[2J`},
		"table": {nil, `\x1b[2J`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := filepath.Join(t.TempDir(), "engine")
			require.NoError(t, os.WriteFile(script, fmt.Appendf(nil, wildEngine, bento(t)), 0o755))
			h := newHome(t, script)
			cmd := h.command(append(c.args, "-instances", "1", "-verbosity", "3")...)
			printed := new(harness.Output)
			if name == "table" {
				term := newTerminal(t, 24, 1000)
				printed = &term.printed
				cmd.Stdout, cmd.Stderr = term.slave, term.slave
				cmd.Env = append(os.Environ(), "TERM=xterm")
			} else {
				cmd.Stdout, cmd.Stderr = printed, printed
			}
			p := h.run(cmd)
			harness.Eventually(t, "the evidence is told", func() bool { return strings.Contains(printed.String(), c.shown) })
			p.Signal(syscall.SIGINT)
			assert.Zero(t, p.End())
			text := printed.String()
			if name == "table" { // its own, which it is drawn with
				text = regexp.MustCompile(`\x1b\[[?>=]?[0-9;]*[A-Za-z]`).ReplaceAllString(text, "")
				text = strings.ReplaceAll(text, string(utf8.RuneError), "") // what no UTF-8 was, in its JSON
			}
			hidden := func(r rune) bool { return !unicode.IsGraphic(r) && r != '\n' && r != '\r' || r == utf8.RuneError }
			if n := strings.IndexFunc(text, hidden); n >= 0 {
				assert.Fail(t, "it reaches the terminal raw", "%q", text[max(0, n-100):min(len(text), n+100)])
			}
			harness.NoneLeft(t, h.root)
		})
	}
}

// TestNothingThatIsWrittenCanBeWrittenByOthers: whatever the umask is, of all
// that the program and s6 write, and what may hold secrets is not even read.
func TestNothingThatIsWrittenCanBeWrittenByOthers(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	cmd := h.command()
	cmd.Args = append([]string{"sh", "-c", `umask 000 && exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	sh, err := exec.LookPath("sh")
	require.NoError(t, err)
	cmd.Path = sh
	p := h.run(cmd)
	h.serving()
	var open, secrets []string
	require.NoError(t, filepath.WalkDir(h.root, func(name string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // s6-supervise replaces its status by renaming
		}
		if err != nil {
			return err
		}
		shown := fmt.Sprintf("%v %s", info.Mode(), strings.TrimPrefix(name, h.root))
		switch info.Mode().Type() {
		case os.ModeSymlink, os.ModeNamedPipe: // s6's event FIFOs are in directories that nobody else may enter
		default:
			if info.Mode().Perm()&0o002 != 0 {
				open = append(open, shown)
			}
		}
		switch e.Name() {
		case "manifest.json", "benthos.yaml":
			secrets = append(secrets, info.Mode().String())
		}
		return nil
	}))
	assert.Empty(t, open)
	assert.Equal(t, slices.Repeat([]string{"-rw-------"}, 2*five), secrets)
	p.interrupt(syscall.SIGINT)
}
