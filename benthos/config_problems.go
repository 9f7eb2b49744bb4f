package benthos

import (
	"cmp"
	"slices"
	"strings"
)

// FieldProblem is one thing wrong with one field.
type FieldProblem struct {
	// Field is the field's path in the configuration's YAML, such as
	// "pipeline.processors.0.mapping".
	Field string
	// Problem completes a sentence that begins with the field.
	Problem string
}

// ConfigError lists everything Validate found wrong with a configuration,
// ordered by field.
type ConfigError struct {
	Problems []FieldProblem
}

// Error names every problem with its field.
func (e *ConfigError) Error() string {
	var b strings.Builder
	b.WriteString("cannot use the Benthos configuration: ")
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(p.Field + " " + p.Problem)
	}
	return b.String()
}

type problems []FieldProblem

func (p *problems) add(field, problem string) {
	*p = append(*p, FieldProblem{Field: field, Problem: problem})
}

// err returns a *ConfigError, nil where there are no problems.
func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b FieldProblem) int { return cmp.Compare(a.Field, b.Field) })
	return &ConfigError{Problems: p}
}
