package benthos

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/fsm"
)

// LintError is what an engine objects to in a configuration.
type LintError struct {
	// Warning: the engine takes the configuration all the same, for instance
	// where a field is deprecated.
	Warning bool
	// Line and Column count from 1 in the document that was linted; zero where
	// the engine did not say. Engines give column 1 for most problems.
	Line, Column int
	// Message is the engine's, without the path of the file.
	Message string
	// More are the problems after the first, in the engine's order. Their own
	// More is empty.
	More []LintError
}

// Error gives every problem with its line.
func (e *LintError) Error() string {
	var b strings.Builder
	if e.Warning {
		b.WriteString("the engine takes the configuration with a warning: ")
	} else {
		b.WriteString("the engine refuses the configuration: ")
	}
	e.describe(&b)
	for i := range e.More {
		b.WriteString("; ")
		e.More[i].describe(&b)
	}
	return b.String()
}

func (e *LintError) describe(b *strings.Builder) {
	if e.Line > 0 {
		fmt.Fprintf(b, "line %d: ", e.Line)
	}
	b.WriteString(e.Message)
}

// parseLint sorts a linter's output by file. The result has one entry for each
// path, nil if nothing was said about it. A line that names no path continues
// the problem before it, and is ignored if there is none.
//
// Bento, Redpanda's Benthos and Benthos 4 write "path(line,column) message";
// older ones "path: line N: message".
func parseLint(output []byte, paths []string) []*LintError {
	verdicts := make([]*LintError, len(paths))
	var last *LintError
	for line := range bytes.Lines(output) {
		text := strings.TrimRight(string(line), "\r\n")
		if strings.TrimSpace(text) == "" {
			continue
		}
		i, rest := cutPath(text, paths)
		switch {
		case i >= 0:
			last = addProblem(&verdicts[i], parseLintProblem(cutPaths(rest, paths)))
		case last != nil:
			last.Message += " " + strings.TrimSpace(text)
		}
	}
	return verdicts
}

func addProblem(verdict **LintError, problem LintError) *LintError {
	if *verdict == nil {
		*verdict = &problem
		return &problem
	}
	v := *verdict
	v.More = append(v.More, problem)
	return &v.More[len(v.More)-1]
}

// problems returns all problems of a verdict, each once.
func (e *LintError) problems() []LintError {
	if e == nil {
		return nil
	}
	first := *e
	first.More = nil
	var all []LintError
	for _, p := range append([]LintError{first}, e.More...) {
		if !slices.ContainsFunc(all, p.same) {
			all = append(all, p)
		}
	}
	return all
}

// same compares two problems without their More.
func (e LintError) same(other LintError) bool {
	return e.Line == other.Line && e.Column == other.Column && e.Message == other.Message
}

// verdict makes one of problems, nil of none.
func verdict(warning bool, all []LintError) error {
	if len(all) == 0 {
		return nil
	}
	first := all[0]
	first.Warning = warning
	if len(all) > 1 {
		first.More = all[1:]
	}
	if warning {
		return fsm.Warning(&first)
	}
	return &first
}

// judge returns a verdict for each path, nil where there is nothing to say. The
// last path is that of a document which no engine accepts; ok is false where it
// was not refused.
//
// An engine that knows warnings (Bento) prints them to stdout, and refusals to
// stderr. Where it refuses something, it prints the warnings there again. What
// an engine prints to stdout is a warning only if it prints refusals elsewhere.
func judge(stdout, stderr []byte, paths []string) (verdicts []error, ok bool) {
	refused, warned := parseLint(stderr, paths), parseLint(stdout, paths)
	canary := len(paths) - 1
	if refused[canary] == nil {
		refused, warned = warned, make([]*LintError, len(paths))
	}
	verdicts = make([]error, len(paths))
	for i := range paths {
		warnings := warned[i].problems()
		refusals := slices.DeleteFunc(refused[i].problems(), func(p LintError) bool {
			return slices.ContainsFunc(warnings, p.same)
		})
		verdicts[i] = cmp.Or(verdict(false, refusals), verdict(true, warnings))
	}
	return verdicts, refused[canary] != nil
}

// cutPath returns the index of the path that text begins with and what follows
// it, or -1.
func cutPath(text string, paths []string) (int, string) {
	for i, p := range paths {
		if rest, ok := strings.CutPrefix(text, p); ok && rest != "" && (rest[0] == '(' || rest[0] == ':') {
			return i, rest
		}
	}
	return -1, text
}

func cutPaths(text string, paths []string) string {
	for _, p := range slices.Backward(paths) { // one may begin another that comes later
		text = strings.ReplaceAll(text, p, "the configuration")
	}
	return text
}

// parseLintProblem reads "(5,1) message", ": line 5: message" and ": message".
func parseLintProblem(text string) LintError {
	if inner, message, ok := strings.Cut(text, ")"); ok && strings.HasPrefix(inner, "(") {
		line, column, _ := strings.Cut(inner[1:], ",")
		l, errL := strconv.Atoi(line)
		c, errC := strconv.Atoi(column)
		if errL == nil && errC == nil {
			return LintError{Line: max(l, 0), Column: max(c, 0), Message: strings.TrimSpace(message)}
		}
	}
	text = strings.TrimSpace(strings.TrimPrefix(text, ":"))
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, message, ok := strings.Cut(rest, ": "); ok {
			if l, err := strconv.Atoi(number); err == nil {
				return LintError{Line: max(l, 0), Message: strings.TrimSpace(message)}
			}
		}
	}
	return LintError{Message: text}
}
