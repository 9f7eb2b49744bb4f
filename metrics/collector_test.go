package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/metrics"
	"github.com/evenkeel/evenkeel/s6"
)

var epoch = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// gadgets are instances of a kind of one's own.
type gadgets struct {
	*fsm.Manager[string, int]
	collector *metrics.Collector
	t         *testing.T
	registry  *prometheus.Registry

	mu       sync.Mutex // guards the two below
	observes error
	does     error
}

func (g *gadgets) fail(observes, does error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.observes, g.does = observes, does
}

func (g *gadgets) observe(string) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return 0, g.observes
}

func (g *gadgets) do(string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.does
}

// newGadgets returns a manager that nobody runs.
func newGadgets(t *testing.T, kind string, change func(*fsm.Config)) *gadgets {
	g := &gadgets{t: t, collector: metrics.New(metrics.Config{}), registry: prometheus.NewPedanticRegistry()}
	require.NoError(t, g.registry.Register(g.collector))
	g.Manager = g.add(kind, change)
	return g
}

// add adds another manager to the collector.
func (g *gadgets) add(kind string, change func(*fsm.Config)) *fsm.Manager[string, int] {
	config := fsm.Config{Listeners: []fsm.Listener{g.collector.Listen}, OnPass: g.collector.OnPass, Backoff: fsm.Backoff{Base: 8 * time.Second, Jitter: -1}}
	if change != nil {
		change(&config)
	}
	k := cannedKind[string](g.t, kind, g.observe, g.do)
	k.Validate = func(_ context.Context, desired, _ map[string]fsm.Desired[string]) (map[string]error, error) {
		refused := make(map[string]error)
		for name, d := range desired {
			if d.Spec == "bad" {
				refused[name] = errors.New("it is bad")
			}
		}
		return refused, nil
	}
	m, err := fsm.NewManager(k, config)
	require.NoError(g.t, err)
	g.t.Cleanup(func() { assert.NoError(g.t, m.Close(context.Background())) })
	metrics.Add(g.collector, m)
	return m
}

func (g *gadgets) of(metric string) []string {
	g.t.Helper()
	return beginning(page(g.t, g.registry), "evenkeel_"+metric)
}

func on(state fsm.State) map[string]fsm.Desired[string] {
	return map[string]fsm.Desired[string]{"a": {State: state, Spec: "good"}}
}

// passes makes passes over all.
func (g *gadgets) passes(n int) {
	g.t.Helper()
	for range n {
		require.NoError(g.t, g.Reconcile(g.t.Context()))
	}
}

func TestPassesThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told int
		g := newGadgets(t, "gadget", func(c *fsm.Config) {
			count := c.OnPass
			c.OnPass = func(r fsm.Reconciled) { told++; count(r) }
		})
		require.NoError(t, g.Apply(t.Context(), on(fsm.StateRunning)))
		g.fail(nil, errors.New("stuck"))
		g.passes(5)
		assert.Equal(t, []string{`evenkeel_instance_info{desired="running",kind="gadget",name="a",state="starting"} 1`}, g.of("instance_info"))
		assert.Equal(t, []string{`evenkeel_pass_errors_total{kind="gadget",name="a"} 1`}, g.of("pass_errors_total"))
		assert.Equal(t, []string{`evenkeel_instance_backoff_seconds{kind="gadget",name="a"} 8`}, g.of("instance_backoff"))
		assert.Equal(t, []string{`evenkeel_instance_settled{kind="gadget",name="a"} 0`}, g.of("instance_settled"))
		pass(3 * time.Second)
		assert.Equal(t, []string{`evenkeel_instance_backoff_seconds{kind="gadget",name="a"} 5`}, g.of("instance_backoff"))

		g.fail(nil, fsm.Permanent(errors.New("stuck for good")))
		pass(5 * time.Second)
		g.passes(1)
		assert.Equal(t, []string{`evenkeel_pass_errors_total{kind="gadget",name="a"} 2`}, g.of("pass_errors_total"))
		assert.Equal(t, []string{`evenkeel_instance_held{kind="gadget",name="a"} 1`}, g.of("instance_held"))
		assert.Equal(t, []string{`evenkeel_instance_backoff_seconds{kind="gadget",name="a"} 0`}, g.of("instance_backoff"))

		g.fail(nil, nil)
		require.NoError(t, g.Retry("a"))
		g.passes(2)
		assert.Equal(t, []string{`evenkeel_instance_held{kind="gadget",name="a"} 0`}, g.of("instance_held"))
		assert.Equal(t, []string{`evenkeel_instance_settled{kind="gadget",name="a"} 1`}, g.of("instance_settled"))
		assert.Equal(t, []string{fmt.Sprintf(`evenkeel_pass_duration_seconds_count{kind="gadget"} %d`, told)}, g.of("pass_duration_seconds_count"))
		assert.Empty(t, g.of("process"), "it has none")
	})
}

