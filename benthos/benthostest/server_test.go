package benthostest_test

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T) (*benthostest.Server, *benthos.Client) {
	s, c := benthostest.NewServer(), benthos.NewClient(benthos.ClientConfig{Timeout: time.Minute})
	t.Cleanup(s.Close)
	t.Cleanup(c.Close)
	return s, c
}

func TestServerIsHealthyAtFirst(t *testing.T) {
	s, c := start(t)
	require.NoError(t, c.Ping(t.Context(), s.Addr()))
	ready, err := c.Ready(t.Context(), s.Addr())
	require.NoError(t, err)
	assert.True(t, ready.Ready)
	version, err := c.Version(t.Context(), s.Addr())
	require.NoError(t, err)
	assert.Equal(t, "v1.10.0", version.Version)
	m, err := c.Metrics(t.Context(), s.Addr())
	require.NoError(t, err)
	assert.Equal(t, benthos.Metrics{}, m)
	assert.Equal(t, 1, s.Hits(benthostest.Ping))
}

func TestServerServesEveryMetricItIsGiven(t *testing.T) {
	s, c := start(t)
	want := benthos.Metrics{
		InputReceived: 1, InputConnectionFailed: 2, InputConnectionLost: 3, OutputSent: 4, OutputBatchSent: 5,
		OutputError: 6, OutputConnectionFailed: 7, OutputConnectionLost: 8, ProcessorReceived: 9,
		ProcessorBatchReceived: 10, ProcessorSent: 11, ProcessorBatchSent: 12, ProcessorError: 13,
		BufferReceived: 14, BufferSent: 15, InputConnections: 3, InputConnectionUp: 2,
		OutputConnections: 2, OutputConnectionUp: 1,
	}
	s.SetMetrics(want)
	got, err := c.Metrics(t.Context(), s.Addr())
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestServerMisbehavesAsTold(t *testing.T) {
	s, c := start(t)
	s.SetNotReady("input not connected")
	ready, err := c.Ready(t.Context(), s.Addr())
	require.NoError(t, err)
	assert.Equal(t, benthos.ReadyState{Reason: "input not connected"}, ready)
	s.SetReady()
	ready, err = c.Ready(t.Context(), s.Addr())
	require.NoError(t, err)
	assert.True(t, ready.Ready)

	s.SetNoMetrics()
	_, err = c.Metrics(t.Context(), s.Addr())
	require.ErrorIs(t, err, benthos.ErrNoMetrics)

	s.Set(benthostest.Ping, benthostest.Answer{Status: http.StatusInternalServerError, Body: "boom"})
	require.ErrorContains(t, c.Ping(t.Context(), s.Addr()), "status 500: boom")
	s.Set(benthostest.Ping, benthostest.Answer{Drop: true})
	require.Error(t, c.Ping(t.Context(), s.Addr()))
	s.Set(benthostest.Ping, benthostest.Answer{Body: "pong", Delay: time.Millisecond})
	require.NoError(t, c.Ping(t.Context(), s.Addr()))
}

func TestCloseEndsRequestsThatHang(t *testing.T) {
	s, c := start(t)
	s.Set(benthostest.Ping, benthostest.Answer{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, c.Ping(ctx, s.Addr()), context.DeadlineExceeded)

	before := s.Hits(benthostest.Ping) // the first may not have come so far in its time
	ended := make(chan error, 1)
	go func() { ended <- c.Ping(t.Context(), s.Addr()) }()
	require.Eventually(t, func() bool { return s.Hits(benthostest.Ping) > before }, time.Minute, time.Millisecond)
	s.Close()
	require.Error(t, <-ended)
}

func TestListenTakesTheAddressItIsGiven(t *testing.T) {
	first := benthostest.NewServer()
	addr := first.Addr()
	_, err := benthostest.Listen(addr)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	first.Close()

	second, err := benthostest.Listen(addr)
	require.NoError(t, err)
	defer second.Close()
	assert.Equal(t, addr, second.Addr())
}

func Example() {
	engine := benthostest.NewServer()
	defer engine.Close()
	client := benthos.NewClient(benthos.ClientConfig{Timeout: time.Minute})
	defer client.Close()

	engine.SetNotReady("output not connected")
	state, err := client.Ready(context.Background(), engine.Addr())
	fmt.Println(state.Ready, state.Reason, err)
	// Output: false output not connected <nil>
}
