package runner

import (
	"context"
	"errors"

	"github.com/evenkeel/evenkeel/benthos"
)

// Unlinted is a linter that accepts everything.
type Unlinted struct{}

// Lint implements benthos.ConfigLinter.
func (Unlinted) Lint(context.Context, map[string][]byte) (map[string]error, error) { return nil, nil }

// lenient is a linter whose error is no verdict.
type lenient struct {
	of  benthos.ConfigLinter
	err *error
}

// Lint implements benthos.ConfigLinter.
func (l lenient) Lint(ctx context.Context, docs map[string][]byte) (map[string]error, error) {
	said, err := l.of.Lint(ctx, docs)
	if err == nil || errors.Is(err, benthos.ErrNoEngine) {
		return said, err
	}
	*l.err = err
	return nil, nil
}
