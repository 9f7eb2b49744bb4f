package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/fsm"
)

// notifyTime bounds how long systemd may take to accept a message.
const notifyTime = time.Second

// Notifier tells systemd how the program is that it has started, by the protocol
// of sd_notify(3). Where nobody is to be told, and for a nil Notifier, its methods
// do nothing.
type Notifier struct {
	socket   string        // a path, or @ and an abstract name; empty means that nobody is told
	interval time.Duration // of the watchdog; zero means none
	tell     func(socket, message string) error
}

// NewNotifier returns a Notifier for what systemd has put into the environment:
// NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. It takes them out of it, so that
// nothing which the program starts speaks for it. The error says what of them
// makes no sense; the Notifier does what it can then.
func NewNotifier() (*Notifier, error) {
	n := &Notifier{socket: os.Getenv("NOTIFY_SOCKET"), tell: tell}
	interval, pid := os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID")
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		_ = os.Unsetenv(name) // the names are good
	}
	if n.socket != "" && n.socket[0] != '/' && n.socket[0] != '@' {
		err := fmt.Errorf("cannot tell systemd anything: NOTIFY_SOCKET is %q, neither a path nor an abstract name (@)", n.socket)
		n.socket = ""
		return n, err
	}
	if n.socket == "" || interval == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return n, nil
	}
	micros, err := strconv.ParseInt(interval, 10, 64)
	if err != nil || micros <= 0 || micros > int64(time.Duration(1<<63-1)/time.Microsecond) {
		return n, fmt.Errorf("cannot serve systemd's watchdog: WATCHDOG_USEC is %q, no number of microseconds", interval)
	}
	n.interval = time.Duration(micros) * time.Microsecond
	return n, nil
}

// tell sends a message. The socket is found anew each time: systemd may have
// replaced it.
func tell(socket, message string) error {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err == nil {
		_ = conn.SetWriteDeadline(time.Now().Add(notifyTime)) // a socket has deadlines
		_, err = conn.Write([]byte(message))
		err = errors.Join(err, conn.Close())
	}
	if err != nil {
		return fmt.Errorf("cannot tell systemd that %s: %w", strings.ReplaceAll(message, "\n", ", "), err)
	}
	return nil
}

func (n *Notifier) send(lines ...string) error {
	if n == nil || n.socket == "" {
		return nil
	}
	return n.tell(n.socket, strings.Join(lines, "\n"))
}

// Ready tells that the program has begun, or has read its files again, and how it
// is.
func (n *Notifier) Ready(status string) error { return n.send("READY=1", statusLine(status)) }

// Status tells how the program is, in one sentence.
func (n *Notifier) Status(status string) error { return n.send(statusLine(status)) }

// statusLine masks and escapes a text, in which texts of others may stand.
func statusLine(status string) string { return "STATUS=" + fsm.EscapeLine(fsm.MaskText(status)) }

// Reloading tells that the program reads its files again, until Ready.
func (n *Notifier) Reloading() error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("cannot tell systemd when files are read: %w", err)
	}
	return n.send("RELOADING=1", "MONOTONIC_USEC="+strconv.FormatInt(now.Nano()/1000, 10), statusLine("reads its files"))
}

// Stopping tells that the program ends, and why that takes a while: the instances
// have so long to stop, and what Runner.End may take comes after it. Zero means
// that none is stopped.
func (n *Notifier) Stopping(halt time.Duration) error {
	if halt == 0 {
		return n.send("STOPPING=1", statusLine("ends; what it has kept goes on"))
	}
	within := halt + endTime + FlushTime
	return n.send("STOPPING=1", statusLine("stops its instances"), "EXTEND_TIMEOUT_USEC="+strconv.FormatInt(within.Microseconds(), 10))
}

// Watch serves systemd's watchdog until ctx ends, if there is one: in each half of
// its interval it is told that the program is well, unless well returns false.
func (n *Notifier) Watch(ctx context.Context, well func(now time.Time) bool) {
	if n == nil || n.interval == 0 {
		return
	}
	tick := time.NewTicker(n.interval / 2)
	defer tick.Stop()
	for {
		if well(time.Now()) {
			_ = n.send("WATCHDOG=1") // if it is not told, systemd acts
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
