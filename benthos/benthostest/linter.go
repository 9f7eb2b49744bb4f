package benthostest

import (
	"context"
	"errors"

	"github.com/evenkeel/evenkeel/benthos"
)

// Linter is a benthos.ConfigLinter without an engine. It is called with the
// name of each instance and its rendered configuration; the error that it
// returns refuses that instance, or, made by fsm.Warning, warns of it. An error
// that wraps a *benthos.LinterError says, as the real linter does, that there
// is no verdict on any of them. The nil Linter accepts all.
type Linter func(name string, doc []byte) error

var _ benthos.ConfigLinter = Linter(nil)

// Lint implements benthos.ConfigLinter.
func (l Linter) Lint(ctx context.Context, docs map[string][]byte) (refused map[string]error, err error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	refused = make(map[string]error)
	for name, doc := range docs {
		if l == nil {
			continue
		}
		why := l(name, doc)
		var none *benthos.LinterError
		if errors.As(why, &none) {
			return nil, why
		}
		if why != nil {
			refused[name] = why
		}
	}
	return refused, nil
}
