package config

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
)

// Linter gives an engine's verdict on documents. A *benthos.Linter is one.
type Linter interface {
	// Lint returns the errors of the documents that the engine says something of:
	// a *benthos.LintError with lines of the document, for instance. The error
	// means that there is no verdict on any.
	Lint(ctx context.Context, docs map[string][]byte) (map[string]error, error)
}

// Lint asks an engine about the streams of a declaration. What it refuses
// becomes a Problem, and is no Entry any more; what it takes all the same, as a
// field that is deprecated, is in the warnings. The error says why there is no
// verdict, and is that of the Linter.
func (d *Declaration) Lint(ctx context.Context, linter Linter) (warnings []Problem, err error) {
	docs, err := d.Documents()
	if err != nil || len(docs) == 0 {
		return nil, err
	}
	verdicts, err := linter.Lint(ctx, docs)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(verdicts)) {
		key := Key{KindStream, name}
		for _, said := range problemsOf(verdicts[name]) {
			p := d.Entries[key].lintProblem(key, docs[name], said)
			if said.Warning {
				warnings = append(warnings, p)
			} else {
				d.Problems = append(d.Problems, p)
			}
		}
	}
	d.forget()
	return warnings, nil
}

// Documents returns what Lint asks an engine about, by the names of the streams.
func (d *Declaration) Documents() (docs map[string][]byte, err error) {
	docs = make(map[string][]byte)
	for key, e := range d.Entries {
		if key.Kind != KindStream {
			continue
		}
		c := *e.Stream
		if c.MetricsPort == 0 {
			c.MetricsPort = anyPort // it is given one when it is to run
		}
		if docs[key.Name], err = c.Render(); err != nil {
			return nil, fmt.Errorf("cannot lint %s: %w", key.Name, err)
		}
	}
	return docs, nil
}

// DefaultMetrics has streams that say nothing of metrics use an exporter: an engine
// that has none refuses benthos.MetricsPrometheus, which is the default.
func (d *Declaration) DefaultMetrics(exporter string) {
	for key, e := range d.Entries {
		if e.Stream != nil && e.Stream.Metrics == "" {
			c := *e.Stream
			c.Metrics = exporter
			e.Stream = &c
			d.Entries[key] = e
		}
	}
}

// anyPort is for documents that nothing is started with.
const anyPort = 4195

// problemsOf returns what an engine says of a document.
func problemsOf(verdict error) []benthos.LintError {
	said := new(benthos.LintError)
	if !errors.As(verdict, &said) {
		return []benthos.LintError{{Message: verdict.Error()}}
	}
	return append([]benthos.LintError{*said}, said.More...)
}

// lintProblem puts what is said of a line of the document where that comes from.
func (e Entry) lintProblem(key Key, doc []byte, said benthos.LintError) Problem {
	path := ""
	var root yaml.Node
	if yaml.Unmarshal(doc, &root) == nil && said.Line > 0 {
		path = pathAt(&root, "", said.Line)
	}
	at := e.path
	if path != "" {
		at = below(at, path)
	}
	return Problem{e.Locate(path), key, at + ": " + said.Message}
}

// pathAt returns the path of what begins last at a line or before it.
func pathAt(n *yaml.Node, path string, line int) string {
	last := path
	visit := func(at *yaml.Node, v *yaml.Node, path string) {
		if at.Line <= line {
			last = pathAt(v, path, line)
		}
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return pathAt(n.Content[0], path, line)
	case yaml.MappingNode:
		for pair := range slices.Chunk(n.Content, 2) {
			visit(pair[0], pair[1], below(path, pair[0].Value))
		}
	case yaml.SequenceNode:
		for i, e := range n.Content {
			visit(e, e, below(path, strconv.Itoa(i)))
		}
	}
	return last
}

// Locate returns where in its file something of a stream's configuration or of a
// service's spec is, such as "input.generate.mapping" or "stopTimeout": the
// place that is nearest to it, if the file does not say it.
func (e Entry) Locate(path string) Position {
	return e.locate(below(e.path, path))
}

// RefusePorts refuses the streams that would listen where another one does, by
// their names: the later one. A port of 0 is none.
func (d *Declaration) RefusePorts() {
	type owned struct {
		benthos.Listen
		key Key
	}
	var taken []owned
	for _, key := range sortedKeys(d.Entries) {
		e := d.Entries[key]
		if e.Stream == nil {
			continue
		}
		for _, l := range benthos.Ports(*e.Stream) {
			at := slices.IndexFunc(taken, func(o owned) bool { return o.key != key && o.Overlaps(l) })
			if at >= 0 {
				other := taken[at]
				d.Problems = append(d.Problems, Problem{e.Locate(l.Path), key, fmt.Sprintf(
					"%s: port %d is that of %s already, at %s: give one of them another port",
					below(e.path, l.Path), l.Port, other.key, d.Entries[other.key].Locate(other.Path))})
			}
			taken = append(taken, owned{l, key})
		}
	}
	d.forget()
}

// forget drops the entries that have a problem by now.
func (d *Declaration) forget() {
	for _, p := range d.Problems {
		delete(d.Entries, p.Entry)
	}
	slices.SortStableFunc(d.Problems, func(a, b Problem) int { return a.At.compare(b.At) })
}
