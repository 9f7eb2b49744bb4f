//go:build integration

package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6log"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// counting returns the spec of a probe that prints numbered lines.
func (w *world) counting(name string) *s6.Spec {
	spec := w.probeAs(name, "", `n=0; while :; do n=$((n+1)); echo "$$ line $n"; test $((n % 20)) != 0 || sleep 0.01 9>&-; done`)
	spec.Log.Files = manyFiles
	return spec
}

// manyFiles is more than a test has archived.
const manyFiles = 10000

// number returns the number in a line of a counting process, 0 for any other
// line.
func number(text string, pid int) int {
	var from, n int
	if _, err := fmt.Sscanf(text+"\n", "%d line %d\n", &from, &n); err != nil || from != pid {
		return 0
	}
	return n
}

// complete checks that the lines of each counting process are there from the
// first to the last, each once and in order, and returns how many there are.
func (w *world) complete(name string, texts []string) (count int) {
	w.T.Helper()
	for _, pid := range w.starts(name) {
		last := 0
		for _, text := range texts {
			if n := number(text, pid); n > 0 {
				require.Equal(w.T, last+1, n, text)
				last = n
			}
		}
		count += last
	}
	return count
}

// logSettles waits until s6-log has read everything that a service has printed.
// The service has ended. A logger that has just restarted may take a second to
// come.
func (w *world) logSettles(name string) {
	w.T.Helper()
	last := -1
	harness.Lasts(w.T, 200*time.Millisecond, "the log of "+name+" is still", func() bool {
		before := last
		last = len(w.texts(name))
		logger, err := w.Tree.Status(filepath.Join(w.Service(name), "log"))
		return err == nil && logger.Up() && logger.Ready && unread(logger.PID) == 0 && waits(logger.PID) && last == before
	})
}

// waits reports whether a process waits for input.
func waits(pid int) bool {
	p, err := proc.System.Read(pid)
	return err == nil && p.State == "S"
}

// unread returns how many bytes wait in a process's standard input, a pipe; -1
// where that cannot be found out.
func unread(pid int) int {
	p, err := proc.System.Open(pid)
	if err != nil {
		return -1
	}
	defer p.Close()
	n, err := p.Unread(0)
	if err != nil {
		return -1
	}
	return n
}

// texts returns the texts in a log directory.
func (w *world) texts(name string) (texts []string) {
	w.T.Helper()
	for _, line := range w.lines(name) {
		texts = append(texts, line.Text)
	}
	return texts
}

// lines returns the lines in a log directory, those in archives first.
func (w *world) lines(name string) (lines []s6log.Line) {
	w.T.Helper()
	dir := filepath.Join(w.Config.LogsDir, name)
	archives, err := filepath.Glob(filepath.Join(dir, "@*"))
	require.NoError(w.T, err)
	for _, file := range append(archives, filepath.Join(dir, "current")) {
		data, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue // it is being rotated
		}
		require.NoError(w.T, err)
		for line := range strings.Lines(string(data)) {
			lines = append(lines, s6log.ParseLine([]byte(line)))
		}
	}
	return lines
}

// logsGrow waits until lines of a counting probe's newest process are in the
// log.
func (w *world) logsGrow(name string) {
	w.T.Helper()
	starts := w.starts(name)
	newest := fmt.Sprintf("%d line ", starts[len(starts)-1])
	seen := func() (lines int) {
		for _, text := range w.texts(name) {
			if strings.HasPrefix(text, newest) {
				lines++
			}
		}
		return lines
	}
	before := seen()
	harness.Eventually(w.T, "the log of "+name+" grows", func() bool { return seen() > before })
}

// follower reads a log while it is written.
type follower struct {
	t      testing.TB
	reader *s6log.Reader
	texts  []string
}

func (w *world) follow(name string) *follower {
	w.T.Helper()
	reader, err := s6log.NewReader(filesystem.OS{}, filepath.Join(w.Config.LogsDir, name), s6log.FromBeginning)
	require.NoError(w.T, err)
	reader.Files = manyFiles
	w.T.Cleanup(func() { assert.NoError(w.T, reader.Close()) })
	return &follower{t: w.T, reader: reader}
}

func (f *follower) read() {
	f.t.Helper()
	lines, err := f.reader.Read(0)
	require.NoError(f.t, err)
	for _, line := range lines {
		require.False(f.t, line.Gap, line.Text)
		require.False(f.t, line.Cut, line.Text)
		require.False(f.t, line.Time.IsZero(), line.Text)
		f.texts = append(f.texts, line.Text)
	}
}

func (w *world) archives(name string) int {
	found, err := filepath.Glob(filepath.Join(w.Config.LogsDir, name, "@*"))
	require.NoError(w.T, err)
	return len(found)
}

