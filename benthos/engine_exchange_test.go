package benthos_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
)

// scripted is a server whose connections are what a test makes of them. It ends
// with the test.
type scripted struct {
	net.Listener
	opened atomic.Int32
}

// serve starts a server that calls on with each connection, by its number from 1,
// and closes it after that.
func serve(t *testing.T, on func(n int32, conn *net.TCPConn, in *bufio.Reader)) *scripted {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &scripted{Listener: l}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			n := s.opened.Add(1)
			served.Go(func() {
				defer conn.Close()
				on(n, conn.(*net.TCPConn), bufio.NewReader(conn))
			})
		}
	})
	t.Cleanup(func() { l.Close(); served.Wait() })
	return s
}

func (s *scripted) addr() string { return s.Listener.Addr().String() }

// asked reads a request. It reports whether there was one.
func asked(in *bufio.Reader) bool {
	_, err := http.ReadRequest(in)
	return err == nil
}

func answer(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// client is one with the test's patience.
func client(t *testing.T) *benthos.Client {
	c := benthos.NewClient(benthos.ClientConfig{Timeout: patience})
	t.Cleanup(c.Close)
	return c
}

// TestServerThatIsAnotherOne: that a server ends between two polls is no failure of
// the next one that listens there.
func TestServerThatIsAnotherOne(t *testing.T) {
	c, addr := client(t), "127.0.0.1:0"
	for range 5 {
		s, err := benthostest.Listen(addr)
		require.NoError(t, err)
		addr = s.Addr()
		for range 3 {
			require.NoError(t, c.Ping(t.Context(), addr))
			_, err := c.Metrics(t.Context(), addr)
			require.NoError(t, err)
		}
		s.Close()
	}
	require.ErrorContains(t, c.Ping(t.Context(), addr), "connection refused")
}

// TestConnectionThatEndsUnderARequest: the request is made once more over a new
// connection, however the old one ends, and that one's end is a failure.
func TestConnectionThatEndsUnderARequest(t *testing.T) {
	for name, linger := range map[string]int{"closed": -1, "reset": 0} {
		for _, second := range []bool{true, false} {
			s := serve(t, func(n int32, conn *net.TCPConn, in *bufio.Reader) {
				if asked(in) && (n == 1 || second) {
					io.WriteString(conn, answer("pong"))
					asked(in)
				}
				conn.SetLinger(linger)
			})
			c := client(t)
			require.NoError(t, c.Ping(t.Context(), s.addr()), name)
			err := c.Ping(t.Context(), s.addr())
			if second {
				require.NoError(t, err, name)
			} else {
				require.Error(t, err, name)
			}
			assert.EqualValues(t, 2, s.opened.Load(), name)
		}
	}
}

// TestServerThatClosesAfterEachAnswer, whether it says so or not, answers.
func TestServerThatClosesAfterEachAnswer(t *testing.T) {
	for _, text := range []string{
		answer("pong"), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\npong",
		"HTTP/1.1 200 OK\r\n\r\npong", "HTTP/1.0 200 OK\r\n\r\npong",
	} {
		s := serve(t, func(_ int32, conn *net.TCPConn, in *bufio.Reader) {
			asked(in)
			io.WriteString(conn, text)
		})
		c := client(t)
		for n := range 5 {
			require.NoError(t, c.Ping(t.Context(), s.addr()), text)
			assert.EqualValues(t, n+1, s.opened.Load(), text)
		}
	}
}

// TestAnswerThatIsCut: an answer that ends early is none, wherever it ends, and it
// is not asked for again.
func TestAnswerThatIsCut(t *testing.T) {
	const text = "# TYPE output_error counter\noutput_error 17\ninput_received 4\n"
	half := len(text) / 2
	chunked := fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", half, text[:half], len(text)-half, text[half:])
	for _, whole := range []string{answer(text), chunked} {
		cut := len(whole)
		s := serve(t, func(_ int32, conn *net.TCPConn, in *bufio.Reader) {
			if asked(in) {
				io.WriteString(conn, whole[:cut])
			}
		})
		c := client(t)
		m, err := c.Metrics(t.Context(), s.addr())
		require.NoError(t, err)
		require.Equal(t, benthos.Metrics{InputReceived: 4, OutputError: 17}, m)
		c.Drop(s.addr())
		for cut = range whole {
			before := s.opened.Load()
			m, err := c.Metrics(t.Context(), s.addr())
			require.Error(t, err, "%q", whole[:cut])
			require.Zero(t, m)
			require.NotErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, before+1, s.opened.Load())
		}
	}
}

