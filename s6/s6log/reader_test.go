package s6log_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

func TestReaderStart(t *testing.T) {
	for _, test := range []struct {
		name    string
		current string
		tail    int64
		want    []string
	}{
		{"beginning", "one\ntwo\nthree\n", s6log.FromBeginning, []string{"one", "two", "three", "new"}},
		{"end", "one\ntwo\nthree\n", s6log.FromEnd, []string{"new"}},
		{"end of nothing", "", s6log.FromEnd, []string{"new"}},
		{"end within a line", "one\ntwo\nthree", s6log.FromEnd, []string{}},
		{"line boundary", "one\ntwo\nthree\n", 6, []string{"three", "new"}},
		{"within a line", "one\ntwo\nthree\n", 7, []string{"three", "new"}},
		{"all of it", "one\ntwo\nthree\n", 14, []string{"one", "two", "three", "new"}},
		{"one byte less", "one\ntwo\nthree\n", 13, []string{"two", "three", "new"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			log := newLogger(t)
			log.write(test.current)
			reader := log.reader(test.tail)
			log.write("new\n")
			assert.Equal(t, test.want, readText(t, reader))
			log.write("newer\n")
			assert.Equal(t, []string{"newer"}, readText(t, reader))
		})
	}
	_, err := s6log.NewReader(memfs.New(), logPath, -1)
	assert.ErrorContains(t, err, "-1 bytes before the end")
}

func TestReaderParses(t *testing.T) {
	log := newLogger(t)
	log.write("@400000006b03c4e616a351b8 hello\nplain\n")
	lines, err := log.reader(s6log.FromBeginning).Read(0)
	require.NoError(t, err)
	assert.Equal(t, []s6log.Line{{Time: time.Date(2026, 11, 23, 4, 44, 49, 379802040, time.UTC), Text: "hello"}, {Text: "plain"}}, lines)
}

func TestReaderBeforeLogger(t *testing.T) {
	fsys := memfs.New()
	reader := openReader(t, fsys, s6log.FromEnd)
	assert.Empty(t, readText(t, reader))
	require.NoError(t, fsys.Mkdir(logPath, 0o755))
	assert.Empty(t, readText(t, reader))
	require.NoError(t, fsys.WriteFile(logPath+"/current", []byte("first\n"), 0o644))
	assert.Equal(t, []string{"first"}, readText(t, reader))
}

// A log that began after its reader was made has lost nothing while fewer
// files are archived than are kept.
func TestReaderBeforeLoggerThatRotates(t *testing.T) {
	for _, test := range []struct {
		name                   string
		known, kept, rotations int
		want                   []string
	}{
		{"once", 10, 10, 1, []string{"0", "1"}},
		{"fewer than are kept", 3, 3, 2, []string{"0", "1", "2"}},
		{"more than are kept", 3, 3, 4, []string{"(gap) 1", "2", "3", "4"}},
		{"more than are known of", 0, 10, 1, []string{"(gap) 0", "1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			log := &logger{t: t, fsys: memfs.New(), keep: test.kept}
			reader := log.reader(s6log.FromEnd)
			reader.Files = test.known
			require.NoError(t, log.fsys.Mkdir(logPath, 0o755))
			log.create()
			for range test.rotations {
				log.count()
				log.rotate()
			}
			log.count()
			assert.Equal(t, test.want, readText(t, reader))
			log.rotate()
			log.count()
			assert.Equal(t, []string{fmt.Sprint(test.rotations + 1)}, readText(t, reader))
		})
	}
}

func TestReaderKeepsPartialLine(t *testing.T) {
	log := newLogger(t)
	reader := log.reader(s6log.FromBeginning)
	log.write("one\ntw")
	assert.Equal(t, []string{"one"}, readText(t, reader))
	assert.Empty(t, readText(t, reader))
	log.write("o\n\nthr")
	assert.Equal(t, []string{"two", ""}, readText(t, reader))
	log.restart()
	log.write("four\n")
	assert.Equal(t, []string{"thr (cut)", "(gap) four"}, readText(t, reader))
}

func TestReaderLimit(t *testing.T) {
	log := newLogger(t)
	reader := log.reader(s6log.FromBeginning)
	log.write(strings.Join(numbered(0, 5), "\n") + "\n")
	log.rotate()
	log.write(strings.Join(numbered(5, 5), "\n") + "\n")
	got := []string{}
	for _, want := range []int{3, 3, 3, 1, 0} {
		lines, err := reader.Read(3)
		require.NoError(t, err)
		assert.Len(t, lines, want)
		got = append(got, texts(lines)...)
	}
	assert.Equal(t, numbered(0, 10), got)
}

