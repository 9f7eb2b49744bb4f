//go:build integration

package benthos

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// times are measurements of the same thing.
type times []time.Duration

func (ts times) median() time.Duration {
	sorted := slices.Sorted(slices.Values(ts))
	return sorted[len(sorted)/2]
}

// report reports ratios of the medians, and of the fastest, which other work on
// the machine disturbs least.
func report(b *testing.B, unit string, ours, theirs times) {
	b.ReportMetric(float64(ours.median())/float64(theirs.median()), unit)
	b.ReportMetric(float64(slices.Min(ours))/float64(slices.Min(theirs)), unit+"-at-best")
	b.ReportMetric(float64(ours.median().Milliseconds()), "ours-ms")
	b.ReportMetric(float64(theirs.median().Milliseconds()), "bare-ms")
	b.ReportMetric(0, "ns/op")
}

// allReady polls /ready of all streams until each has answered 200.
func allReady(b *testing.B, all streams) {
	b.Helper()
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, c := range all {
		harness.Eventually(b, "/ready", func() bool {
			resp, err := client.Get("http://" + c.EndpointAddr() + "/ready")
			if err != nil {
				return false
			}
			resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		})
	}
}

// bareScript writes a service directory for each configuration in its directory
// and has s6-svscan run them.
const bareScript = `
mkdir scan logs
for c in *.yaml; do
	name=${c%.yaml}
	mkdir -p services/$name/log
	cp $c services/$name/benthos.yaml
	printf '#!/bin/sh\nexec 2>&1\nexec %s -c benthos.yaml\n' "$ENGINE" >services/$name/run
	printf '#!/bin/sh\nexec s6-log n10 s1048576 T %s\n' "$PWD/logs/$name" >services/$name/log/run
	chmod +x services/$name/run services/$name/log/run
	ln -s ../services/$name scan/$name
done
exec s6-svscan scan
`

// startBare starts the streams with a script and nothing else, and returns how
// long that took.
func startBare(b *testing.B, engine string, all streams) time.Duration {
	b.Helper()
	root := harness.NewRoot(b)
	for name, c := range all {
		doc, err := c.Render()
		require.NoError(b, err)
		require.NoError(b, os.WriteFile(filepath.Join(root, name+".yaml"), doc, 0o600))
	}
	cmd := exec.Command("sh", "-ec", bareScript)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "ENGINE="+engine)
	begun := time.Now()
	require.NoError(b, cmd.Start())
	allReady(b, all)
	took := time.Since(begun)
	require.NoError(b, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(b, cmd.Wait())
	harness.NoneLeft(b, root)
	return took
}

// startOurs does the same with the library as it is by default.
func startOurs(b *testing.B, engine string, all streams) time.Duration {
	b.Helper()
	w := &world{World: harness.NewWorld[*benthos.Config, benthos.Observed](b), options: benthos.Options{Engine: engine}}
	begun := time.Now()
	w.Open()
	w.manage()
	require.NoError(b, w.Apply(active(all)))
	allReady(b, all)
	took := time.Since(begun)
	if testing.Verbose() {
		for _, move := range w.Moves() {
			b.Logf("%5d ms %s %s: %s", move.At.Sub(begun).Milliseconds(), move.Instance, move.To, move.Reason)
		}
	}
	w.End()
	harness.NoneLeft(b, w.Root)
	return took
}

// Five instances from nothing to all answering.
func BenchmarkStartOfFive(b *testing.B) {
	engine, all := bento(b), fiveStreams(b)
	var ours, bare times
	for b.Loop() {
		bare = append(bare, startBare(b, engine, all))
		ours = append(ours, startOurs(b, engine, all))
	}
	report(b, "x-of-shell", ours, bare)
}

// startRun does the same with a file and the program.
func startRun(b *testing.B, engine string, all streams) time.Duration {
	b.Helper()
	p := &plant{b, harness.NewRoot(b), engine}
	p.write(fileOfStreams(b, all))
	begun := time.Now()
	program := p.start()
	allReady(b, all)
	took := time.Since(begun)
	if testing.Verbose() {
		b.Logf("begun at %s\n%s", begun.Format("15:04:05.000"), program.Stdout)
	}
	p.ends(program)
	return took
}

// fileOfStreams is a file that declares streams.
func fileOfStreams(b *testing.B, all streams) string {
	b.Helper()
	type entry struct {
		Name   string          `yaml:"name"`
		Config *benthos.Config `yaml:"benthosServiceConfig"`
	}
	var list []entry
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, entry{name, all[name]})
	}
	text, err := yaml.Marshal(map[string]any{"benthos": list})
	require.NoError(b, err)
	return string(text)
}

// Five streams of a file from the start of the program to all answering.
func BenchmarkRunOfFive(b *testing.B) {
	engine, all := bento(b), fiveStreams(b)
	evenkeel(b)
	var ours, bare times
	for b.Loop() {
		bare = append(bare, startBare(b, engine, all))
		ours = append(ours, startRun(b, engine, all))
	}
	report(b, "x-of-shell", ours, bare)
}

