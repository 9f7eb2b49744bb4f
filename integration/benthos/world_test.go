//go:build integration

package benthos

import (
	"fmt"
	"maps"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
)

type (
	desired = map[string]fsm.Desired[*benthos.Config]
	streams = map[string]*benthos.Config
	manager = fsm.Manager[*benthos.Config, benthos.Observed]
)

// world is a world of Benthos instances.
type world struct {
	*harness.World[*benthos.Config, benthos.Observed]
	options benthos.Options
}

// newWorld makes a world with its tree and manager running. Intervals are short
// where a test would have to wait for them.
func newWorld(t testing.TB, engine string, change ...func(*benthos.Options)) *world {
	t.Helper()
	// Only an engine that is not there is to count as not answering, not a busy
	// machine.
	client := benthos.NewClient(benthos.ClientConfig{Timeout: 5 * time.Second})
	t.Cleanup(client.Close)
	w := &world{
		World: harness.NewWorld[*benthos.Config, benthos.Observed](t),
		options: benthos.Options{
			Engine: engine, Prober: benthos.NewProber(client),
			HealthInterval: 100 * time.Millisecond, ActivityWindow: time.Second, ErrorWindow: 2 * time.Second,
		},
	}
	for _, c := range change {
		c(&w.options)
	}
	w.Open()
	w.manage()
	return w
}

// manage runs a manager of the tree's instances.
func (w *world) manage() {
	w.T.Helper()
	w.Manage(func(config fsm.Config) (*manager, error) { return benthos.NewManager(w.Tree, w.options, config) })
}

// run declares that these streams are to be active, and nothing else, and waits
// for them.
func (w *world) run(all streams) {
	w.T.Helper()
	w.Run(active(all))
}

func active(all streams) desired { return inState(benthos.Active, all) }

func inState(state fsm.State, all streams) desired {
	d := make(desired)
	for name, c := range all {
		d[name] = fsm.Desired[*benthos.Config]{State: state, Spec: c}
	}
	return d
}

// pid returns the one engine process of an instance, from the process table.
func (w *world) pid(name string) int {
	w.T.Helper()
	pids := w.pids(name)
	require.Len(w.T, pids, 1, name)
	return pids[0]
}

func (w *world) pids(name string) []int { return engines(w.Service(name)) }

// pidsOf returns the processes of some streams.
func (w *world) pidsOf(all streams) map[string]int {
	w.T.Helper()
	pids := make(map[string]int)
	for name := range all {
		pids[name] = w.pid(name)
	}
	return pids
}

func (w *world) logged(name, text string) int {
	w.T.Helper()
	return strings.Count(logs(w.T, w.Log(name)), text)
}

// fiveStreams returns streams named s0 to s4 that print what is posted to them.
func fiveStreams(t testing.TB) streams {
	t.Helper()
	all := make(streams)
	for n := range five {
		all[fmt.Sprintf("s%d", n)] = printer(t)
	}
	return all
}

// printer returns a stream that prints what is posted to it, after the time
// that the header Delay gives.
func printer(t testing.TB) *benthos.Config {
	t.Helper()
	first := freePorts(t, 2)
	return &benthos.Config{
		MetricsPort: uint16(first),
		Input: map[string]any{"http_server": map[string]any{
			"address": local(first + 1), "path": "/", "allowed_verbs": []any{"POST"},
		}},
		Pipeline: map[string]any{"processors": []any{
			map[string]any{"sleep": map[string]any{"duration": `${! meta("Delay").or("0s") }`}},
		}},
		Output: map[string]any{"stdout": map[string]any{"codec": "lines"}},
	}
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// inputPort returns the port that a printer takes messages on.
func inputPort(c *benthos.Config) int { return int(benthos.Ports(*c)[1].Port) }

// changed returns a changed copy of a stream, which needs another process.
func changed(c *benthos.Config, change func(*benthos.Config)) *benthos.Config {
	copied := c.Clone()
	change(&copied)
	return &copied
}

// relabelled returns a copy of a stream that does the same otherwise.
func relabelled(c *benthos.Config, label string) *benthos.Config {
	return changed(c, func(c *benthos.Config) { c.Output["label"] = label })
}

// with returns the streams with one of them replaced.
func with(all streams, name string, c *benthos.Config) streams {
	all = maps.Clone(all)
	all[name] = c
	return all
}
