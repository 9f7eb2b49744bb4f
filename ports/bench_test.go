package ports_test

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/ports"
)

func BenchmarkHolder(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	addr := l.Addr().String()
	b.Run("HolderOf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, found, err := ports.HolderOf(addr); err != nil || !found {
				b.Fatal(found, err)
			}
		}
	})
	b.Run("Listens", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if ok, err := ports.Listens(os.Getpid(), addr); err != nil || !ok {
				b.Fatal(ok, err)
			}
		}
	})
}
