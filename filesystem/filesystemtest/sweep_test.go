package filesystemtest_test

import (
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
)

// What fails though it was done is done.
func TestLoseNth(t *testing.T) {
	for i, run := range everything {
		kind := Kind(1 << i)
		if Changes&kind == 0 || kind == Command {
			continue
		}
		want, got := disk(t), disk(t)
		require.NoError(t, run(want), kind)
		assert.ErrorIs(t, run(Inject(got, LoseNth(1, syscall.EIO))), syscall.EIO, kind)
		for _, dir := range []string{"/", "/full"} {
			if _, err := want.Stat(dir); err == nil {
				assert.Equal(t, names(t, want, dir), names(t, got, dir), kind)
			}
		}
		if data, err := want.ReadFile("/file"); err == nil {
			assert.Equal(t, string(data), content(t, got, "/file"), kind)
		}
	}
	done := 0
	faulty := Inject(memfs.New(), LoseNth(1, syscall.EIO))
	assert.ErrorIs(t, faulty.Do(Command, "a", func() error { done++; return nil }), syscall.EIO)
	assert.NoError(t, faulty.Do(Command, "b", func() error { done++; return nil }))
	assert.Equal(t, 2, done)
	// What cannot be done has its own error.
	assert.ErrorIs(t, Inject(memfs.New(), LoseNth(1, syscall.EIO)).Remove("/none"), fs.ErrNotExist)
}

func TestFailFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		faulty := Inject(disk(t), FailFrom(2, time.Minute, syscall.ENOSPC))
		look := func() error { _, err := faulty.Stat("/file"); return err }
		assert.NoError(t, look())
		time.Sleep(time.Hour)
		assert.ErrorIs(t, look(), syscall.ENOSPC)
		time.Sleep(59 * time.Second)
		assert.ErrorIs(t, look(), syscall.ENOSPC)
		time.Sleep(time.Second)
		assert.NoError(t, look())
	})
}

func TestNews(t *testing.T) {
	faulty := Inject(disk(t), News(2, FailNth(5, syscall.EIO)))
	for _, op := range []struct {
		path  string
		fails bool
	}{{"/file", false}, {"/full", false}, {"/file", false}, {"/file", false}, {"/file", false}, {"/full", false}, {"/link", true}, {"/link", false}} {
		_, err := faulty.Stat(op.path)
		assert.Equal(t, op.fails, err != nil, op)
	}
	faulty = Inject(disk(t), News(1, FailNth(3, syscall.EIO)))
	for n := range 4 {
		assert.Equal(t, n == 2, faulty.WriteFile("/file", nil, 0o600) != nil, n)
	}
	assert.Equal(t, "News(1, FailNth(3, input/output error))", faulty.String())
}

func TestTearNth(t *testing.T) {
	fsys := disk(t)
	assert.ErrorIs(t, Inject(fsys, TearNth(1, syscall.ENOSPC)).WriteFile("/file", []byte("123456"), 0o600), syscall.ENOSPC)
	assert.Equal(t, "123", content(t, fsys, "/file"))
}

// A machine that loses power has what was synced.
func TestLosePower(t *testing.T) {
	fsys := disk(t)
	faulty := Inject(fsys, CrashAfter(16))
	require.NoError(t, faulty.Mkdir("/below", 0o700))
	require.NoError(t, faulty.WriteFile("/below/synced", []byte("123456"), 0o600))
	require.NoError(t, faulty.SyncAll("/below"))
	require.NoError(t, faulty.WriteFile("/new", []byte("123456"), 0o640))
	require.NoError(t, faulty.WriteFile("/synced", []byte("1"), 0o600))
	require.NoError(t, faulty.ReplaceFile("/synced", []byte("123456"), 0o600))
	require.NoError(t, faulty.WriteFile("/full/3/a", []byte("123456"), 0o600))
	require.NoError(t, faulty.WriteFile("/lucky", []byte("123456"), 0o600))
	require.NoError(t, faulty.WriteFile("/gone", []byte("123456"), 0o600))
	require.NoError(t, faulty.Remove("/gone"))
	require.NoError(t, faulty.AppendFile("/log", []byte("12"), 0o600))
	require.NoError(t, faulty.SyncAll("/log"))
	require.NoError(t, faulty.AppendFile("/log", []byte("34"), 0o600))
	require.NoError(t, faulty.AppendFile("/log", []byte("56"), 0o600))
	require.NoError(t, faulty.Rename("/full/3", "/moved"))
	assert.False(t, faulty.Crashed())
	assert.ErrorIs(t, faulty.Rename("/new", "/kept"), ErrCrashed)
	assert.True(t, faulty.Crashed())
	require.NoError(t, faulty.LosePower(func(file int) bool { return file != 2 }))
	assert.Equal(t, "123", content(t, fsys, "/kept"))
	assert.Equal(t, "123", content(t, fsys, "/moved/a"))
	assert.Equal(t, "1234", content(t, fsys, "/log"), "what was synced, and half of the rest")
	assert.Equal(t, "123456", content(t, fsys, "/lucky"))
	assert.Equal(t, "123456", content(t, fsys, "/synced"))
	assert.Equal(t, "123456", content(t, fsys, "/below/synced"))
	assert.Equal(t, "before", content(t, fsys, "/file"))
	info, err := fsys.Stat("/kept")
	require.NoError(t, err)
	assert.Equal(t, "-rw-r-----", info.Mode().String())
}

// Each mishap befalls each operation that it can befall, each in a run of its
// own. A short run has one in four.
func TestSweepReachesEveryOperation(t *testing.T) {
	ops := []int{0, 9, 20, 13, 17, 18, 19} // ReadFile, WriteFile, AppendFile, MkdirAll, RemoveAll, Query, Command
	can := map[string]int{
		"fails": 7, "fails half done": 4, "fails though done": 5, "fails with all changes for a while": 5,
		"is half done when the program dies": 7, "is done when the program dies": 5, "is done when the power fails": 5,
		"is done when the power fails, even files lost": 5, "is done when the power fails, odd files lost": 5,
	}
	require.Len(t, Mishaps(), len(can))
	for _, m := range Mishaps() {
		var first []int // the operation that failed first in each run, -1 for none
		t.Cleanup(func() {
			runs := can[m.Name]
			if testing.Short() {
				runs = (runs + 3) / 4
			}
			require.Len(t, first, runs+1, m.Name)
			places := make([]int, len(first)-1)
			for n, op := range first[:len(first)-1] {
				places[n] = slices.Index(ops, op)
			}
			assert.IsIncreasing(t, places, m.Name)
			assert.Equal(t, -1, first[len(first)-1], m.Name)
		})
		Sweep(t, []Mishap{m}, func(t *testing.T, _ Mishap, injector Injector) {
			faulty, failed := Inject(disk(t), injector), -1
			for _, op := range ops {
				if everything[op](faulty) != nil && failed < 0 {
					failed = op
				}
			}
			first = append(first, failed)
			assert.Equal(t, strings.Contains(m.Name, "when") && failed >= 0, faulty.Crashed(), m.Name)
			assert.Equal(t, strings.Contains(m.Name, "power"), m.Loses != nil)
			assert.Equal(t, failed >= 0, faulty.Failed() > 0)
		})
	}
}
