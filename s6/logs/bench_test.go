package logs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/logs"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// BenchmarkLines is one line of ten logs that are merged.
func BenchmarkLines(b *testing.B) {
	const instances, each = 10, 10_000
	dir := b.TempDir()
	for n := range instances {
		var text strings.Builder
		for i := range each {
			at := time.Unix(1_800_000_000, int64(i*instances+n))
			fmt.Fprintln(&text, supervise.FormatTAI64N(at), "level=info msg=hello")
		}
		require.NoError(b, os.Mkdir(filepath.Join(dir, fmt.Sprint(n)), 0o755))
		require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprint(n), "current"), []byte(text.String()), 0o644))
	}
	b.ReportAllocs()
	for n := 0; n < b.N; {
		for range logs.Open(filesystem.OS{}, dir, logs.Options{Last: -1}).Lines(b.Context()) {
			if n++; n == b.N {
				break
			}
		}
	}
}
