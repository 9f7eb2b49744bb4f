package cli

import (
	"context"
	"sync"

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
