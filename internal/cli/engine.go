package cli

import (
	"context"
	"debug/buildinfo"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/runner"
)

// asked is an engine that can be asked.
type asked interface {
	benthos.ConfigLinter
	HasPrometheus(ctx context.Context) (bool, error)
}

// askAhead begins to ask an engine about what the files declare: which exporter it
// has, and what it says of the streams that were not declared like this before. Where
// the files declare no streams, it is not asked.
func askAhead(ctx context.Context, engine string, declared *config.Declaration, store runner.Store) asked {
	linter := &benthos.Linter{Path: engine}
	if len(declared.Streams()) == 0 {
		return linter
	}
	return benthos.AskAhead(ctx, linter, runner.Expect(declared, store))
}

// exporter returns how it is found out what streams' /metrics is to serve that say
// nothing of it: what the engine has, which is asked until it has answered.
func exporter(engine asked) func(context.Context) (string, bool) {
	var mu sync.Mutex // guards known and name
	known, name := false, ""
	return func(ctx context.Context) (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		if !known {
			has, err := engine.HasPrometheus(ctx)
			if known = err == nil; known && !has {
				name = benthos.MetricsNone
			}
		}
		return name, known
	}
}

// exporterSoon is exporter for those who are asked again. Where no streams were kept
// before, and the engine at path is built from the Prometheus client, it most likely has
// the default: nobody waits the first time for it to say so.
func exporterSoon(path string, engine asked, before *config.Declaration) func(context.Context) (string, bool) {
	answer := exporter(engine)
	guess := (before == nil || len(before.Streams()) == 0) && fromPrometheus(path)
	var guessed atomic.Bool
	return func(ctx context.Context) (string, bool) {
		if guess && !guessed.Swap(true) {
			return "", false
		}
		return answer(ctx)
	}
}

// fromPrometheus reports whether an executable says that it is built from the
// Prometheus client. A script says nothing.
func fromPrometheus(path string) bool {
	info, err := buildinfo.ReadFile(path)
	return err == nil && slices.ContainsFunc(info.Deps, func(m *debug.Module) bool {
		return m.Path == "github.com/prometheus/client_golang"
	})
}
