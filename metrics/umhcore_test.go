package metrics_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/metrics"
	"github.com/evenkeel/evenkeel/s6"
)

// A service, a stream and a flow of a file of UMH Core, and a stream of another name.
func TestNamesOfUMHCore(t *testing.T) {
	inWorld(t, metrics.Config{UMHCore: true}, func(t *testing.T, w *world) {
		w.prober.Set(endpoint, benthostest.Endpoint{})
		require.NoError(t, w.services.Apply(t.Context(), services{
			"golden-service": running("sleep", "1"),
			"off":            {State: s6.Stopped, Spec: running("sleep", "1").Spec},
		}))
		require.NoError(t, w.streams.Apply(t.Context(), streams{
			"benthos-hello": active(9080), "benthos-dataflow-flow": active(9081), "bare": active(9082), "benthos-bare": active(9083),
		}))
		pass(10 * time.Second)
		assert.Equal(t, []string{
			`umh_core_service_current_state{component="benthos_instance",instance="bare"} -1`,
			`umh_core_service_current_state{component="benthos_instance",instance="benthos-bare"} -1`,
			`umh_core_service_current_state{component="benthos_instance",instance="dataflow-flow"} -1`,
			`umh_core_service_current_state{component="benthos_instance",instance="hello"} 4`,
			`umh_core_service_current_state{component="dataflow_component_instance",instance="flow"} -1`,
			`umh_core_service_current_state{component="s6_instance",instance="bare"} 1`,
			`umh_core_service_current_state{component="s6_instance",instance="benthos-bare"} 1`,
			`umh_core_service_current_state{component="s6_instance",instance="benthos-dataflow-flow"} 1`,
			`umh_core_service_current_state{component="s6_instance",instance="benthos-hello"} 2`,
			`umh_core_service_current_state{component="s6_instance",instance="golden-service"} 2`,
			`umh_core_service_current_state{component="s6_instance",instance="off"} 0`,
		}, w.samples("umh_core_service_current_state"), "three streams wait for the health of an engine")
		assert.Equal(t, []string{
			`umh_core_service_desired_state{component="benthos_instance",instance="bare"} 3`,
			`umh_core_service_desired_state{component="benthos_instance",instance="benthos-bare"} 3`,
			`umh_core_service_desired_state{component="benthos_instance",instance="dataflow-flow"} 3`,
			`umh_core_service_desired_state{component="benthos_instance",instance="hello"} 3`,
			`umh_core_service_desired_state{component="dataflow_component_instance",instance="flow"} 3`,
			`umh_core_service_desired_state{component="s6_instance",instance="bare"} 2`,
			`umh_core_service_desired_state{component="s6_instance",instance="benthos-bare"} 2`,
			`umh_core_service_desired_state{component="s6_instance",instance="benthos-dataflow-flow"} 2`,
			`umh_core_service_desired_state{component="s6_instance",instance="benthos-hello"} 2`,
			`umh_core_service_desired_state{component="s6_instance",instance="golden-service"} 2`,
			`umh_core_service_desired_state{component="s6_instance",instance="off"} 0`,
		}, w.samples("umh_core_service_desired_state"))
		assert.Len(t, w.samples("umh_core_errors_total"), 12, "the loop has one, too")
		of := `component="s6_instance",instance="golden-service"`
		assert.Positive(t, w.value(`umh_core_reconcile_duration_milliseconds_count{`+of+`}`))
		for _, le := range []string{"1", "2", "5", "10", "20", "50", "90", "100", "200", "500", "1000", "+Inf"} {
			w.value(`umh_core_reconcile_duration_milliseconds_bucket{` + of + `,le="` + le + `"}`)
		}
		var all float64
		for _, kind := range []string{"s6", "benthos"} {
			all += w.value(`evenkeel_pass_duration_seconds_count{kind="` + kind + `"}`)
		}
		loop := w.value(`umh_core_reconcile_duration_milliseconds_count{component="control_loop",instance="main"}`)
		assert.Positive(t, loop)
		assert.Less(t, loop, all, "passes over the services of streams are within those over the streams")
		assert.Equal(t, 0.0, w.value("umh_core_reconcile_starved_total_seconds"))
	})
}

func TestStatesOfUMHCore(t *testing.T) {
	for state, want := range map[fsm.State]float64{
		"stopped": 0, "starting": 1, "running": 2, "active": 3, "idle": 4, "degraded": 5,
		"backing_off": 5, "failed": 5, "done": 0,
		"starting_config_loading": -1, "stopping": -1, "to_be_created": -1, "removed": -1, "": -1,
	} {
		assert.Equal(t, want, metrics.UMHState(state), "%q", state)
	}
}

func TestDurationsOfUMHCore(t *testing.T) {
	got := metrics.Buckets(0, time.Millisecond, 1100*time.Microsecond, 60*time.Millisecond, 91*time.Millisecond, time.Minute)
	assert.Equal(t, map[float64]uint64{1: 2, 2: 3, 5: 3, 10: 3, 20: 3, 50: 3, 90: 4, 100: 5, 200: 5, 500: 5, 1000: 5}, got)
}