// From saving a file to the new process of the one service that it changes.
func BenchmarkSavedFile(b *testing.B) {
	const services = 100
	p := &plant{b, harness.NewRoot(b), bento(b)}
	file := func(sleeps int) string {
		text := strings.Builder{}
		text.WriteString("services:\n")
		for n := range services {
			time := 1000000
			if n == services/2 {
				time = sleeps
			}
			fmt.Fprintf(&text, "  - {name: s%d, s6ServiceConfig: {command: [sleep, '%d']}}\n", n, time)
		}
		return text.String()
	}
	p.write(file(1000001))
	program := p.start()
	for n := range services {
		p.pids(fmt.Sprintf("s%d", n))
	}
	one := fmt.Sprintf("s%d", services/2)
	status := func() supervise.Status {
		s, err := supervise.ReadStatus(filesystem.OS{}, filepath.Join(p.root, "services", one))
		require.NoError(b, err)
		return s
	}
	var took times
	for n := 0; b.Loop(); n++ {
		harness.Eventually(b, "its process has run for a while", func() bool {
			s := status()
			return s.Up() && time.Since(s.Stamp) > 1100*time.Millisecond
		})
		before := status().PID
		saved := time.Now()
		p.write(file(1000001 + (n+1)%2))
		harness.Eventually(b, "it is another process", func() bool { return status().Up() && status().PID != before })
		took = append(took, status().Stamp.Sub(saved))
	}
	p.ends(program)
	b.ReportMetric(float64(took.median().Milliseconds()), "median-ms")
	b.ReportMetric(float64(slices.Min(took).Milliseconds()), "at-best-ms")
	b.ReportMetric(0, "ns/op")
}

// From the kill of a process to the first message that another takes: of one that has
// been ready for long enough for s6 to start another at once, and of one that has just
// become so.
func BenchmarkRecovery(b *testing.B) {
	for name, age := range map[string]time.Duration{"ready-for-a-second": 1100 * time.Millisecond, "just-ready": 0} {
		b.Run(name, func(b *testing.B) { benchmarkRecovery(b, age) })
	}
}

func benchmarkRecovery(b *testing.B, age time.Duration) {
	engine, c := bento(b), printer(b)
	w := newWorld(b, engine)
	dir := harness.NewRoot(b)
	doc, err := c.Render()
	require.NoError(b, err)
	require.NoError(b, os.WriteFile(filepath.Join(dir, "benthos.yaml"), doc, 0o600))
	serves := func() {
		harness.Eventually(b, "it serves", func() bool { return post(inputPort(c), "{}", 0) == nil })
	}
	var ours, bare times
	for n := 0; b.Loop(); n++ {
		c := relabelled(c, fmt.Sprintf("n%d", n)) // no process of it has ended yet
		w.run(streams{"s": c})
		served := w.Snapshot("s").Observed.Service.Observed.Status.ReadyStamp
		harness.Eventually(b, "it has been ready for a while", func() bool { return time.Since(served) > age })
		begun := time.Now()
		harness.Kill(b, w.pid("s"), syscall.SIGKILL)
		serves()
		ours = append(ours, time.Since(begun))

		require.NoError(b, w.Apply(inState(benthos.Stopped, streams{"s": c})))
		w.Await(fsm.PhaseStopped, "s")
		cmd := exec.Command(engine, "-c", "benthos.yaml")
		cmd.Dir = dir
		begun = time.Now()
		require.NoError(b, cmd.Start())
		serves()
		bare = append(bare, time.Since(begun))
		require.NoError(b, cmd.Process.Kill())
		_ = cmd.Wait() // killed
	}
	report(b, "x-of-bare-start", ours, bare)
}

// idleTime is how long the cost of doing nothing is measured.
const idleTime = 10 * time.Second

// The processor time of this process with ten instances that do nothing, each
// asked every second how it is.
func BenchmarkIdleTen(b *testing.B) {
	w := newWorld(b, bento(b), func(o *benthos.Options) { o.HealthInterval = time.Second })
	all := make(streams)
	for n := range 10 {
		all[fmt.Sprintf("s%d", n)] = printer(b)
	}
	w.run(all)
	for name := range all {
		w.Says(name, benthos.StateIdle, "")
	}
	var cost float64
	for b.Loop() {
		before, begun := processorTime(b), time.Now()
		harness.Pause(b, idleTime, "nothing is to do")
		cost = float64(processorTime(b)-before) / float64(time.Since(begun)) * 100
	}
	b.ReportMetric(cost, "%-of-a-core")
	b.ReportMetric(0, "ns/op")
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// One pass over an instance that is as declared.
func BenchmarkPass(b *testing.B) {
	for name, interval := range map[string]time.Duration{"between polls": time.Hour, "with a poll": time.Nanosecond} {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			w := newWorld(b, bento(b))
			c := printer(b)
			w.run(streams{"s": c})
			w.Says("s", benthos.StateIdle)
			w.Unmanage()
			w.options.HealthInterval = interval
			kind, err := benthos.NewKind(w.Tree, w.options)
			require.NoError(b, err)
			one, err := fsm.NewInstance(&kind, "s", fsm.InstanceConfig{}, nil)
			require.NoError(b, err)
			defer one.Close()
			one.SetDesired(fsm.Desired[*benthos.Config]{State: benthos.Active, Spec: c})
			harness.Eventually(b, "it is adopted", func() bool {
				one.Reconcile(context.Background())
				return one.Snapshot().State == benthos.StateIdle
			})
			b.ReportAllocs()
			for b.Loop() {
				if res := one.Reconcile(context.Background()); res.Err != nil || res.Fired {
					b.Fatal(res, one.Snapshot().State)
				}
			}
		})
	}
}
