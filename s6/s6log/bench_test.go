package s6log_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

func BenchmarkReaderIdle(b *testing.B) {
	dir := b.TempDir()
	require.NoError(b, os.WriteFile(filepath.Join(dir, "current"), []byte("line\n"), 0o644))
	reader, err := s6log.NewReader(filesystem.OS{}, dir, s6log.FromEnd)
	require.NoError(b, err)
	defer reader.Close()
	b.ReportAllocs()
	for b.Loop() {
		if lines, err := reader.Read(0); err != nil || len(lines) != 0 {
			b.Fatal(lines, err)
		}
	}
}

func BenchmarkParseLine(b *testing.B) {
	for name, line := range map[string]string{
		"t":    "@400000006b03c4e616a351b8 hello, world\n",
		"T":    "2026-11-23 04:44:49.377639411  hello, world\n",
		"none": "hello, world\n",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if s6log.ParseLine([]byte(line)).Text != "hello, world" {
					b.Fatal(line)
				}
			}
		})
	}
}