func TestReaderLongLines(t *testing.T) {
	line := strings.Repeat("0123456789abcdef", s6log.MaxLine/16)
	for name, test := range map[string]struct {
		written []string
		want    []s6log.Line
	}{
		"longest whole": {[]string{line + "\nnext\n"}, []s6log.Line{{Text: line}, {Text: "next"}}},
		"one over":      {[]string{line + "x\nnext\n"}, []s6log.Line{{Text: line, Cut: true}, {Text: "next"}}},
		"in pieces":     {[]string{line[:1000], line[1000:], "x", line, "y\nnext\n"}, []s6log.Line{{Text: line, Cut: true}, {Text: "next"}}},
		"far over":      {[]string{line + line + line + "\n" + line + "x\nnext\n"}, []s6log.Line{{Text: line, Cut: true}, {Text: line, Cut: true}, {Text: "next"}}},
	} {
		t.Run(name, func(t *testing.T) {
			log := newLogger(t)
			reader := log.reader(s6log.FromBeginning)
			var got []s6log.Line
			for _, text := range test.written {
				log.write(text)
				lines, err := reader.Read(0)
				require.NoError(t, err)
				got = append(got, lines...)
			}
			require.Len(t, got, len(test.want))
			for i := range got {
				assert.True(t, test.want[i] == got[i], "line %d: %d bytes, cut %t", i, len(got[i].Text), got[i].Cut)
			}
		})
	}
}

// The rest of a line that was cut must not swallow the file after it.
func TestReaderLongLineAtEndOfFile(t *testing.T) {
	log := newLogger(t)
	reader := log.reader(s6log.FromBeginning)
	log.write(strings.Repeat("x", 2*s6log.MaxLine))
	lines, err := reader.Read(0)
	require.NoError(t, err)
	require.Len(t, lines, 1)
	assert.True(t, lines[0].Cut)
	log.restart()
	log.write("next\n")
	assert.Equal(t, []string{"(gap) next"}, readText(t, reader))
}

func TestReaderRotations(t *testing.T) {
	for rotations := range 8 {
		log := newLogger(t)
		log.write("old\n")
		log.rotate()
		reader := log.reader(s6log.FromBeginning)
		want := []string{}
		for i := range rotations + 1 {
			if i > 0 {
				log.rotate()
			}
			text := numbered(10*i, 3)
			want = append(want, text...)
			log.write(strings.Join(text, "\n") + "\n")
		}
		assert.Equal(t, want, readText(t, reader), "%d rotations", rotations)
		assert.Empty(t, readText(t, reader))
	}
}

func TestReaderEachRotationStep(t *testing.T) {
	log := newLogger(t)
	reader := log.reader(s6log.FromBeginning)
	for i := range 5 {
		text := numbered(10*i, 3)
		log.write(strings.Join(text, "\n") + "\n")
		got := []string{}
		for _, step := range log.rotationSteps() {
			step()
			got = append(got, readText(t, reader)...)
		}
		assert.Equal(t, text, got)
	}
}

// A reader that is made in the middle of a rotation.
func TestReaderMadeDuringRotation(t *testing.T) {
	for made := range 4 {
		for tail, want := range map[int64][]string{
			s6log.FromEnd:       {"after"},
			s6log.FromBeginning: {"before", "after"},
			7:                   {"before", "after"},
		} {
			log := newLogger(t)
			log.write("ancient\n")
			log.rotate()
			log.write("before\n")
			var reader *s6log.Reader
			for i, step := range log.rotationSteps() {
				if i == made {
					reader = log.reader(tail)
				}
				step()
			}
			if reader == nil { // made when all is done: before is archived
				reader, want = log.reader(tail), []string{"after"}
			}
			log.write("after\n")
			assert.Equal(t, want, readText(t, reader), "made before step %d, tail %d", made, tail)
		}
	}
}

// A logger that is killed has read lines that it has not written. Its file is
// archived under a name of its own, and removed if it was empty.
func TestReaderGapAfterAKill(t *testing.T) {
	log := newLogger(t)
	reader := log.reader(s6log.FromBeginning)
	log.write("0\n")
	log.restart()
	log.write("1\n")
	log.restart()
	assert.Equal(t, []string{"0", "(gap) 1"}, readText(t, reader))
	log.write("2\n")
	log.rotate()
	log.write("3\n")
	log.rotate()
	log.write("4\n")
	log.restart()
	log.write("5\n")
	log.rotate()
	log.write("6\n")
	assert.Equal(t, []string{"(gap) 2", "3", "4", "(gap) 5", "6"}, readText(t, reader), "while it catches up")
	log.rotate()
	assert.Empty(t, readText(t, reader))
	for range 3 {
		log.restart()
		assert.Empty(t, readText(t, reader))
	}
	log.write("7\n")
	log.write("8\n")
	assert.Equal(t, []string{"(gap) 7", "8"}, readText(t, reader), "it had written nothing yet")
}

