package filesystemtest_test

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/filesystem"
	. "github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWithoutFaultsItIsTheFilesystemBelow(t *testing.T) {
	TestFS(t, func(t *testing.T) (filesystem.FS, string) {
		return Inject(filesystem.OS{}, FailNth(1_000_000, syscall.EIO)), t.TempDir()
	})
}

// everything does each operation once, in the order of the constants Kind.
var everything = []func(fsys filesystem.FS) error{
	func(fsys filesystem.FS) error { _, err := fsys.ReadFile("/file"); return err },
	func(fsys filesystem.FS) error { _, err := fsys.ReadRange("/file", make([]byte, 1), 0); return err },
	func(fsys filesystem.FS) error { _, err := fsys.Open("/file"); return err },
	func(fsys filesystem.FS) error { _, err := opened(fsys).ReadAt(make([]byte, 1), 0); return err },
	func(fsys filesystem.FS) error { _, err := opened(fsys).Stat(); return err },
	func(fsys filesystem.FS) error { _, err := fsys.Readlink("/link"); return err },
	func(fsys filesystem.FS) error { _, err := fsys.Stat("/file"); return err },
	func(fsys filesystem.FS) error { _, err := fsys.Lstat("/file"); return err },
	func(fsys filesystem.FS) error { _, err := fsys.ReadDir("/"); return err },
	func(fsys filesystem.FS) error { return fsys.WriteFile("/file", []byte("written"), 0o600) },
	func(fsys filesystem.FS) error { return fsys.ReplaceFile("/file", []byte("replaced"), 0o600) },
	func(fsys filesystem.FS) error { return fsys.SyncAll("/full") },
	func(fsys filesystem.FS) error { return fsys.Mkdir("/new", 0o700) },
	func(fsys filesystem.FS) error { return fsys.MkdirAll("/x/y", 0o700) },
	func(fsys filesystem.FS) error { return fsys.Symlink("file", "/other") },
	func(fsys filesystem.FS) error { return fsys.Rename("/file", "/moved") },
	func(fsys filesystem.FS) error { return fsys.Remove("/empty") },
	func(fsys filesystem.FS) error { return fsys.RemoveAll("/full") },
	func(fsys filesystem.FS) error { return do(fsys, Query) },
	func(fsys filesystem.FS) error { return do(fsys, Command) },
	func(fsys filesystem.FS) error {
		return fsys.(filesystem.Appender).AppendFile("/file", []byte("appended"), 0o600)
	},
}

// do is an operation of another interface, where the filesystem knows of such.
func do(fsys filesystem.FS, kind Kind) error {
	if faulty, ok := fsys.(*Faulty); ok {
		return faulty.Do(kind, "ask", func() error { return nil })
	}
	return nil
}

func opened(fsys filesystem.FS) filesystem.File {
	f, err := fsys.Open("/file")
	if err != nil {
		panic(err)
	}
	return f
}

// disk is a filesystem on which all of everything succeeds.
func disk(t *testing.T) *memfs.FS {
	t.Helper()
	fsys := memfs.New()
	require.NoError(t, fsys.WriteFile("/file", []byte("before"), 0o644))
	require.NoError(t, fsys.Symlink("file", "/link"))
	require.NoError(t, fsys.Mkdir("/empty", 0o700))
	for _, name := range []string{"/full/1", "/full/2", "/full/3/below"} {
		require.NoError(t, fsys.MkdirAll(name, 0o700))
	}
	return fsys
}

func TestEveryKindFailsAlone(t *testing.T) {
	for i, run := range everything {
		kind := Kind(1 << i)
		t.Run(kind.String(), func(t *testing.T) {
			fsys := disk(t)
			before := names(t, fsys, "/")
			faulty := Inject(fsys, OnKind(kind, Fail(syscall.EIO)))
			err := run(faulty)
			assert.ErrorIs(t, err, syscall.EIO)
			var pathError *fs.PathError
			var linkError *os.LinkError
			assert.True(t, errors.As(err, &pathError) || errors.As(err, &linkError), "%T", err)
			assert.Equal(t, before, names(t, fsys, "/"))
			assert.Equal(t, "before", content(t, fsys, "/file"))

			require.NoError(t, run(Inject(disk(t), OnKind(^kind&^Open, Fail(syscall.EIO)))))
			require.NoError(t, run(disk(t)))
		})
	}
}

