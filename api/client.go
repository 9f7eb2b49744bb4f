package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/evenkeel/evenkeel/fsm"
)

// ErrNotThere is wrapped by the error of a Client where no program listens.
var ErrNotThere = errors.New("no program runs there that could be asked")

// Client asks the program whose socket is in a directory. Its methods may be called
// concurrently. Their errors are those of the program, ErrNotThere, or say that the
// answer could not be read. What is answered may hold texts of others.
type Client struct {
	dir  string
	http http.Client
}

// NewClient returns a client. It connects when it asks.
func NewClient(dir string) *Client {
	c := &Client{dir: dir}
	c.http.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialUnix(ctx, dir) },
	}
	return c
}

// Close closes the connections that wait for another request.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// StatusError is an answer that is no success.
type StatusError struct {
	Status int    // as in HTTP
	Detail string // what the program says
}

// Error is what the program says.
func (e *StatusError) Error() string { return e.Detail }

// List returns all instances by their names, and the ID of the newest event.
func (c *Client) List(ctx context.Context) (l List, err error) {
	return l, c.get(ctx, "/api/instances", &l)
}

// Instance returns one.
func (c *Client) Instance(ctx context.Context, name string) (one Instance, err error) {
	return one, c.get(ctx, instancePath(name), &one)
}

// Why says why an instance is where it is.
func (c *Client) Why(ctx context.Context, name string) (w fsm.Why, err error) {
	return w, c.get(ctx, instancePath(name)+"/why", &w)
}

// Ask asks for something by hand: "stop", "start", "restart" or "retry".
func (c *Client) Ask(ctx context.Context, name, verb string) error {
	response, err := c.do(ctx, http.MethodPost, instancePath(name)+"/"+verb)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// Events calls told with each event after an ID, as Feed.Watch does, until ctx ends,
// the program does, or told returns an error, which it returns. Below zero it begins
// with what comes. begun, if it is not nil, is called once nothing is missed.
func (c *Client) Events(ctx context.Context, after int64, begun func(), told func(Event) error) error {
	response, err := c.do(ctx, http.MethodGet, "/api/events?after="+strconv.FormatInt(after, 10))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if begun != nil {
		begun()
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, is := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !is {
			continue
		}
		var e Event
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("cannot read an event: %w", err)
		}
		if err := told(e); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("the program has ended: %w", errors.Join(lines.Err(), io.EOF))
}

func instancePath(name string) string { return "/api/instances/" + url.PathEscape(name) }

func (c *Client) get(ctx context.Context, path string, into any) error {
	response, err := c.do(ctx, http.MethodGet, path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("cannot read the answer to %s: %w", path, err)
	}
	return nil
}

// do asks, and returns what is no error.
func (c *Client) do(ctx context.Context, method, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("cannot ask through %s: %w: is %q right, and does evenkeel run there?", filepath.Join(c.dir, SocketName), ErrNotThere, c.dir)
	case err != nil:
		return nil, fmt.Errorf("cannot ask through %s: %w", filepath.Join(c.dir, SocketName), err)
	case response.StatusCode < 300:
		return response, nil
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	var problem struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
		problem.Detail = response.Status + ": " + strings.TrimSpace(string(text))
	}
	return nil, &StatusError{response.StatusCode, problem.Detail}
}
