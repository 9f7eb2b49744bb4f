package runner

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listen is systemd's end of a socket. It returns what is received next.
func listen(t *testing.T, name string) (next func() string) {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return func() string {
		t.Helper()
		text := make([]byte, 4096)
		n, err := conn.Read(text)
		require.NoError(t, err)
		return string(text[:n])
	}
}

// started sets what systemd gives a program.
func started(t *testing.T, socket, interval, pid string) {
	t.Helper()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", interval)
	t.Setenv("WATCHDOG_PID", pid)
}

func TestSystemdIsTold(t *testing.T) {
	for name, socket := range map[string]string{
		"path":     filepath.Join(t.TempDir(), "notify"),
		"abstract": "@evenkeel-test-" + strconv.Itoa(os.Getpid()),
	} {
		t.Run(name, func(t *testing.T) {
			next := listen(t, socket)
			started(t, socket, "", "")
			n, err := NewNotifier()
			require.NoError(t, err)
			for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
				_, there := os.LookupEnv(name)
				assert.False(t, there, "%s is for this program alone", name)
			}
			require.NoError(t, n.Ready("keeps 2 instances"))
			assert.Equal(t, "READY=1\nSTATUS=keeps 2 instances", next())
			require.NoError(t, n.Status("a is degraded: x\nREADY=1"))
			assert.Equal(t, "STATUS=a is degraded: x READY=1", next(), "a text is one line")
			require.NoError(t, n.Reloading())
			assert.Regexp(t, `^RELOADING=1\nMONOTONIC_USEC=[1-9]\d*\nSTATUS=reads its files$`, next())
			require.NoError(t, n.Stopping(15*time.Second))
			assert.Equal(t, "STOPPING=1\nSTATUS=stops its instances\nEXTEND_TIMEOUT_USEC=35200000", next())
			require.NoError(t, n.Stopping(0))
			assert.Equal(t, "STOPPING=1\nSTATUS=ends; what it has kept goes on", next())
		})
	}
}

func TestNobodyIsToldWhereNobodyAsks(t *testing.T) {
	started(t, "", "1000000", "")
	n, err := NewNotifier()
	require.NoError(t, err)
	for _, n := range []*Notifier{n, nil} {
		require.NoError(t, n.Ready(""))
		require.NoError(t, n.Stopping(time.Second))
		n.Watch(t.Context(), func(time.Time) bool { panic("there is no watchdog") })
	}
}

func TestWhatSystemdWouldNotSay(t *testing.T) {
	for name, c := range map[string]struct{ socket, interval, pid, says string }{
		"no path":      {"notify", "", "", `NOTIFY_SOCKET is "notify", neither a path nor an abstract name (@)`},
		"no number":    {"/n", "1s", "", `WATCHDOG_USEC is "1s", no number of microseconds`},
		"not positive": {"/n", "0", "", `WATCHDOG_USEC is "0"`},
		"too much":     {"/n", "9223372036854775807", "", "no number of microseconds"},
		"another's":    {"/n", "nonsense", "1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			started(t, c.socket, c.interval, c.pid)
			n, err := NewNotifier()
			if c.says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.says)
			}
			n.Watch(t.Context(), func(time.Time) bool { panic("there is no watchdog") })
		})
	}
}

func TestSystemdThatIsGone(t *testing.T) {
	started(t, filepath.Join(t.TempDir(), "gone"), "", "")
	n, err := NewNotifier()
	require.NoError(t, err)
	assert.ErrorContains(t, n.Ready("keeps 1 instance"), "cannot tell systemd that READY=1, STATUS=keeps 1 instance: ")
}

// TestWatchdog: it is told in each half of its interval, and not while the program
// makes no passes.
func TestWatchdog(t *testing.T) {
	started(t, "/run/systemd/notify", "10000000", strconv.Itoa(os.Getpid()))
	n, err := NewNotifier()
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var at []time.Duration
		n.tell = func(socket, message string) error {
			assert.Equal(t, "/run/systemd/notify WATCHDOG=1", socket+" "+message)
			at = append(at, time.Since(begun))
			return nil
		}
		go n.Watch(t.Context(), func(now time.Time) bool {
			hung := now.Sub(begun)
			return hung < 12*time.Second || hung > 22*time.Second
		})
		time.Sleep(26 * time.Second)
		synctest.Wait()
		assert.Equal(t, []time.Duration{0, 5 * time.Second, 10 * time.Second, 25 * time.Second}, at)
	})
}
