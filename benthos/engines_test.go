package benthos_test

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/ports"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// engines is a Prober whose engines are the processes of the tree: each listens,
// from shortly after its start to its end, at the endpoint of the configuration
// that lay in its directory when it started, where that is free.
type engines struct {
	t    *testing.T
	tree *s6test.Tree

	mu       sync.Mutex                 // guards all below
	running  map[int]*fakeEngine        // by PID
	metrics  map[string]benthos.Metrics // by service
	notReady map[string]string          // by service
}

type fakeEngine struct {
	service  string
	endpoint string
	listens  bool
	started  time.Time
}

// engineBoot is how long an engine takes until it listens.
const engineBoot = 20 * time.Millisecond

var _ benthos.Prober = (*engines)(nil)

// newEngines has the processes of m be asked.
func newEngines(t *testing.T, m *memory) *engines {
	e := &engines{
		t: t, tree: m.tree, running: make(map[int]*fakeEngine),
		metrics: make(map[string]benthos.Metrics), notReady: make(map[string]string),
	}
	m.options.Prober = e
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(500 * time.Microsecond):
				e.look()
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-stopped })
	return e
}

// look has engines begin and end with their processes.
func (e *engines) look() {
	processes := e.tree.Processes()
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.running
	e.running = make(map[int]*fakeEngine)
	for _, p := range processes {
		if p.Finish || p.Waiting || strings.HasSuffix(p.Service, "/log") {
			continue
		}
		if before[p.PID] == nil {
			before[p.PID] = e.begun(p.Service)
		}
		e.running[p.PID] = before[p.PID]
	}
	for _, one := range e.running {
		if time.Since(one.started) >= engineBoot && e.holder(one.endpoint) == 0 {
			one.listens = true
		}
	}
}

func (e *engines) begun(service string) *fakeEngine {
	data, err := e.tree.FS().ReadFile(path.Join(e.tree.Layout().Service(service), "config/benthos.yaml"))
	require.NoError(e.t, err)
	var doc struct{ HTTP struct{ Address string } }
	require.NoError(e.t, yaml.Unmarshal(data, &doc))
	return &fakeEngine{service: service, endpoint: doc.HTTP.Address, started: time.Now()}
}

// holder returns the process that listens on an address, 0 for none.
func (e *engines) holder(addr string) int {
	for pid, one := range e.running {
		if one.listens && one.endpoint == addr {
			return pid
		}
	}
	return 0
}

// ask returns the service that answers at an address.
func (e *engines) ask(addr string) (service string, err error) {
	e.look()
	e.mu.Lock()
	defer e.mu.Unlock()
	if pid := e.holder(addr); pid != 0 {
		return e.running[pid].service, nil
	}
	return "", fmt.Errorf("cannot ask %s: %w", addr, syscall.ECONNREFUSED)
}

func (e *engines) Ping(_ context.Context, addr string) error {
	_, err := e.ask(addr)
	return err
}

func (e *engines) Ready(_ context.Context, addr string) (benthos.ReadyState, error) {
	service, err := e.ask(addr)
	e.mu.Lock()
	defer e.mu.Unlock()
	return benthos.ReadyState{Ready: e.notReady[service] == "", Reason: e.notReady[service]}, err
}

func (e *engines) Version(_ context.Context, addr string) (benthos.VersionInfo, error) {
	_, err := e.ask(addr)
	return benthos.VersionInfo{Version: "fake"}, err
}

func (e *engines) Metrics(_ context.Context, addr string) (benthos.Metrics, error) {
	service, err := e.ask(addr)
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.metrics[service], err
}

func (e *engines) Holder(addr string) (ports.Holder, bool, error) {
	e.look()
	e.mu.Lock()
	defer e.mu.Unlock()
	pid := e.holder(addr)
	return ports.Holder{PID: pid, Process: "benthos"}, pid != 0, nil
}

func (e *engines) Listens(pid int, addr string) (bool, error) {
	e.look()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.holder(addr) == pid, nil
}

// pid returns the process of a service that is at work, 0 for none.
func (e *engines) pid(service string) int {
	e.look()
	e.mu.Lock()
	defer e.mu.Unlock()
	for pid, one := range e.running {
		if one.service == service {
			return pid
		}
	}
	return 0
}
