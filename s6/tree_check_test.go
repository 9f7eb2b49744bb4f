package s6_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6"
)

// serve answers each connection to its address with a text, or hangs where that
// is empty, and returns what it was asked.
func serve(t *testing.T, answer string) (addr string, asked chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	asked = make(chan string, 10)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			var request strings.Builder
			r := bufio.NewReader(conn)
			for line := "x"; strings.TrimSpace(line) != ""; {
				line, err = r.ReadString('\n')
				request.WriteString(line)
				if err != nil {
					break
				}
			}
			asked <- request.String()
			_, _ = io.WriteString(conn, answer)
			if answer == "" {
				_, _ = io.Copy(io.Discard, r) // until who asks gives up
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { assert.NoError(t, listener.Close()); <-over })
	return listener.Addr().String(), asked
}

func checkOnce(t *testing.T, timeout time.Duration, change func(s *s6.Spec)) error {
	t.Helper()
	check, _ := s6.CheckOnHost(s6.Tools{})
	spec := &s6.Spec{Command: []string{"true"}}
	change(spec)
	require.NoError(t, spec.Validate())
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return check(ctx, t.TempDir(), spec)
}

// said is how a check failed, "" for not.
func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestCheckByHTTP(t *testing.T) {
	for name, test := range map[string]struct{ answer, want string }{
		"200":                 {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ""},
		"204 by HTTP/1.0":     {"HTTP/1.0 204 No Content\r\n\r\n", ""},
		"a redirect":          {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", ""},
		"another comes first": {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", ""},
		"a body without end":  {"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 1<<20), ""},
		"404":                 {"HTTP/1.1 404 Not Found\r\n\r\n", "status 404 Not Found"},
		"503 with a reason":   {"HTTP/1.1 503 Service Unavailable\r\n\r\nno database\nmore", "status 503 Service Unavailable: no database"},
		"503 in chunks":       {"HTTP/1.1 503 S\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nno database\r\n0\r\n\r\n", "status 503 S: no database"},
		"500 without more":    {"HTTP/1.1 500\r\n\r\n", "status 500"},
		"no HTTP":             {"220 mail ESMTP\r\n", `no HTTP: it begins with "220 mail ESMTP"`},
		"a status cut short":  {"HTTP/1.1 2", "the connection was closed without an answer"},
		"a line without end":  {strings.Repeat("x", 1<<20), "the connection was closed without an answer"},
	} {
		t.Run(name, func(t *testing.T) {
			addr, asked := serve(t, test.answer)
			err := checkOnce(t, time.Minute, func(s *s6.Spec) { s.Check.HTTP = "http://" + addr + "/health?a=b#c" })
			assert.Contains(t, []string{test.want, "connection reset by peer"}, said(err))
			if !strings.Contains(name, "without end") {
				assert.Equal(t, test.want, said(err))
			}
			assert.Equal(t, "GET /health?a=b HTTP/1.1\r\nHost: "+addr+"\r\nUser-Agent: evenkeel\r\nAccept: */*\r\nConnection: close\r\n\r\n", <-asked)
		})
	}
	t.Run("hangs", func(t *testing.T) {
		addr, _ := serve(t, "")
		err := checkOnce(t, 50*time.Millisecond, func(s *s6.Spec) { s.Check.HTTP = "http://" + addr })
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("refuses", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		for _, change := range []func(s *s6.Spec){
			func(s *s6.Spec) { s.Check.HTTP = "http://" + listener.Addr().String() + "/" },
			func(s *s6.Spec) { s.Check.TCP = listener.Addr().String() },
		} {
			assert.EqualError(t, checkOnce(t, time.Minute, change), "connection refused")
		}
	})
}

func TestCheckByTCP(t *testing.T) {
	addr, _ := serve(t, "")
	assert.NoError(t, checkOnce(t, time.Minute, func(s *s6.Spec) { s.Check.TCP = addr }))
}

func TestCheckByExec(t *testing.T) {
	for name, test := range map[string]struct {
		change func(s *s6.Spec)
		want   string
		unmade bool
	}{
		"passes":              {change: func(s *s6.Spec) { s.Check.Exec = sh("echo well") }},
		"fails":               {change: func(s *s6.Spec) { s.Check.Exec = sh("echo first; echo last >&2; echo; exit 3") }, want: "exited with 3: last"},
		"fails and is silent": {change: func(s *s6.Spec) { s.Check.Exec = sh("exit 1") }, want: "exited with 1"},
		"dies":                {change: func(s *s6.Spec) { s.Check.Exec = sh("kill -9 $$") }, want: "ended by signal 9 (killed)"},
		"hangs":               {change: func(s *s6.Spec) { s.Check.Exec = sh("echo waiting; sleep 1000000") }, want: "it did not end in 1s: waiting"},
		"says too much":       {change: func(s *s6.Spec) { s.Check.Exec = sh("yes x | head -c 1000000; echo last; exit 1") }, want: "exited with 1: last"},
		"has its environment": {change: func(s *s6.Spec) {
			s.Env = map[string]string{"A": "one two", "EMPTY": ""}
			s.Check.Exec = sh(`echo "$A-$EMPTY-${EMPTY+set}-$(pwd)"; exit 1`)
			s.Dir = "/usr"
		}, want: "exited with 1: one two--set-/usr"},
		"is not there":     {change: func(s *s6.Spec) { s.Check.Exec = []string{"/no/check"} }, want: "it cannot be made: /no/check does not exist", unmade: true},
		"is not in PATH":   {change: func(s *s6.Spec) { s.Check.Exec, s.Env = []string{"check"}, map[string]string{"PATH": "/no"} }, want: "it cannot be made: check is not in PATH (/no)", unmade: true},
		"is no program":    {change: func(s *s6.Spec) { s.Check.Exec = []string{"/etc"} }, want: "it cannot be made: /etc is a directory", unmade: true},
		"has no directory": {change: func(s *s6.Spec) { s.Check.Exec, s.Dir = sh("true"), "/no/where" }, want: "it cannot be made: its directory, /no/where, is not there: no such file or directory", unmade: true},
		"is of a nobody":   {change: func(s *s6.Spec) { s.Check.Exec, s.User = sh("true"), "nobody" }, want: "it cannot be made", unmade: true},
		"leaves a child":   {change: func(s *s6.Spec) { s.Check.Exec = sh("sleep 1000000 & echo $! >child; exit 1") }, want: "exited with 1"},
		"is deaf":          {change: func(s *s6.Spec) { s.Check.Exec = sh("trap '' TERM INT; sleep 1000000 & echo $! >child; wait; wait") }, want: "it did not end in 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			check, end := s6.CheckOnHost(s6.Tools{Dir: "/no"})
			spec := &s6.Spec{Command: []string{"true"}, Dir: dir}
			test.change(spec)
			patience := time.Minute
			if strings.Contains(test.want, "did not end") {
				patience = 300 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err := check(ctx, dir, spec)
			if test.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.want)
			}
			if test.unmade {
				require.ErrorIs(t, err, s6.ErrNoCheck)
			} else if err != nil {
				require.Equal(t, test.want, err.Error())
				require.NotErrorIs(t, err, s6.ErrNoCheck)
			}
			if child, err := os.ReadFile(filepath.Join(dir, "child")); err == nil {
				assertGone(t, strings.TrimSpace(string(child)))
			}
			end(t.Context())
		})
	}
}

// TestCheckOfAUserThatCannotBeHad: a program that is not root cannot make the check
// of a user's service by a command, which is nothing against the process.
func TestCheckOfAUserThatCannotBeHad(t *testing.T) {
	dir := t.TempDir()
	const fatal = "s6-applyuidgid: fatal: unable to set supplementary group list: Operation not permitted"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "s6-setuidgid"), []byte("#!/bin/sh\necho "+fatal+" >&2\nexit 111\n"), 0o755))
	check, _ := s6.CheckOnHost(s6.Tools{Dir: dir})
	err := check(t.Context(), dir, &s6.Spec{Command: []string{"true"}, User: "web", Check: s6.Check{Exec: sh("true")}})
	require.ErrorIs(t, err, s6.ErrNoCheck)
	assert.EqualError(t, err, "it cannot be made: this program cannot become web: "+fatal+": run it as root, or give a check by http or tcp")
}