// Nobody makes the passes that are due.
func TestPassesThatAreLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGadgets(t, "gadget", nil)
		require.NoError(t, g.Apply(t.Context(), on(fsm.StateRunning)))
		g.passes(5)
		s, _ := g.Instance("a")
		b := g.add("other", nil)
		require.NoError(t, b.Apply(t.Context(), on(fsm.StateRunning)))
		assert.Equal(t, []string{`evenkeel_instance_pass_overdue_seconds{kind="gadget",name="a"} 0`, `evenkeel_instance_pass_overdue_seconds{kind="other",name="a"} 0`}, g.of("instance_pass_overdue"), "nobody has looked at the other one yet")
		require.NoError(t, b.Close(t.Context()))
		assert.Equal(t, []string{`evenkeel_instance_pass_overdue_seconds{kind="gadget",name="a"} 0`}, g.of("instance_pass_overdue"))
		pass(time.Until(s.NextPass) + time.Minute)
		assert.Equal(t, []string{`evenkeel_instance_pass_overdue_seconds{kind="gadget",name="a"} 60`}, g.of("instance_pass_overdue"))
	})
}

func TestPassesThatOverrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGadgets(t, "gadget", func(c *fsm.Config) { c.PassTimeout = time.Second })
		end := make(chan struct{})
		k := cannedKind[string](t, "slow", func(string) (int, error) { <-end; return 0, nil }, nil)
		m, err := fsm.NewManager(k, fsm.Config{PassTimeout: time.Second, Listeners: []fsm.Listener{g.collector.Listen}, OnPass: g.collector.OnPass})
		require.NoError(t, err)
		metrics.Add(g.collector, m)
		var loop fsm.Loop
		g.collector.AddLoop(&loop)
		done := make(chan error)
		go func() { done <- loop.Run(context.Background(), m) }()
		require.NoError(t, m.Apply(t.Context(), on(fsm.StateRunning)))
		pass(3 * time.Second)
		assert.Equal(t, []string{`evenkeel_pass_overruns_total{kind="slow",name="a"} 1`}, g.of("pass_overruns"))
		ticks, _ := loop.Ticks()
		assert.Equal(t, []string{fmt.Sprintf("evenkeel_ticks_total %d", ticks)}, g.of("ticks_total"))
		assert.Greater(t, ticks, uint64(25))
		close(end)
		synctest.Wait()
		require.NoError(t, m.Close(t.Context()))
		require.NoError(t, <-done)
	})
}

// gate holds all.
type gate struct{}

func (gate) Hold(string, fsm.State) (fsm.Hold, bool) {
	return fsm.Hold{As: fsm.StateStopped, Why: fsm.Because("not yet")}, true
}
func (gate) Passed(string) {}

func TestWhatIsAskedOfInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGadgets(t, "gadget", func(c *fsm.Config) { c.Gate = gate{} })
		all := on(fsm.StateRunning)
		all["b"] = fsm.Desired[string]{State: fsm.StateRunning, Spec: "bad"}
		refused := new(fsm.RefusedError)
		require.ErrorAs(t, g.Apply(t.Context(), all), &refused)
		g.passes(4)
		assert.Equal(t, []string{`evenkeel_declarations_refused{kind="gadget"} 1`}, g.of("declarations_refused"))
		assert.Equal(t, []string{`evenkeel_instance_waiting{kind="gadget",name="a"} 1`}, g.of("instance_waiting"))

		m := g.add("other", nil)
		require.NoError(t, m.Apply(t.Context(), map[string]fsm.Desired[string]{"a": {State: fsm.StateRunning, Spec: "old", Rejected: fsm.Because("the new one does not run")}}))
		require.NoError(t, m.Reconcile(t.Context()))
		assert.Equal(t, []string{`evenkeel_instance_rejected{kind="gadget",name="a"} 0`, `evenkeel_instance_rejected{kind="other",name="a"} 1`}, g.of("instance_rejected"))
	})
}

// The phase began before the last transition within it, and before what a history
// still has of it.
func TestPhaseAndNoState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, hooked := range map[string]bool{"told": true, "not told": false} {
			g := newGadgets(t, "gadget", func(c *fsm.Config) {
				if !hooked {
					c.Listeners, c.OnPass = nil, nil
				}
			})
			require.NoError(t, g.Apply(t.Context(), on(fsm.StateRunning)))
			g.passes(5)
			began := time.Now()
			pass(time.Hour)
			g.passes(1)
			at := g.of("instance_phase_start")
			want := []string{fmt.Sprintf(`evenkeel_instance_phase_start_time_seconds{kind="gadget",name="a"} %v`, float64(began.Unix()))}
			assert.Equal(t, want, at, name)
			moved := fsm.Transition{Subject: fsm.Subject{At: time.Now(), Kind: "gadget", Instance: "a"}, To: "well", ToPhase: fsm.PhaseRunning}
			if hooked {
				g.collector.Listen(moved)
				assert.Equal(t, want, g.of("instance_phase_start"), "it is the same phase")
			}
			moved.ToPhase = fsm.PhaseDegraded
			g.collector.Listen(moved)
			assert.Equal(t, want, g.of("instance_phase_start"), "its snapshot does not say so yet")
		}
	})
}

// Two managers have an instance that cannot be told apart.
func TestTwoOfOneName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGadgets(t, "gadget", nil)
		m := g.add("gadget", nil)
		require.NoError(t, g.Apply(t.Context(), on(fsm.StateRunning)))
		require.NoError(t, m.Apply(t.Context(), on(fsm.StateStopped)))
		g.passes(4)
		require.NoError(t, m.Reconcile(t.Context()))
		assert.Equal(t, []string{`evenkeel_instance_info{desired="running",kind="gadget",name="a",state="running"} 1`}, g.of("instance_info"))
	})
}

// Two kinds have streams of one name, and a service has that of a stream.
func TestStreamsOfOneName(t *testing.T) {
	c := metrics.New(metrics.Config{UMHCore: true})
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(c))
	uncounted := func(name string) (benthos.Observed, error) {
		o, err := flows(name)
		o.Traffic.Uncounted, o.Health.PID = true, 6
		return o, err
	}
	s := metrics.NewStreams(metrics.StreamsConfig{Source: said{endpoint: "x 1\n"}})
	keepOne(t, c, cannedKind[*s6.Spec](t, s6.KindName, runs, nil), &s6.Spec{})
	keepOne(t, c, cannedKind[*benthos.Config](t, "bridge", uncounted, nil), &benthos.Config{MetricsPort: 9080})
	for range 2 {
		s.Add(keepOne(t, c, cannedKind[*benthos.Config](t, benthos.KindName, flows, nil), &benthos.Config{MetricsPort: 9080}))
	}
	text := page(t, registry)
	assert.Equal(t, []string{`evenkeel_stream_ready{name="a"} 0`}, beginning(text, "evenkeel_stream_ready"), "another process was")
	assert.Empty(t, beginning(text, "evenkeel_stream_messages_received"), "they are not counted")
	assert.Equal(t, []string{`evenkeel_stream_messages_sent_total{name="a"} 7`}, beginning(text, "evenkeel_stream_messages_sent"))
	assert.Equal(t, []string{
		`umh_core_service_current_state{component="benthos_instance",instance="a"} 2`,
		`umh_core_service_current_state{component="bridge_instance",instance="a"} 2`,
		`umh_core_service_current_state{component="s6_instance",instance="a"} 2`,
	}, beginning(text, "umh_core_service_current_state"))
	assert.Equal(t, []string{`x{instance="a"} 1`}, beginning(scraped(t, s), "x"))
}

