package runner

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
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

// All who want to know are told of the passes over instances of both kinds, and over
// the services of streams.
func TestAllAreToldOfPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, tree := newHome(t, file), s6test.New(s6test.Config{})
		defer func() { assert.NoError(t, tree.Close()) }()
		tree.Install("sleep", s6test.Program{})
		tree.Install("/opt/benthos", s6test.Program{ReadyAfter: s6test.Never})
		var mu sync.Mutex // guards told
		told := [2]map[string]bool{{}, {}}
		var c Config
		for n := range told {
			c.OnPass = append(c.OnPass, func(r fsm.Reconciled) {
				mu.Lock()
				defer mu.Unlock()
				told[n][r.Kind+" "+r.Instance] = true
			})
		}
		r := &Runner{}
		require.NoError(t, r.manage(t.Context(), tree, benthos.Options{Engine: "/opt/benthos", Prober: benthostest.NewProber()}, h.Store, c.told()))
		defer func() {
			assert.NoError(t, errors.Join(r.Services.Close(context.Background()), r.Streams.Close(context.Background())))
		}()
		h.Keeper, h.Free = r, free
		h.write(file, "services:\n  - name: a\n    s6ServiceConfig: {command: [sleep, \"1\"]}\nbenthos:\n"+stream("b", "1s"))
		h.load()
		time.Sleep(time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		for _, all := range told {
			assert.Equal(t, []string{"benthos benthos-b", "s6 a", "s6 benthos-b"}, slices.Sorted(maps.Keys(all)))
		}
	})
	assert.Nil(t, Config{}.told().OnPass, "where nobody wants to know, nothing is told")
}
