package logs_test

import (
	"context"
	"fmt"
	"path"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/s6/logs"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

const dir = "/logs"

// logger does to the log of one instance what s6-log does.
type logger struct {
	t        *testing.T
	fsys     filesystem.FS
	name     string
	current  string
	archives []string
	keep     int // so many archives
}

// disk is a filesystem with the directory of all logs.
func disk(t *testing.T) filesystem.FS {
	t.Helper()
	fsys := memfs.New()
	require.NoError(t, fsys.Mkdir(dir, 0o755))
	return fsys
}

func newLogger(t *testing.T, fsys filesystem.FS, name string) *logger {
	t.Helper()
	l := &logger{t: t, fsys: fsys, name: name, keep: 10}
	require.NoError(t, fsys.Mkdir(l.file(""), 0o755))
	l.write("")
	return l
}

func (l *logger) file(name string) string { return path.Join(dir, l.name, name) }

func (l *logger) write(text string) {
	l.t.Helper()
	l.current += text
	require.NoError(l.t, l.fsys.WriteFile(l.file("current"), []byte(l.current), 0o644))
}

// print writes lines with the stamp of now.
func (l *logger) print(texts ...any) {
	l.t.Helper()
	for _, text := range texts {
		l.write(fmt.Sprintln(supervise.FormatTAI64N(time.Now()), text))
	}
}

// printAt writes a line with a stamp.
func (l *logger) printAt(second int64, text string) {
	l.t.Helper()
	l.write(supervise.FormatTAI64N(time.Unix(second, 0)) + " " + text + "\n")
}

func (l *logger) rotate() { l.archive(time.Now(), ".s") }

// kill does what an s6-log does that follows on one that was killed.
func (l *logger) kill() { l.archive(time.Now(), ".u") }

func (l *logger) archive(at time.Time, suffix string) {
	l.t.Helper()
	name := supervise.FormatTAI64N(at) + suffix
	require.NoError(l.t, l.fsys.Rename(l.file("current"), l.file("previous")))
	l.current = ""
	l.write("")
	require.NoError(l.t, l.fsys.Rename(l.file("previous"), l.file(name)))
	l.archives = append(l.archives, name)
	for len(l.archives) > l.keep {
		require.NoError(l.t, l.fsys.Remove(l.file(l.archives[0])))
		l.archives = l.archives[1:]
	}
}

// shown is a line as tests compare it.
func shown(l logs.Line) string {
	switch {
	case l.Err != nil && l.Instance == "":
		return fmt.Sprintf("error: %v", l.Err)
	case l.Err != nil:
		return fmt.Sprintf("%s error: %v", l.Instance, l.Err)
	case l.Gap:
		return l.Instance + " gap"
	case l.Cut:
		return l.Instance + " " + l.Text + " (cut)"
	}
	return l.Instance + " " + l.Text
}

// all returns what a Reader delivers that does not follow.
func all(fsys filesystem.FS, o logs.Options) (got []string) {
	for line := range logs.Open(fsys, dir, o).Lines(context.Background()) {
		got = append(got, shown(line))
	}
	return got
}

// follower takes what a Reader delivers that follows. It lives in a bubble of
// synctest, in which nothing is written at the moments of looks: see between.
type follower struct {
	cancel context.CancelFunc
	ended  chan struct{}
	taken  int

	mu  sync.Mutex // guards got
	got []logs.Line
}

// lines returns what was delivered so far.
func (f *follower) lines() []logs.Line {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

// hasEnded reports whether nothing is delivered any more.
func (f *follower) hasEnded() bool {
	synctest.Wait()
	select {
	case <-f.ended:
		return true
	default:
		return false
	}
}

// follow follows until the test ends.
func follow(t *testing.T, fsys filesystem.FS, o logs.Options) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	f := &follower{cancel: cancel, ended: make(chan struct{})}
	o.Follow = true
	reader := logs.Open(fsys, dir, o)
	go func() {
		for line := range reader.Lines(ctx) {
			f.mu.Lock()
			f.got = append(f.got, line)
			f.mu.Unlock()
		}
		close(f.ended)
	}()
	synctest.Wait()
	time.Sleep(50 * time.Millisecond)
	return f
}

// between waits until the next look is over, and stays between two looks.
func (f *follower) between() {
	time.Sleep(200 * time.Millisecond)
	synctest.Wait()
}

// next returns what the next look delivers.
func (f *follower) next() (got []string) {
	f.between()
	lines := f.lines()
	for _, line := range lines[f.taken:] {
		got = append(got, shown(line))
	}
	f.taken = len(lines)
	return got
}

// numbered returns n lines of an instance that are the numbers from one on.
func numbered(name string, from, n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprint(name, " ", from+i))
	}
	return slices.Clip(lines)
}
