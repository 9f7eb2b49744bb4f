//go:build integration

package benthos

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
)

// occupy takes a port until it is closed and answers nothing, like a program
// that has nothing to do with the test.
func occupy(t testing.TB, port int) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", local(port))
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
			c.Close()
		}
	}()
	return l
}

// taken is what is reported of a port that this process has.
func taken(port int) string {
	command, _ := proc.System.Command(os.Getpid())
	return fmt.Sprintf("port %d is taken: process %d (%s", port, os.Getpid(), command)
}

// eachPort runs a test for the endpoint's port and for the input's.
func eachPort(t *testing.T, test func(t *testing.T, port func(*benthos.Config) int)) {
	for name, port := range map[string]func(*benthos.Config) int{
		"endpoint": func(c *benthos.Config) int { return int(c.MetricsPort) },
		"input":    inputPort,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, port)
		})
	}
}

func TestPortTakenBefore(t *testing.T) {
	t.Parallel()
	eachPort(t, func(t *testing.T, port func(*benthos.Config) int) {
		w := newWorld(t, bento(t))
		all := streams{"a": printer(t), "b": printer(t)}
		l := occupy(t, port(all["a"]))
		require.NoError(t, w.Apply(active(all)))
		w.Await(fsm.PhaseRunning, "b")
		w.Says("a", benthos.StateDegraded, taken(port(all["a"])))
		assert.Empty(t, w.pids("a"))
		pid := w.pid("b")
		require.NoError(t, l.Close())
		w.Await(fsm.PhaseRunning, "a")
		require.NoError(t, post(inputPort(all["a"]), "{}", 0))
		assert.Equal(t, pid, w.pid("b"))
	})
}

// A process may find its port taken although the port was free when the process
// was started. An engine goes on without the port and never tries again.
func TestPortTakenFromAProcessThatStarts(t *testing.T) {
	t.Parallel()
	eachPort(t, func(t *testing.T, port func(*benthos.Config) int) {
		root := harness.NewRoot(t)
		gate := filepath.Join(root, "gate")
		w := newWorld(t, wrapper(t, root, bento(t), "while [ ! -e "+gate+" ]; do sleep 0.05; done"))
		all := streams{"a": printer(t)}
		require.NoError(t, w.Apply(active(all)))
		w.Says("a", benthos.StateConfigLoading)
		l := occupy(t, port(all["a"]))
		require.NoError(t, os.WriteFile(gate, nil, 0o644))
		w.Says("a", benthos.StateDegraded, taken(port(all["a"])))
		// Two supervisors and the logger are left.
		alone := func() bool { return len(harness.ProcessesOf(w.Service("a"))) == 3 }
		// A supervisor also has a child for a moment after a death.
		harness.Lasts(t, time.Second, "it waits without a process", alone)
		assert.Equal(t, 1, w.Snapshot("a").Observed.Service.Observed.Restarts, "it was started once")
		w.Says("a", benthos.StateDegraded, taken(port(all["a"])))
		require.NoError(t, l.Close())
		w.Await(fsm.PhaseRunning, "a")
		require.NoError(t, post(inputPort(all["a"]), "{}", 0))
	})
}

func TestChangeToAPortThatIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	all := streams{"a": printer(t)}
	w.run(all)
	pid := w.pid("a")
	port := freePorts(t, 1)
	l := occupy(t, port)
	next := streams{"a": changed(all["a"], func(c *benthos.Config) { c.MetricsPort = uint16(port) })}
	plan := w.Plan(active(next))
	assert.Equal(t, fsm.ChangeRefused, plan["a"].Kind)
	err := w.Apply(active(next))
	assert.ErrorIs(t, err, benthos.ErrConfig)
	assert.ErrorContains(t, err, taken(port))
	assert.Equal(t, pid, w.pid("a"))
	require.NoError(t, post(inputPort(all["a"]), "{}", 0))
	require.NoError(t, l.Close())
	w.run(next)
	assert.NotEqual(t, pid, w.pid("a"))
}

