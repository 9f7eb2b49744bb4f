package s6log_test

import (
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

func openPast(t testing.TB, fsys filesystem.FS, past s6log.Past) *s6log.Reader {
	t.Helper()
	reader, err := s6log.NewPastReader(fsys, logPath, past)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reader.Close()) })
	return reader
}

// full returns a log with lines 0 to 9 in three archives and current.
func full(t testing.TB) *logger {
	log := newLogger(t)
	for n := range 10 {
		if n == 2 || n == 5 || n == 8 {
			log.rotate() // at 1, 2 and 3 s
		}
		log.count()
	}
	return log
}

// TestPastIsTheLastLines, however many, and then what is written, each once.
func TestPastIsTheLastLines(t *testing.T) {
	for last := -1; last <= 12; last++ {
		log := full(t)
		reader := openPast(t, log.fsys, s6log.Past{Last: last})
		log.rotate()
		log.count()
		from := max(0, 10-last)
		if last < 0 {
			from = 0
		}
		assert.Equal(t, numbered(from, 11-from), readText(t, reader), "last %d", last)
		log.rotate()
		log.rotate()
		log.count()
		assert.Equal(t, []string{"11"}, readText(t, reader), "last %d", last)
	}
	assert.Len(t, readText(t, openPast(t, full(t).fsys, s6log.Past{Last: math.MaxInt})), 10)
}

// TestPastSince leaves out archives, and counts among the lines of the others.
func TestPastSince(t *testing.T) {
	for since, want := range map[int64]int{0: 0, 1: 0, 2: 2, 3: 5, 4: 8} {
		log := full(t)
		at := time.Unix(since, 0)
		assert.Equal(t, numbered(want, 10-want), readText(t, openPast(t, log.fsys, s6log.Past{Last: -1, Since: at})), "since %v", at)
		last := min(4, 10-want)
		assert.Equal(t, numbered(10-last, last), readText(t, openPast(t, log.fsys, s6log.Past{Last: 4, Since: at})), "the last of those since %v", at)
	}
}

// TestPastOfKilledLoggers: what they left without a newline is a line, and lines
// may be missing after it.
func TestPastOfKilledLoggers(t *testing.T) {
	log := newLogger(t)
	log.write("one\ntwo\nthr")
	log.restart()
	log.write("four\nfi")
	for last, want := range map[int][]string{
		0:  {"five"},
		1:  {"four", "five"}, // what has no newline yet is no line yet
		2:  {"thr (cut)", "(gap) four", "five"},
		3:  {"two", "thr (cut)", "(gap) four", "five"},
		9:  {"one", "two", "thr (cut)", "(gap) four", "five"},
		-1: {"one", "two", "thr (cut)", "(gap) four", "five"},
	} {
		reader := openPast(t, log.fsys, s6log.Past{Last: last})
		before := readText(t, reader)
		log.write("ve\n")
		assert.Equal(t, want, slices.Concat(before, readText(t, reader)), "last %d", last)
		log.current = log.current[:len(log.current)-3]
		log.write("")
	}
}

// TestPastOfLongLines is found however they lie among the parts that are read.
func TestPastOfLongLines(t *testing.T) {
	log := newLogger(t)
	var want []string
	for n := range 40 {
		want = append(want, strings.Repeat(string(rune('a'+n%26)), 1<<10*(n%11)*7))
		log.write(want[n] + "\n")
		if n%13 == 12 {
			log.rotate()
		}
	}
	for last := 1; last <= 40; last++ {
		got := readText(t, openPast(t, log.fsys, s6log.Past{Last: last}))
		require.True(t, slices.Equal(want[40-last:], got), "last %d: there are %d lines", last, len(got))
	}
}

// TestPastWithoutCurrent: there is no logger at present, or it rotates.
func TestPastWithoutCurrent(t *testing.T) {
	for last, want := range map[int][]string{-1: numbered(0, 11), 0: {"10"}, 1: {"9", "10"}, 4: numbered(6, 5), 99: numbered(0, 11)} {
		log := full(t)
		steps := log.rotationSteps()
		steps[0]()
		during := openPast(t, log.fsys, s6log.Past{Last: last})
		log.finishRotation()
		log.count()
		assert.Equal(t, want, readText(t, during), "last %d, while it rotates", last)

		log = full(t)
		log.rotate()
		require.NoError(t, log.fsys.Remove(logPath+"/current"))
		without := openPast(t, log.fsys, s6log.Past{Last: last})
		before := readText(t, without)
		log.create()
		log.count()
		assert.Equal(t, want, slices.Concat(before, readText(t, without)), "last %d, without a logger", last)
	}
}

// TestPastOfNothing begins with the first line that is written.
func TestPastOfNothing(t *testing.T) {
	for _, last := range []int{-1, 0, 5} {
		log := newLogger(t)
		require.NoError(t, log.fsys.RemoveAll(logPath))
		reader := openPast(t, log.fsys, s6log.Past{Last: last})
		assert.Empty(t, readText(t, reader))
		require.NoError(t, log.fsys.Mkdir(logPath, 0o755))
		assert.False(t, reader.Found())
		log.create()
		log.count()
		assert.Equal(t, []string{"0"}, readText(t, reader))
		assert.True(t, reader.Found())
		log.rotate()
		require.NoError(t, log.fsys.Remove(logPath+"/current"))
		assert.True(t, openPast(t, log.fsys, s6log.Past{Last: last}).Found(), "there is an archive")
	}
}

// TestPastDisturbedAtEveryOperation: whatever s6-log does between two operations,
// no line is lost, doubled or moved.
func TestPastDisturbedAtEveryOperation(t *testing.T) {
	for _, last := range []int{-1, 1, 4, 7} {
		for disturbed := 0; ; disturbed++ {
			log, ops := full(t), 0
			reader := openPast(t, log.watched(func(filesystemtest.Op) error {
				if ops++; ops == disturbed+1 {
					log.rotate()
					log.count()
				}
				return nil
			}), s6log.Past{Last: last})
			got := readText(t, reader)
			if ops <= disturbed {
				break
			}
			got = append(got, readText(t, reader)...)
			if last > 0 { // counted before the line was written, or after
				require.Contains(t, [][]string{numbered(10-last, last+1), numbered(11-last, last)}, got, "last %d, operation %d", last, disturbed)
				continue
			}
			require.Equal(t, numbered(0, 11), got, "last %d, operation %d", last, disturbed)
		}
	}
}

// TestPastFailsAtEveryOperation: the error says so, and nothing stays open.
func TestPastFailsAtEveryOperation(t *testing.T) {
	for failing := 0; ; failing++ {
		log, ops := full(t), 0
		reader, err := s6log.NewPastReader(log.watched(func(filesystemtest.Op) error {
			if ops++; ops == failing+1 {
				return &fs.PathError{Op: "read", Path: fmt.Sprint(failing), Err: syscall.EIO}
			}
			return nil
		}), logPath, s6log.Past{Last: 9})
		if err == nil {
			require.NoError(t, reader.Close())
			require.GreaterOrEqual(t, failing, ops)
			return
		}
		require.ErrorIs(t, err, syscall.EIO)
		require.ErrorContains(t, err, "cannot read log: ")
	}
}
