//go:build integration

package integration

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

var allUp = flag.String("all-up", "100,400", "how many services benchmarks start, several numbers with commas between them: 100,400,1000,3000")

// allUpPatience bounds what is done with thousands of services.
const allUpPatience = 20 * time.Minute

// BenchmarkAllUp compares the start of many services from nothing, declared at
// once on a private tree, with an s6-svscan that is given prepared directories:
// the plainest ones, and the very ones that the library has made. It reports how
// many passes failed and services were degraded meanwhile, and how long another
// program took at worst to be run.
func BenchmarkAllUp(b *testing.B) {
	for _, services := range numbersUp(b) {
		b.Run(strconv.Itoa(services), func(b *testing.B) {
			var ours, same, bare, oursWorst, bareWorst []time.Duration
			for b.Loop() {
				m := newMany(b, services)
				took, worst := m.prepared(m.plain)
				bare, bareWorst = append(bare, took), append(bareWorst, worst)
				m = newMany(b, services)
				took, worst = m.declared()
				ours, oursWorst = append(ours, took), append(oursWorst, worst)
				b.ReportMetric(float64(m.failures.Load()), "failures")
				m.shutdown()
				took, _ = m.prepared(func() {})
				same = append(same, took)
			}
			best := func(ds []time.Duration, unit string) float64 {
				b.ReportMetric(float64(slices.Min(ds).Milliseconds()), unit)
				return float64(slices.Min(ds))
			}
			took := best(ours, "ours-ms")
			b.ReportMetric(took/best(bare, "bare-ms"), "of-bare")
			b.ReportMetric(took/best(same, "same-directories-ms"), "of-same-directories")
			best(oursWorst, "others-ms")
			best(bareWorst, "others-bare-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkChangeOne measures how long a change of one service takes to be a
// process, all being declared again, among many and among ten.
func BenchmarkChangeOne(b *testing.B) {
	for _, services := range numbersUp(b) {
		b.Run(strconv.Itoa(services), func(b *testing.B) {
			few, many := newMany(b, 10), newMany(b, services)
			few.declared()
			many.declared()
			var ofFew, ofMany []time.Duration
			for n := 0; b.Loop(); n++ {
				ofFew = append(ofFew, few.change(n))
				ofMany = append(ofMany, many.change(n))
			}
			b.ReportMetric(float64(slices.Min(ofMany))/float64(slices.Min(ofFew)), "of-ten")
			b.ReportMetric(float64(slices.Min(ofMany).Microseconds())/1000, "ms-at-best")
			b.ReportMetric(0, "ns/op")
			few.shutdown()
			many.shutdown()
		})
	}
}

func numbersUp(b *testing.B) (all []int) {
	for number := range strings.SplitSeq(*allUp, ",") {
		services, err := strconv.Atoi(number)
		require.NoError(b, err)
		all = append(all, services)
	}
	return all
}

// many is a world of so many services.
type many struct {
	*world
	names    []string
	all      desired
	failures atomic.Int64
}

func newMany(b *testing.B, services int) *many {
	m := &many{world: newWorld(b), all: make(desired)}
	for n := range services {
		name := fmt.Sprintf("s%04d", n)
		m.names = append(m.names, name)
		m.all[name] = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1000000"}}}
	}
	return m
}

// declared returns how long the library takes until services are up that did not
// exist, and how long another program took at worst.
func (m *many) declared() (took, worst time.Duration) {
	m.T.Helper()
	syscall.Sync()
	worstOf := m.others()
	begun := time.Now()
	m.Open()
	manager, err := s6.NewManager(m.Tree, fsm.Config{Listeners: []fsm.Listener{func(n fsm.Notice) {
		move, moved := n.(fsm.Transition)
		if _, failed := n.(fsm.PassFailed); failed || moved && move.To == s6.StateDegraded {
			m.failures.Add(1)
			m.T.Log(n)
		}
	}}})
	require.NoError(m.T, err)
	m.Manager = manager
	go manager.Run(context.Background())
	require.NoError(m.T, m.Apply(m.all))
	m.up()
	took, worst = time.Since(begun), worstOf()
	ctx, cancel := context.WithTimeout(context.Background(), allUpPatience)
	defer cancel()
	for _, name := range m.names {
		require.NoError(m.T, manager.Wait(ctx, name, fsm.PhaseRunning))
	}
	return took, worst
}

// change returns how long a change of one service takes until another process
// runs.
func (m *many) change(n int) time.Duration {
	m.T.Helper()
	name := m.names[len(m.names)/2]
	before := m.pid(name)
	m.all[name] = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: version(m.all[name].Spec, strconv.Itoa(n))}
	begun := time.Now()
	require.NoError(m.T, m.Apply(m.all))
	harness.Eventually(m.T, "another process", func() bool {
		status, err := m.Tree.Status(m.Service(name))
		return err == nil && status.Up() && status.PID != before
	})
	took := time.Since(begun)
	m.Await(fsm.PhaseRunning, name)
	return took
}

// shutdown ends the tree, in the time that thousands of services need.
func (m *many) shutdown() {
	m.T.Helper()
	m.Unmanage()
	ctx, cancel := context.WithTimeout(context.Background(), allUpPatience)
	defer cancel()
	err := m.Tree.Shutdown(ctx)
	require.NoError(m.T, errors.Join(err, m.Tree.Close()))
	m.Tree = nil
	harness.NoneLeft(m.T, m.Root)
}

// plain makes the plainest service directories.
func (m *many) plain() {
	for _, name := range m.names {
		service := filepath.Join(m.Config.ServicesDir, name)
		for file, text := range map[string]string{
			"run":     "#!/bin/sh\nexec 2>&1\nexec sleep 1000000\n",
			"log/run": "#!/bin/sh\nexec 2>&1\nexec s6-log n10 s1048576 T " + m.Log(name) + "\n",
		} {
			file = filepath.Join(service, file)
			require.NoError(m.T, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(m.T, os.WriteFile(file, []byte(text), 0o755))
		}
		require.NoError(m.T, os.MkdirAll(m.Config.ScanDir, 0o755))
		require.NoError(m.T, os.MkdirAll(m.Config.LogsDir, 0o755))
		require.NoError(m.T, os.Symlink(service, filepath.Join(m.Config.ScanDir, name)))
	}
}

// prepared returns how long s6 alone takes until the services are up whose
// directories were prepared, and how long another program took at worst.
func (m *many) prepared(prepare func()) (took, worst time.Duration) {
	m.T.Helper()
	prepare()
	syscall.Sync()
	svscan := filepath.Join(harness.NeedS6(m.T).Dir, "s6-svscan")
	raised := []string{"-c", "10000"}
	if usage, _ := exec.Command(svscan, "-h", "/dev/null").CombinedOutput(); strings.Contains(string(usage), "-C") {
		raised = []string{"-C", "20000"}
	}
	worstOf := m.others()
	cmd := exec.Command(svscan, append(raised, m.Config.ScanDir)...)
	begun := time.Now()
	require.NoError(m.T, cmd.Start())
	m.up()
	took, worst = time.Since(begun), worstOf()
	require.NoError(m.T, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(m.T, cmd.Wait())
	harness.NoneLeft(m.T, m.Root)
	return took, worst
}

// up waits until the services and their loggers are up.
func (m *many) up() {
	m.T.Helper()
	var waiting []string
	for _, name := range m.names {
		service := filepath.Join(m.Config.ServicesDir, name)
		waiting = append(waiting, service, filepath.Join(service, "log"))
	}
	harness.EventuallyWithin(m.T, allUpPatience, "all are up", func() error {
		for ; len(waiting) > 0; waiting = waiting[1:] {
			status, err := supervise.ReadStatus(filesystem.OS{}, waiting[0])
			if err != nil || !status.Up() {
				return fmt.Errorf("%d are not up, one is %s: %v", len(waiting), waiting[0], err)
			}
		}
		return nil
	})
}

// others runs another program over and over until worst is called, which returns
// how long that took at worst.
func (m *many) others() (worst func() time.Duration) {
	stop, result := make(chan struct{}), make(chan time.Duration)
	go func() {
		var longest time.Duration
		for {
			begun := time.Now()
			if err := exec.Command("true").Run(); err != nil {
				m.T.Error(err)
			}
			longest = max(longest, time.Since(begun))
			select {
			case <-stop:
				result <- longest
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() time.Duration {
		close(stop)
		return <-result
	}
}
