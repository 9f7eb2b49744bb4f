package journal_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/journal"
	"github.com/evenkeel/evenkeel/s6"
)

const dir = "/some/journal"

// written has a journal with room for everything written, which is not much at once.
func written(t *testing.T, fsys filesystem.Appender, do func(*journal.Journal)) {
	t.Helper()
	writtenAtOnce(t, fsys, 1<<10, do)
}

func writtenAtOnce(t *testing.T, fsys filesystem.Appender, queue int, do func(*journal.Journal)) {
	t.Helper()
	j := journal.Open(journal.Config{FS: fsys, Dir: dir, Size: 1 << 30, Queue: queue})
	do(j)
	require.NoError(t, j.Close(context.Background()))
}

// transition is the n-th of an instance.
func transition(instance string, n int) fsm.Transition {
	return fsm.Transition{
		Subject: fsm.Subject{At: time.Date(2026, 1, 2, 3, 4, n, 0, time.UTC), Kind: "lamp", Instance: instance},
		From:    "off", To: "lit", Event: "start", ToPhase: fsm.PhaseRunning, Reason: fsm.Because("asked").With(fmt.Sprint("the ", n)),
	}
}

// told returns what a journal says, a word for each record.
func told(t *testing.T, fsys filesystem.FS, name string) (all []string) {
	t.Helper()
	var records []*journal.Record
	for r, err := range journal.Read(fsys, name) {
		require.NoError(t, err)
		records = append(records, r)
	}
	return words(records)
}

// words returns a word for each record.
func words(records []*journal.Record) (all []string) {
	for _, r := range records {
		switch {
		case r.Begun != nil:
			all = append(all, "begun")
		case r.Pass != nil:
			all = append(all, "pass")
		case r.Transition != nil:
			all = append(all, r.Transition.Reason.Evidence)
		case r.Note != nil:
			all = append(all, string(r.Note.What)+": "+r.Note.Text)
		case r.Gap != nil:
			all = append(all, fmt.Sprintf("%d missing", r.Gap.Missing))
		}
	}
	return all
}

func TestNoticesAreRecorded(t *testing.T) {
	fsys := memfs.New()
	about := transition("a", 1).Subject
	broken := errors.New("cannot: password=geheim")
	written(t, fsys, func(j *journal.Journal) {
		j.Hear(transition("a", 1))
		j.Hear(fsm.Owned{Subject: about, Notice: transition("a", 2)})
		j.Hear(fsm.Refused{Subject: about, Err: broken})
		j.Hear(fsm.RefusalEnded{Subject: about, Err: broken})
		j.Hear(fsm.Warned{Subject: about, Err: broken})
		j.Hear(fsm.PassFailed{Subject: about, Err: broken})
		j.Hear(fsm.PassRecovered{Subject: about, Err: broken})
		j.Hear(fsm.Overran{Subject: about, After: time.Second})
		j.Hear(fsm.Owned{Subject: about, Notice: fsm.Owned{Subject: about, Notice: fsm.Closed{Subject: about}}})
		j.Hear(fsm.Reconciled{Subject: about})
		j.Hear(fsm.Closed{Subject: about})
		j.Hear(fsm.Closed{Subject: about, Err: broken})
		j.Declared(about, "to be lit, with token=geheim")
	})
	masked := "cannot: password=***"
	assert.Equal(t, []string{
		"begun", "the 1", "the 2", "refused: " + masked, "taken: " + masked, "warned: " + masked, "failed: " + masked, "recovered: " + masked,
		"overran: a pass has taken more than 1s", "closed: ", "closed: ", "closed: " + masked, "declared: to be lit, with token=***",
	}, told(t, fsys, dir))

	all, missing, err := journal.History(fsys, dir, "a")
	require.NoError(t, err)
	assert.Zero(t, missing)
	assert.Equal(t, []string{
		"the 1", "refused: " + masked, "taken: " + masked, "warned: " + masked, "failed: " + masked, "recovered: " + masked,
		"overran: a pass has taken more than 1s", "closed: " + masked, "declared: to be lit, with token=***",
	}, words(all), "that of what is owned is left out")
	for r := range journal.Read(fsys, dir) {
		if r.Note != nil {
			assert.Equal(t, about, r.Note.Subject)
			assert.Equal(t, r.Line == 10, r.Note.Owned)
		}
	}
}

