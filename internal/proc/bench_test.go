package proc

import (
	"os"
	"slices"
	"testing"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/require"
)

// BenchmarkUnder looks for the processes of one directory.
func BenchmarkUnder(b *testing.B) {
	dir := b.TempDir()
	b.Run("Under", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := System.Under(dir); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("baseline/All", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := System.All(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkHolds looks for one of a hundred descriptors, as a program that
// serves connections has them.
func BenchmarkHolds(b *testing.B) {
	const pairs = 50
	for range pairs {
		r, w, err := os.Pipe()
		require.NoError(b, err)
		b.Cleanup(func() { r.Close(); w.Close() })
	}
	r, w, err := os.Pipe()
	require.NoError(b, err)
	b.Cleanup(func() { r.Close(); w.Close() })
	self, err := System.Open(os.Getpid())
	require.NoError(b, err)
	b.Cleanup(func() { self.Close() })
	pipe, err := self.Descriptor(int(r.Fd()))
	require.NoError(b, err)

	b.Run("Holds", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if held, err := System.Holds(os.Getpid(), pipe); err != nil || !held {
				b.Fatal(held, err)
			}
		}
	})
	b.Run("baseline/procfs", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			table, err := procfs.NewDefaultFS()
			require.NoError(b, err)
			p, err := table.Proc(os.Getpid())
			require.NoError(b, err)
			targets, err := p.FileDescriptorTargets()
			if err != nil || !slices.Contains(targets, pipe) {
				b.Fatal(targets, err)
			}
		}
	})
}
