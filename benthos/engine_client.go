package benthos

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

// idleTimeout is how long an unused connection is kept: longer than the
// interval of health polls, so that each reuses its connection.
const idleTimeout = 30 * time.Second

var (
	// ErrNoMetrics says that the endpoint answers but serves no metrics: the
	// engine has no Prometheus exporter, or was told not to use it.
	ErrNoMetrics = errors.New("the engine serves no /metrics")
	// ErrBodyTooLarge says that an answer was longer than the client reads.
	ErrBodyTooLarge = errors.New("the answer is too long")
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
// each endpoint. It uses no proxy and follows no redirect, so it reaches
// nothing but the address it is given.
//
// Errors of its methods name the address and the path. They satisfy errors.Is
// for context.DeadlineExceeded when the time ran out and for
// syscall.ECONNREFUSED when nothing listens, and errors.As for
// *HTTPStatusError.
type Client struct {
	http    http.Client
	timeout time.Duration
	maxBody int64
}

// NewClient returns a client. Close it when done.
func NewClient(cfg ClientConfig) *Client {
	return &Client{
		http: http.Client{
			Transport: &http.Transport{
				DialContext:         (&net.Dialer{KeepAlive: -1}).DialContext,
				MaxIdleConnsPerHost: 1,
				IdleConnTimeout:     idleTimeout,
				DisableCompression:  true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		timeout: cmp.Or(cfg.Timeout, DefaultRequestTimeout),
		maxBody: cmp.Or(cfg.MaxBody, DefaultMaxBody),
	}
}

// Close drops the idle connections. The client stays usable.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Ping asks whether the process at addr, a host:port, is there: nil says that a
// Benthos answered. It does not say which Benthos that was; see package ports.
func (c *Client) Ping(ctx context.Context, addr string) error {
	status, body, err := c.get(ctx, addr, "/ping")
	if err == nil {
		err = expectOK(status, body)
	}
	if err == nil && strings.TrimSpace(string(body)) != "pong" {
		err = ErrNotBenthos
	}
	return requestError(addr, "/ping", err)
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
	status, body, err := c.get(ctx, addr, "/ready")
	if err != nil {
		return ReadyState{}, requestError(addr, "/ready", err)
	}
	switch status {
	case http.StatusOK:
		return ReadyState{Ready: true}, nil
	case http.StatusServiceUnavailable:
		return ReadyState{Reason: notReadyReason(body)}, nil
	default:
		return ReadyState{}, requestError(addr, "/ready", expectOK(status, body))
	}
}

// VersionInfo is the answer of /version.
type VersionInfo struct {
	Version string `json:"version"`
	Built   string `json:"built"`
}

// Version asks the engine at addr what it is.
func (c *Client) Version(ctx context.Context, addr string) (VersionInfo, error) {
	var v VersionInfo
	status, body, err := c.get(ctx, addr, "/version")
	if err == nil {
		err = expectOK(status, body)
	}
	if err == nil && (json.Unmarshal(body, &v) != nil || v.Version == "") {
		err = ErrNotBenthos
	}
	return v, requestError(addr, "/version", err)
}

// Metrics reads the counters of the stream at addr. The error wraps
// ErrNoMetrics where the engine has none to give.
func (c *Client) Metrics(ctx context.Context, addr string) (Metrics, error) {
	text, err := c.MetricsText(ctx, addr)
	if err != nil {
		return Metrics{}, err
	}
	m, err := parseMetrics(text)
	return m, requestError(addr, "/metrics", err)
}

// MetricsText returns all metrics of the stream at addr as the engine gives them,
// which is meant to be Prometheus text: nobody has looked whether it is. The error
// wraps ErrNoMetrics where the engine has none to give.
func (c *Client) MetricsText(ctx context.Context, addr string) ([]byte, error) {
	status, body, err := c.get(ctx, addr, "/metrics")
	if err == nil && status == http.StatusNotFound {
		err = ErrNoMetrics
	}
	if err == nil {
		err = expectOK(status, body)
	}
	if err != nil {
		return nil, requestError(addr, "/metrics", err)
	}
	return body, nil
}

func (c *Client) get(ctx context.Context, addr, path string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, cause(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.maxBody+1))
	if err != nil {
		return 0, nil, cause(ctx, err)
	}
	if int64(len(body)) > c.maxBody {
		return 0, nil, fmt.Errorf("%w: more than %d bytes", ErrBodyTooLarge, c.maxBody)
	}
	return resp.StatusCode, body, nil
}

// cause returns the context's error if the context has ended, rather than the
// error that the connection got from that.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func expectOK(status int, body []byte) error {
	if status == http.StatusOK {
		return nil
	}
	return &HTTPStatusError{Status: status, Body: summary(body)}
}

func requestError(addr, path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cannot get http://%s%s: %w", addr, path, err)
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
