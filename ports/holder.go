package ports

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
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
// machine and network namespace, and whether anything does. It binds nothing:
// it asks the kernel through sock_diag(7), or reads /proc/net/tcp and tcp6 where
// it cannot, and looks for the socket among the descriptors in /proc. With an
// empty or unspecified host any listener on the port is found, as it is with a
// host name other than localhost, which is not resolved.
//
// The holder's PID is zero where something listens but its owner cannot be
// read. An error means that the listening sockets could not be read, not that
// the port is free. It looks through every process: see Listens for one.
func HolderOf(addr string) (Holder, bool, error) {
	return procTables{root: "/proc", ask: diagListeners}.holder(addr)
}

// Listens reports whether process pid itself, in this network namespace,
// listens on addr, as HolderOf reads an address. It looks into that process
// alone, so it is cheap enough for every observation, and tells an endpoint of
// one's own from one that happens to answer on the same port. The error
// satisfies fs.ErrNotExist where there is no such process, and fs.ErrPermission
// where it may not be looked into; without a listener neither is looked for.
func Listens(pid int, addr string) (bool, error) {
	return procTables{root: "/proc", ask: diagListeners}.listens(pid, addr)
}

// procTables reads a proc(5) file system.
type procTables struct {
	root string
	// ask, where given, is preferred to the tables, which are slow.
	ask func(port uint16) ([]listenSocket, error)
}

func (t procTables) holder(addr string) (Holder, bool, error) {
	inodes, err := t.inodes(addr)
	if err != nil || len(inodes) == 0 {
		return Holder{}, false, err
	}
	dir, err := os.Open(t.root)
	if err != nil {
		return Holder{}, true, nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	for _, pid := range pids {
		if held, err := t.holds(pid, inodes); err == nil && held {
			comm, _ := os.ReadFile(filepath.Join(t.root, strconv.Itoa(pid), "comm"))
			return Holder{PID: pid, Process: strings.TrimSuffix(string(comm), "\n")}, true, nil
		}
	}
	// Who held it may have ended while it was looked for.
	still, err := t.inodes(addr)
	return Holder{}, slices.ContainsFunc(still, func(inode uint64) bool { return slices.Contains(inodes, inode) }), err
}

func (t procTables) listens(pid int, addr string) (bool, error) {
	inodes, err := t.inodes(addr)
	if err != nil || len(inodes) == 0 {
		return false, err
	}
	return t.holds(pid, inodes)
}

// inodes returns the inodes of the sockets that listen on addr.
func (t procTables) inodes(addr string) ([]uint64, error) {
	host, port, err := SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("cannot look for a listener: %w", err)
	}
	want := parseHost(host)
	if !want.IsValid() {
		want = netip.IPv6Unspecified()
	}
	sockets, err := t.listeners(port)
	if err != nil {
		return nil, err
	}
	var found []uint64
	for _, s := range sockets {
		if s.addr.Port() == port && overlap(s.addr.Addr(), want) {
			found = append(found, s.inode)
		}
	}
	return found, nil
}

func (t procTables) listeners(port uint16) ([]listenSocket, error) {
	if t.ask != nil {
		if sockets, err := t.ask(port); err == nil {
			return sockets, nil
		}
	}
	var found []listenSocket
	for _, name := range []string{"tcp", "tcp6"} {
		table, err := os.ReadFile(filepath.Join(t.root, "net", name))
		if name == "tcp6" && errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read the socket table: %w", err)
		}
		sockets, err := parseProcNet(table)
		if err != nil {
			return nil, err
		}
		found = append(found, sockets...)
	}
	return found, nil
}

// holds reports whether process pid has a descriptor of one of the sockets.
func (t procTables) holds(pid int, inodes []uint64) (bool, error) {
	path := filepath.Join(t.root, strconv.Itoa(pid), "fd")
	dir, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("cannot read the descriptors of process %d: %w", pid, err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return false, fmt.Errorf("cannot read the descriptors of process %d: %w", pid, err)
	}
	for _, name := range names {
		target, err := os.Readlink(filepath.Join(path, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // closed meanwhile
		}
		if err != nil {
			return false, fmt.Errorf("cannot read the descriptors of process %d: %w", pid, err)
		}
		text, ok := strings.CutPrefix(target, "socket:[")
		if !ok {
			continue
		}
		inode, err := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 64)
		if err == nil && slices.Contains(inodes, inode) {
			return true, nil
		}
	}
	return false, nil
}
