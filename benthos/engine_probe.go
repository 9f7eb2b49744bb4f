package benthos

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/ports"
)

// Prober is how an instance looks at a running engine and at the ports of the
// machine. [NewProber] returns the real one; package benthostest has one for
// tests without processes. One that keeps connections has a method Drop(addr
// string), which is called once an engine is not asked any more. Its methods may be
// called from any goroutine.
type Prober interface {
	// Ping, Ready, Version and Metrics are those of a Client.
	Ping(ctx context.Context, addr string) error
	Ready(ctx context.Context, addr string) (ReadyState, error)
	Version(ctx context.Context, addr string) (VersionInfo, error)
	Metrics(ctx context.Context, addr string) (Metrics, error)
	// Holder says who listens on an address, if anybody does.
	Holder(addr string) (ports.Holder, bool, error)
	// Listens reports whether a process listens on an address.
	Listens(pid int, addr string) (bool, error)
}

type systemProber struct{ *Client }

// NewProber returns a Prober that asks over HTTP with the client and reads the
// tables of the kernel.
func NewProber(client *Client) Prober { return systemProber{client} }

// Holder implements Prober.
func (systemProber) Holder(addr string) (ports.Holder, bool, error) { return ports.HolderOf(addr) }

// Listens implements Prober.
func (systemProber) Listens(pid int, addr string) (bool, error) { return ports.Listens(pid, addr) }

// hearing is what was found out about where a process listens.
type hearing struct {
	// deaf is the first address that neither it nor anybody else listens on.
	deaf Listen
	// heard is an address that it listens on; all says that it does on each.
	// Where nothing is set it could not be told.
	heard string
	all   bool
}

// health asks the engine how it is. What was known of the same process before
// is not asked again: heard says that it listens everywhere. own returns all the
// instance's processes. A question that could not be answered is a problem of the
// engine, not an error.
func health(ctx context.Context, now time.Time, p Prober, doc *document, pid int, own func() []int, before Health, heard bool) (h Health, l hearing) {
	h = Health{At: now, PID: pid}
	if before.PID == pid {
		h.Alive, h.Version = before.Alive, before.Version
	}
	addr := doc.config.EndpointAddr()
	known := h.Alive
	if !h.Alive {
		err := p.Ping(ctx, addr)
		if errors.Is(err, syscall.ECONNREFUSED) {
			l.deaf = silent(p, pid, doc.endpoint()[0])
		} else {
			h.Problem, h.PortTaken, l.deaf, known = notListening(p, pid, own, doc.endpoint())
		}
		if err != nil && h.PortTaken == "" {
			h.Problem = err.Error()
		}
		if h.Problem != "" {
			return h, l
		}
		h.Alive = true
	}
	state, err := p.Ready(ctx, addr)
	switch {
	case err != nil:
		h.Problem = err.Error()
		h.Alive = false
		return h, l
	case !state.Ready:
		h.Problem = state.Reason
		if known {
			l.heard = doc.endpoint()[0].Addr()
		}
		return h, l
	}
	// Some inputs call themselves connected without having the port they listen
	// on.
	if !heard || before.PID != pid || !before.Ready {
		h.Problem, h.PortTaken, l.deaf, heard = notListening(p, pid, own, doc.listens)
	}
	h.Ready = h.Problem == ""
	l.all = h.Ready && heard
	if h.Version == "" {
		if v, err := p.Version(ctx, addr); err == nil {
			h.Version = v.Version
		}
	}
	return h, l
}

// silent returns an address on which a process refuses connections, if it is
// known that the process does not listen there.
func silent(p Prober, pid int, l Listen) Listen {
	if ok, err := p.Listens(pid, l.Addr()); ok || err != nil {
		return Listen{}
	}
	return l
}

// notListening names the first address that the process does not listen on, and
// the process that does, unless that is the instance's own. If this cannot be
// found out, the process is taken to listen, and known is false. deaf is an
// address that nobody listens on, if all before it are known.
func notListening(p Prober, pid int, own func() []int, listens []Listen) (problem, taken string, deaf Listen, known bool) {
	known = true
	for _, l := range listens {
		ok, err := p.Listens(pid, l.Addr())
		known = known && err == nil
		if err != nil || ok {
			continue
		}
		if taken = portProblem(p, l, own()); taken != "" {
			return taken, taken, Listen{}, known
		}
		if l.later() {
			continue
		}
		if known {
			deaf = l
		}
		return fmt.Sprintf("process %d does not listen on %s (%s)", pid, l.Addr(), l.Path), "", deaf, known
	}
	return "", "", Listen{}, known
}

// portProblem says who listens on an address, "" for nobody and for the
// instance's own processes.
func portProblem(p Prober, l Listen, own []int) string {
	holder, taken, err := p.Holder(l.Addr())
	if err != nil || !taken {
		return ""
	}
	for _, pid := range own {
		if pid != 0 && pid == holder.PID {
			return ""
		}
	}
	return (&ports.TakenError{Addr: l.Addr(), Port: l.Port, PID: holder.PID, Process: holder.Process}).Error()
}

// metricsProblem says why there are no metrics, "" for no reason.
func metricsProblem(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrNoMetrics):
		return ErrNoMetrics.Error()
	}
	return err.Error()
}
