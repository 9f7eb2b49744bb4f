package benthos

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"syscall"
	"time"
)

// idleTimeout is how long an unused connection is kept: longer than the
// interval of health polls, so that each reuses its connection.
const idleTimeout = 30 * time.Second

// maxHead bounds the bytes read of what comes before a body.
const maxHead = 1 << 20

// ErrBodyTooLarge says that an answer was longer than the client reads.
var ErrBodyTooLarge = errors.New("the answer is too long")

// connection is a connection to an engine. It is either idle or in one exchange,
// and has no goroutine: net/http writes requests to it and reads the answers, and
// its own client would have two for each.
type connection struct {
	net.Conn
	raw     syscall.RawConn
	request http.Request
	unused  *time.Timer // runs while it is idle
}

func dial(ctx context.Context, addr string, deadline time.Time) (*connection, error) {
	dialer := net.Dialer{KeepAlive: -1, Deadline: deadline}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: conn, request: http.Request{Method: http.MethodGet, Host: addr, URL: &url.URL{Host: addr}}}
	if c.raw, err = conn.(syscall.Conn).SyscallConn(); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// quiet reports whether nothing has come over an idle connection: neither its end
// nor what nobody asked for, which would pass for the next answer.
func (c *connection) quiet() bool {
	var none bool
	err := c.raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		none = err == syscall.EAGAIN
		return true
	})
	return err == nil && none
}

// connections are the idle connections of a Client.
type connections struct {
	mu   sync.Mutex
	idle map[string]*connection // guarded by mu; by address
}

// take returns the idle connection to an address, nil where there is none that
// can be used.
func (cs *connections) take(addr string) *connection {
	cs.mu.Lock()
	c := cs.idle[addr]
	delete(cs.idle, addr)
	cs.mu.Unlock()
	if c == nil {
		return nil
	}
	c.unused.Stop()
	if !c.quiet() {
		c.Close()
		return nil
	}
	return c
}

// keep makes a connection the idle one to an address, if there is no other, until
// it has been unused for idleTimeout.
func (cs *connections) keep(addr string, c *connection) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.idle[addr] != nil || c.SetDeadline(time.Time{}) != nil {
		c.Close()
		return
	}
	if cs.idle == nil {
		cs.idle = make(map[string]*connection)
	}
	cs.idle[addr] = c
	if c.unused == nil {
		c.unused = time.AfterFunc(idleTimeout, func() { cs.drop(addr, c) })
	} else {
		c.unused.Reset(idleTimeout)
	}
}

// drop closes the idle connection to an address, if it is that one; nil is any.
func (cs *connections) drop(addr string, only *connection) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c := cs.idle[addr]; c != nil && (only == nil || only == c) {
		delete(cs.idle, addr)
		c.unused.Stop()
		c.Close()
	}
}

// dropAll closes all idle connections.
func (cs *connections) dropAll() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for addr, c := range cs.idle {
		delete(cs.idle, addr)
		c.unused.Stop()
		c.Close()
	}
}

// exchange is one request with its answer. What it has is reused.
type exchange struct {
	out    bytes.Buffer     // the request
	read   io.LimitedReader // from the connection
	buffer *bufio.Reader    // from read
	part   io.LimitedReader // of the body
	body   bytes.Buffer
	status int
}

var exchanges = sync.Pool{New: func() any {
	x := new(exchange)
	x.buffer = bufio.NewReader(&x.read)
	return x
}}

// over asks for a path over a connection and reads the answer, with at most
// maxBody bytes of its body. It is closed unless it can be used again, which kept
// says. untouched says that no byte of an answer has come.
func (x *exchange) over(ctx context.Context, c *connection, deadline time.Time, path string, maxBody int64) (kept, untouched bool, err error) {
	if err := c.SetDeadline(deadline); err != nil {
		c.Close()
		return false, true, err
	}
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	again, err := x.ask(c, path, maxBody)
	// Where ctx has ended, the deadline may be set at any time from now on.
	if kept = stop() && again && err == nil && x.buffer.Buffered() == 0; !kept {
		c.Close()
	}
	return kept, x.read.N == maxHead, err
}

// ask reports whether the server takes another request over the connection.
func (x *exchange) ask(c *connection, path string, maxBody int64) (again bool, err error) {
	x.read = io.LimitedReader{R: c, N: maxHead}
	x.buffer.Reset(&x.read)
	x.body.Reset()
	x.out.Reset()
	c.request.URL.Path = path
	if err := c.request.Write(&x.out); err != nil {
		return false, err
	}
	if _, err := c.Write(x.out.Bytes()); err != nil {
		return false, err
	}
	resp, err := http.ReadResponse(x.buffer, &c.request)
	if x.read.N <= 0 {
		return false, fmt.Errorf("%w: more than %d bytes before its body", ErrBodyTooLarge, maxHead)
	}
	if err != nil {
		return false, err
	}
	x.read.N, x.status = math.MaxInt64, resp.StatusCode
	x.part = io.LimitedReader{R: resp.Body, N: maxBody + 1}
	// A body that is not read to its end is not closed: that would read it.
	if _, err := x.body.ReadFrom(&x.part); err != nil {
		return false, err
	}
	if x.part.N <= 0 {
		return false, fmt.Errorf("%w: more than %d bytes", ErrBodyTooLarge, maxBody)
	}
	return !resp.Close && resp.StatusCode >= http.StatusOK, nil
}

// ask asks addr for a path, over the idle connection or over a new one, where there
// is none or its end meets the request. The answer is in x.
func (cs *connections) ask(ctx context.Context, x *exchange, deadline time.Time, addr, path string, maxBody int64) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	conn := cs.take(addr)
	reused := conn != nil
	for {
		var err error
		if conn == nil {
			if conn, err = dial(ctx, addr, deadline); err != nil {
				return err
			}
		}
		kept, untouched, err := x.over(ctx, conn, deadline, path, maxBody)
		if kept {
			cs.keep(addr, conn)
		}
		if !reused || err == nil || !untouched || ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		conn, reused = nil, false
	}
}
