package runner

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// heard is a linter that keeps what it is asked about.
type heard struct{ documents []string }

func (h *heard) Lint(_ context.Context, docs map[string][]byte) (map[string]error, error) {
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		h.documents = append(h.documents, string(docs[name]))
	}
	return nil, nil
}

// TestExpect: what is expected of files is what a linter is asked about when they are
// kept: of what is new or has changed, with ports.
func TestExpect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, tree, linter := newHome(t, file), s6test.New(s6test.Config{}), new(heard)
		defer func() { assert.NoError(t, tree.Close()) }()
		tree.Install("/opt/benthos", s6test.Program{ReadyAfter: s6test.Never})
		r := &Runner{}
		require.NoError(t, r.manage(t.Context(), tree, benthos.Options{Engine: "/opt/benthos", Prober: benthostest.NewProber(), Linter: linter}, h.Store, Config{}.told()))
		defer func() {
			assert.NoError(t, errors.Join(r.Services.Close(context.Background()), r.Streams.Close(context.Background())))
		}()
		h.Keeper, h.Free = r, free
		keep := func(entries ...string) (expected int) {
			t.Helper()
			h.write(file, "services: []\nbenthos:\n"+strings.Join(entries, ""))
			var documents []string
			for _, text := range Expect(h.Reader.Read(file), h.Store) {
				documents = append(documents, string(text))
			}
			linter.documents = nil
			h.load()
			time.Sleep(time.Minute)
			synctest.Wait()
			assert.Equal(t, linter.documents, documents)
			return len(documents)
		}
		named := strings.Replace(stream("b", "1s"), "{input", "{metrics_port: 9080, input", 1)
		assert.Equal(t, 2, keep(stream("a", "1s"), named))
		assert.Equal(t, 0, keep(stream("a", "1s"), named))
		assert.Equal(t, 2, keep(stream("a", "2s"), named, stream("c", "1s")))
		assert.Equal(t, 0, keep(named))
	})
}
