package benthos

import (
	"net"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/ports"
)

// Listen is one TCP address that a configuration makes the engine listen on.
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

// later reports whether the address belongs to a component below a sequence or
// a dynamic input, which begins with its children only when it comes to them.
func (l Listen) later() bool {
	return strings.Contains(l.Path, ".sequence.") || strings.Contains(l.Path, ".dynamic.")
}

// Overlaps reports whether l and o cannot be listened on at the same time: they
// have the same port, and the same host or one host that is every address. Host
// names other than localhost are compared by name.
func (l Listen) Overlaps(o Listen) bool {
	return l.Port == o.Port && ports.Overlap(l.Host, o.Host)
}

// Ports returns every TCP address that the configuration would listen on: the
// HTTP endpoint first, then each http_server and TCP socket_server wherever it
// is nested, ordered by path. What only the engine can know is left out: port
// 0, and addresses with ${NAME}.
func Ports(c Config) []Listen {
	found, _ := c.listens()
	return found
}

func (c Config) listens() ([]Listen, []FieldProblem) {
	var w listenWalk
	if c.MetricsPort != 0 {
		w.found = append(w.found, Listen{Host: c.host(), Port: c.MetricsPort, Path: "metrics_port"})
	}
	for _, s := range c.sections() {
		w.walk(s.name, *s.at, 0)
	}
	for _, r := range c.resources() {
		for i, m := range *r.at {
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
		for _, k := range sortedKeys(n.m) {
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
	if network, given := textOf(n.m["network"]); given && !strings.HasPrefix(network, "tcp") && network != "tls" {
		return
	}
	addr, _ := textOf(n.m["address"])
	if addr == "" || strings.Contains(addr, "${") {
		return
	}
	path += ".address"
	host, port, err := ports.SplitHostPort(addr)
	if err != nil {
		w.problems.add(path, "is no address to listen on: "+err.Error())
		return
	}
	if port != 0 {
		w.found = append(w.found, Listen{Host: host, Port: port, Path: path})
	}
}
