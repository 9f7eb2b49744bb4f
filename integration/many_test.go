//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// TestManyServices: a hundred services start under one s6-svscan though one of
// them cannot be put in place and another is never ready, and none of them fails
// on the way. A change of one leaves the processes of the others.
func TestManyServices(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := make(map[string]*s6.Spec)
	for n := range 100 {
		specs[fmt.Sprintf("s%02d", n)] = &s6.Spec{Command: []string{"sleep", "1000000"}, Env: map[string]string{"VERSION": "1"}}
	}
	all := running(specs)
	all["hung"] = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: &s6.Spec{
		Command: []string{"sleep", "1000000"}, Ready: s6.Readiness{FD: 3}, StartTimeout: time.Hour,
	}}
	all["barred"] = all["hung"]
	require.NoError(t, os.WriteFile(filepath.Join(w.Config.ServicesDir, "barred"), nil, 0o644))
	svscan := w.svscan()
	w.Declare(all)
	for name := range specs {
		w.Await(fsm.PhaseRunning, name)
	}
	w.Says("hung", s6.StateStarting)
	assert.Error(t, w.Snapshot("barred").Err)
	for _, move := range w.Moves() {
		if _, sound := specs[move.Instance]; sound {
			assert.NotEqual(t, s6.StateDegraded, move.To, "%s: %s", move.Instance, move.Reason)
		}
	}

	before := make(map[string]int)
	for name := range specs {
		before[name] = w.pid(name)
	}
	all["s50"] = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: version(specs["s50"], "2")}
	w.Declare(all)
	w.runsAs("s50", "2")
	for name, pid := range before {
		if name != "s50" {
			assert.Equal(t, pid, w.pid(name), name)
		}
	}
	assert.Equal(t, svscan, w.svscan())
	require.NoError(t, os.Remove(filepath.Join(w.Config.ServicesDir, "barred")))
	w.Says("barred", s6.StateStarting)
}
