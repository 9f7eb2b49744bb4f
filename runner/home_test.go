package runner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
)

// home is a program with files in it, without the instances.
type home struct {
	*Files
	t       testing.TB
	applied *config.Declaration
	held    []config.Key
	remove  bool
	applies int
	told    []string
	err     error // of the next Apply
	refused map[config.Key]error
}

func (h *home) Apply(_ context.Context, w Wanted) error {
	h.applies++
	if h.err != nil {
		return h.err
	}
	h.applied = &config.Declaration{Entries: maps.Clone(w.Entries)}
	h.held, h.remove = w.Held, !w.Stays
	return nil
}

func (h *home) Recall(*config.Declaration) error { return nil }

func (h *home) Refused() map[config.Key]error { return h.refused }

func newHome(t testing.TB, paths ...string) *home {
	h := &home{t: t}
	fsys := memfs.New()
	require.NoError(t, fsys.MkdirAll("/etc/evenkeel", 0o755))
	h.Files = &Files{
		Reader: config.Reader{FS: fsys}, Paths: paths, Store: Store{fsys, "/data/declarations"},
		Tell: func(problem error) { h.told = append(h.told, problem.Error()) },
		Free: func(uint16) error { return nil },
	}
	h.Keeper = h
	return h
}

// restarted is another program with the same files.
func (h *home) restarted() *home {
	other := newHome(h.t, h.Paths...)
	other.Reader, other.Store = h.Reader, h.Store
	return other
}

func (h *home) write(name, text string) {
	h.t.Helper()
	require.NoError(h.t, h.Reader.FS.WriteFile(name, []byte(text), 0o600))
}

// load reads the files, and again for as long as that is asked for.
func (h *home) load() {
	h.t.Helper()
	for n := 0; ; n++ {
		again, err := h.Load(h.t.Context(), false)
		require.NoError(h.t, err)
		if again == 0 {
			return
		}
		require.Less(h.t, n, 1000)
		time.Sleep(again)
	}
}

func (h *home) names() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for key := range h.applied.Entries {
			if !yield(key.Name) {
				return
			}
		}
	})
}

func services(names ...string) string {
	var b strings.Builder
	b.WriteString("services:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "  - {name: %s, s6ServiceConfig: {command: [sleep, '1']}}\n", name)
	}
	return b.String()
}
