package benthostest

import (
	"context"
	"fmt"
	"sync"
	"syscall"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/ports"
)

// Endpoint is what a Prober says of an address. The zero Endpoint is that of an
// engine which is ready and has counted nothing.
type Endpoint struct {
	// Err is the answer to every request, where it is not nil.
	Err error
	// NotReady is why the engine is not ready, empty where it is.
	NotReady string
	// Metrics it has counted; NoMetrics: it has no exporter. MetricsErr is why
	// they cannot be read, where it is not nil.
	Metrics    benthos.Metrics
	NoMetrics  bool
	MetricsErr error
	// Holder is another process that listens on the address. The zero Holder
	// means that the process that is asked about listens.
	Holder ports.Holder
}

// Prober is a benthos.Prober without network and processes: it says what it was
// told about an address. Nobody listens on an address that it was told nothing
// about. It works in testing/synctest bubbles. Its methods may be called from
// any goroutine.
type Prober struct {
	mu        sync.Mutex
	endpoints map[string]Endpoint // guarded by mu
}

var _ benthos.Prober = (*Prober)(nil)

// NewProber returns a Prober that has been told nothing.
func NewProber() *Prober { return &Prober{endpoints: make(map[string]Endpoint)} }

// Set tells what there is at an address, a host:port.
func (p *Prober) Set(addr string, e Endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endpoints[addr] = e
}

// Clear makes nobody listen on an address.
func (p *Prober) Clear(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.endpoints, addr)
}

func (p *Prober) at(addr string) (e Endpoint, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok = p.endpoints[addr]
	return e, ok
}

// ask returns what answers at an address.
func (p *Prober) ask(ctx context.Context, addr string) (Endpoint, error) {
	e, ok := p.at(addr)
	switch {
	case ctx.Err() != nil:
		return e, ctx.Err()
	case !ok:
		return e, fmt.Errorf("cannot ask %s: %w", addr, syscall.ECONNREFUSED)
	}
	return e, e.Err
}

// Ping implements benthos.Prober.
func (p *Prober) Ping(ctx context.Context, addr string) error {
	_, err := p.ask(ctx, addr)
	return err
}

// Ready implements benthos.Prober.
func (p *Prober) Ready(ctx context.Context, addr string) (benthos.ReadyState, error) {
	e, err := p.ask(ctx, addr)
	if err != nil {
		return benthos.ReadyState{}, err
	}
	return benthos.ReadyState{Ready: e.NotReady == "", Reason: e.NotReady}, nil
}

// Version implements benthos.Prober.
func (p *Prober) Version(ctx context.Context, addr string) (benthos.VersionInfo, error) {
	_, err := p.ask(ctx, addr)
	return benthos.VersionInfo{Version: "fake"}, err
}

// Metrics implements benthos.Prober.
func (p *Prober) Metrics(ctx context.Context, addr string) (benthos.Metrics, error) {
	e, err := p.ask(ctx, addr)
	switch {
	case err != nil:
		return benthos.Metrics{}, err
	case e.NoMetrics:
		return benthos.Metrics{}, benthos.ErrNoMetrics
	case e.MetricsErr != nil:
		return benthos.Metrics{}, e.MetricsErr
	}
	return e.Metrics, nil
}

// Holder implements benthos.Prober.
func (p *Prober) Holder(addr string) (ports.Holder, bool, error) {
	e, _ := p.at(addr)
	return e.Holder, e.Holder != ports.Holder{}, nil
}

// Listens implements benthos.Prober.
func (p *Prober) Listens(pid int, addr string) (bool, error) {
	e, ok := p.at(addr)
	return ok && (e.Holder == ports.Holder{} || e.Holder.PID == pid), nil
}
