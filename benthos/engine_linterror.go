package benthos

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// LintError is an engine's refusal of a configuration.
type LintError struct {
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
	b.WriteString("the engine refuses the configuration: ")
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
	for _, p := range paths {
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