func TestPortsThatConflict(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	all := streams{"a": printer(t), "b": printer(t)}
	w.run(all)
	pids := w.pidsOf(all)
	clash := with(all, "a", changed(all["a"], func(c *benthos.Config) { c.MetricsPort = uint16(inputPort(all["b"])) }))
	clash["c"] = changed(printer(t), func(c *benthos.Config) { c.MetricsPort = all["b"].MetricsPort })
	err := w.Apply(active(clash))
	assert.ErrorIs(t, err, benthos.ErrConfig)
	assert.ErrorContains(t, err, `refused "a"`)
	assert.ErrorContains(t, err, fmt.Sprintf(`metrics_port: port %d is that of "b" already (input.http_server.address)`, inputPort(all["b"])))
	assert.ErrorContains(t, err, fmt.Sprintf(`metrics_port: port %d is that of "b" already (metrics_port)`, all["b"].MetricsPort))
	assert.Equal(t, pids, w.pidsOf(all))

	// Two instances that swap ports are no conflict, although each is in the
	// other's way for a moment.
	crossed := streams{
		"a": changed(all["a"], func(c *benthos.Config) { c.MetricsPort = all["b"].MetricsPort }),
		"b": changed(all["b"], func(c *benthos.Config) { c.MetricsPort = all["a"].MetricsPort }),
	}
	w.run(crossed)
	for _, c := range crossed {
		require.NoError(t, post(inputPort(c), "{}", 0))
		status, _, err := harness.Get("http://" + c.EndpointAddr() + "/ready")
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)
	}
}

// endpoint is an HTTP server that can go and come back.
type endpoint struct {
	port   int
	server *http.Server
	ended  chan struct{}
}

func (e *endpoint) open(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", local(e.port))
	require.NoError(t, err)
	e.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})}
	e.ended = make(chan struct{})
	go func() {
		defer close(e.ended)
		_ = e.server.Serve(l)
	}()
}

func (e *endpoint) close() {
	_ = e.server.Close()
	<-e.ended
}

// An output that fails degrades the instance for as long as it fails.
func TestOutputThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t), func(o *benthos.Options) { o.ErrorWindow = 5 * time.Second })
	e := &endpoint{port: freePorts(t, 1)}
	e.open(t)
	c := printer(t)
	c.Output = map[string]any{"http_client": map[string]any{
		"url": "http://" + local(e.port) + "/", "verb": "POST",
		"retries": 0, "retry_period": "50ms", "max_retry_backoff": "100ms",
	}}
	w.run(streams{"s": c})
	pid := w.pid("s")
	require.NoError(t, post(inputPort(c), "{}", 0))
	w.ComesTo("s", benthos.StateActive, 1)
	for range 2 {
		e.close()
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			_ = post(inputPort(c), "{}", 0)
		}()
		w.Says("s", benthos.StateDegraded, "its output failed recently: output failed: Failed to send message to http_client")
		assert.NotZero(t, w.Snapshot("s").Observed.Traffic.RecentErrors)
		e.open(t)
		w.Await(fsm.PhaseRunning, "s")
		<-answered
	}
	assert.Equal(t, pid, w.pid("s"), "it was mended, not restarted")
	e.close()
}

// An output that is not connected makes the engine itself say that it is not
// ready.
func TestOutputThatIsNotConnected(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]func(testing.TB) string{"Bento": bento, "Redpanda": redpanda} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine(t))
			socket := filepath.Join(w.Root, "socket")
			c := printer(t)
			c.Metrics = benthos.MetricsNone
			c.Output = map[string]any{"socket": map[string]any{"network": "unix", "address": socket}}
			require.NoError(t, w.Apply(active(streams{"s": c})))
			w.Says("s", benthos.StateWaitingForHealth)
			harness.Eventually(t, "it says why", func() bool {
				return strings.Contains(w.Snapshot("s").Reason.Evidence, "onnect")
			})
			l, err := net.Listen("unix", socket)
			require.NoError(t, err)
			defer l.Close()
			w.Await(fsm.PhaseRunning, "s")
		})
	}
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	c := printer(t)
	w.run(streams{"s": c})
	w.Says("s", benthos.StateIdle)
	for n := range 2 {
		require.NoError(t, post(inputPort(c), "{}", 0))
		w.ComesTo("s", benthos.StateActive, n+1)
		w.Says("s", benthos.StateIdle)
	}
	traffic := w.Snapshot("s").Observed.Traffic
	assert.EqualValues(t, 2, traffic.InputReceived)
	assert.EqualValues(t, 2, traffic.OutputSent)
	assert.Zero(t, traffic.OutputErrors)
	assert.NotContains(t, w.Passed("s"), benthos.StateDegraded)
}

