//go:build integration

package benthos

import (
	"fmt"
	"os"
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
	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal with what is printed on it.
type terminal struct {
	rows, columns int
	master, slave *os.File
	printed       harness.Output
	ended         chan struct{}
}

func newTerminal(t *testing.T, rows, columns int) *terminal {
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
	go func() {
		defer close(term.ended)
		var buf [4096]byte
		for {
			n, err := master.Read(buf[:])
			_, _ = term.printed.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		slave.Close()
		master.Close()
		<-term.ended
	})
	return term
}

var escape = regexp.MustCompile(`^\x1b\[(\d*)([AJ])`)

// screen renders what was printed as the terminal shows it. Text that reaches
// the last column is wrapped, and text beyond the last row scrolls.
func (term *terminal) screen(t *testing.T, text string) string {
	t.Helper()
	lines := make([][]rune, term.rows)
	row, column := 0, 0
	down := func() {
		if row++; row == term.rows {
			lines = append(lines[1:], nil)
			row--
		}
	}
	for text != "" {
		if code := escape.FindStringSubmatch(text); code != nil {
			if text = text[len(code[0]):]; code[2] == "A" {
				n, err := strconv.Atoi(code[1])
				require.NoError(t, err)
				row = max(0, row-n)
				continue
			}
			lines[row] = lines[row][:min(column, len(lines[row]))]
			clear(lines[row+1:])
			continue
		}
		switch r := []rune(text[:1])[0]; r {
		case '\n':
			down()
		case '\r':
			column = 0
		case '\x1b':
			if len(text) > 8 {
				require.Fail(t, "what is this", "%q", text[:8])
			}
			text = "x" // cut off, more is to come
		default:
			if column == term.columns {
				column = 0
				down()
			}
			lines[row] = append(lines[row][:min(column, len(lines[row]))], r)
			column++
		}
		text = text[1:]
	}
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintln(&b, string(line))
	}
	return strings.TrimRight(b.String(), "\n")
}

func TestRunOnATerminalShowsATable(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{200, 80} {
		t.Run(fmt.Sprintf("%d columns", columns), func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			term := newTerminal(t, 24, columns)
			cmd := h.command()
			cmd.Stdin, cmd.Stdout, cmd.Stderr = term.slave, term.slave, term.slave
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			p := h.run(cmd)
			pids := h.serving()
			var shown []string
			harness.Eventually(t, "all are active", func() bool {
				for n := range five {
					require.NoError(t, h.post(n, `{"test":"message"}`, 0))
				}
				printed := term.printed.String()
				table := term.screen(t, printed)
				shown = strings.Split(table, "\n")
				// It is read while it is drawn, too.
				return strings.HasSuffix(printed, "\n") && strings.Count(table, " active  active") == five
			})
			require.Len(t, shown, 1+five)
			assert.Regexp(t, `^NAME +STATE +DESIRED +PID +UPTIME +HTTP +METRICS`, shown[0])
			for n, line := range shown[1:] {
				fields := strings.Fields(line)
				assert.Equal(t, []string{instance(n), "active", "active", strconv.Itoa(pids[n])}, fields[:4])
				assert.Equal(t, []string{strconv.Itoa(h.httpPort + n), strconv.Itoa(h.metricsPort + n)}, fields[5:7])
				assert.LessOrEqual(t, len(line), columns)
			}
			// As the terminal does on Ctrl-C.
			_, err := term.master.WriteString("\x03")
			require.NoError(t, err)
			assert.Zero(t, p.End(), term.printed.String())
			harness.NoneLeft(t, h.root)
		})
	}
}

// Log lines stand above the table, and the last table shows how it ended.
func TestRunOnATerminalKeepsWhatIsLogged(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	require.NoError(t, os.MkdirAll(filepath.Dir(h.service(instance(0))), 0o755))
	require.NoError(t, os.WriteFile(h.service(instance(0)), nil, 0o644))
	term := newTerminal(t, 24, 300)
	cmd := h.command("-verbosity", "3")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = term.slave, term.slave, term.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p := h.run(cmd)
	shows := func(state string, times int) func() bool {
		return func() bool {
			printed := term.printed.String()
			shown := term.screen(t, printed)
			return strings.HasSuffix(printed, "\n") && strings.Count(shown, state) == times && strings.Contains(shown, "pass failed") &&
				strings.Index(shown, "pass failed") < strings.Index(shown, "NAME  ")
		}
	}
	harness.Eventually(t, "four are idle", shows(" idle ", five-1))
	harness.Holds(t, time.Second, "what was logged is there", func() bool { return strings.Contains(term.screen(t, term.printed.String()), "pass failed") })
	_, err := term.master.WriteString("\x03")
	require.NoError(t, err)
	assert.Zero(t, p.End(), term.printed.String())
	harness.Eventually(t, "four are stopped", shows(" stopped ", 2*(five-1)+1))
	assert.Equal(t, 1, strings.Count(term.screen(t, term.printed.String()), "NAME  "))
}
