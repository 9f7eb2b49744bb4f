package s6

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Check implements Tree.
func (t *SystemTree) Check(ctx context.Context, service string, spec *Spec) error {
	var err error
	switch c := spec.Check; {
	case c.HTTP != "":
		err = get(ctx, c.HTTP)
	case c.TCP != "":
		err = connect(ctx, c.TCP)
	default:
		return t.checkers.exec(ctx, t.tools, service, spec)
	}
	return plainly(ctx, err)
}

// plainly returns the error of a connection without what the check says itself:
// where it leads to.
func plainly(ctx context.Context, err error) error {
	var errno syscall.Errno
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, &errno):
		return errno
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection was closed without an answer")
	}
	return err
}

// connect connects, and hangs up.
func connect(ctx context.Context, address string) error {
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// get gets a URL by HTTP/1.1, on a connection of its own, and returns an error
// unless the status is from 200 to 399. It uses no proxy.
func get(ctx context.Context, text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoCheck, err)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	defer conn.Close()
	long := time.Unix(1, 0) // ago
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(long) })()
	request := "GET " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nUser-Agent: evenkeel\r\nAccept: */*\r\nConnection: close\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		return err
	}
	answer := bufio.NewReader(io.LimitReader(conn, maxAnswer))
	status, reason, err := readStatus(answer)
	if err != nil {
		return err
	}
	if soon := time.Now().Add(bodyPatience); ctx.Err() == nil {
		_ = conn.SetReadDeadline(soon)
	}
	rest, _ := io.ReadAll(answer) // which may be cut short
	if status >= 200 && status < 400 {
		return nil
	}
	said := fmt.Sprintf("status %d", status)
	for _, more := range []string{" " + reason, ": " + firstLine(string(rest))} {
		if strings.Trim(more, ": ") != "" {
			said += more
		}
	}
	return errors.New(shortened(said, maxProblem))
}

// readStatus reads the status of an answer, past those that announce another.
func readStatus(r *bufio.Reader) (status int, reason string, err error) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return 0, "", err
		}
		version, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		code, reason, _ := strings.Cut(rest, " ")
		status, err = strconv.Atoi(code)
		if err != nil || !strings.HasPrefix(version, "HTTP/1.") || len(code) != 3 {
			return 0, "", fmt.Errorf("no HTTP: it begins with %q", shortened(line, 60))
		}
		if status >= 200 || status == 101 {
			return status, reason, nil
		}
		for strings.TrimSpace(line) != "" {
			if line, err = r.ReadString('\n'); err != nil {
				return 0, "", err
			}
		}
	}
}

// firstLine is the first line of the body of an answer that is given without its
// first line.
func firstLine(answer string) string {
	headers, body, _ := strings.Cut("\r\n"+answer, "\r\n\r\n")
	lines := strings.Split(body, "\n")
	if strings.Contains(strings.ToLower(headers), "transfer-encoding:") && len(lines) > 1 {
		lines = lines[1:] // the first says how long the second is
	}
	return strings.TrimSpace(lines[0])
}
