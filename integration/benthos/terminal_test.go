//go:build integration

package benthos

import (
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
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/screen"
)

// terminal is a pseudo-terminal with what is printed on it.
type terminal struct {
	rows, columns int
	master, slave *os.File
	printed       harness.Output
	ended         chan struct{}
}

// newTerminal returns one whose lines are read as they come.
func newTerminal(t *testing.T, rows, columns int) *terminal {
	t.Helper()
	term := openTerminal(t, rows, columns)
	term.read()
	return term
}

// openTerminal returns one that shows nothing yet: it takes what it has room for.
func openTerminal(t *testing.T, rows, columns int) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	// Through Fd the file would become a blocking one, whose reads a Close
	// does not end.
	raw, err := master.SyscallConn()
	require.NoError(t, err)
	var number int
	var problem error
	require.NoError(t, raw.Control(func(fd uintptr) {
		problem = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
		if problem == nil {
			number, problem = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
		if problem == nil {
			problem = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(rows), Col: uint16(columns)})
		}
	}))
	require.NoError(t, problem)
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	term := &terminal{rows: rows, columns: columns, master: master, slave: slave, ended: make(chan struct{})}
	t.Cleanup(func() {
		slave.Close()
		master.Close()
		<-term.ended
	})
	return term
}

// read has the terminal show what is printed.
func (term *terminal) read() {
	go func() {
		defer close(term.ended)
		var buf [4096]byte
		for {
			n, err := term.master.Read(buf[:])
			_, _ = term.printed.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
}

// screen is what stands on the terminal.
func (term *terminal) screen() string {
	return screen.Of(term.printed.String(), term.columns, term.rows)
}

// watched is a program that draws on a terminal.
type watched struct {
	*harness.Program
	term   *terminal
	before *unix.Termios
}

// watch runs a command on a terminal of its own.
func watch(t *testing.T, term *terminal, cmd *exec.Cmd, env ...string) *watched {
	t.Helper()
	w := &watched{term: term}
	w.before = w.settings(t)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = term.slave, term.slave, term.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8"), env...)
	w.Program = harness.Start(t, cmd)
	return w
}

// settings are those of the terminal, such as whether it echoes.
func (w *watched) settings(t testing.TB) *unix.Termios {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(w.term.slave.Fd()), unix.TCGETS)
	require.NoError(t, err)
	return settings
}

// shows waits until texts stand on the terminal.
func (w *watched) shows(texts ...string) {
	w.T.Helper()
	for _, text := range texts {
		harness.Eventually(w.T, "it shows "+text, func() error {
			if shown := w.term.screen(); !strings.Contains(shown, text) {
				return errors.New(shown)
			}
			return nil
		})
	}
}

// lacks waits until the terminal shows a text no more.
func (w *watched) lacks(text string) {
	w.T.Helper()
	harness.Eventually(w.T, "it shows no more "+text, func() error {
		if shown := w.term.screen(); strings.Contains(shown, text) {
			return errors.New(shown)
		}
		return nil
	})
}

// press types on the terminal.
func (w *watched) press(keys string) {
	w.T.Helper()
	_, err := w.term.master.WriteString(keys)
	require.NoError(w.T, err)
}

// TestRunOnATerminalShowsATable, that of evenkeel top, in which instances can be looked
// at, stopped and started, until somebody quits.
func TestRunOnATerminalShowsATable(t *testing.T) {
	t.Parallel()
	for columns, quit := range map[int]string{200: "q", 80: "\x03"} {
		t.Run(fmt.Sprintf("%d columns", columns), func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			w := watch(t, newTerminal(t, 24, columns), h.command())
			pids := h.serving()
			w.shows("5 running")
			if columns == 200 {
				for n, pid := range pids {
					w.shows(fmt.Sprintf("● %s ", instance(n)), strconv.Itoa(pid))
				}
			}
			w.press("/benthos-3\r\r")
			w.shows("1 of 5", "benthos-3: why", "it is asked to be active (declared)", "-> idle (start_done)")
			w.press("s")
			w.shows("Stop benthos-3?")
			w.press("y")
			w.shows("○ benthos-3", "stopped by hand: by ")
			w.press("S")
			w.shows("Start benthos-3?")
			w.press("y")
			w.shows("● benthos-3")
			w.press("\x1b")
			w.lacks("benthos-3: why") // what follows on Escape at once is read with it, as one key
			h.serving()

			held, before := make(chan error), h.received(3)
			go func() { held <- h.post(3, `{"test":"long"}`, 2*time.Second) }()
			harness.Eventually(t, "the stream has taken the message", func() bool { return h.received(3) > before })
			w.press(quit)
			w.shows("ending", "The program ends")
			assert.NoError(t, <-held)
			assert.Zero(t, w.End(), w.term.printed.String())
			assert.Equal(t, w.before, w.settings(t))
			harness.Eventually(t, "it is left with how they ended", func() error {
				shown := w.term.screen()
				if !strings.Contains(shown, "NAME  ") || strings.Count(shown, " stopped ") != five || strings.Contains(shown, "ending") {
					return errors.New(shown)
				}
				return nil
			})
			harness.NoneLeft(t, h.root)
		})
	}
}

