package benthos_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
)

// patience bounds a request to a server that answers.
const patience = time.Minute

func engine(t *testing.T, cfg benthos.ClientConfig) (*benthostest.Server, *benthos.Client) {
	cfg.Timeout = patience
	s, c := benthostest.NewServer(), benthos.NewClient(cfg)
	t.Cleanup(s.Close)
	t.Cleanup(c.Close)
	return s, c
}

func TestReadyGivesTheReason(t *testing.T) {
	s, c := engine(t, benthos.ClientConfig{})
	const redpanda = `{"statuses":[{"label":"","path":"input","connected":false,"error":"dial tcp 127.0.0.1:1: connect: connection refused"},` +
		`{"label":"out","path":"output","connected":false},{"label":"","path":"output.x","connected":true}]}`
	for body, want := range map[string]string{
		"input not connected\n":        "input not connected",
		redpanda:                       "input not connected: dial tcp 127.0.0.1:1: connect: connection refused; out not connected",
		`{"statuses":[]}`:              `{"statuses":[]}`,
		`{"statuses":[{}]}`:            "not connected",
		"":                             "not ready",
		strings.Repeat("long ", 9e5/5): strings.TrimSpace(strings.Repeat("long ", 512/5) + "lo"),
	} {
		s.Set(benthostest.Ready, benthostest.Answer{Status: http.StatusServiceUnavailable, Body: body})
		got, err := c.Ready(t.Context(), s.Addr())
		require.NoError(t, err)
		assert.Equal(t, benthos.ReadyState{Reason: want}, got)
	}
}

func TestClientErrors(t *testing.T) {
	s, c := engine(t, benthos.ClientConfig{MaxBody: 1000})
	ask := map[string]func() error{
		benthostest.Ping:    func() error { return c.Ping(t.Context(), s.Addr()) },
		benthostest.Ready:   func() error { _, err := c.Ready(t.Context(), s.Addr()); return err },
		benthostest.Version: func() error { _, err := c.Version(t.Context(), s.Addr()); return err },
		benthostest.Metrics: func() error { _, err := c.Metrics(t.Context(), s.Addr()); return err },
	}
	for path, ask := range ask {
		s.Set(path, benthostest.Answer{Drop: true})
		require.Error(t, ask(), path)
		s.Set(path, benthostest.Answer{Body: strings.Repeat("x", 1001)})
		require.ErrorIs(t, ask(), benthos.ErrBodyTooLarge, path)

		s.Set(path, benthostest.Answer{Status: http.StatusTeapot, Body: "  short\nand stout  "})
		err := ask()
		assert.ErrorContains(t, err, "cannot get http://"+s.Addr()+path+": ")
		var status *benthos.HTTPStatusError
		require.ErrorAs(t, err, &status, path)
		assert.Equal(t, benthos.HTTPStatusError{Status: http.StatusTeapot, Body: "short and stout"}, *status)
	}
	for _, path := range []string{benthostest.Ping, benthostest.Version} {
		s.Set(path, benthostest.Answer{Body: "<html>hello</html>"})
		require.ErrorIs(t, ask[path](), benthos.ErrNotBenthos, path)
	}
	s.Set(benthostest.Metrics, benthostest.Answer{Body: "{garbage"})
	require.ErrorContains(t, ask[benthostest.Metrics](), "cannot read the metrics")
	text, err := c.MetricsText(t.Context(), s.Addr())
	require.NoError(t, err)
	assert.Equal(t, "{garbage", string(text), "as it is")
	s.SetNoMetrics()
	require.ErrorIs(t, ask[benthostest.Metrics](), benthos.ErrNoMetrics)

	s.Close()
	for path, ask := range ask {
		require.ErrorIs(t, ask(), syscall.ECONNREFUSED, path)
	}
	require.Error(t, c.Ping(t.Context(), "not an address"))
}

func TestClientLosesPatience(t *testing.T) {
	s, _ := engine(t, benthos.ClientConfig{})
	c := benthos.NewClient(benthos.ClientConfig{Timeout: 20 * time.Millisecond})
	defer c.Close()
	s.Set(benthostest.Ping, benthostest.Answer{Hang: true})
	err := c.Ping(t.Context(), s.Addr())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "cannot get http://"+s.Addr()+benthostest.Ping+": ")
}

func TestClientEndsWithItsContext(t *testing.T) {
	s, c := engine(t, benthos.ClientConfig{})
	s.Set(benthostest.Ping, benthostest.Answer{Hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	require.ErrorIs(t, c.Ping(ctx, s.Addr()), context.Canceled)
}

func TestClientFollowsNoRedirect(t *testing.T) {
	elsewhere, c := engine(t, benthos.ClientConfig{})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+elsewhere.Addr()+r.URL.Path, http.StatusFound)
	}))
	defer front.Close()
	require.ErrorContains(t, c.Ping(t.Context(), front.Listener.Addr().String()), "status 302")
	assert.Zero(t, elsewhere.Hits(benthostest.Ping))
}

func TestClientKeepsOneConnection(t *testing.T) {
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("Accept-Encoding"), "a body that unpacks to more than was sent")
		io.WriteString(w, "pong")
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c := benthos.NewClient(benthos.ClientConfig{Timeout: patience})
	defer c.Close()
	for range 10 {
		require.NoError(t, c.Ping(t.Context(), s.Listener.Addr().String()))
	}
	assert.EqualValues(t, 1, opened.Load())
}
