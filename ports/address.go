package ports

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// SplitHostPort splits a host:port as net.SplitHostPort does, into the host,
// which may be empty, and a port that is a number.
func SplitHostPort(addr string) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("%q is not host:port", addr)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("the port of %q is not a number from 0 to 65535", addr)
	}
	return host, uint16(n), nil
}

// Overlap reports whether hosts a and b cannot both be listened on at one port:
// they are the same, or one of them includes the other. An empty host is every
// address. Host names other than localhost are compared by name.
func Overlap(a, b string) bool {
	x, y := parseHost(a), parseHost(b)
	if !x.IsValid() || !y.IsValid() {
		return strings.EqualFold(a, b) || x.IsValid() && x.IsUnspecified() || y.IsValid() && y.IsUnspecified()
	}
	return overlap(x, y)
}

// parseHost returns the address that a literal host stands for, and an invalid
// one for any other host name.
func parseHost(host string) netip.Addr {
	switch {
	case host == "":
		return netip.IPv6Unspecified()
	case strings.EqualFold(host, "localhost"):
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}

// overlap reports whether listening on a keeps others from listening on b at
// the same port. Every IPv6 address includes every IPv4 address, as Go listens.
func overlap(a, b netip.Addr) bool {
	switch {
	case a == b:
		return true
	case a.IsUnspecified() && a.Is6(), b.IsUnspecified() && b.Is6():
		return true
	case a.IsUnspecified():
		return b.Is4()
	case b.IsUnspecified():
		return a.Is4()
	default:
		return false
	}
}
