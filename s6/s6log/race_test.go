package s6log_test

import (
	"bytes"
	"cmp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

// catchUp lets a reader catch up through two rotations, with before called
// ahead of each of its operations, then through one more undisturbed. It
// reports the lines read, those that were written, the errors met, and the
// number of operations before the undisturbed part.
func catchUp(t *testing.T, before func(log *logger, n int, op filesystemtest.Op) error) (got, written []string, errs []error, ops int) {
	t.Helper()
	log := newLogger(t)
	log.count()
	armed := false
	watched := log.watched(func(op filesystemtest.Op) error {
		if !armed {
			return nil
		}
		ops++
		return before(log, ops-1, op)
	})
	reader := openReader(t, watched, s6log.FromBeginning)
	read := func() {
		lines, err := reader.Read(0)
		got = append(got, texts(lines)...)
		if err != nil {
			errs = append(errs, err)
		}
	}
	for range 2 {
		log.count()
		log.rotate()
		log.count()
	}
	armed = true
	read()
	read()
	armed = false
	log.finishRotation()
	log.count()
	log.rotate()
	log.count()
	read()
	return got, log.lines(), errs, ops
}

// Whatever s6-log does between two operations of a reader, no line is lost,
// doubled or moved.
func TestReaderDisturbedAtEveryOperation(t *testing.T) {
	for name, disturb := range map[string]func(*logger){
		"line":           func(log *logger) { log.count() },
		"rotation":       func(log *logger) { log.rotate(); log.count() },
		"empty rotation": func(log *logger) { log.rotate() },
		"rotations": func(log *logger) {
			for range 3 {
				log.count()
				log.rotate()
				log.count()
			}
		},
		"restart":           func(log *logger) { log.count(); log.restart(); log.count() },
		"rotation, renamed": func(log *logger) { log.rotationSteps()[0]() },
		"rotation, created": func(log *logger) { log.rotationSteps()[0](); log.rotationSteps()[1]() },
	} {
		t.Run(name, func(t *testing.T) {
			for at := 0; ; at++ {
				got, written, errs, ops := catchUp(t, func(log *logger, n int, _ filesystemtest.Op) error {
					if n == at {
						disturb(log)
					}
					return nil
				})
				require.Empty(t, errs)
				require.Equal(t, written, got, "disturbed before operation %d", at)
				if at >= ops {
					require.Greater(t, ops, 10)
					return
				}
			}
		})
	}
}

// fails is the mishap of an operation that fails.
func fails() []filesystemtest.Mishap { return filesystemtest.Mishaps()[:1] }

// Whichever operation fails, Read says so and the next one makes up for it.
func TestReaderFaultAtEveryOperation(t *testing.T) {
	filesystemtest.Sweep(t, fails(), func(t *testing.T, _ filesystemtest.Mishap, injector filesystemtest.Injector) {
		var fault error
		got, written, errs, _ := catchUp(t, func(_ *logger, _ int, op filesystemtest.Op) error {
			err := injector.Inject(op).Err
			fault = cmp.Or(fault, err)
			return err
		})
		require.Equal(t, written, got)
		if fault == nil {
			require.Empty(t, errs)
			return
		}
		require.Len(t, errs, 1)
		require.ErrorIs(t, errs[0], fault)
	})
}

func TestNewReaderFaults(t *testing.T) {
	filesystemtest.Sweep(t, fails(), func(t *testing.T, _ filesystemtest.Mishap, injector filesystemtest.Injector) {
		faulty := filesystemtest.Inject(newLogger(t).fsys, injector)
		reader, err := s6log.NewReader(faulty, logPath, s6log.FromEnd)
		if faulty.Failed() == 0 {
			require.NoError(t, err)
			require.NoError(t, reader.Close())
			require.Greater(t, faulty.Count(), 3)
			return
		}
		require.ErrorIs(t, err, syscall.EIO)
		require.Nil(t, reader)
	})
}

// FuzzReader writes data in chunks with reads and rotations between them,
// as script says, and compares with what cutting each file at its newlines
// gives.
func FuzzReader(f *testing.F) {
	f.Add([]byte("one\ntwo\nthree\n"), []byte{0x05, 0x43, 0x82})
	f.Add([]byte("@400000006b03c4e616a351b8 hello\n2026-11-23 04:44:49.377639411  hello\n"), []byte{0x11, 0x91, 0x41, 0xd1})
	f.Add([]byte("no newline at all"), []byte{0x03, 0xc3, 0x43})
	f.Add([]byte("\n\n\n"), []byte{0x81, 0x81, 0x81, 0x81})
	f.Fuzz(func(t *testing.T, data, script []byte) {
		log := newLogger(t)
		log.keep = len(script) + 2
		log.write("begin\n")
		reader := log.reader(s6log.FromBeginning)
		var want, got []string
		killed := false
		expect := func(file []byte) {
			for line := range bytes.Lines(file) {
				parsed := s6log.ParseLine(line)
				parsed.Gap, killed = killed, false
				parsed.Cut = !bytes.HasSuffix(line, []byte("\n"))
				want = append(want, texts([]s6log.Line{parsed})...)
			}
		}
		for _, step := range script {
			n := min(int(step&0x1f), len(data))
			log.write(string(data[:n]))
			data = data[n:]
			switch step >> 6 {
			case 1:
				lines, err := reader.Read(int(step>>5&1) * 2)
				require.NoError(t, err)
				got = append(got, texts(lines)...)
			case 2:
				expect(log.current)
				log.rotate()
			case 3:
				expect(log.current)
				killed = true
				log.restart()
			}
		}
		expect(log.current)
		log.restart()
		got = append(got, readText(t, reader)...)
		assert.Equal(t, strings.Join(want, "\n"), strings.Join(got, "\n"))
		assert.Len(t, got, len(want))
	})
}

// Whatever s6-log does while a reader is made, the reader begins somewhere and
// misses nothing from there on.
func TestNewLogReaderDisturbedTwice(t *testing.T) {
	rotation := func(log *logger) { log.count(); log.rotate(); log.count() }
	disturbances := map[string]func(*logger){
		"line":              func(log *logger) { log.count() },
		"rotation":          rotation,
		"rotations":         func(log *logger) { rotation(log); rotation(log) },
		"restart":           func(log *logger) { log.count(); log.restart(); log.count() },
		"rotation, renamed": func(log *logger) { log.finishRotation(); log.rotationSteps()[0]() },
		"rotation, created": func(log *logger) {
			log.finishRotation()
			log.rotationSteps()[0]()
			log.rotationSteps()[1]()
		},
	}
	const most = 10
	for first, one := range disturbances {
		for second, two := range disturbances {
			for n := range most * most {
				at, then := n/most, n%most
				log := newLogger(t)
				log.count()
				op, made := 0, false
				reader := openReader(t, log.watched(func(filesystemtest.Op) error {
					if op == at && !made {
						one(log)
					}
					if op == then && !made {
						two(log)
					}
					op++
					return nil
				}), s6log.FromEnd)
				made = true
				before := log.counted
				log.count()
				got := readText(t, reader)
				rotation(log)
				got = append(got, readText(t, reader)...)
				for n := range got {
					// A reader that was made after it sees no kill.
					got[n] = strings.TrimPrefix(got[n], "(gap) ")
				}
				require.GreaterOrEqual(t, len(got), log.counted-before)
				require.Equal(t, numbered(log.counted-len(got), len(got)), got, "%s before %d, %s before %d", first, at, second, then)
			}
		}
	}
}