// A process that is to be replaced does not count as ready, whatever it has said.
func TestReady(t *testing.T) {
	for want, current := range map[string]bool{"1": true, "0": false} {
		c, registry := metrics.New(metrics.Config{}), prometheus.NewPedanticRegistry()
		require.NoError(t, registry.Register(c))
		observe := func(name string) (benthos.Observed, error) {
			o, err := flows(name)
			o.Current = current
			return o, err
		}
		keepOne(t, c, cannedKind[*benthos.Config](t, benthos.KindName, observe, nil), &benthos.Config{})
		assert.Equal(t, []string{`evenkeel_stream_ready{name="a"} ` + want}, beginning(page(t, registry), "evenkeel_stream_ready"))
	}
}

// keepOne has one instance kept, and added.
func keepOne[D, O any](t *testing.T, c *metrics.Collector, kind fsm.Kind[D, O], spec D) *fsm.Manager[D, O] {
	t.Helper()
	m, err := fsm.NewManager(kind, fsm.Config{Listeners: []fsm.Listener{c.Listen}, OnPass: c.OnPass})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close(context.Background())) })
	require.NoError(t, m.Apply(t.Context(), map[string]fsm.Desired[D]{"a": {State: fsm.StateRunning, Spec: spec}}))
	for range 6 {
		require.NoError(t, m.Reconcile(t.Context()))
	}
	metrics.Add(c, m)
	return m
}

// A kind is named by whoever makes it.
func TestKindThatIsNoUTF8(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGadgets(t, "gad\xffget", nil)
		require.NoError(t, g.Apply(t.Context(), on(fsm.StateRunning)))
		g.passes(4)
		assert.Equal(t, []string{`evenkeel_instance_info{desired="running",kind="gadget",name="a",state="running"} 1`}, g.of("instance_info"))
	})
}

// What is counted of instances that come and go is not kept, whether it is scraped or
// not, and also where one is told of that was never added.
func TestNothingIsKeptOfWhatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGadgets(t, "gadget", nil)
		for n := range 100 {
			name := fmt.Sprintf("a%d", n)
			require.NoError(t, g.Apply(t.Context(), map[string]fsm.Desired[string]{name: {State: fsm.StateRunning, Spec: "good"}}))
			g.passes(8)
		}
		assert.Equal(t, 1, metrics.Kept(g.collector))
		g.collector.OnPass(fsm.Reconciled{Subject: fsm.Subject{Kind: "stranger", Instance: "s"}})
		assert.Equal(t, 2, metrics.Kept(g.collector))
		g.of("instance")
		assert.Equal(t, 1, metrics.Kept(g.collector))
	})
}

