package runner

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

func TestTicksOfTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := s6test.New(s6test.Config{})
		defer func() { assert.NoError(t, tree.Close()) }()
		tree.Install("/opt/benthos", s6test.Program{})
		r := &Runner{}
		require.NoError(t, r.manage(t.Context(), tree, benthos.Options{Engine: "/opt/benthos", Prober: benthostest.NewProber()}, Store{}, fsm.Config{}))
		defer func() {
			assert.NoError(t, errors.Join(r.Services.Close(context.Background()), r.Streams.Close(context.Background())))
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		ticks, late := r.Loop.Ticks()
		assert.InDelta(t, 2*float64(time.Minute/fsm.DefaultTick), ticks, 2, "of two managers")
		assert.Zero(t, late)
	})
}
