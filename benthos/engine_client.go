package benthos

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Limits of a Client that is given none.
const (
	// DefaultRequestTimeout bounds one request, the reading of its body included.
	DefaultRequestTimeout = time.Second
	// DefaultMaxBody bounds the bytes read of one answer.
	DefaultMaxBody = 4 << 20
)

var (
	// ErrNoMetrics says that the endpoint answers but serves no metrics: the
	// engine has no Prometheus exporter, or was told not to use it.
	ErrNoMetrics = errors.New("the engine serves no /metrics")
	// ErrNotBenthos says that the answer did not come from a Benthos.
	ErrNotBenthos = errors.New("the answer is not one of Benthos")
)

// HTTPStatusError is an answer with a status that Benthos does not give on that
// path when it is well.
type HTTPStatusError struct {
	Status int
	// Body is the beginning of the answer, on one line.
	Body string
}

// Error gives the status and what came with it.
func (e *HTTPStatusError) Error() string {
	if e.Body == "" {
		return fmt.Sprintf("status %d", e.Status)
	}
	return fmt.Sprintf("status %d: %s", e.Status, e.Body)
}

// ClientConfig bounds a Client. Zero values mean the defaults.
type ClientConfig struct {
	Timeout time.Duration // DefaultRequestTimeout
	MaxBody int64         // bytes; DefaultMaxBody
}

// Client asks the HTTP endpoints of Benthos processes. One client serves any
// number of them and may be used concurrently. It keeps one idle connection for
// each endpoint, until that has not been used for half a minute; a request that
// meets its end is made again over a new one. It uses no proxy and follows no
// redirect, so it reaches nothing but the address it is given.
//
// Errors of its methods name the address and the path. They satisfy errors.Is
// for context.DeadlineExceeded when the time ran out and for
// syscall.ECONNREFUSED when nothing listens, and errors.As for
// *HTTPStatusError.
type Client struct {
	connections connections
	timeout     time.Duration
	maxBody     int64
}

// NewClient returns a client. Close it when done.
func NewClient(cfg ClientConfig) *Client {
	return &Client{
		timeout: cmp.Or(cfg.Timeout, DefaultRequestTimeout),
		maxBody: cmp.Or(cfg.MaxBody, DefaultMaxBody),
	}
}

// Close drops the idle connections. The client stays usable.
func (c *Client) Close() { c.connections.dropAll() }

// Drop drops the idle connection to addr, where there is one.
func (c *Client) Drop(addr string) { c.connections.drop(addr, nil) }

// Ping asks whether the process at addr, a host:port, is there: nil says that a
// Benthos answered. It does not say which Benthos that was; see package ports.
func (c *Client) Ping(ctx context.Context, addr string) error {
	return c.get(ctx, addr, "/ping", func(status int, body []byte) error {
		if err := expectOK(status, body); err != nil {
			return err
		}
		if string(bytes.TrimSpace(body)) != "pong" {
			return ErrNotBenthos
		}
		return nil
	})
}

// ReadyState is the answer of /ready.
type ReadyState struct {
	// Ready is true when every input and output says that it is connected.
	// http_server inputs say so even when they could not listen on their port.
	Ready bool
	// Reason says what is not connected, as the engine tells it.
	Reason string
}

// Ready asks whether the stream at addr has its inputs and outputs connected.
// Not being ready is an answer, not an error.
func (c *Client) Ready(ctx context.Context, addr string) (ReadyState, error) {
	var state ReadyState
	err := c.get(ctx, addr, "/ready", func(status int, body []byte) error {
		if status == http.StatusServiceUnavailable {
			state.Reason = notReadyReason(body)
			return nil
		}
		state.Ready = status == http.StatusOK
		return expectOK(status, body)
	})
	return state, err
}

// VersionInfo is the answer of /version.
type VersionInfo struct {
	Version string `json:"version"`
	Built   string `json:"built"`
}

// Version asks the engine at addr what it is.
func (c *Client) Version(ctx context.Context, addr string) (VersionInfo, error) {
	var v VersionInfo
	err := c.get(ctx, addr, "/version", func(status int, body []byte) error {
		if err := expectOK(status, body); err != nil {
			return err
		}
		if json.Unmarshal(body, &v) != nil || v.Version == "" {
			return ErrNotBenthos
		}
		return nil
	})
	return v, err
}

// Metrics reads the counters of the stream at addr. The error wraps
// ErrNoMetrics where the engine has none to give.
func (c *Client) Metrics(ctx context.Context, addr string) (Metrics, error) {
	var m Metrics
	err := c.getMetrics(ctx, addr, func(text []byte) (err error) {
		m, err = parseMetrics(text)
		return err
	})
	return m, err
}

// MetricsText returns all metrics of the stream at addr as the engine gives them,
// which is meant to be Prometheus text: nobody has looked whether it is. The error
// wraps ErrNoMetrics where the engine has none to give.
func (c *Client) MetricsText(ctx context.Context, addr string) ([]byte, error) {
	var text []byte
	err := c.getMetrics(ctx, addr, func(answer []byte) error {
		text = bytes.Clone(answer)
		return nil
	})
	return text, err
}

func (c *Client) getMetrics(ctx context.Context, addr string, read func(text []byte) error) error {
	return c.get(ctx, addr, "/metrics", func(status int, body []byte) error {
		if status == http.StatusNotFound {
			return ErrNoMetrics
		}
		if err := expectOK(status, body); err != nil {
			return err
		}
		return read(body)
	})
}

// get asks addr for a path. The answer is read's until it returns.
func (c *Client) get(ctx context.Context, addr, path string, read func(status int, body []byte) error) error {
	x := exchanges.Get().(*exchange)
	defer exchanges.Put(x)
	err := c.connections.ask(ctx, x, time.Now().Add(c.timeout), addr, path, c.maxBody)
	switch {
	case err == nil:
		err = read(x.status, x.body.Bytes())
	case ctx.Err() != nil:
		err = ctx.Err() // rather than what the connection got from that
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = context.DeadlineExceeded
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("the connection ended before the answer did: %w", err)
	}
	if err != nil {
		return fmt.Errorf("cannot get http://%s%s: %w", addr, path, err)
	}
	return nil
}

func expectOK(status int, body []byte) error {
	if status == http.StatusOK {
		return nil
	}
	return &HTTPStatusError{Status: status, Body: summary(body)}
}

// notReadyReason reads the body of a 503: a sentence of Bento and Benthos 4, or
// the list of connections of Redpanda's Benthos.
func notReadyReason(body []byte) string {
	var list struct {
		Statuses []struct {
			Label, Path, Error string
			Connected          bool
		}
	}
	if json.Unmarshal(body, &list) != nil || len(list.Statuses) == 0 {
		return cmp.Or(summary(body), "not ready")
	}
	var reasons []string
	for _, s := range list.Statuses {
		if s.Connected {
			continue
		}
		reason := cmp.Or(s.Label, s.Path) + " not connected"
		if s.Error != "" {
			reason += ": " + s.Error
		}
		reasons = append(reasons, reason)
	}
	return cmp.Or(summary([]byte(strings.Join(reasons, "; "))), "not ready")
}

// summary returns the beginning of a text on one line.
func summary(text []byte) string {
	const most = 512
	cut := text[:min(len(text), most)]
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(cut), "")), " ")
}
