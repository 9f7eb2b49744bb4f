package metrics_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/metrics"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// The whole page, of a service that runs and a stream that has messages.
func TestPage(t *testing.T) {
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		w.prober.Set(endpoint, benthostest.Endpoint{})
		require.NoError(t, w.services.Apply(t.Context(), services{"web": running("sleep", "1")}))
		require.NoError(t, w.streams.Apply(t.Context(), streams{"flow": active(9080)}))
		pass(30 * time.Second)
		w.prober.Set(endpoint, benthostest.Endpoint{Metrics: benthos.Metrics{InputReceived: 7, OutputSent: 6, OutputError: 1}})
		pass(5 * time.Second)
		golden(t, "page.golden", untimed(page(t, w.registry)))
	})
}

// A service lives, dies, is changed and goes.
func TestMetricsOfAWholeLife(t *testing.T) {
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		assert.Empty(t, w.samples("evenkeel_instance"))
		assert.Equal(t, []string{`evenkeel_declarations_refused{kind="benthos"} 0`, `evenkeel_declarations_refused{kind="s6"} 0`}, w.samples("evenkeel_declarations"))

		require.NoError(t, w.services.Apply(t.Context(), services{"web": running("sleep", "1")}))
		require.NoError(t, w.services.Wait(t.Context(), "web", fsm.PhaseRunning))
		ran := time.Now()
		pass(time.Minute)
		w.is("running")
		assert.Equal(t, []string{`evenkeel_instance_info{desired="running",kind="s6",name="web",state="running"} 1`}, w.samples("evenkeel_instance_info"))
		assert.InDelta(t, float64(ran.Unix()), w.value(`evenkeel_instance_phase_start_time_seconds{kind="s6",name="web"}`), 1)
		assert.Equal(t, 1.0, w.value(`evenkeel_instance_settled{kind="s6",name="web"}`))
		assert.Equal(t, 1.0, w.value(`evenkeel_process_up{kind="s6",name="web"}`))
		assert.Equal(t, 1.0, w.value(`evenkeel_process_starts_total{kind="s6",name="web"}`))
		assert.Equal(t, []string{
			`evenkeel_transitions_total{kind="s6",name="web",to="creating"} 1`,
			`evenkeel_transitions_total{kind="s6",name="web",to="running"} 1`,
			`evenkeel_transitions_total{kind="s6",name="web",to="starting"} 1`,
			`evenkeel_transitions_total{kind="s6",name="web",to="stopped"} 1`,
		}, w.samples("evenkeel_transitions_total"))

		for range 4 {
			require.NoError(t, w.tree.Kill("web", syscall.SIGKILL))
			pass(2 * time.Second)
		}
		w.is("degraded")
		assert.Equal(t, 4.0, w.value(`evenkeel_process_ends_total{kind="s6",name="web"}`))
		assert.Equal(t, 5.0, w.value(`evenkeel_process_starts_total{kind="s6",name="web"}`))
		assert.Equal(t, 4.0, w.value(`evenkeel_process_recent_deaths{kind="s6",name="web"}`))
		assert.InDelta(t, float64(time.Now().Add(-time.Second).Unix()), w.value(`evenkeel_process_start_time_seconds{kind="s6",name="web"}`), 1)

		require.NoError(t, w.services.Apply(t.Context(), services{"web": {State: s6.Stopped, Spec: &s6.Spec{Command: []string{"sleep", "1"}}}}))
		pass(10 * time.Second)
		w.is("stopped")
		assert.Equal(t, 0.0, w.value(`evenkeel_process_up{kind="s6",name="web"}`))
		assert.Empty(t, w.samples("evenkeel_process_start_time_seconds"))
		assert.Equal(t, 5.0, w.value(`evenkeel_process_ends_total{kind="s6",name="web"}`))
		assert.Equal(t, 5.0, w.value(`evenkeel_process_starts_total{kind="s6",name="web"}`))

		require.NoError(t, w.services.Apply(t.Context(), services{}))
		pass(10 * time.Second)
		assert.NotContains(t, page(t, w.registry), `name="web"`, "it is gone, and its metrics are")

		require.NoError(t, w.services.Apply(t.Context(), services{"web": running("sleep", "1")}))
		pass(10 * time.Second)
		assert.Equal(t, 1.0, w.value(`evenkeel_transitions_total{kind="s6",name="web",to="running"}`), "it is another one")
	})
}

// is asserts the phase of the service.
func (w *world) is(phase string) {
	w.t.Helper()
	all := w.samples("evenkeel_instance_phase{")
	require.Len(w.t, all, 11)
	var set []string
	for _, line := range all {
		if strings.HasSuffix(line, " 1") {
			set = append(set, line)
		}
	}
	require.Equal(w.t, []string{fmt.Sprintf(`evenkeel_instance_phase{kind="s6",name="web",phase=%q} 1`, phase)}, set)
}