// What is logged is shown, and stands above how the instances ended in the end.
func TestRunOnATerminalKeepsWhatIsLogged(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	require.NoError(t, os.MkdirAll(filepath.Dir(h.service(instance(0))), 0o755))
	require.NoError(t, os.WriteFile(h.service(instance(0)), nil, 0o644))
	w := watch(t, newTerminal(t, 24, 300), h.command("-verbosity", "3"))
	w.shows("pass failed")
	w.shows(fmt.Sprintf("%d running", five-1), "not a directory")
	w.Signal(syscall.SIGINT)
	assert.Zero(t, w.End(), w.term.printed.String())
	harness.Eventually(t, "it stands there", func() error {
		shown := w.term.screen()
		logged, ended, _ := strings.Cut(shown, "NAME  ")
		if !strings.Contains(logged, "pass failed") || strings.Count(ended, " stopped ") != five-1 {
			return errors.New(shown)
		}
		return nil
	})
	assert.Equal(t, w.before, w.settings(t))
}

// A second Ctrl-C is a second signal, and the terminal is as it was.
func TestSecondCtrlCEndsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	w := watch(t, newTerminal(t, 24, 80), h.command())
	before := h.serving()
	w.shows("5 running")
	held, at := make(chan error), h.received(3)
	go func() { held <- h.post(3, `{"test":"long"}`, harness.Patience) }()
	harness.Eventually(t, "the stream has taken the message", func() bool { return h.received(3) > at })
	w.press("\x03")
	harness.Eventually(t, "a second one ends it, which is none within a second", func() bool {
		_, _ = w.term.master.WriteString("\x03") // it may have ended
		return !w.Runs()
	})
	assert.Equal(t, -1, w.End(), "ended by a signal")
	assert.True(t, harness.Alive(before[3]))
	w.shows("a second signal (interrupt) ends it at once")
	assert.Equal(t, w.before, w.settings(t))
	<-held

	again := h.start("-json")
	again.await("create", five) // until then a signal may come before it is heard
	h.serving()
	again.interrupt(syscall.SIGTERM)
}

// Where no table fits, none can be drawn, or nobody can be asked, there are lines.
func TestRunOnATerminalWithoutRoomPrintsLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rows, columns int
		env           string
		inTheWay      string // of what the table asks
	}{
		"few lines": {7, 80, "TERM=xterm", ""}, "narrow": {24, 39, "TERM=xterm", ""},
		"dumb": {24, 80, "TERM=dumb", ""}, "unknown": {24, 80, "TERM=", ""}, "without a socket": {24, 80, "TERM=xterm", api.SocketName},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			if c.inTheWay != "" {
				require.NoError(t, os.MkdirAll(filepath.Join(h.root, c.inTheWay, "taken"), 0o755))
			}
			w := watch(t, newTerminal(t, c.rows, c.columns), h.command("-instances", "1"), c.env)
			prints := func(text string) {
				harness.Eventually(t, "it prints "+text, func() bool { return strings.Contains(w.term.printed.String(), text) })
			}
			prints("-> idle (start_done)")
			w.press("\x03")
			assert.Zero(t, w.End(), w.term.printed.String())
			prints("-> stopped (stop_done)")
			assert.NotContains(t, w.term.printed.String(), "\x1b")
			assert.Equal(t, c.inTheWay != "", strings.Contains(w.term.printed.String(), ": lines are printed instead"))
		})
	}
}

// In the background, whoever sets the terminal up is stopped: there are lines.
func TestRunInTheBackgroundOfATerminalPrintsLines(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	cmd := h.command("-instances", "1", "-duration", "4s")
	sh, err := exec.LookPath("sh")
	require.NoError(t, err)
	cmd.Path, cmd.Args = sh, append([]string{"sh", "-mc", `"$0" "$@" & wait $!`}, cmd.Args...)
	w := watch(t, newTerminal(t, 24, 80), cmd)
	assert.Zero(t, w.End(), w.term.printed.String())
	harness.Eventually(t, "it prints a line", func() bool { return strings.Contains(w.term.printed.String(), "benthos-0 to_be_created -> creating") })
	assert.NotContains(t, w.term.printed.String(), "\x1b")
	harness.NoneLeft(t, h.root)
}

// The end in order does not depend on a terminal that takes what is drawn.
func TestEndInOrderThoughTheTerminalTakesNothing(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	w := watch(t, openTerminal(t, 100, 300), h.command())
	defer w.term.read()
	h.serving()
	harness.Eventually(t, "it draws", func() bool { return !assert.ObjectsAreEqual(w.before, w.settings(t)) })
	harness.Holds(t, 2*time.Second, "it goes on", w.Runs)
	w.Signal(syscall.SIGTERM)
	assert.Zero(t, w.End())
	assert.Equal(t, w.before, w.settings(t))
	harness.NoneLeft(t, h.root)
}