func TestLogIsReadThroughRotations(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.counting("a")
	spec.Log.FileSize = 4096
	f := w.follow("a") // before there is any
	w.run(map[string]*s6.Spec{"a": spec})
	harness.Eventually(t, "thirty files", func() bool { f.read(); return w.archives("a") >= 30 })
	// Several rotations between two reads.
	harness.Eventually(t, "ten more", func() bool { return w.archives("a") >= 40 })
	f.read()
	w.Declare(desired{"a": {State: s6.Stopped, Spec: spec}})
	w.Await(fsm.PhaseStopped, "a")
	w.logSettles("a")
	f.read()
	assert.Equal(t, w.texts("a"), f.texts)
	assert.Greater(t, w.complete("a", f.texts), 1000)
}

func TestLogIsReadThroughLiveChanges(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.counting("a")
	spec.Log.FileSize = 16384
	f := w.follow("a")
	w.run(map[string]*s6.Spec{"a": spec})
	pid := w.pid("a")
	// A logger that has just begun heeds no signal yet: one would end it at once,
	// with what it had read.
	harness.Eventually(t, "the first logger logs", func() bool { f.read(); return len(f.texts) > 0 })
	for n := range 12 {
		next := with(spec, func(s *s6.Spec) {
			s.Log.FileSize = 4096 * int64(1+n%3)
			s.Log.TAI64N = n%2 == 0
		})
		w.Declare(running(map[string]*s6.Spec{"a": next}))
		w.Await(fsm.PhaseRunning, "a")
		seen := len(f.texts)
		harness.Eventually(t, "the new logger logs", func() bool { f.read(); return len(f.texts) > seen+100 })
	}
	assert.Equal(t, pid, w.pid("a"))
	w.Declare(desired{"a": {State: s6.Stopped, Spec: spec}})
	w.Await(fsm.PhaseStopped, "a")
	w.logSettles("a")
	f.read()
	assert.Equal(t, w.texts("a"), f.texts)
	assert.Greater(t, w.complete("a", f.texts), 1000)
}

// A logger that is killed loses what it had read and not written yet. What was
// still in the pipe, and the service, are not affected.
func TestLoggerIsKilled(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.counting("a")
	spec.Log.FileSize = 16384
	w.run(map[string]*s6.Spec{"a": spec})
	pid := w.pid("a")
	logger := filepath.Join(w.Service("a"), "log")
	const kills = 5
	for range kills {
		w.logsGrow("a")
		before := w.pid("a/log")
		harness.Slay(t, before)
		harness.Eventually(t, "there is another", func() bool {
			now, err := w.Tree.Status(logger)
			return err == nil && now.Up() && now.PID != before && now.Ready
		})
	}
	w.logsGrow("a")
	assert.Equal(t, pid, w.pid("a"))
	w.Declare(desired{"a": {State: s6.Stopped, Spec: spec}})
	w.Await(fsm.PhaseStopped, "a")
	w.logSettles("a")
	last, gaps, lost := 0, 0, 0
	for _, text := range w.texts("a") {
		if n := number(text, pid); n > 0 {
			require.Greater(t, n, last, "no line comes twice, or late")
			if n != last+1 {
				gaps, lost = gaps+1, lost+n-last-1
			}
			last = n
		}
	}
	t.Logf("%d lines, %d lost by %d kills", last, lost, kills)
	assert.LessOrEqual(t, gaps, kills)
	// It reads 4096 bytes at once.
	assert.LessOrEqual(t, lost*len("1234 line 1"), kills*4096)
}

func TestLongLines(t *testing.T) {
	t.Parallel()
	w := start(t)
	current := filepath.Join(w.Config.LogsDir, "a", "current")
	w.run(map[string]*s6.Spec{"a": {Command: []string{"sh", "-c",
		`until test -e ` + w.Root + `/go; do sleep 0.01; done; echo begin; head -c 1000000 /dev/zero | tr '\0' x; echo; echo middle; head -c 3000000 /dev/zero | tr '\0' y; echo; echo end; exec sleep 1000000`}}})
	harness.Eventually(t, "its log", func() bool { return harness.Exists(t, current) })
	reader, err := s6log.NewReader(filesystem.OS{}, filepath.Dir(current), s6log.FromBeginning)
	require.NoError(t, err)
	defer reader.Close()
	require.NoError(t, os.WriteFile(filepath.Join(w.Root, "go"), nil, 0o644))
	var lines []s6log.Line
	harness.Eventually(t, "the last line", func() bool {
		more, err := reader.Read(0)
		require.NoError(t, err)
		lines = append(lines, more...)
		return len(lines) > 0 && lines[len(lines)-1].Text == "end"
	})
	var kinds strings.Builder
	bytes := make(map[byte]int)
	for _, line := range lines {
		require.LessOrEqual(t, len(line.Text), s6log.MaxLine)
		require.False(t, line.Gap)
		kinds.WriteByte(line.Text[0])
		bytes[line.Text[0]] += len(line.Text)
	}
	assert.Regexp(t, `^bxmy+e$`, kinds.String())
	assert.Equal(t, 1000000, bytes['x'])
	assert.Equal(t, 3000000, bytes['y'], "a line that is too long comes as several")
}

