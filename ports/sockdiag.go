package ports

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// Parts of the kernel's linux/netlink.h, linux/sock_diag.h and
// linux/inet_diag.h (sock_diag(7)). Numbers are in the machine's byte order
// except for ports and addresses, which are in the network's.
const (
	netlinkSockDiag = 4
	sockDiagFamily  = 20 // SOCK_DIAG_BY_FAMILY
	netlinkError    = 2
	netlinkDone     = 3
	netlinkRequest  = 0x1
	netlinkDump     = 0x300

	netlinkHeaderSize = 16
	diagRequestSize   = 56 // struct inet_diag_req_v2
	diagMessageSize   = 72 // struct inet_diag_msg

	familyIPv4, familyIPv6 = 2, 10
)

var errDiagShort = errors.New("cannot read the answer of sock_diag: it is cut off")

// encodeSockDiag asks for every TCP socket of a family that listens on port.
// Unlike reading /proc/net/tcp, that does not make the kernel walk its table of
// established connections, which takes milliseconds however few there are.
func encodeSockDiag(family uint8, port uint16) []byte {
	b := make([]byte, netlinkHeaderSize+diagRequestSize)
	ne := binary.NativeEndian
	ne.PutUint32(b[0:], uint32(len(b)))
	ne.PutUint16(b[4:], sockDiagFamily)
	ne.PutUint16(b[6:], netlinkRequest|netlinkDump)
	req := b[netlinkHeaderSize:]
	req[0] = family
	req[1] = syscall.IPPROTO_TCP
	ne.PutUint32(req[4:], 1<<10) // the one state TCP_LISTEN
	binary.BigEndian.PutUint16(req[8:], port)
	return b
}

// decodeSockDiag reads one datagram of the answer; done is true at the last.
func decodeSockDiag(b []byte) (found []proc.Socket, done bool, err error) {
	ne := binary.NativeEndian
	for len(b) > 0 {
		if len(b) < netlinkHeaderSize {
			return found, false, errDiagShort
		}
		size := int64(ne.Uint32(b))
		if size < netlinkHeaderSize || size > int64(len(b)) {
			return found, false, errDiagShort
		}
		body := b[netlinkHeaderSize:size]
		switch ne.Uint16(b[4:]) {
		case netlinkDone:
			return found, true, nil
		case netlinkError:
			if len(body) < 4 {
				return found, false, errDiagShort
			}
			return found, false, fmt.Errorf("cannot ask sock_diag: %w", syscall.Errno(-int32(ne.Uint32(body))))
		case sockDiagFamily:
			s, ok := decodeDiagMessage(body)
			if !ok {
				return found, false, errDiagShort
			}
			found = append(found, s)
		}
		b = b[min((size+3)&^3, int64(len(b))):]
	}
	return found, false, nil
}

func decodeDiagMessage(body []byte) (proc.Socket, bool) {
	if len(body) < diagMessageSize {
		return proc.Socket{}, false
	}
	var addr netip.Addr
	switch body[0] {
	case familyIPv4:
		addr = netip.AddrFrom4([4]byte(body[8:12]))
	case familyIPv6:
		addr = netip.AddrFrom16([16]byte(body[8:24])).Unmap()
	default:
		return proc.Socket{}, false
	}
	port := binary.BigEndian.Uint16(body[4:])
	return proc.Socket{
		Local: netip.AddrPortFrom(addr, port),
		State: proc.TCPListen,
		Inode: uint64(binary.NativeEndian.Uint32(body[68:])),
	}, true
}
