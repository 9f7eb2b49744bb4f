package benthostest

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
)

// The paths of the endpoint.
const (
	Ping    = "/ping"
	Ready   = "/ready"
	Version = "/version"
	Metrics = "/metrics"
)

// Answer is what a path answers.
type Answer struct {
	// Status is the HTTP status. Zero means 200.
	Status int
	// Body is sent as it is, ContentType as its type where it is not empty.
	Body, ContentType string
	// Delay passes before the answer begins.
	Delay time.Duration
	// Hang makes the path give no answer until the client goes away or the
	// server is closed.
	Hang bool
	// Drop makes the connection break instead of an answer.
	Drop bool
}

// Server is a fake engine's HTTP endpoint on a loopback address. All methods
// may be called concurrently, and changes apply from the next request on.
type Server struct {
	http   *httptest.Server
	closed chan struct{}
	once   sync.Once

	mu      sync.Mutex
	answers map[string]Answer // guarded by mu: by path
	hits    map[string]int    // guarded by mu: by path
}

// NewServer starts a server on a free port. It is ready and has metrics that
// are all zero. Close it when done.
func NewServer() *Server {
	s := newServer()
	s.http.Start()
	return s
}

// Listen is NewServer on an address of the caller's choice.
func Listen(addr string) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot serve a fake Benthos endpoint: %w", err)
	}
	s := newServer()
	s.http.Listener.Close()
	s.http.Listener = l
	s.http.Start()
	return s, nil
}

func newServer() *Server {
	s := &Server{
		closed: make(chan struct{}),
		hits:   map[string]int{},
		answers: map[string]Answer{
			Ping:    {Body: "pong"},
			Ready:   {Body: "OK"},
			Version: {Body: `{"version":"v1.10.0", "built":"unknown"}`},
		},
	}
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.SetMetrics(benthos.Metrics{})
	return s
}

// Addr returns the host:port of the server.
func (s *Server) Addr() string { return s.http.Listener.Addr().String() }

// Close stops the server and ends the requests that hang.
func (s *Server) Close() {
	s.once.Do(func() {
		close(s.closed)
		s.http.Close()
	})
}

// Set makes path answer a, whatever it answered before.
func (s *Server) Set(path string, a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = a
}

// SetReady makes the server ready.
func (s *Server) SetReady() { s.Set(Ready, Answer{Body: "OK"}) }

// SetNotReady makes the server answer that it is not ready, in Bento's words,
// for instance "input not connected".
func (s *Server) SetNotReady(reason string) {
	s.Set(Ready, Answer{Status: http.StatusServiceUnavailable, Body: reason + "\n"})
}

// SetMetrics serves counters as Bento does: those of an input, an output, a
// processor and a buffer, and as many series of connections as there are.
func (s *Server) SetMetrics(m benthos.Metrics) {
	s.Set(Metrics, Answer{Body: metricsText(m), ContentType: "text/plain; version=0.0.4; charset=utf-8"})
}

// SetNoMetrics makes the server an engine without a Prometheus exporter.
func (s *Server) SetNoMetrics() {
	s.Set(Metrics, Answer{Status: http.StatusNotFound, Body: "404 page not found\n"})
}

// Hits returns how often path was asked for.
func (s *Server) Hits(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[path]
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.hits[r.URL.Path]++
	a, known := s.answers[r.URL.Path]
	s.mu.Unlock()
	if !known {
		http.NotFound(w, r)
		return
	}
	var delay <-chan time.Time
	if !a.Hang {
		timer := time.NewTimer(a.Delay)
		defer timer.Stop()
		delay = timer.C
	}
	select {
	case <-delay:
	case <-r.Context().Done():
		return
	case <-s.closed:
		return
	}
	if a.Drop {
		panic(http.ErrAbortHandler)
	}
	if a.ContentType != "" {
		w.Header().Set("Content-Type", a.ContentType)
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	// The client may be gone.
	_, _ = w.Write([]byte(a.Body))
}

func metricsText(m benthos.Metrics) string {
	var b strings.Builder
	series := func(name, path string, value uint64) {
		fmt.Fprintf(&b, "%s{label=\"\",path=%q} %d\n", name, path, value)
	}
	counter := func(name, path string, value uint64) {
		fmt.Fprintf(&b, "# HELP %s Bento Counter metric\n# TYPE %s counter\n", name, name)
		series(name, path, value)
	}
	connections := func(name, path string, all, up uint64) {
		if all == 0 {
			return
		}
		fmt.Fprintf(&b, "# HELP %s Bento Counter metric\n# TYPE %s counter\n", name, name)
		for i := range all {
			var value uint64
			if i < up {
				value = 1
			}
			series(name, fmt.Sprintf("%s.broker.%d", path, i), value)
		}
	}
	counter("input_received", "root.input", m.InputReceived)
	counter("input_connection_failed", "root.input", m.InputConnectionFailed)
	counter("input_connection_lost", "root.input", m.InputConnectionLost)
	connections("input_connection_up", "root.input", m.InputConnections, m.InputConnectionUp)
	counter("output_sent", "root.output", m.OutputSent)
	counter("output_batch_sent", "root.output", m.OutputBatchSent)
	counter("output_error", "root.output", m.OutputError)
	counter("output_connection_failed", "root.output", m.OutputConnectionFailed)
	counter("output_connection_lost", "root.output", m.OutputConnectionLost)
	connections("output_connection_up", "root.output", m.OutputConnections, m.OutputConnectionUp)
	counter("processor_received", "root.pipeline.processors.0", m.ProcessorReceived)
	counter("processor_batch_received", "root.pipeline.processors.0", m.ProcessorBatchReceived)
	counter("processor_sent", "root.pipeline.processors.0", m.ProcessorSent)
	counter("processor_batch_sent", "root.pipeline.processors.0", m.ProcessorBatchSent)
	counter("processor_error", "root.pipeline.processors.0", m.ProcessorError)
	counter("buffer_received", "root.buffer", m.BufferReceived)
	counter("buffer_sent", "root.buffer", m.BufferSent)
	return b.String()
}
