package s6log_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/s6/s6log"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

const logPath = "/log"

// logger does to a directory what s6-log does, in the same steps.
type logger struct {
	t        testing.TB
	fsys     filesystem.FS
	current  []byte
	archives []string
	clock    int64
	// keep is how many archives it keeps.
	keep int
	// counted is how many lines count wrote.
	counted int
	// killed is how many of these there were each time when it was killed.
	killed []int
}

func newLogger(t testing.TB) *logger {
	t.Helper()
	l := &logger{t: t, fsys: memfs.New(), keep: 10}
	require.NoError(t, l.fsys.Mkdir(logPath, 0o755))
	l.create()
	return l
}

func (l *logger) create() {
	l.t.Helper()
	l.current = nil
	require.NoError(l.t, l.fsys.WriteFile(logPath+"/current", nil, 0o644))
}

// write appends text to current.
func (l *logger) write(text string) {
	l.t.Helper()
	l.current = append(l.current, text...)
	require.NoError(l.t, l.fsys.WriteFile(logPath+"/current", bytes.Clone(l.current), 0o644))
}

// count writes a line that is the number of such lines before it.
func (l *logger) count() {
	l.t.Helper()
	l.finishRotation()
	l.write(fmt.Sprintln(l.counted))
	l.counted++
}

// rotationSteps are the steps of a rotation between which others can look.
func (l *logger) rotationSteps() []func() {
	return []func(){
		func() { require.NoError(l.t, l.fsys.Rename(logPath+"/current", logPath+"/previous")) },
		func() { l.create() },
		func() { l.archive("previous", ".s") },
	}
}

// finishRotation does the steps of a rotation that are not done, if one is
// under way.
func (l *logger) finishRotation() {
	l.t.Helper()
	if !l.exists("previous") {
		return
	}
	if !l.exists("current") {
		l.create()
	}
	l.archive("previous", ".s")
}

func (l *logger) exists(name string) bool {
	l.t.Helper()
	_, err := l.fsys.Stat(logPath + "/" + name)
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(l.t, err)
	}
	return err == nil
}

func (l *logger) rotate() {
	l.t.Helper()
	l.finishRotation()
	for _, step := range l.rotationSteps() {
		step()
	}
}

// restart does what an s6-log does whose predecessor was killed.
func (l *logger) restart() {
	l.t.Helper()
	l.killed = append(l.killed, l.counted)
	l.archive("current", ".u")
	l.create()
}

func (l *logger) archive(name, suffix string) {
	l.t.Helper()
	info, err := l.fsys.Stat(logPath + "/" + name)
	require.NoError(l.t, err)
	if info.Size() == 0 {
		require.NoError(l.t, l.fsys.Remove(logPath+"/"+name))
	} else {
		l.clock++
		archived := supervise.FormatTAI64N(time.Unix(l.clock, 0)) + suffix
		require.NoError(l.t, l.fsys.Rename(logPath+"/"+name, logPath+"/"+archived))
		l.archives = append(l.archives, archived)
	}
	for len(l.archives) > l.keep {
		require.NoError(l.t, l.fsys.Remove(logPath+"/"+l.archives[0]))
		l.archives = l.archives[1:]
	}
}

func (l *logger) reader(tail int64) *s6log.Reader {
	l.t.Helper()
	return openReader(l.t, l.fsys, tail)
}

func openReader(t testing.TB, fsys filesystem.FS, tail int64) *s6log.Reader {
	t.Helper()
	reader, err := s6log.NewReader(fsys, logPath, tail)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reader.Close()) })
	return reader
}

// readText reads all there is and returns a line for each line, with a mark
// for each flag.
func readText(t testing.TB, reader *s6log.Reader) []string {
	t.Helper()
	lines, err := reader.Read(0)
	require.NoError(t, err)
	return texts(lines)
}

func texts(lines []s6log.Line) []string {
	got := []string{}
	for _, line := range lines {
		text := line.Text
		if line.Cut {
			text += " (cut)"
		}
		if line.Gap {
			text = "(gap) " + text
		}
		got = append(got, text)
	}
	return got
}

// before is called ahead of each operation of a Reader, which fails where it
// returns an error.
type before func(op filesystemtest.Op) error

func (b before) Inject(op filesystemtest.Op) filesystemtest.Fault {
	return filesystemtest.Fault{Err: b(op)}
}

func (b before) String() string { return "before" }

// watched is the filesystem of a log as a Reader sees it.
func (l *logger) watched(b before) filesystem.FS { return filesystemtest.Inject(l.fsys, b) }

// lines returns what a reader of all that count wrote returns.
func (l *logger) lines() []string {
	lines := numbered(0, l.counted)
	for _, n := range l.killed {
		if n < len(lines) {
			lines[n] = "(gap) " + fmt.Sprint(n)
		}
	}
	return lines
}

// numbered returns n lines "from", "from+1", ...
func numbered(from, n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprint(from+i))
	}
	return lines
}
