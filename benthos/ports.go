package benthos

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Listen is one TCP address a configuration makes the engine listen on.
type Listen struct {
	// Host is what was configured: empty for every address.
	Host string
	// Port is never zero.
	Port uint16
	// Path is where in the configuration's YAML the address stands, such as
	// "input.http_server.address".
	Path string
}

// Addr returns the address as net.Listen takes it.
func (l Listen) Addr() string {
	return net.JoinHostPort(l.Host, strconv.Itoa(int(l.Port)))
}

// later reports whether the component stands below one that begins with its
// children when it comes to them.
func (l Listen) later() bool {
	return strings.Contains(l.Path, ".sequence.") || strings.Contains(l.Path, ".dynamic.")
}

// Overlaps reports whether l and o cannot be listened on at the same time: the
// same port, and the same host or one of them every address. Host names other
// than localhost are compared by name.
func (l Listen) Overlaps(o Listen) bool {
	if l.Port != o.Port {
		return false
	}
	a, b := parseHost(l.Host), parseHost(o.Host)
	if !a.IsValid() || !b.IsValid() {
		return strings.EqualFold(l.Host, o.Host) || a.IsValid() && a.IsUnspecified() || b.IsValid() && b.IsUnspecified()
	}
	return overlap(a, b)
}

// Ports returns every TCP address the configuration would listen on: the HTTP
// endpoint first, then each http_server and TCP socket_server wherever it is
// nested, ordered by path. Left out are what only the engine can know: port 0
// and addresses with an interpolated ${NAME}.
func Ports(c Config) []Listen {
	found, _ := c.listens()
	return found
}

// parseHost returns the address a literal host stands for, and an invalid one
// for any other host name.
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
// the same port. Every IPv6 address includes every IPv4 one, as Go listens.
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

func (c Config) listens() ([]Listen, []FieldProblem) {
	var w listenWalk
	if c.MetricsPort != 0 {
		w.found = append(w.found, Listen{Host: c.host(), Port: c.MetricsPort, Path: "metrics_port"})
	}
	for _, s := range c.sections() {
		w.walk(s.name, s.value, 0)
	}
	for _, r := range c.resources() {
		for i, m := range r.values {
			w.walk(r.name+"."+strconv.Itoa(i), m, 0)
		}
	}
	return w.found, w.problems
}

type listenWalk struct {
	found    []Listen
	problems problems
}

func (w *listenWalk) walk(path string, v any, depth int) {
	n, err := classify(v)
	if err != nil || depth > maxDepth {
		return
	}
	switch n.shape {
	case shapeMap:
		for _, k := range slices.Sorted(maps.Keys(n.m)) {
			if k == "http_server" || k == "socket_server" {
				w.server(path+"."+k, n.m[k])
			}
			w.walk(path+"."+k, n.m[k], depth+1)
		}
	case shapeList:
		for i, e := range n.list {
			w.walk(path+"."+strconv.Itoa(i), e, depth+1)
		}
	}
}

// server notes the address of one component. An http_server without one is
// served by the HTTP endpoint.
func (w *listenWalk) server(path string, v any) {
	n, err := classify(v)
	if err != nil || n.shape != shapeMap {
		return
	}
	if network, given := n.m["network"].(string); given && !strings.HasPrefix(network, "tcp") && network != "tls" {
		return
	}
	addr, _ := n.m["address"].(string)
	if addr == "" || strings.Contains(addr, "${") {
		return
	}
	path += ".address"
	host, port, err := splitAddr(addr)
	if err != nil {
		w.problems.add(path, err.Error())
		return
	}
	if port != 0 {
		w.found = append(w.found, Listen{Host: host, Port: port, Path: path})
	}
}

func splitAddr(addr string) (string, uint16, error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("is %q, which is not host:port", addr)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("is %q, whose port is not a number from 0 to 65535", addr)
	}
	return host, uint16(port), nil
}
