package ports

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// Check reports whether addr, a host:port, could be listened on, by binding a
// socket to it for a moment. It returns a *TakenError where something else
// listens, and wraps any other reason. It is for callers that are about to
// listen. HolderOf is for those that only observe: it binds nothing.
func Check(addr string) error {
	host, port, err := SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("cannot check a port: %w", err)
	}
	err = bind(addr)
	if err == nil {
		return nil
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("cannot listen on port %d: %w", port, err)
	}
	taken := &TakenError{Addr: net.JoinHostPort(host, strconv.Itoa(int(port))), Port: port}
	if holder, found, err := HolderOf(addr); err == nil && found {
		taken.PID, taken.Process = holder.PID, holder.Process
	}
	return taken
}

var errBound = errors.New("it is bound, and is not to listen")

// bind binds a socket as net.Listen does and closes it before it listens. A
// process that is being started has copies of all sockets until it runs its own
// program. A copy of a socket that listens would keep others from the port
// until then.
func bind(addr string) error {
	config := net.ListenConfig{Control: func(_, address string, c syscall.RawConn) error {
		var err error
		if failed := c.Control(func(fd uintptr) { err = bindSocket(int(fd), address) }); failed != nil {
			return failed
		}
		if err != nil {
			return os.NewSyscallError("bind", err)
		}
		return errBound
	}}
	if _, err := config.Listen(context.Background(), "tcp", addr); !errors.Is(err, errBound) {
		return err
	}
	return nil
}

// bindSocket binds a socket to an address that is resolved already, of the
// socket's own family.
func bindSocket(fd int, address string) error {
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return err
	}
	if addr.IP.IsUnspecified() {
		addr.IP = nil // 0.0.0.0 as well is every address, where there is IPv6
	}
	unbound, err := syscall.Getsockname(fd)
	if err != nil {
		return err
	}
	switch to := unbound.(type) {
	case *syscall.SockaddrInet4:
		to.Port = addr.Port
		copy(to.Addr[:], addr.IP.To4())
	case *syscall.SockaddrInet6:
		to.Port = addr.Port
		copy(to.Addr[:], addr.IP.To16())
		if addr.Zone != "" {
			link, err := net.InterfaceByName(addr.Zone)
			if err != nil {
				return err
			}
			to.ZoneId = uint32(link.Index)
		}
	}
	return syscall.Bind(fd, unbound)
}
