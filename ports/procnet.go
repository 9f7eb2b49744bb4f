package ports

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
)

// listenSocket is one TCP socket in the listening state.
type listenSocket struct {
	addr  netip.AddrPort
	inode uint64
}

// tcpListen is the state of a listening socket, TCP_LISTEN in the kernel's
// include/net/tcp_states.h.
const tcpListen = "0A"

// parseProcNet decodes /proc/net/tcp or /proc/net/tcp6 (proc_pid_net(5)) and
// returns the listening sockets. Addresses are the kernel's 32-bit words in the
// byte order of the machine, in hexadecimal. Rows that make no sense are left
// out; the error names the first of them, next to what could be read.
func parseProcNet(table []byte) ([]listenSocket, error) {
	var (
		found []listenSocket
		first error
		line  int
	)
	for row := range bytes.Lines(table) {
		line++
		fields := bytes.Fields(row)
		if line == 1 || len(fields) == 0 {
			continue
		}
		if len(fields) < 10 {
			if first == nil {
				first = fmt.Errorf("cannot read line %d of the socket table: %d fields, not 10 or more", line, len(fields))
			}
			continue
		}
		if string(fields[3]) != tcpListen {
			continue
		}
		s, err := parseListenRow(fields)
		if err != nil {
			if first == nil {
				first = fmt.Errorf("cannot read line %d of the socket table: %w", line, err)
			}
			continue
		}
		found = append(found, s)
	}
	return found, first
}

func parseListenRow(fields [][]byte) (listenSocket, error) {
	host, port, ok := bytes.Cut(fields[1], []byte(":"))
	if !ok {
		return listenSocket{}, fmt.Errorf("the local address %q has no port", fields[1])
	}
	addr, err := parseKernelAddr(host)
	if err != nil {
		return listenSocket{}, err
	}
	p, err := strconv.ParseUint(string(port), 16, 16)
	if err != nil {
		return listenSocket{}, fmt.Errorf("the local port: %w", err)
	}
	inode, err := strconv.ParseUint(string(fields[9]), 10, 64)
	if err != nil {
		return listenSocket{}, fmt.Errorf("the inode: %w", err)
	}
	return listenSocket{addr: netip.AddrPortFrom(addr, uint16(p)), inode: inode}, nil
}

func parseKernelAddr(text []byte) (netip.Addr, error) {
	var raw [16]byte
	if len(text) != 8 && len(text) != 32 {
		return netip.Addr{}, fmt.Errorf("the local address %q has %d digits, not 8 or 32", text, len(text))
	}
	n, err := hex.Decode(raw[:], text)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the local address: %w", err)
	}
	for i := 0; i < n; i += 4 {
		// The text is the word as a number; its memory is network order.
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	if n == 4 {
		return netip.AddrFrom4([4]byte(raw[:4])), nil
	}
	return netip.AddrFrom16(raw).Unmap(), nil
}