func TestHistoryOutlivesTheProgram(t *testing.T) {
	fsys := memfs.New()
	for n := range 3 {
		written(t, fsys, func(j *journal.Journal) {
			j.Hear(transition("a", 2*n))
			j.Hear(transition("b", 2*n+1))
		})
	}
	assert.Equal(t, []string{"begun", "the 0", "the 1", "begun", "the 2", "the 3", "begun", "the 4", "the 5"}, told(t, fsys, dir))
	all, missing, err := journal.History(fsys, dir, "b")
	require.NoError(t, err)
	assert.Zero(t, missing)
	assert.Equal(t, []string{"the 1", "the 3", "the 5"}, words(all))
	all, _, err = journal.History(fsys, dir, "")
	require.NoError(t, err)
	assert.Len(t, all, 6)

	_, _, err = journal.History(fsys, "/nowhere", "b")
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestNobodyElseReadsIt(t *testing.T) {
	fsys := memfs.New()
	written(t, fsys, func(*journal.Journal) {})
	_, err := fsys.Stat(dir)
	assert.ErrorIs(t, err, fs.ErrNotExist, "nothing was recorded")
	written(t, fsys, func(j *journal.Journal) { j.Hear(transition("a", 1)) })
	info, err := fsys.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
	for _, e := range entries(t, fsys) {
		info, err := e.Info()
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode())
	}
}

func entries(t *testing.T, fsys filesystem.FS) []fs.DirEntry {
	t.Helper()
	all, err := fsys.ReadDir(dir)
	require.NoError(t, err)
	return all
}

// However much is written, there are as many files as there may be, none is larger
// than it may be, and the newest records are there.
func TestSizeIsBounded(t *testing.T) {
	fsys := memfs.New()
	const files, size = 3, 3 * 2000
	next := 0
	for range 5 { // programs
		j := journal.Open(journal.Config{FS: fsys, Dir: dir, Size: size, Files: files, Queue: 1000})
		for range 100 {
			j.Hear(transition("a", next))
			next++
		}
		require.NoError(t, j.Close(context.Background()))
		all := entries(t, fsys)
		assert.Len(t, all, files)
		for _, e := range all {
			info, err := e.Info()
			require.NoError(t, err)
			assert.LessOrEqual(t, info.Size(), int64(size/files))
		}
		says := told(t, fsys, dir)
		assert.Equal(t, fmt.Sprint("the ", next-1), says[len(says)-1])
		assert.Greater(t, len(says), 10)
		for n := 1; n < len(says) && n < 10; n++ {
			assert.Equal(t, fmt.Sprint("the ", next-n), says[len(says)-n], "nothing between is missing")
		}
	}
}

// What is too large for a file is missing, and said to be.
func TestRecordThatIsTooLarge(t *testing.T) {
	fsys := memfs.New()
	j := journal.Open(journal.Config{FS: fsys, Dir: dir, Size: 4000, Files: 2})
	j.Hear(transition("a", 1))
	j.Declared(transition("a", 2).Subject, strings.Repeat("large ", 1000))
	j.Hear(transition("a", 3))
	require.NoError(t, j.Close(context.Background()))
	assert.Equal(t, []string{"begun", "the 1", "1 missing", "the 3"}, told(t, fsys, dir))
}

// stuck is a disk on which nothing is appended until it is let go.
type stuck struct {
	filesystem.Appender
	letGo chan struct{}
}

func (s stuck) AppendFile(name string, data []byte, perm fs.FileMode) error {
	<-s.letGo
	return s.Appender.AppendFile(name, data, perm)
}

// Nobody waits for a disk that hangs. What does not fit is counted.
func TestNobodyWaitsForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := memfs.New()
		disk := stuck{fsys, make(chan struct{})}
		began := time.Now()
		j := journal.Open(journal.Config{FS: disk, Dir: dir, Queue: 10})
		j.Hear(transition("a", 0))
		synctest.Wait() // it writes that
		for n := range 100 {
			j.Hear(transition("a", n+1))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, j.Close(ctx), context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(began))
		close(disk.letGo)
		require.NoError(t, j.Close(t.Context()))
		says := told(t, fsys, dir)
		assert.Equal(t, []string{"begun", "the 0", "the 1"}, says[:3])
		assert.Equal(t, []string{"the 10", "90 missing"}, says[len(says)-2:])
		j.Hear(transition("a", 101)) // which is not recorded any more
	})
}

// What did not fit is told as soon as there is room.
func TestGapIsToldSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := memfs.New()
		disk := stuck{fsys, make(chan struct{})}
		j := journal.Open(journal.Config{FS: disk, Dir: dir, Queue: 1})
		j.Hear(transition("a", 0))
		synctest.Wait()
		for n := range 3 {
			j.Hear(transition("a", n+1))
		}
		close(disk.letGo)
		synctest.Wait()
		assert.Equal(t, []string{"begun", "the 0", "the 1", "2 missing"}, told(t, fsys, dir))
		require.NoError(t, j.Close(t.Context()))
	})
}

