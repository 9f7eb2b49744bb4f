package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"

	"github.com/prometheus/procfs"
)

// TCPState is the state of a TCP socket, by the numbers of the kernel's
// include/net/tcp_states.h.
type TCPState uint8

// The states that are asked for.
const (
	TCPEstablished TCPState = 1
	TCPListen      TCPState = 10
)

// Socket is a TCP socket of this network namespace.
type Socket struct {
	// Local is the socket's own address; one of IPv4 is in the form of IPv4.
	Local netip.AddrPort
	State TCPState
	// Inode names the socket among descriptors: "socket:[INODE]".
	Inode uint64
}

// TCP returns the TCP sockets of IPv4 and IPv6, from the tables in /proc/net.
// The kernel walks all connections for it, which takes milliseconds. A row that
// makes no sense fails the whole call. Addresses are read as machines with
// little-endian words write them.
func (f FS) TCP() ([]Socket, error) {
	sockets, err := f.tcp()
	if err != nil {
		return nil, fmt.Errorf("cannot read the socket table: %w", err)
	}
	return sockets, nil
}

func (f FS) tcp() ([]Socket, error) {
	tables, err := procfs.NewFS(string(f))
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 netlink is asked first, by package ports; this is for where it does not answer
	four, err := tables.NetTCP()
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 as above
	six, err := tables.NetTCP6()
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel without IPv6
		return nil, err
	}
	found := make([]Socket, 0, len(four)+len(six))
	for _, row := range append(four, six...) {
		addr, _ := netip.AddrFromSlice(row.LocalAddr) // 4 or 16 bytes
		found = append(found, Socket{
			Local: netip.AddrPortFrom(addr.Unmap(), uint16(row.LocalPort)),
			State: TCPState(row.St),
			Inode: row.Inode,
		})
	}
	return found, nil
}