// How often a process was started is known to the next program as well, and is no
// less than before.
func TestStartsOutliveTheProgram(t *testing.T) {
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		const starts, ends = `evenkeel_process_starts_total{kind="s6",name="web"}`, `evenkeel_process_ends_total{kind="s6",name="web"}`
		require.NoError(t, w.services.Apply(t.Context(), services{"web": running("sleep", "1")}))
		pass(time.Minute)
		for range 5 {
			require.NoError(t, w.tree.Kill("web", syscall.SIGKILL))
			pass(time.Minute)
		}
		require.Equal(t, []float64{6, 5}, []float64{w.value(starts), w.value(ends)})
		w.end()
		assert.NotContains(t, page(t, w.registry), `name="web"`)

		w.begin(metrics.Config{})
		require.NoError(t, w.services.Apply(t.Context(), services{"web": running("sleep", "1")}))
		pass(time.Second)
		assert.Equal(t, []float64{6, 5}, []float64{w.value(starts), w.value(ends)})
		require.NoError(t, w.services.Restart(t.Context(), "web"))
		pass(time.Minute)
		assert.Equal(t, []float64{7, 6}, []float64{w.value(starts), w.value(ends)}, "a restart by hand is one, too")
	})
}

// s6 keeps a hundred ends, and more are counted while the program runs.
func TestMoreEndsThanS6Keeps(t *testing.T) {
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		const ends = `evenkeel_process_ends_total{kind="s6",name="web"}`
		require.NoError(t, w.services.Apply(t.Context(), services{"web": running("sleep", "1")}))
		pass(time.Minute)
		for range 130 {
			require.NoError(t, w.tree.Kill("web", syscall.SIGKILL))
			pass(5 * time.Second)
		}
		assert.Equal(t, 130.0, w.value(ends))
		w.end()
		w.begin(metrics.Config{})
		require.NoError(t, w.services.Apply(t.Context(), services{"web": running("sleep", "1")}))
		pass(time.Second)
		assert.Equal(t, 0.0, w.value(ends), "a hundred would count as a hundred new ones")
		require.NoError(t, w.tree.Kill("web", syscall.SIGKILL))
		pass(5 * time.Second)
		assert.Equal(t, 1.0, w.value(ends))
	})
}

func TestBackoffOfAProcess(t *testing.T) {
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		w.tree.Install("fails", s6test.Program{RunFor: 10 * time.Millisecond, ExitCode: 1})
		d := running("fails")
		d.Spec.Backoff = s6.Backoff{From: 20 * time.Second, To: time.Minute}
		require.NoError(t, w.services.Apply(t.Context(), services{"web": d}))
		pass(10 * time.Second)
		w.is("degraded")
		assert.InDelta(t, 10, w.value(`evenkeel_instance_backoff_seconds{kind="s6",name="web"}`), 3)
		pass(5 * time.Second)
		assert.InDelta(t, 5, w.value(`evenkeel_instance_backoff_seconds{kind="s6",name="web"}`), 3)
		assert.Equal(t, 0.0, w.value(`evenkeel_instance_held{kind="s6",name="web"}`))
	})
}

// An input that has come to its end is read again after a pause.
func TestPauseOfAStream(t *testing.T) {
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		w.tree.Install("/usr/bin/benthos", s6test.Program{ReadyAfter: s6test.Never, RunFor: 300 * time.Millisecond, Prints: []string{
			`level=info msg="Pipeline has terminated. Shutting down the service" @service=bento`,
		}})
		w.prober.Set(endpoint, benthostest.Endpoint{})
		require.NoError(t, w.streams.Apply(t.Context(), streams{"flow": active(9080)}))
		var longest float64
		for range 100 {
			pass(100 * time.Millisecond)
			s, _ := w.streams.Instance("flow")
			want := max(0, time.Until(s.Observed.Ended.Again).Seconds())
			require.InDelta(t, want, w.value(`evenkeel_instance_backoff_seconds{kind="benthos",name="flow"}`), 0.001)
			longest = max(longest, want)
		}
		assert.Greater(t, longest, 1.0)
	})
}

// A stream is idle and active in one phase.
func TestPhaseOfTwoStates(t *testing.T) {
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		other := metrics.New(metrics.Config{}) // is told nothing
		metrics.Add(other, w.streams)
		registry := prometheus.NewPedanticRegistry()
		require.NoError(t, registry.Register(other))
		w.prober.Set(endpoint, benthostest.Endpoint{})
		require.NoError(t, w.streams.Apply(t.Context(), streams{"flow": active(9080)}))
		require.NoError(t, w.streams.Wait(t.Context(), "flow", fsm.PhaseRunning))
		ran := time.Now()
		pass(30 * time.Second)
		w.prober.Set(endpoint, benthostest.Endpoint{Metrics: benthos.Metrics{InputReceived: 7}})
		pass(5 * time.Second)
		s, _ := w.streams.Instance("flow")
		require.Equal(t, benthos.StateActive, s.State)
		const start = `evenkeel_instance_phase_start_time_seconds{kind="benthos",name="flow"}`
		assert.InDelta(t, float64(ran.Unix()), w.value(start), 1)
		assert.Equal(t, w.samples(start), beginning(page(t, registry), start))
	})
}