// A disk that takes a part each time leaves no more than that, and what is missing is
// told exactly.
func TestDiskThatTakesParts(t *testing.T) {
	for _, parts := range [][2]int{{0, 0}, {10, 0}, {10, 1}, {10, 2}, {10, 300}, {300, 10}} {
		synctest.Test(t, func(t *testing.T) {
			fsys := memfs.New()
			faulty := filesystemtest.Inject(fsys, filesystemtest.TornWrite(2, parts[0]), filesystemtest.TornWrite(2, parts[1]))
			j := journal.Open(journal.Config{FS: faulty, Dir: dir})
			for n := range 4 {
				for range 3 {
					j.Hear(transition("a", n))
				}
				time.Sleep(5 * time.Second)
			}
			require.NoError(t, j.Close(t.Context()))
			records, missing := 0, 0
			for r, err := range journal.Read(fsys, dir) {
				require.NoError(t, err)
				if r.Gap != nil {
					missing += r.Gap.Missing
				} else {
					records++
				}
			}
			assert.Equal(t, 2, faulty.Failed())
			assert.Equal(t, 1+4*3, records+missing, "%v", parts)
		})
	}
}

// syncs are the names that are synced.
type syncs struct{ names []string }

func (s *syncs) String() string { return "syncs" }

func (s *syncs) Inject(op filesystemtest.Op) filesystemtest.Fault {
	s.names = append(s.names, op.Path)
	return filesystemtest.Fault{}
}

// A new file is on disk with its name, and so is one that an earlier program may have
// made just before.
func TestNamesAreOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys, all := memfs.New(), new(syncs)
		for range 2 {
			j := journal.Open(journal.Config{FS: filesystemtest.Inject(fsys, filesystemtest.OnKind(filesystemtest.SyncAll, all)), Dir: dir})
			for n := range 2 {
				j.Hear(transition("a", n))
				time.Sleep(2 * time.Second)
			}
			require.NoError(t, j.Close(t.Context()))
		}
		file := path.Join(dir, "0000000001.jsonl")
		assert.Equal(t, []string{dir, file, dir, file}, all.names)
	})
}

// What was written is on disk a second later, and nothing is synced where nothing is
// written.
func TestItIsOnDiskWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := filesystemtest.Inject(memfs.New())
		j := journal.Open(journal.Config{FS: disk, Dir: dir})
		j.Hear(transition("a", 0))
		time.Sleep(1001 * time.Millisecond)
		before := disk.Count()
		time.Sleep(time.Hour)
		assert.Equal(t, before, disk.Count(), "nothing is done where nothing happens")
		j.Hear(transition("a", 1))
		time.Sleep(900 * time.Millisecond)
		j.Hear(transition("a", 2))
		time.Sleep(101 * time.Millisecond)
		j.Hear(transition("a", 3))
		synctest.Wait()
		require.Equal(t, []string{"begun", "the 0", "the 1", "the 2", "the 3"}, told(t, disk, dir))
		require.NoError(t, disk.LosePower(func(int) bool { return true }))
		assert.Equal(t, []string{"begun", "the 0", "the 1", "the 2"}, told(t, disk, dir))
		assert.NoError(t, j.Close(t.Context()))
	})
}

// A disk that is full for a while is told of once, and costs what happens meanwhile.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := memfs.New()
		full := filesystemtest.FailFrom(2, time.Minute, errFull)
		var told3 []error
		j := journal.Open(journal.Config{
			FS: filesystemtest.Inject(fsys, filesystemtest.OnKind(filesystemtest.AppendFile, full)), Dir: dir,
			Tell: func(err error) { told3 = append(told3, err) },
		})
		for n := range 200 {
			time.Sleep(time.Second)
			j.Hear(transition("a", n))
		}
		require.NoError(t, j.Close(t.Context()))
		require.Len(t, told3, 1)
		assert.ErrorIs(t, told3[0], errFull)
		assert.ErrorContains(t, told3[0], "cannot write the journal in "+dir)
		says := told(t, fsys, dir)
		var gap int
		_, err := fmt.Sscanf(says[2], "%d missing", &gap)
		require.NoError(t, err, "%s", says)
		assert.Less(t, gap, 130, "it is tried again")
		assert.Greater(t, gap, 59)
		assert.Len(t, says, 200+1-gap+1)
		assert.Equal(t, "the 199", says[len(says)-1])
	})
}

var errFull = fmt.Errorf("no space left on device: %w", fs.ErrInvalid)

