package ports

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// Holder is the process that listens on a port.
type Holder struct {
	// PID is zero where the owner of the socket cannot be read: a process of
	// another user, or one outside this PID namespace.
	PID int
	// Process is the command name of PID, at most 15 bytes, empty where it
	// cannot be read.
	Process string
}

// TakenError says that something listens on an address already. It
// satisfies errors.Is(err, syscall.EADDRINUSE).
type TakenError struct {
	Addr string
	Port uint16
	// PID and Process are those of the Holder.
	PID     int
	Process string
}

// Error names the port and, where it is known, the holder.
func (e *TakenError) Error() string {
	holder := "a process that cannot be read from here"
	if e.PID != 0 {
		holder = fmt.Sprintf("process %d", e.PID)
		if e.Process != "" {
			holder += " (" + e.Process + ")"
		}
	}
	return fmt.Sprintf("port %d is taken: %s listens on %s", e.Port, holder, e.Addr)
}

// Unwrap returns syscall.EADDRINUSE.
func (e *TakenError) Unwrap() error { return syscall.EADDRINUSE }

// HolderOf returns the process that listens on addr, a host:port of this
// machine and network namespace, and whether there is one. It binds nothing: it
// asks the kernel through sock_diag(7), or reads the tables in /proc/net where
// that is not possible, and looks for the socket among the descriptors of
// processes. With an empty or unspecified host it finds any listener on the
// port. So it does with a host name other than localhost, for names are not
// resolved.
//
// The holder's PID is zero where something listens but its owner cannot be
// read. An error means that the listening sockets could not be read, not that
// the port is free. It looks through every process; Listens looks at one.
func HolderOf(addr string) (Holder, bool, error) {
	return system().holder(addr)
}

// Listens reports whether process pid itself, in this network namespace,
// listens on addr, as HolderOf reads an address. It reads that process alone,
// so it is cheap enough for every observation, and it tells an endpoint of
// one's own from one that happens to answer on the same port. The error
// satisfies fs.ErrNotExist where there is no such process, and fs.ErrPermission
// where its descriptors may not be read. A process that is seen to be in another
// network namespace is an error, too. Without a listener no descriptors are looked
// at.
func Listens(pid int, addr string) (bool, error) {
	return system().listens(pid, addr)
}

// tables is where sockets and their owners are looked up.
type tables struct {
	proc proc.FS
	// ask, where given, comes before the tables of /proc, which are slow.
	ask func(port uint16) ([]proc.Socket, error)
}

func system() tables { return tables{proc: proc.System, ask: diagListeners} }

func (t tables) holder(addr string) (Holder, bool, error) {
	sockets, err := t.sockets(addr, narrow)
	if err != nil || len(sockets) == 0 {
		return Holder{}, false, err
	}
	pids, _ := t.proc.PIDs()
	for _, pid := range pids {
		if held, err := t.proc.Holds(pid, sockets...); err == nil && held {
			command, _ := t.proc.Command(pid)
			return Holder{PID: pid, Process: command}, true, nil
		}
	}
	// Who held it may have ended while it was looked for.
	still, err := t.sockets(addr, narrow)
	return Holder{}, slices.ContainsFunc(still, func(socket string) bool { return slices.Contains(sockets, socket) }), err
}

func (t tables) listens(pid int, addr string) (bool, error) {
	sockets, err := t.sockets(addr, wide)
	if err != nil {
		return false, err
	}
	if len(sockets) > 0 {
		if held, err := t.proc.Holds(pid, sockets...); held || err != nil {
			return held, err
		}
	}
	if t.proc.Elsewhere(pid) {
		return false, fmt.Errorf("process %d is in another network namespace, whose listeners cannot be seen from here", pid)
	}
	return false, nil
}

// sockets returns the sockets that listen on addr, as descriptors name them, by
// the addresses that a host stands for.
func (t tables) sockets(addr string, of func(host string) []netip.Addr) ([]string, error) {
	host, port, err := SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("cannot look for a listener: %w", err)
	}
	wants := of(host)
	listeners, err := t.listeners(port)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, s := range listeners {
		if s.Local.Port() == port && slices.ContainsFunc(wants, func(a netip.Addr) bool { return overlap(s.Local.Addr(), a) }) {
			found = append(found, "socket:["+strconv.FormatUint(s.Inode, 10)+"]")
		}
	}
	return found, nil
}

// narrow returns the address that keeps others from listening on a host: any,
// where that is a name that is not resolved.
func narrow(host string) []netip.Addr {
	if addr := parseHost(host); addr.IsValid() {
		return []netip.Addr{addr}
	}
	return []netip.Addr{netip.IPv6Unspecified()}
}

// wide returns the addresses at which a process that listens on a host may be
// found: the kernel's tables have no zones, and localhost may be either.
func wide(host string) []netip.Addr {
	if strings.EqualFold(host, "localhost") {
		return []netip.Addr{parseHost(host), netip.IPv6Loopback()}
	}
	return []netip.Addr{narrow(host)[0].WithZone("")}
}

// listeners returns sockets that listen, those on port among them.
func (t tables) listeners(port uint16) ([]proc.Socket, error) {
	if t.ask != nil {
		if sockets, err := t.ask(port); err == nil {
			return sockets, nil
		}
	}
	sockets, err := t.proc.TCP()
	return slices.DeleteFunc(sockets, func(s proc.Socket) bool { return s.State != proc.TCPListen }), err
}
