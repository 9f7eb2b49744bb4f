package benthos

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"sync"
)

// Ahead is a ConfigLinter that asks an engine before anybody waits for the answer:
// in one process, whether it has the Prometheus exporter and what it says of
// documents that are expected. An answer to a document holds for the very same
// bytes, and once; all else is asked when it is wanted. Its methods may be called
// concurrently.
type Ahead struct {
	linter *Linter
	done   chan struct{} // closed once the engine has answered
	// Written before done is closed.
	prometheus bool
	err        error // why there is no answer

	mu       sync.Mutex // guards expected
	expected map[digest]string
	verdicts map[string]error // by what expected has; written before done is closed
}

// AskAhead starts to ask. It asks about as many documents as one process takes at
// most, and ends when it has its answers or ctx ends.
func AskAhead(ctx context.Context, linter *Linter, documents [][]byte) *Ahead {
	a := &Ahead{linter: linter, done: make(chan struct{}), expected: make(map[digest]string)}
	docs := map[string][]byte{exporterQuestion: []byte(exporterDocument)}
	for n, text := range documents[:min(len(documents), lintBatch-1)] {
		name := fmt.Sprint(n)
		docs[name], a.expected[sha256.Sum256(text)] = text, name
	}
	go func() {
		defer close(a.done)
		if a.verdicts, a.err = linter.Lint(ctx, docs); a.err == nil {
			a.prometheus = takes(a.verdicts[exporterQuestion])
		}
	}()
	return a
}

// HasPrometheus is that of the Linter. It waits for what was asked ahead, and asks
// anew where that had no answer.
func (a *Ahead) HasPrometheus(ctx context.Context) (bool, error) {
	if err := a.wait(ctx); err != nil {
		return false, err
	}
	if a.err == nil {
		return a.prometheus, nil
	}
	return a.linter.HasPrometheus(ctx)
}

// Lint is that of the Linter. It waits for what was asked ahead where one of the
// documents is among that.
func (a *Ahead) Lint(ctx context.Context, docs map[string][]byte) (map[string]error, error) {
	rest, known := make(map[string][]byte), make(map[string]string)
	a.mu.Lock()
	for name, text := range docs {
		key := digest(sha256.Sum256(text))
		if of, expected := a.expected[key]; expected {
			known[name] = of
			delete(a.expected, key)
		} else {
			rest[name] = text
		}
	}
	a.mu.Unlock()
	refused := make(map[string]error)
	if len(known) > 0 {
		if err := a.wait(ctx); err != nil {
			return nil, err
		}
		for name, of := range known {
			if a.err != nil {
				rest[name] = docs[name]
			} else if verdict := a.verdicts[of]; verdict != nil {
				refused[name] = verdict
			}
		}
	}
	if len(rest) == 0 {
		return refused, nil
	}
	said, err := a.linter.Lint(ctx, rest)
	if err != nil {
		return nil, err
	}
	maps.Copy(refused, said)
	return refused, nil
}

// wait returns once the engine has answered. The error is a *LinterError.
func (a *Ahead) wait(ctx context.Context) error {
	select {
	case <-a.done:
		return nil
	case <-ctx.Done():
		return &LinterError{Path: a.linter.Path, Err: ctx.Err()}
	}
}