// TestAnswerThatHangs: one that begins and does not go on is waited for as long as
// the client has patience, is not asked for again, and its rest is no answer to what
// is asked next.
func TestAnswerThatHangs(t *testing.T) {
	begun := make(chan struct{}, 1)
	s := serve(t, func(n int32, conn *net.TCPConn, in *bufio.Reader) {
		for asked(in) {
			text := answer("input_received 4\n")
			if n < 3 {
				text = text[:len(text)-4]
			}
			io.WriteString(conn, text)
			begun <- struct{}{}
		}
	})
	short := benthos.NewClient(benthos.ClientConfig{Timeout: 20 * time.Millisecond})
	t.Cleanup(short.Close)
	m, err := short.Metrics(t.Context(), s.addr())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Zero(t, m)
	<-begun

	c := client(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	_, err = c.Metrics(ctx, s.addr())
	require.ErrorIs(t, err, context.Canceled)
	assert.EqualValues(t, 2, s.opened.Load())
	m, err = c.Metrics(t.Context(), s.addr())
	require.NoError(t, err)
	assert.EqualValues(t, 4, m.InputReceived)
	<-begun
}

// TestAnswerThatIsTooLong: 4 MiB are read, more is an error, and so is a head
// without an end.
func TestAnswerThatIsTooLong(t *testing.T) {
	s, c := engine(t, benthos.ClientConfig{})
	long := "input_received 4\n" + strings.Repeat("#\n", (benthos.DefaultMaxBody-len("input_received 4\n"))/2)
	long += strings.Repeat("\n", benthos.DefaultMaxBody-len(long))
	for range 3 {
		s.Set(benthostest.Metrics, benthostest.Answer{Body: long})
		m, err := c.Metrics(t.Context(), s.Addr())
		require.NoError(t, err)
		assert.EqualValues(t, 4, m.InputReceived)
		s.Set(benthostest.Metrics, benthostest.Answer{Body: long + "\n"})
		_, err = c.Metrics(t.Context(), s.Addr())
		require.ErrorIs(t, err, benthos.ErrBodyTooLarge)
		require.NoError(t, c.Ping(t.Context(), s.Addr()))
	}
	endless := serve(t, func(_ int32, conn *net.TCPConn, in *bufio.Reader) {
		asked(in)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
		for err := error(nil); err == nil; {
			_, err = io.WriteString(conn, "A: "+strings.Repeat("a", 1000)+"\r\n")
		}
	})
	require.ErrorIs(t, c.Ping(t.Context(), endless.addr()), benthos.ErrBodyTooLarge)
}

// TestIdleConnectionsEnd: by time, and when they are dropped; others stay.
func TestIdleConnectionsEnd(t *testing.T) {
	s := serve(t, func(_ int32, conn *net.TCPConn, in *bufio.Reader) {
		for asked(in) {
			io.WriteString(conn, answer("pong"))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c := benthos.NewClient(benthos.ClientConfig{})
		ping := func() int32 {
			require.NoError(t, c.Ping(t.Context(), s.addr()))
			return s.opened.Load()
		}
		for range 5 {
			require.EqualValues(t, 1, ping())
			time.Sleep(29 * time.Second)
		}
		ping()
		time.Sleep(31 * time.Second)
		require.EqualValues(t, 2, ping())
		c.Drop("127.0.0.1:1")
		require.EqualValues(t, 2, ping())
		c.Drop(s.addr())
		require.EqualValues(t, 3, ping())
		c.Close()
		require.EqualValues(t, 4, ping())
		c.Close()
	})
}

// TestClientInManyHands: each question gets its own answer.
func TestClientInManyHands(t *testing.T) {
	s, c := engine(t, benthos.ClientConfig{})
	s.SetMetrics(benthos.Metrics{InputReceived: 7})
	var hands sync.WaitGroup
	for range 8 {
		hands.Go(func() {
			for range 20 {
				assert.NoError(t, c.Ping(t.Context(), s.Addr()))
				m, err := c.Metrics(t.Context(), s.Addr())
				assert.NoError(t, err)
				assert.EqualValues(t, 7, m.InputReceived)
				c.Drop(s.Addr())
			}
		})
	}
	hands.Wait()
}