func TestReaderGapAfterTrimming(t *testing.T) {
	log := newLogger(t)
	log.keep = 2
	log.write("0\n")
	reader := log.reader(s6log.FromBeginning)
	assert.Equal(t, []string{"0"}, readText(t, reader))
	for _, text := range []string{"1\n", "2\n", "3\n", "4\n"} {
		log.rotate()
		log.write(text)
	}
	assert.Equal(t, []string{"(gap) 2", "3", "4"}, readText(t, reader))
	log.rotate()
	log.write("5\n")
	assert.Equal(t, []string{"5"}, readText(t, reader))
}

// Without an older archive only the number of those that are kept tells whether
// there were more.
func TestReaderGapWhereUnknown(t *testing.T) {
	for files, want := range map[int]string{0: "(gap) 0", 1: "(gap) 0", 2: "0"} {
		log := &logger{t: t, fsys: memfs.New(), keep: 10}
		reader := log.reader(s6log.FromBeginning)
		reader.Files = files
		require.NoError(t, log.fsys.Mkdir(logPath, 0o755))
		log.create()
		log.write("0\n")
		log.rotate()
		assert.Equal(t, []string{want}, readText(t, reader), "%d files", files)
		log.write("1\n")
		assert.Equal(t, []string{"1"}, readText(t, reader))
	}
}

// Exactly as many rotations as archives are kept lose nothing.
func TestReaderNoGapAtTheLimit(t *testing.T) {
	log := newLogger(t)
	log.keep = 3
	log.write("0\n")
	reader := log.reader(s6log.FromBeginning)
	assert.Equal(t, []string{"0"}, readText(t, reader))
	for _, text := range []string{"1\n", "2\n", "3\n"} {
		log.rotate()
		log.write(text)
	}
	assert.Equal(t, []string{"1", "2", "3"}, readText(t, reader))
}

// An archive that is trimmed between being listed and being read.
func TestReaderGapWhileCatchingUp(t *testing.T) {
	log := newLogger(t)
	reader := log.reader(s6log.FromBeginning)
	log.write("0\n")
	for _, text := range []string{"1\n", "2\n", "3\n"} {
		log.rotate()
		log.write(text)
	}
	lines, err := reader.Read(2)
	require.NoError(t, err)
	require.Equal(t, []string{"0", "1"}, texts(lines))
	require.NoError(t, log.fsys.Remove(logPath+"/"+log.archives[2]))
	assert.Equal(t, []string{"(gap) 3"}, readText(t, reader))
}

func TestReaderTruncated(t *testing.T) {
	log := newLogger(t)
	reader := log.reader(s6log.FromBeginning)
	log.write("one\ntwo\nthr")
	assert.Equal(t, []string{"one", "two"}, readText(t, reader))
	log.create()
	assert.Empty(t, readText(t, reader))
	log.write("four\n")
	assert.Equal(t, []string{"(gap) four"}, readText(t, reader))
}

func TestReaderIdleCost(t *testing.T) {
	log := newLogger(t)
	log.write("one\ntw")
	var ops []filesystemtest.Kind
	watched := log.watched(func(op filesystemtest.Op) error {
		ops = append(ops, op.Kind)
		return nil
	})
	reader := openReader(t, watched, s6log.FromBeginning)
	assert.Equal(t, []string{"one"}, readText(t, reader))
	ops = nil
	assert.Empty(t, readText(t, reader))
	assert.Equal(t, []filesystemtest.Kind{filesystemtest.Stat}, ops)
}

func TestReaderClose(t *testing.T) {
	log := newLogger(t)
	log.write("one\n")
	reader := log.reader(s6log.FromBeginning)
	require.NoError(t, reader.Close())
	lines, err := reader.Read(0)
	require.ErrorIs(t, err, fs.ErrClosed)
	assert.Empty(t, lines)
	require.NoError(t, reader.Close())
}

func TestReaderOnDisk(t *testing.T) {
	dir := t.TempDir()
	current := filepath.Join(dir, "current")
	require.NoError(t, os.WriteFile(current, []byte("one\n"), 0o644))
	reader, err := s6log.NewReader(filesystem.OS{}, dir, s6log.FromBeginning)
	require.NoError(t, err)
	defer reader.Close()
	assert.Equal(t, []string{"one"}, readText(t, reader))
	for _, name := range []string{"@400000006b03c58c03218d8b.s", "@400000006b03c58c0f29d273.s"} {
		require.NoError(t, os.Rename(current, filepath.Join(dir, name)))
		assert.Empty(t, readText(t, reader))
		require.NoError(t, os.WriteFile(current, []byte("in "+name+"\n"), 0o644))
	}
	assert.Equal(t, []string{"in @400000006b03c58c03218d8b.s", "in @400000006b03c58c0f29d273.s"}, readText(t, reader))
}