func TestFailNthSweepsEveryOperation(t *testing.T) {
	for n := 1; n <= 5; n++ {
		fsys := memfs.New()
		faulty := Inject(fsys, FailNth(n, syscall.EIO))
		for i, name := range []string{"/1", "/2", "/3", "/4"} {
			err := faulty.Mkdir(name, 0o700)
			assert.Equal(t, i+1 == n, errors.Is(err, syscall.EIO), "operation %d of FailNth(%d)", i+1, n)
		}
		assert.Equal(t, 4, faulty.Count())
	}
}

func TestInjectorsCountWhatReachesThem(t *testing.T) {
	faulty := Inject(memfs.New(), OnPath("*.yaml", OnKind(Writes, FailNth(2, syscall.EIO))))
	assert.NoError(t, faulty.WriteFile("/a.yaml", nil, 0o600))
	assert.NoError(t, faulty.WriteFile("/a.json", nil, 0o600))
	assert.NoError(t, faulty.Rename("/a.json", "/c.yaml"))
	assert.ErrorIs(t, faulty.ReplaceFile("/b.yaml", nil, 0o600), syscall.EIO)
	assert.NoError(t, faulty.ReplaceFile("/b.yaml", nil, 0o600))
	assert.Equal(t, 5, faulty.Count())
}

func TestOnPath(t *testing.T) {
	for glob, want := range map[string]bool{
		"a": true, "b": true, "?": true, "/dir/a": true, "/dir/*": true, "/*/b": true,
		"c": false, "/a": false, "dir": false, "*": true,
	} {
		err := Inject(disk(t), OnPath(glob, Fail(syscall.EIO))).Rename("/dir/a", "/dir/b")
		assert.Equal(t, want, errors.Is(err, syscall.EIO), glob)
	}
	_, err := Inject(disk(t), OnPath("[", Fail(syscall.EIO))).ReadFile("/file")
	assert.ErrorIs(t, err, path.ErrBadPattern)
}

func TestTornWrite(t *testing.T) {
	fsys := disk(t)
	faulty := Inject(fsys, TornWrite(2, 3))
	assert.NoError(t, faulty.WriteFile("/one", []byte("first"), 0o600))
	assert.NoError(t, faulty.Mkdir("/two", 0o700))
	assert.ErrorIs(t, faulty.WriteFile("/file", []byte("second"), 0o600), syscall.EIO)
	assert.NoError(t, faulty.WriteFile("/three", []byte("third"), 0o600))
	assert.Equal(t, "first", content(t, fsys, "/one"))
	assert.Equal(t, "sec", content(t, fsys, "/file"))
	assert.Equal(t, "third", content(t, fsys, "/three"))

	for _, keep := range []int{-1, 0, 99} {
		fsys := disk(t)
		before := names(t, fsys, "/")
		faulty := Inject(fsys, TornWrite(1, keep), TornWrite(1, keep))
		assert.ErrorIs(t, faulty.ReplaceFile("/file", []byte("after"), 0o600), syscall.EIO)
		assert.Equal(t, "before", content(t, fsys, "/file"))
		assert.Equal(t, before, names(t, fsys, "/"))
		assert.ErrorIs(t, faulty.WriteFile("/file", []byte("after"), 0o600), syscall.EIO)
		assert.Equal(t, "after"[:min(max(keep, 0), 5)], content(t, fsys, "/file"))
	}
}

func TestFullDisk(t *testing.T) {
	fsys := disk(t)
	faulty := Inject(fsys, FullDisk(10))
	assert.NoError(t, faulty.WriteFile("/a", []byte("1234"), 0o600))
	assert.ErrorIs(t, faulty.ReplaceFile("/file", []byte("1234567"), 0o600), syscall.ENOSPC)
	assert.Equal(t, "before", content(t, fsys, "/file"))
	assert.NoError(t, faulty.ReplaceFile("/file", []byte("123"), 0o600))
	assert.NoError(t, faulty.Mkdir("/room/", 0o700))
	assert.ErrorIs(t, faulty.WriteFile("/b", []byte("12345"), 0o600), syscall.ENOSPC)
	assert.Equal(t, "123", content(t, fsys, "/b"))
	assert.ErrorIs(t, faulty.WriteFile("/b", []byte("1"), 0o600), syscall.ENOSPC)
	assert.NoError(t, faulty.WriteFile("/b", nil, 0o600))
}

