package fsm_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// shut is a gate that has everything wait with its start.
type shut struct{}

func (shut) Hold(_ string, asked fsm.State) (fsm.Hold, bool) {
	return fsm.Hold{As: lampOff, Why: fsm.Because("waits"), By: "shut"}, asked == lampLit
}

func (shut) Passed(string) {}

// A restart of what has to wait is refused, for it would be a start: also before a
// pass has found that out.
func TestRestartOfWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := fsm.NewManager(flickering(t, newHouse()), fsm.Config{Gate: shut{}})
		require.NoError(t, err)
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40)}))
		require.ErrorIs(t, m.Restart(t.Context(), "a"), fsm.ErrNoRestart)
		require.NoError(t, m.Reconcile(t.Context()))
		require.ErrorIs(t, m.Restart(t.Context(), "a"), fsm.ErrNoRestart)
		require.NoError(t, m.Close(t.Context()))
	})
}
