//go:build integration

package benthos

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// finding is a line of fivebenthos -verify -json.
type finding struct {
	Scenario int
	Name     string
	OK       bool
	Seconds  float64
	Seen     []string
	Problem  string
}

// verifyTime is longer than a verification takes that gives up waiting for some
// things.
const verifyTime = 5 * time.Minute

// findings reads the lines of fivebenthos -verify -json.
func (p *program) findings() (all []finding) {
	p.T.Helper()
	for line := range strings.Lines(p.Stdout.String()) {
		var f finding
		require.NoError(p.T, json.Unmarshal([]byte(line), &f), line)
		all = append(all, f)
	}
	require.Len(p.T, all, 7)
	return all
}

func TestVerifyHolds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		engine func(testing.TB) string
		args   []string
	}{
		{"Bento", bento, nil},
		{"Redpanda, JSON", redpanda, []string{"-metrics", "none", "-json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, c.engine(t))
			p := h.start(append(c.args, "-verify")...)
			require.Zero(t, p.EndWithin(verifyTime), "%s\n%s", p.Stdout, p.Stderr)
			harness.NoneLeft(t, h.root)
			assert.Empty(t, p.Stderr.String())
			if !slices.Contains(c.args, "-json") {
				assert.Equal(t, 7, strings.Count(p.Stdout.String(), ": holds ("), p.Stdout)
				assert.NotContains(t, p.Stdout.String(), "NOT HOLD")
				return
			}
			for n, f := range p.findings() {
				assert.Equal(t, n+1, f.Scenario)
				assert.True(t, f.OK, f)
				assert.NotEmpty(t, f.Seen, f)
				assert.Empty(t, f.Problem)
			}
		})
	}
}

// wrapper makes an engine of another one and a line of shell, which is run in
// place of a stream. Everything else is passed on to the other engine.
func wrapper(t testing.TB, root, engine, line string) string {
	t.Helper()
	name := filepath.Join(root, "wrapper")
	script := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = -c ]; then %s; fi\nexec %s \"$@\"\n", line, engine)
	require.NoError(t, os.WriteFile(name, []byte(script), 0o755))
	return name
}

// impatient are flags for a verification of which nothing holds.
var impatient = []string{"-patience", "15s"}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(*testing.T, *home)
		flags []string
		wrong []int  // scenarios that do not hold
		says  string // in the problem of the first of them
	}{
		{
			name:  "an engine that ends at once",
			spoil: func(t *testing.T, h *home) { h.engine = wrapper(t, h.root, h.engine, "exit 1") },
			flags: impatient,
			wrong: []int{1, 2, 3, 4, 5, 6, 7},
			says:  "exited with 1",
		},
		{
			name: "a port that somebody else has",
			spoil: func(t *testing.T, h *home) {
				l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(h.httpPort+2)))
				require.NoError(t, err)
				go func() {
					for {
						c, err := l.Accept()
						if err != nil {
							return
						}
						c.Close()
					}
				}()
				t.Cleanup(func() { l.Close() })
			},
			flags: impatient,
			wrong: []int{1, 2, 3, 4, 5, 6, 7},
			says:  "is taken: process " + strconv.Itoa(os.Getpid()),
		},
		{
			name:  "an engine whose messages are lost",
			spoil: func(t *testing.T, h *home) { h.engine = wrapper(t, h.root, h.engine, "exec >/dev/null") },
			flags: []string{"-patience", "30s"}, // for which it waits for each
			wrong: []int{2, 7},
			says:  "does not hold {",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			c.spoil(t, h)
			p := h.start(append(c.flags, "-verify", "-json")...)
			assert.Equal(t, 1, p.EndWithin(verifyTime))
			assert.Equal(t, fmt.Sprintf("fivebenthos: %d of 7 scenarios do not hold\n", len(c.wrong)), p.Stderr.String())
			var wrong []int
			for _, f := range p.findings() {
				if !f.OK {
					wrong = append(wrong, f.Scenario)
					assert.NotEmpty(t, f.Problem)
				}
			}
			assert.Equal(t, c.wrong, wrong)
			assert.Contains(t, p.findings()[c.wrong[0]-1].Problem, c.says)
			harness.NoneLeft(t, h.root)
		})
	}
}

// In a tree that runs already, and through a link, the scenarios hold as well,
// and what was there before stays.
func TestVerifyInATreeOfSomebodyElse(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	scan, link := filepath.Join(h.root, "theirs"), filepath.Join(h.root, "link")
	require.NoError(t, os.Mkdir(scan, 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(h.root, "real"), 0o755))
	require.NoError(t, os.Symlink("real", link))
	svscan := exec.Command("s6-svscan", scan)
	require.NoError(t, svscan.Start())
	t.Cleanup(func() {
		assert.NoError(t, svscan.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, svscan.Wait())
	})
	harness.Eventually(t, "the directory is served", func() bool {
		_, err := os.Stat(filepath.Join(scan, ".s6-svscan", "control"))
		return err == nil
	})
	p := h.start("-dir", link, "-scan-dir", scan, "-verify", "-json")
	require.Zero(t, p.EndWithin(verifyTime), "%s\n%s", p.Stdout, p.Stderr)
	for _, f := range p.findings() {
		assert.True(t, f.OK, f)
	}
	for _, left := range harness.ProcessesOf(h.root) {
		assert.True(t, left.Is("s6-svscan") || left.Is("s6-supervise") || left.Is("s6-log"), left)
	}
	assert.True(t, harness.Alive(svscan.Process.Pid))

	// The next run takes over the services that are there, stopped.
	h.root = link
	next := h.start("-scan-dir", scan)
	h.root = filepath.Join(filepath.Dir(link), "real")
	h.serving()
	next.Signal(syscall.SIGINT)
	assert.Zero(t, next.End())
	assert.Equal(t, [five]int{}, h.pids())
}

// A verification that is interrupted has not proved anything, and ends in
// order.
func TestVerifyThatIsInterrupted(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	p := h.start("-verify", "-json")
	harness.Eventually(t, "it has begun", func() bool { return strings.Count(p.Stdout.String(), "\n") >= 3 })
	p.Signal(syscall.SIGINT)
	assert.Equal(t, 1, p.End())
	assert.Contains(t, p.Stderr.String(), "of 7 scenarios do not hold")
	harness.NoneLeft(t, h.root)
	assert.False(t, p.findings()[3].OK)
}
