package s6_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6"
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
		if status, err := s6.ReadStatus(filesystem.OS{}, dir); err != nil || !status.Up() {
			b.Fatal(status, err)
		}
	}
}

func BenchmarkReadStatusAndLock(b *testing.B) {
	dir := benchServiceDir(b)
	lock := filepath.Join(dir, "supervise", "lock")
	b.ReportAllocs()
	for b.Loop() {
		state, err := s6.LockHolder(lock)
		if err != nil || !state.Held {
			b.Fatal(state, err)
		}
		if status, err := s6.ReadStatus(filesystem.OS{}, dir); err != nil || !status.Up() {
			b.Fatal(status, err)
		}
	}
}

func BenchmarkDecodeStatus(b *testing.B) {
	raw := unhex(b, goldenStatus[1].bytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s6.DecodeStatus(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLogReaderIdle(b *testing.B) {
	dir := b.TempDir()
	require.NoError(b, os.WriteFile(filepath.Join(dir, "current"), []byte("line\n"), 0o644))
	reader, err := s6.NewLogReader(filesystem.OS{}, dir, s6.LogFromEnd)
	require.NoError(b, err)
	defer reader.Close()
	b.ReportAllocs()
	for b.Loop() {
		if lines, err := reader.Read(0); err != nil || len(lines) != 0 {
			b.Fatal(lines, err)
		}
	}
}

func BenchmarkParseLogLine(b *testing.B) {
	for name, line := range map[string]string{
		"t":    "@400000006b03c4e616a351b8 hello, world\n",
		"T":    "2026-11-23 04:44:49.377639411  hello, world\n",
		"none": "hello, world\n",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if s6.ParseLogLine([]byte(line)).Text != "hello, world" {
					b.Fatal(line)
				}
			}
		})
	}
}
