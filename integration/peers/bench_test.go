//go:build integration

package peers

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/integration/harness"
)

var (
	services = flag.String("services", "100", "how many sleepers there are, several numbers with commas between them")
	streams  = flag.String("streams", "5", "how many Benthos there are, likewise")
	steady   = flag.Int("steady", 1000, "how many sleepers there are in a steady second")
	profiles = flag.String("profiles", "", "the directory that the profiles of a steady second go to")
)

// long is how long it is looked at that nothing is to do.
const long = 10 * time.Second

// profiled is how long a profile takes.
const profiled = 30 * time.Second

// full are the times of what is measured. What has just started is not throttled by
// its supervisor any more once it is killed.
var full = Times{Settle: 5 * time.Second, Idle: long, Kills: 5}

func BenchmarkSleepers(b *testing.B) {
	measure(b, "services", *services, All(built), func(b *testing.B, n int) *Job {
		return Sleepers(harness.NewRoot(b), n)
	})
}

func BenchmarkStreams(b *testing.B) {
	name, err := engine()
	require.NoError(b, err)
	measure(b, "streams", *streams, OfStreams(built, name), func(b *testing.B, n int) *Job {
		return Streams(b, harness.NewRoot(b), name, n)
	})
}

// measure measures all peers for each of the numbers, once. What is not measured is
// told in the manner of what go test itself tells of a run: a key, and a text.
func measure(b *testing.B, what, numbers string, all []Entry, job func(b *testing.B, n int) *Job) {
	for name, why := range Unmeasured() {
		fmt.Printf("unmeasured-%s: %s\n", name, why)
	}
	for number := range strings.SplitSeq(numbers, ",") {
		n, err := strconv.Atoi(number)
		require.NoError(b, err)
		for _, e := range all {
			version, err := e.Peer.Version()
			if err != nil {
				fmt.Printf("unmeasured-%s: %v\n", e.Name, err)
				continue
			}
			fmt.Printf("version-%s: %s\n", e.Name, version)
			b.Run(fmt.Sprintf("%s=%d/%s", what, n, e.Name), func(b *testing.B) {
				figures := Measure(b, e, job(b, n), full)
				for _, unit := range slices.Sorted(maps.Keys(figures)) {
					b.ReportMetric(figures[unit], unit)
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkSteady is evenkeel run alone, with many services that do nothing, and the
// profiles of it while it does nothing.
func BenchmarkSteady(b *testing.B) {
	e := &evenkeel{built: filepath.Join(built, "evenkeel")}
	out, err := e.Version()
	require.NoError(b, err, out)
	b.Run(fmt.Sprintf("services=%d", *steady), func(b *testing.B) {
		j := Sleepers(harness.NewRoot(b), *steady)
		m := &measuring{t: b, entry: Entry{Peer: e}, lookout: lookout{job: j}, figures: make(map[string]float64)}
		m.start()
		harness.Pause(b, full.Settle, "what has started comes to rest")
		m.idle(long)
		for _, unit := range slices.Sorted(maps.Keys(m.figures)) {
			b.ReportMetric(m.figures[unit], unit)
		}
		b.ReportMetric(0, "ns/op")
		if *profiles != "" {
			seconds := fmt.Sprintf("?seconds=%d", int(profiled.Seconds()))
			fetch(b, j.Root, "profile"+seconds, "cpu.pprof")
			fetch(b, j.Root, "allocs"+seconds, "allocs.pprof")
		}
		e.Stop(b)
		require.Zero(b, e.program.End())
	})
}

// fetch has a profile of the program in a directory written to a file.
func fetch(b *testing.B, dir, profile, file string) {
	b.Helper()
	socket := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, api.SocketName))
		},
	}}
	resp, err := socket.Get("http://localhost/debug/pprof/" + profile)
	require.NoError(b, err)
	defer resp.Body.Close()
	require.Equal(b, http.StatusOK, resp.StatusCode)
	to, err := os.Create(filepath.Join(*profiles, file))
	require.NoError(b, err)
	_, err = io.Copy(to, resp.Body)
	require.NoError(b, err)
	require.NoError(b, to.Close())
}
