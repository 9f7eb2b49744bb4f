package benthos_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
)

// answering is an engine whose answers are at hand: what it costs is next to
// nothing, and none of it is garbage. It ends with the test.
func answering(t testing.TB) (addr string) {
	t.Helper()
	text, err := os.ReadFile("testdata/bento-1.10.0-http.metrics")
	require.NoError(t, err)
	answer := func(body string) []byte {
		return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	ready, metrics := answer("OK"), answer(string(text))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in, said := bufio.NewReader(conn), ready
				for {
					line, err := in.ReadSlice('\n')
					switch {
					case err != nil:
						return
					case len(line) > 10 && string(line[:10]) == "GET /metri":
						said = metrics
					case len(line) > 10 && string(line[:10]) == "GET /ready":
						said = ready
					case len(line) == len("\r\n"):
						conn.Write(said)
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// poll asks what a health poll of an engine that is ready asks.
func poll(t testing.TB, ctx context.Context, c *benthos.Client, addr string) {
	state, err := c.Ready(ctx, addr)
	if err != nil || !state.Ready {
		t.Fatal(state, err)
	}
	m, err := c.Metrics(ctx, addr)
	if err != nil || m.InputReceived != 2 {
		t.Fatal(m, err)
	}
}

func TestPollLeavesLittleGarbage(t *testing.T) {
	addr := answering(t)
	c := benthos.NewClient(benthos.ClientConfig{Timeout: patience})
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { poll(t, ctx, c, addr) }), 60.0)
}

// BenchmarkPoll compares a health poll with the least that the client of net/http
// can do: the same requests, made once, over a kept connection, and nobody looks at
// the answers. It compares the medians, and the fastest.
func BenchmarkPoll(b *testing.B) {
	addr := answering(b)
	c := benthos.NewClient(benthos.ClientConfig{Timeout: patience})
	defer c.Close()
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	var requests []*http.Request
	for _, path := range []string{"/ready", "/metrics"} {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+addr+path, nil)
		require.NoError(b, err)
		requests = append(requests, req)
	}
	bare := func() {
		for _, req := range requests {
			resp, err := transport.RoundTrip(req)
			require.NoError(b, err)
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}
	var ours, floor []time.Duration
	took := func(do func()) time.Duration {
		begun := time.Now()
		do()
		return time.Since(begun)
	}
	for b.Loop() {
		ours = append(ours, took(func() { poll(b, b.Context(), c, addr) }))
		floor = append(floor, took(bare))
	}
	slices.Sort(ours)
	slices.Sort(floor)
	b.ReportMetric(float64(ours[len(ours)/2])/float64(floor[len(floor)/2]), "x-of-net/http")
	b.ReportMetric(float64(ours[0])/float64(floor[0]), "x-of-net/http-at-best")
	b.ReportMetric(float64(ours[len(ours)/2]), "ns/poll")
	b.ReportMetric(testing.AllocsPerRun(100, func() { poll(b, b.Context(), c, addr) }), "allocs/poll")
	b.ReportMetric(testing.AllocsPerRun(100, bare), "allocs/net/http")
	b.ReportMetric(0, "ns/op")
}
