package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// SocketName is the name of a program's socket in its directory.
const SocketName = "evenkeel.sock"

// ListenUnix listens on the socket SocketName in a directory, 0600 from its first
// moment: only the program's own user and root can connect. What an earlier program
// has left there is replaced; it is the caller's to see that no other one lives. The
// path may be of any length. Closing the listener removes the socket, if it is still
// the same.
func ListenUnix(dir string) (net.Listener, error) {
	l, err := listenUnix(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", filepath.Join(dir, SocketName), err)
	}
	return l, nil
}

func listenUnix(dir string) (_ net.Listener, err error) {
	// Nobody else gets into it, and so nobody connects before the mode is right.
	private, err := os.MkdirTemp(dir, ".socket-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	at, err := os.Open(private)
	if err != nil {
		return nil, err
	}
	defer at.Close()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: through(at), Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	s := &socket{UnixListener: l, path: filepath.Join(dir, SocketName)}
	made := filepath.Join(private, SocketName)
	err = os.Chmod(made, 0o600)
	if err == nil {
		s.info, err = os.Lstat(made)
	}
	if err == nil {
		err = os.Rename(made, s.path)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return s, nil
}

// through returns the path of the socket in an open directory, which is short: that
// of a socket can have 107 bytes.
func through(dir *os.File) string { return filepath.Join(proc.System.Own(int(dir.Fd())), SocketName) }

// socket is a listener that removes what it has made.
type socket struct {
	*net.UnixListener
	path string
	info os.FileInfo
}

// Close implements net.Listener.
func (s *socket) Close() error {
	if now, err := os.Lstat(s.path); err == nil && os.SameFile(s.info, now) {
		_ = os.Remove(s.path) // whoever connects is refused in any case
	}
	return s.UnixListener.Close()
}

// dialUnix connects to the socket in a directory.
func dialUnix(ctx context.Context, dir string) (net.Conn, error) {
	at, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer at.Close()
	return new(net.Dialer).DialContext(ctx, "unix", through(at))
}

// closeTime is how long requests have to end that are under way, when all ends.
const closeTime = time.Second

// Serve serves a handler on a listener until ctx ends, and closes the listener. Over
// a Unix socket it knows who asks. Requests that are under way see their context end.
// The error is nil where ctx ended it.
func Serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return serving },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if who := peer(c); who != "" {
				return callerOf(ctx, who)
			}
			return ctx
		},
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("cannot serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	cancel()
	limited, done := context.WithTimeout(serving, closeTime)
	defer done()
	if server.Shutdown(context.WithoutCancel(limited)) != nil {
		_ = server.Close()
	}
	<-ended
	return nil
}

// peer returns the user on the other side of a Unix socket, "" for others.
func peer(c net.Conn) (who string) {
	u, is := c.(*net.UnixConn)
	if !is {
		return ""
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return ""
	}
	_ = raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil {
			return
		}
		who = "uid " + strconv.Itoa(int(cred.Uid))
		if known, err := user.LookupId(strconv.Itoa(int(cred.Uid))); err == nil {
			who = known.Username
		}
	})
	return who
}