// What an instance owns is counted as its own: a pass over a service, and what was
// seen of its process and of when that is tried again.
func TestWhatAnInstanceOwns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGadgets(t, "gadget", nil)
		require.NoError(t, g.Apply(t.Context(), on(fsm.StateRunning)))
		g.passes(5)
		o, _ := runs("a")
		owned := func(s fsm.Snapshot[*s6.Spec, s6.Observed], err error) {
			s.Kind, s.Name, s.Observed, s.ObservedAt = s6.KindName, "a", o, epoch
			g.collector.OnPass(fsm.Reconciled{
				Subject: fsm.Subject{Kind: s6.KindName, Instance: "a"}, Owner: fsm.Subject{Kind: "gadget", Instance: "a"}, After: &s, Err: err,
			})
		}
		owned(fsm.Snapshot[*s6.Spec, s6.Observed]{}, nil)
		assert.Equal(t, []string{`evenkeel_process_up{kind="gadget",name="a"} 1`}, g.of("process_up"))
		assert.Equal(t, []string{`evenkeel_process_starts_total{kind="gadget",name="a"} 1`}, g.of("process_starts"))
		owned(fsm.Snapshot[*s6.Spec, s6.Observed]{Held: true}, errors.New("stuck for good"))
		assert.Equal(t, []string{`evenkeel_pass_errors_total{kind="gadget",name="a"} 1`}, g.of("pass_errors"))
		assert.Equal(t, []string{`evenkeel_instance_held{kind="gadget",name="a"} 1`}, g.of("instance_held"))
		owned(fsm.Snapshot[*s6.Spec, s6.Observed]{NextTry: time.Now().Add(8 * time.Second)}, errors.New("cannot observe"))
		assert.Equal(t, []string{`evenkeel_instance_held{kind="gadget",name="a"} 0`}, g.of("instance_held"), "it could not be observed, and is tried again")
		assert.Equal(t, []string{`evenkeel_instance_backoff_seconds{kind="gadget",name="a"} 8`}, g.of("instance_backoff"))
	})
}

func TestNamesFollowTheRules(t *testing.T) {
	for name, config := range map[string]metrics.Config{"plain": {}, "UMH Core": {UMHCore: true}} {
		inWorld(t, config, func(t *testing.T, w *world) {
			require.NoError(t, w.services.Apply(t.Context(), services{"web": running("sleep", "1")}))
			pass(time.Minute)
			problems, err := testutil.GatherAndLint(w.registry)
			require.NoError(t, err)
			var of []string
			for _, p := range problems {
				of = append(of, p.Metric)
			}
			if config.UMHCore {
				assert.Equal(t, []string{"umh_core_reconcile_duration_milliseconds", "umh_core_reconcile_starved_total_seconds"}, of, "these are not ours to name")
			} else {
				assert.Empty(t, problems, name)
			}
		})
	}
}

func TestHandler(t *testing.T) {
	c := metrics.New(metrics.Config{})
	answer := httptest.NewRecorder()
	c.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	assert.Equal(t, http.StatusOK, answer.Code)
	for _, family := range []string{"evenkeel_ticks_total 0", "go_goroutines ", "go_build_info{", "process_start_time_seconds ", "promhttp_metric_handler_errors_total{"} {
		assert.Contains(t, answer.Body.String(), "\n"+family)
	}
}

// Passes, scrapes and declarations at one time; the race detector looks on.
func TestAllAtOnce(t *testing.T) {
	c := metrics.New(metrics.Config{UMHCore: true})
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(c))
	var failing atomic.Bool
	k := cannedKind[*s6.Spec](t, "s6", func(name string) (s6.Observed, error) {
		if failing.Load() {
			return s6.Observed{}, errors.New("no")
		}
		return runs(name)
	}, nil)
	k.Resync = time.Millisecond
	m, err := fsm.NewManager(k, fsm.Config{Listeners: []fsm.Listener{c.Listen}, OnPass: c.OnPass})
	require.NoError(t, err)
	metrics.Add(c, m)
	loop := &fsm.Loop{Tick: time.Millisecond}
	c.AddLoop(loop)
	var all sync.WaitGroup
	all.Go(func() { assert.NoError(t, loop.Run(context.Background(), m)) })
	var scrapes sync.WaitGroup
	for range 4 {
		scrapes.Go(func() {
			for range 30 {
				_, err := registry.Gather()
				assert.NoError(t, err)
			}
		})
	}
	for n := range 30 {
		failing.Store(n%3 == 0)
		assert.NoError(t, m.Apply(t.Context(), declared(s6.Running, &s6.Spec{Command: []string{"sleep"}}, n%7)))
		page(t, registry)
	}
	scrapes.Wait()
	require.NoError(t, m.Close(t.Context()))
	all.Wait()
}
