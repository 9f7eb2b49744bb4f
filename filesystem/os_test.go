package filesystem_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/filesystem"
)

func TestOSPermissionsAreFreeOfTheUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	var fsys filesystem.OS
	root := t.TempDir()
	require.NoError(t, fsys.WriteFile(root+"/written", nil, 0o666))
	require.NoError(t, fsys.ReplaceFile(root+"/replaced", nil, 0o666))
	require.NoError(t, fsys.Mkdir(root+"/made", 0o777))
	require.NoError(t, fsys.MkdirAll(root+"/a/b", 0o777))
	for name, want := range map[string]fs.FileMode{
		"written": 0o666, "replaced": 0o666,
		"made": fs.ModeDir | 0o777, "a": fs.ModeDir | 0o777, "a/b": fs.ModeDir | 0o777,
	} {
		info, err := os.Lstat(filepath.Join(root, name))
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode(), name)
	}
}

func TestOSMkdirKeepsAnInheritedGroup(t *testing.T) {
	var fsys filesystem.OS
	root := t.TempDir()
	require.NoError(t, os.Chmod(root, 0o777|fs.ModeSetgid))
	require.NoError(t, fsys.Mkdir(root+"/a", 0o777))
	info, err := fsys.Stat(root + "/a")
	require.NoError(t, err)
	assert.Equal(t, fs.ModeDir|fs.ModeSetgid|0o777, info.Mode())
}

func TestOSNeverWaitsForOrReadsWhatIsNoFile(t *testing.T) {
	var fsys filesystem.OS
	root := t.TempDir()
	require.NoError(t, unix.Mkfifo(root+"/fifo", 0o600))
	require.NoError(t, unix.Mkfifo(root+"/read", 0o600))
	reader, err := os.OpenFile(root+"/read", os.O_RDONLY|unix.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer reader.Close()
	socket, err := net.Listen("unix", root+"/socket")
	require.NoError(t, err)
	defer socket.Close()

	for _, name := range []string{root + "/fifo", root + "/read", root + "/socket", "/dev/null"} {
		_, err := fsys.ReadFile(name)
		assert.ErrorIs(t, err, fs.ErrInvalid, name)
		_, err = fsys.ReadRange(name, make([]byte, 1), 0)
		assert.ErrorIs(t, err, fs.ErrInvalid, name)
		_, err = fsys.Open(name)
		assert.ErrorIs(t, err, fs.ErrInvalid, name)
		assert.ErrorIs(t, fsys.WriteFile(name, []byte("x"), 0o600), fs.ErrInvalid, name)
	}
	_, err = reader.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err, "something was written to the FIFO")
}

// limited names the directory of the process that TestOSReplaceFileCleansUp
// starts to run under a limit: its own may have files of its own to write.
const limited = "EVENKEEL_LIMITED_DIR"

// A limit on the size of files stands in for a full disk: it lets a write go
// so far and no further.
func TestOSReplaceFileCleansUp(t *testing.T) {
	if root, ok := os.LookupEnv(limited); ok {
		replaceUnderALimit(t, root)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), limited+"="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "--- PASS: "+t.Name())
}

func replaceUnderALimit(t *testing.T, root string) {
	var fsys filesystem.OS
	require.NoError(t, fsys.WriteFile(root+"/a", []byte("old"), 0o600))
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_FSIZE, &limit))
	limit.Cur = 4096
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &limit))

	replaced := fsys.ReplaceFile(root+"/a", make([]byte, 10_000), 0o600)
	assert.ErrorIs(t, replaced, syscall.EFBIG)
	assert.ErrorIs(t, fsys.WriteFile(root+"/b", make([]byte, 10_000), 0o600), syscall.EFBIG)
	var pathError *fs.PathError
	require.True(t, errors.As(replaced, &pathError))
	assert.Equal(t, root+"/a", pathError.Path)
	content, err := fsys.ReadFile(root + "/a")
	require.NoError(t, err)
	assert.Equal(t, "old", string(content))
	entries, err := fsys.ReadDir(root)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "a temporary file was left")
	part, err := fsys.Stat(root + "/b")
	require.NoError(t, err)
	assert.EqualValues(t, 4096, part.Size())
}

func TestOSReadsFilesWithoutASize(t *testing.T) {
	content, err := filesystem.OS{}.ReadFile("/proc/self/stat")
	require.NoError(t, err)
	assert.NotEmpty(t, content)
}

func TestOSReadRangeAllocations(t *testing.T) {
	var fsys filesystem.OS
	name := t.TempDir() + "/status"
	require.NoError(t, fsys.WriteFile(name, make([]byte, 35), 0o600))
	p := make([]byte, 35)
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := fsys.ReadRange(name, p, 0); err != nil {
			t.Error(err)
		}
	})
	assert.LessOrEqual(t, allocations, 2.0)
}

// BenchmarkReadRange reads 35 bytes, with os.ReadFile and with ReadRange; the
// latter also reports how many times faster it was.
func BenchmarkReadRange(b *testing.B) {
	name := b.TempDir() + "/status"
	require.NoError(b, os.WriteFile(name, make([]byte, 35), 0o600))
	var baseline float64
	b.Run("os.ReadFile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := os.ReadFile(name); err != nil {
				b.Fatal(err)
			}
		}
		baseline = float64(b.Elapsed()) / float64(b.N)
	})
	b.Run("OS.ReadRange", func(b *testing.B) {
		b.ReportAllocs()
		p := make([]byte, 35)
		for b.Loop() {
			if _, err := (filesystem.OS{}).ReadRange(name, p, 0); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(baseline/(float64(b.Elapsed())/float64(b.N)), "times-os.ReadFile")
	})
}