// A message that comes before anybody has looked is traffic, too.
func TestTrafficFromTheFirstMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t), func(o *benthos.Options) { o.ActivityWindow = harness.Patience })
	all := streams{"s": {MetricsPort: uint16(freePorts(t, 1)), Output: map[string]any{"drop": map[string]any{}},
		Input: map[string]any{"generate": map[string]any{"mapping": "root = 1", "interval": "", "count": 3}}}}
	all["s"].Input = map[string]any{"sequence": map[string]any{"inputs": []any{all["s"].Input, map[string]any{
		"http_server": map[string]any{"address": local(freePorts(t, 1))},
	}}}}
	require.NoError(t, w.Apply(active(all)))
	w.ComesTo("s", benthos.StateActive, 1)
	harness.Eventually(t, "all are counted", func() bool { return w.Snapshot("s").Observed.Traffic.InputReceived == 3 })
}

func TestProcessThatHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	all := streams{"hangs": printer(t), "other": printer(t)}
	w.run(all)
	pids := w.pidsOf(all)
	harness.Stop(t, pids["hangs"])
	w.Became("hangs", benthos.StateDegraded, "/ready: context deadline exceeded")
	assert.Equal(t, fsm.PhaseRunning, w.Snapshot("other").Phase)
	harness.Kill(t, pids["hangs"], syscall.SIGCONT)
	w.Await(fsm.PhaseRunning, "hangs")
	assert.Equal(t, pids, w.pidsOf(all))

	// An engine that hangs can be stopped.
	harness.Stop(t, pids["hangs"])
	w.Says("hangs", benthos.StateDegraded)
	next := active(all)
	next["hangs"] = fsm.Desired[*benthos.Config]{State: benthos.Stopped, Spec: all["hangs"]}
	require.NoError(t, w.Apply(next))
	w.Await(fsm.PhaseStopped, "hangs")
	harness.Gone(t, pids["hangs"])
}

func TestProcessThatIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	all := fiveStreams(t)
	w.run(all)
	pids := w.pidsOf(all)
	single := doubles(t, w.Config.ServicesDir)
	defer single()
	harness.Kill(t, pids["s3"], syscall.SIGKILL)
	harness.Eventually(t, "another serves", func() bool { return post(inputPort(all["s3"]), "{}", 0) == nil })
	w.Await(fsm.PhaseRunning, "s3")
	after := w.pidsOf(all)
	assert.NotEqual(t, pids["s3"], after["s3"])
	assert.Equal(t, after["s3"], w.Snapshot("s3").Observed.Service.Observed.PID())
	assert.Equal(t, 1, w.Snapshot("s3").Observed.Service.Observed.Restarts)
	delete(pids, "s3")
	delete(after, "s3")
	assert.Equal(t, pids, after)
}

func TestEngineThatServesNoMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redpanda(t))
	c := printer(t)
	c.Metrics = benthos.MetricsNone
	w.run(streams{"s": c})
	w.Says("s", benthos.StateIdle, benthos.ErrNoMetrics.Error())
	assert.Contains(t, w.Snapshot("s").Observed.Health.MetricsProblem, benthos.ErrNoMetrics.Error())
	require.NoError(t, post(inputPort(c), `{"test":"message"}`, 0))
	harness.Eventually(t, "it is in the log", func() bool { return w.logged("s", `{"test":"message"}`) == 1 })
	assert.NotContains(t, w.Passed("s"), benthos.StateDegraded)
}

