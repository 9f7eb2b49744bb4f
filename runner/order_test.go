package runner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEndsInOrder: what others need stops after them, however both are taken out.
func TestEndsInOrder(t *testing.T) {
	for name, after := range map[string]map[string]wish{
		"both are removed":                     {"d": {Sleeps: 1}},
		"one is removed, the other is stopped": {"a": {Sleeps: 1, Stopped: true}},
		"both are stopped":                     {"a": {Sleeps: 1, Stopped: true}, "b": {Sleeps: 1, Stopped: true, Needs: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEstate(t)
				defer e.close()
				e.keep(map[string]wish{"a": {Sleeps: 1}, "b": {Sleeps: 1, Needs: "a"}})
				time.Sleep(5 * time.Second)
				require.Len(t, e.works(), 2)
				e.keep(after)
				time.Sleep(time.Minute)
				assert.Empty(t, e.wrong)
				assert.NotContains(t, e.works(), "a")
				assert.NotContains(t, e.works(), "b")
			})
		})
	}
}