// TestTreeEndsItsChecks: the end of a program's tree leaves no command of a check.
func TestTreeEndsItsChecks(t *testing.T) {
	dir := t.TempDir()
	check, end := s6.CheckOnHost(s6.Tools{})
	spec := &s6.Spec{Command: []string{"true"}, Dir: dir, Check: s6.Check{Exec: sh("sleep 1000000 & echo $! >tmp; mv tmp child; wait")}}
	over := make(chan error)
	go func() { over <- check(context.WithoutCancel(t.Context()), dir, spec) }()
	var child []byte
	require.Eventually(t, func() (there bool) {
		var err error
		child, err = os.ReadFile(filepath.Join(dir, "child"))
		return err == nil
	}, time.Minute, time.Millisecond)
	end(t.Context())
	assert.EqualError(t, <-over, "ended by signal 9 (killed)")
	assertGone(t, strings.TrimSpace(string(child)))
	assert.ErrorIs(t, check(t.Context(), dir, spec), s6.ErrNoCheck)
}

func sh(script string) []string { return []string{"sh", "-c", script} }

// assertGone waits for a process that was killed to be gone, or dead.
func assertGone(t *testing.T, pid string) {
	t.Helper()
	assert.Eventually(t, func() bool {
		stat, err := os.ReadFile(filepath.Join("/", "proc", pid, "stat"))
		_, after, _ := strings.Cut(string(stat), ") ")
		return err != nil || strings.HasPrefix(after, "Z")
	}, time.Minute, time.Millisecond, fmt.Sprintf("process %s lives", pid))
}