func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]func(testing.TB) string{"Bento": bento, "Redpanda": redpanda} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine(t))
			taken, gate := filepath.Join(w.Root, "taken"), filepath.Join(w.Root, "gate")
			c := printer(t)
			c.Metrics = benthos.MetricsNone
			c.ShutdownTimeout = harness.Patience
			c.Input["http_server"].(map[string]any)["timeout"] = harness.Patience.String()
			c.Pipeline["processors"] = []any{map[string]any{"command": map[string]any{
				"name":         "sh",
				"args_mapping": fmt.Sprintf("[\"-c\", \"touch %s; until test -e %s; do sleep 0.05; done; cat\"]", taken, gate),
			}}}
			all := streams{"s": c}
			w.run(all)
			const message = `{"test":"under way"}`
			answer := make(chan error, 1)
			go func() { answer <- post(inputPort(c), message, harness.Patience) }()
			harness.Eventually(t, "the stream has taken the message", func() bool { return harness.Exists(t, taken) })
			require.NoError(t, w.Apply(inState(benthos.Stopped, all)))
			harness.Eventually(t, "it is told to end", func() bool { return w.logged("s", "Received SIGTERM") > 0 })
			assert.Equal(t, fsm.PhaseStopping, w.Snapshot("s").Phase)
			assert.Empty(t, answer)
			require.NoError(t, os.WriteFile(gate, nil, 0o644))
			w.Await(fsm.PhaseStopped, "s")
			require.NoError(t, <-answer)
			assert.Equal(t, 1, w.logged("s", message))
		})
	}
}

// What cannot be put in place is reported with the reason.
func TestServiceDirectoryThatCannotBeMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	c := printer(t)
	in := filepath.Join(w.Config.ServicesDir, "s")
	require.NoError(t, os.WriteFile(in, nil, 0o644))
	require.NoError(t, w.Apply(active(streams{"s": c})))
	harness.Eventually(t, "it says why", func() bool {
		return strings.Contains(w.Snapshot("s").Reason.String()+fmt.Sprint(w.Snapshot("s").Err), "not a directory")
	})
	require.NoError(t, os.Remove(in))
	w.Await(fsm.PhaseRunning, "s")
	assert.NotZero(t, w.pid("s"))
}

// An input that comes to its end is said to be at its end, and is not run again
// every second.
func TestInputThatComesToItsEnd(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]func(testing.TB) string{"Bento": bento, "Redpanda": redpanda} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine(t))
			file := filepath.Join(w.Root, "three")
			require.NoError(t, os.WriteFile(file, []byte("one\ntwo\nthree\n"), 0o600))
			c := printer(t)
			c.Metrics = benthos.MetricsNone
			c.Input = map[string]any{"file": map[string]any{"paths": []any{file}, "scanner": map[string]any{"lines": map[string]any{}}}}
			w.Declare(active(streams{"s": c}))
			w.Says("s", benthos.StateDegraded, "its input came to its end: exited with 0 at ")
			harness.Eventually(t, "it came to its end three times", func() bool { return w.Snapshot("s").Observed.Ended.Times == 3 })
			ended := w.Snapshot("s").Observed.Ended
			assert.GreaterOrEqual(t, ended.Again.Sub(ended.At), 4*time.Second, "the pause grows")
			harness.Eventually(t, "it is read once a run", func() bool { return w.logged("s", "three\n") == 3 })
			assert.Empty(t, w.pids("s"))
		})
	}
}

// An input that fails at every read calls itself connected, and counts nothing:
// its log tells of it.
func TestInputThatFailsAtEveryRead(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]func(testing.TB) string{"Bento": bento, "Redpanda": redpanda} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine(t))
			c := printer(t)
			c.Metrics = benthos.MetricsNone
			c.Input = map[string]any{"http_client": map[string]any{
				"url": "http://" + local(freePorts(t, 1)) + "/", "verb": "GET", "retries": 0, "retry_period": "50ms",
			}}
			w.Declare(active(streams{"s": c}))
			w.Says("s", benthos.StateIdle, "its log reports a problem: input failed: Failed to read message", "connection refused")
			assert.NotContains(t, w.Passed("s"), benthos.StateDegraded)
		})
	}
}