// A tail that was torn is left out, and the next program goes on behind it.
func TestTornTail(t *testing.T) {
	whole := memfs.New()
	written(t, whole, func(j *journal.Journal) {
		for n := range 3 {
			j.Hear(transition("a", n))
		}
	})
	name := path.Join(dir, entries(t, whole)[0].Name())
	text, err := whole.ReadFile(name)
	require.NoError(t, err)
	all := []string{"begun", "the 0", "the 1", "the 2"}
	for cut := range len(text) + 1 {
		fsys := whole.Clone()
		require.NoError(t, fsys.WriteFile(name, text[:cut], 0))
		lines := strings.Count(string(text[:min(cut+1, len(text))]), "\n") // the last newline may be missing
		assert.Equal(t, all[:lines], append([]string{}, told(t, fsys, dir)...), "cut after %d bytes", cut)
		written(t, fsys, func(j *journal.Journal) { j.Hear(transition("a", 7)) })
		want := append([]string{}, all[:lines]...)
		if torn := cut > 0 && text[cut-1] != '\n' && text[cut] != '\n'; torn {
			want = append(want, "1 missing")
		}
		require.Equal(t, append(want, "begun", "the 7"), told(t, fsys, dir), "cut after %d bytes", cut)
	}
}

// In a file that is not the newest, nothing is being written any more.
func TestTornTailOfAnOlderFile(t *testing.T) {
	fsys := memfs.New()
	j := journal.Open(journal.Config{FS: fsys, Dir: dir, Size: 4 * 1000, Files: 4})
	for n := range 8 {
		j.Hear(transition("a", n))
	}
	require.NoError(t, j.Close(context.Background()))
	all := entries(t, fsys)
	require.Greater(t, len(all), 1)
	name := path.Join(dir, all[0].Name())
	text, err := fsys.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, fsys.WriteFile(name, text[:len(text)-10], 0))
	says := told(t, fsys, dir)
	assert.Len(t, says, 9)
	assert.Equal(t, 1, strings.Count(strings.Join(says, ", "), "1 missing"))
	assert.NotEqual(t, "1 missing", says[8])
}

// A byte that is another one spoils one record.
func TestDamage(t *testing.T) {
	fsys := memfs.New()
	written(t, fsys, func(j *journal.Journal) {
		for n := range 3 {
			j.Hear(transition("a", n))
		}
	})
	name := path.Join(dir, entries(t, fsys)[0].Name())
	text, err := fsys.ReadFile(name)
	require.NoError(t, err)
	for at := range text {
		if text[at] == '\n' {
			continue
		}
		damaged := append([]byte{}, text...)
		damaged[at] ^= 1
		if damaged[at] == '\n' {
			continue
		}
		require.NoError(t, fsys.WriteFile(name, damaged, 0))
		says := told(t, fsys, name)
		require.Len(t, says, 4)
		require.Equal(t, 1, strings.Count(strings.Join(says, ", "), "1 missing"), "byte %d: %s", at, says)
	}
}

// Who makes room by removing files, while a program writes, loses what was in them and
// nothing else.
func TestFilesThatAreRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := memfs.New()
		j := journal.Open(journal.Config{FS: fsys, Dir: dir})
		hear := journal.Passes[*s6.Spec, s6.Observed](j)
		hear(pass())
		time.Sleep(2 * time.Second)
		for _, remove := range []func(string) error{fsys.Remove, fsys.RemoveAll} {
			require.NoError(t, remove(path.Join(dir, entries(t, fsys)[0].Name())))
			for range 10 {
				j.Hear(transition("a", 1)) // by which it is found out
				hear(pass())
				time.Sleep(time.Second)
			}
			says := told(t, fsys, dir)
			assert.Len(t, says, 11)
			assert.Equal(t, 1, strings.Count(strings.Join(says, " "), "pass"))
			hear(with(func(_ *fsm.Reconciled, _, after *service) { after.Observed.Deaths = 7 }))
			synctest.Wait()
			says = told(t, fsys, dir)
			assert.Equal(t, "pass", says[len(says)-1])
			hear(pass())
			time.Sleep(2 * time.Second)
		}
		require.NoError(t, j.Close(t.Context()))
	})
}

// What others have put beside the files of a journal is left alone.
func TestOtherFiles(t *testing.T) {
	fsys := memfs.New()
	require.NoError(t, fsys.MkdirAll(dir, 0o700))
	for _, name := range []string{"notes", "0000000001.jsonl.old", "1.jsonl", "-000000001.jsonl", "0000000000.jsonl"} {
		require.NoError(t, fsys.WriteFile(path.Join(dir, name), []byte("kept\n"), 0o600))
	}
	j := journal.Open(journal.Config{FS: fsys, Dir: dir, Size: 2000, Files: 2})
	for n := range 100 {
		j.Hear(transition("a", n))
	}
	require.NoError(t, j.Close(context.Background()))
	assert.Len(t, entries(t, fsys), 5+2)
	assert.NotContains(t, strings.Join(told(t, fsys, dir), " "), "missing")
}