func TestCrash(t *testing.T) {
	t.Run("everything fails from there on", func(t *testing.T) {
		fsys := disk(t)
		faulty := Inject(fsys, OnPath("file", OnKind(Writes, Crash(1))))
		f, err := faulty.Open("/file")
		require.NoError(t, err)
		require.NoError(t, faulty.Mkdir("/made", 0o700))
		assert.ErrorIs(t, faulty.WriteFile("/file", []byte("123456"), 0o600), ErrCrashed)
		_, err = f.ReadAt(make([]byte, 1), 0)
		assert.ErrorIs(t, err, ErrCrashed)
		for i, run := range everything {
			if kind := Kind(1 << i); kind&(ReadAt|FileStat) == 0 {
				assert.ErrorIs(t, run(faulty), ErrCrashed, kind.String())
			}
		}
		assert.NoError(t, f.Close())
		assert.Equal(t, "123", content(t, fsys, "/file"))
		assert.Equal(t, []string{"empty", "file", "full", "link", "made"}, names(t, fsys, "/"))
	})
	for name, c := range map[string]struct {
		run  func(fsys filesystem.FS) error
		dir  string
		want []string
	}{
		"ReplaceFile leaves its temporary file": {
			func(fsys filesystem.FS) error { return fsys.ReplaceFile("/empty/a", []byte("1234"), 0o600) },
			"/empty", []string{".tmp-crashed"},
		},
		"MkdirAll leaves the parents": {
			func(fsys filesystem.FS) error { return fsys.MkdirAll("/empty/a/b/", 0o700) },
			"/empty", []string{"a"},
		},
		"RemoveAll leaves half": {
			func(fsys filesystem.FS) error { return fsys.RemoveAll("/full") }, "/full", []string{"3"},
		},
		"Rename is not torn": {
			func(fsys filesystem.FS) error { return fsys.Rename("/full/1", "/empty") },
			"/full", []string{"1", "2", "3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := disk(t)
			assert.ErrorIs(t, c.run(Inject(fsys, Crash(1))), ErrCrashed)
			assert.Equal(t, c.want, names(t, fsys, c.dir))
		})
	}
}

func TestString(t *testing.T) {
	faulty := Inject(filesystem.OS{},
		OnPath("*.yaml", OnKind(WriteFile|Rename, FailNth(3, syscall.EIO))),
		TornWrite(2, 5), FullDisk(100), Crash(7), Fail(fs.ErrPermission))
	assert.Equal(t, `OnPath("*.yaml", OnKind(WriteFile|Rename, FailNth(3, input/output error))), `+
		`TornWrite(2, 5), FullDisk(100), Crash(7), Fail(permission denied)`, faulty.String())
	assert.Equal(t, "3 Rename a b", Op{Kind: Rename, Path: "a", To: "b", N: 3}.String())
	assert.Equal(t, "1 Remove a", Op{Kind: Remove, Path: "a", N: 1}.String())
	assert.Equal(t, "AppendFile|Kind(1<<21)", (AppendFile | AppendFile<<1).String())
	assert.Equal(t, "LoseNth(1, input/output error), TearNth(2, input/output error), FailFrom(3, 1s, input/output error), CrashAfter(4)",
		Inject(nil, LoseNth(1, syscall.EIO), TearNth(2, syscall.EIO), FailFrom(3, time.Second, syscall.EIO), CrashAfter(4)).String())
}

func content(t *testing.T, fsys filesystem.FS, name string) string {
	t.Helper()
	got, err := fsys.ReadFile(name)
	require.NoError(t, err)
	return string(got)
}

func names(t *testing.T, fsys filesystem.FS, dir string) []string {
	t.Helper()
	entries, err := fsys.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
