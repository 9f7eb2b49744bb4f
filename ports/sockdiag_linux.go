package ports

import (
	"fmt"
	"os"
	"syscall"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// diagListeners returns the TCP sockets of this network namespace that listen
// on port, from the kernel.
func diagListeners(port uint16) ([]proc.Socket, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return nil, fmt.Errorf("cannot open sock_diag: %w", err)
	}
	defer syscall.Close(fd)
	patience := syscall.Timeval{Sec: 1}
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &patience); err != nil {
		return nil, fmt.Errorf("cannot set up sock_diag: %w", err)
	}
	var found []proc.Socket
	buf := make([]byte, max(os.Getpagesize(), 8<<10))
	for _, family := range []uint8{familyIPv4, familyIPv6} {
		if err := syscall.Sendto(fd, encodeSockDiag(family, port), 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
			return nil, fmt.Errorf("cannot ask sock_diag: %w", err)
		}
		for done := false; !done; {
			n, _, err := syscall.Recvfrom(fd, buf, 0)
			if err == syscall.EINTR {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("cannot read from sock_diag: %w", err)
			}
			var sockets []proc.Socket
			sockets, done, err = decodeSockDiag(buf[:n])
			if err != nil {
				return nil, err
			}
			found = append(found, sockets...)
		}
	}
	return found, nil
}