// A service that prints hangs when nobody reads it.
func TestLoggerThatCannotRunIsTold(t *testing.T) {
	t.Parallel()
	w := start(t)
	require.NoError(t, os.WriteFile(filepath.Join(w.Config.LogsDir, "a"), nil, 0o644))
	w.Declare(running(map[string]*s6.Spec{"a": w.counting("a")}))
	harness.Eventually(t, "it is told", func() bool {
		s := w.Snapshot("a")
		return s.Phase == fsm.PhaseDegraded && s.Reason.Summary == "its logger does not run"
	})
	pid := w.pid("a")
	require.NoError(t, os.Remove(filepath.Join(w.Config.LogsDir, "a")))
	w.Await(fsm.PhaseRunning, "a")
	w.logsGrow("a")
	assert.Equal(t, pid, w.pid("a"))
	assert.Positive(t, w.complete("a", w.texts("a")))
}

// rescanned waits until another s6-svscan serves the tree.
func (w *world) rescanned(svscan int) {
	w.T.Helper()
	harness.Eventually(w.T, "there is another s6-svscan", func() bool {
		state, err := supervise.LockHolder(filepath.Join(w.Config.ScanDir, ".s6-svscan", "lock"))
		return err == nil && state.PID != 0 && state.PID != svscan && w.Tree.Served() == nil
	})
}

// s6-svscan and the loggers are the only ones to read a service's pipe, but for
// the process itself.
func TestKilledLoggerLeavesItsServiceAlone(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(map[string]*s6.Spec{"a": w.counting("a")})
	logger := filepath.Join(w.Service("a"), "log")
	for range 3 {
		w.logsGrow("a")
		pid, log, svscan := w.pid("a"), w.pid("a/log"), w.svscan()
		harness.Slay(t, svscan)
		harness.Slay(t, w.supervisor(logger))
		harness.Slay(t, log)
		w.rescanned(svscan)
		w.logsGrow("a")
		assert.Equal(t, pid, w.pid("a"))
	}
	w.Await(fsm.PhaseRunning, "a")
	w.single("a")
	assert.Len(t, w.starts("a"), 1)
}

// Last words without a newline are a line of their own, whoever is killed, and
// whole ones are followed by no empty line.
func TestLastWordsWithoutANewline(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.probeAs("a", "echo begin", `exec 2>/dev/null; trap 'printf "the last words"; exit 0' TERM; printf "a line\n\n"; `+runsUntilTrapped)
	w.run(map[string]*s6.Spec{"a": spec})
	run := []string{"begin", "a line", "", "the last words"}
	var want []string
	// ends waits until the process has printed all that it prints before it ends,
	// ends it, and waits for its last words.
	ends := func(end func()) {
		t.Helper()
		harness.Eventually(t, "it prints", func() bool { return len(w.texts("a")) >= len(want)+len(run)-1 })
		end()
		want = append(want, run...)
		harness.Eventually(t, "its last words are in the log", func() bool { return len(w.texts("a")) >= len(want) })
	}
	again := func(end func()) {
		t.Helper()
		starts := len(w.starts("a"))
		ends(end)
		harness.Eventually(t, "it starts again", func() bool { return len(w.starts("a")) > starts })
	}
	again(func() { harness.Kill(t, w.pid("a"), syscall.SIGTERM) })
	again(func() { harness.Slay(t, w.supervisor(w.Service("a"))) })
	again(func() { require.NoError(t, w.Manager.Restart(t.Context(), "a")) })
	var before time.Time
	ends(func() {
		before = time.Now()
		w.Declare(desired{"a": {State: s6.Stopped, Spec: spec}})
		w.Await(fsm.PhaseStopped, "a")
	})
	lines := w.lines("a")
	assert.WithinRange(t, lines[len(lines)-1].Time, before, time.Now(), "not when the next one begins")
	w.run(map[string]*s6.Spec{"a": spec})
	ends(func() {
		w.Unmanage()
		ctx, cancel := w.Context()
		defer cancel()
		require.NoError(t, w.Tree.Shutdown(ctx))
	})
	assert.Equal(t, want, w.texts("a"))
}
