package supervise_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// benchServiceDir is a service directory on disk whose lock a process of its
// own holds.
func benchServiceDir(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	require.NoError(b, os.Mkdir(filepath.Join(dir, "supervise"), 0o755))
	require.NoError(b, os.WriteFile(filepath.Join(dir, "supervise", "status"), unhex(b, goldenStatus[1].bytes), 0o644))
	startLockHolder(b, filepath.Join(dir, "supervise", "lock"))
	return dir
}

func BenchmarkReadStatus(b *testing.B) {
	dir := benchServiceDir(b)
	b.ReportAllocs()
	for b.Loop() {
		if status, err := supervise.ReadStatus(filesystem.OS{}, dir); err != nil || !status.Up() {
			b.Fatal(status, err)
		}
	}
}

func BenchmarkReadStatusAndLock(b *testing.B) {
	dir := benchServiceDir(b)
	lock := filepath.Join(dir, "supervise", "lock")
	b.ReportAllocs()
	for b.Loop() {
		state, err := supervise.LockHolder(lock)
		if err != nil || !state.Held {
			b.Fatal(state, err)
		}
		if status, err := supervise.ReadStatus(filesystem.OS{}, dir); err != nil || !status.Up() {
			b.Fatal(status, err)
		}
	}
}

func BenchmarkDecodeStatus(b *testing.B) {
	raw := unhex(b, goldenStatus[1].bytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := supervise.DecodeStatus(raw); err != nil {
			b.Fatal(err)
		}
	}
}
