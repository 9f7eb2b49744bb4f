package benthos

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxLintOutput bounds what is read of a linter's output.
const maxLintOutput = 4 << 20

// DefaultLintTimeout bounds one Lint of a Linter that has no Timeout.
const DefaultLintTimeout = 10 * time.Second

// Linter asks an engine whether it would accept configurations, with its
// subcommand lint. The zero value lacks the path; all other fields are
// optional. Its methods may be called concurrently.
type Linter struct {
	// Path is the engine's executable.
	Path string
	// Env is the environment of the engine, as in exec.Cmd: nil means this
	// process's own. ${NAME} without a default in a configuration is refused if
	// Env does not have it.
	Env []string
	// SkipEnvCheck accepts ${NAME} that Env does not have.
	SkipEnvCheck bool
	// Timeout bounds one Lint. Zero means DefaultLintTimeout.
	Timeout time.Duration
}

// LinterError says that the linter gave no verdict: it could not be started, it
// did not end by itself, or its output could not be understood. It says nothing
// about the configurations.
type LinterError struct {
	Path string
	// Output is the end of what the linter printed.
	Output string
	Err    error
}

// Error names the executable and the reason.
func (e *LinterError) Error() string {
	if e.Output == "" {
		return fmt.Sprintf("cannot lint with %s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("cannot lint with %s: %v: %s", e.Path, e.Err, e.Output)
}

// Unwrap returns the cause.
func (e *LinterError) Unwrap() error { return e.Err }

// ErrNoEngine is wrapped by the error of a Linter whose engine cannot be
// started because there is none or it is not executable.
var ErrNoEngine = errors.New("the engine cannot be started")

var (
	errNoVerdict = errors.New("it does not lint: a document that no engine accepts was not refused")
	errTruncated = fmt.Errorf("it printed more than %d bytes", maxLintOutput)
)

// canary is refused by every engine that lints. It is part of each call because
// an executable that is no engine, or an engine that does not know an option,
// may print its usage and exit with 0.
const canary = "input:\n  evenkeel_canary: {}\noutput:\n  drop: {}\n"

// Lint checks documents, keyed by any name the caller likes, in one process.
// The returned map has a *LintError for every document that is refused; the
// others are accepted. The error is always a *LinterError. It means that there
// is no verdict on any document, and wraps the context's error or ErrNoEngine
// if that is why.
//
// While the process runs the documents lie in a private directory, 0700 with
// files 0600. Their paths appear in no message.
func (l *Linter) Lint(ctx context.Context, docs map[string][]byte) (map[string]error, error) {
	if len(docs) == 0 {
		return map[string]error{}, nil
	}
	fail := func(err error, output []byte) (map[string]error, error) {
		return nil, &LinterError{Path: l.Path, Output: tail(output, 400), Err: err}
	}
	dir, err := os.MkdirTemp("", "benthos-lint-")
	if err != nil {
		return fail(fmt.Errorf("cannot write into the temporary directory: %w: name one that this user can write with TMPDIR", err), nil)
	}
	defer os.RemoveAll(dir)
	names := slices.Sorted(maps.Keys(docs))
	paths := make([]string, len(names)+1)
	for i := range paths {
		paths[i] = filepath.Join(dir, strconv.Itoa(i)+".yaml")
		body := []byte(canary)
		if i < len(names) {
			body = docs[names[i]]
		}
		if err := os.WriteFile(paths[i], body, 0o600); err != nil {
			return fail(err, nil)
		}
	}
	output, err := l.run(ctx, paths)
	if err != nil {
		return fail(err, output)
	}
	verdicts := parseLint(output, paths)
	if verdicts[len(names)] == nil {
		return fail(errNoVerdict, output)
	}
	refused := map[string]error{}
	for i, name := range names {
		if verdicts[i] != nil {
			refused[name] = verdicts[i]
		}
	}
	return refused, nil
}

// run returns what the linter printed, and an error unless it exited 0 or 1.
func (l *Linter) run(ctx context.Context, paths []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(l.Timeout, DefaultLintTimeout))
	defer cancel()
	args := []string{"lint"}
	if l.SkipEnvCheck {
		args = append(args, "--skip-env-var-check")
	}
	cmd := exec.CommandContext(ctx, l.Path, append(args, paths...)...)
	cmd.Env = l.Env
	cmd.WaitDelay = time.Second
	output := &boundedBuffer{limit: maxLintOutput}
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, exec.ErrNotFound) {
			err = fmt.Errorf("%w: %w", ErrNoEngine, err)
		}
		return nil, err
	}
	err := cmd.Wait()
	if ctx.Err() != nil {
		return output.data, ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil
	}
	if err == nil && output.cut {
		err = errTruncated
	}
	return output.data, err
}

// HasPrometheus reports whether the engine has the Prometheus exporter, which
// MetricsPrometheus asks for. The error is that of Lint.
func (l *Linter) HasPrometheus(ctx context.Context) (bool, error) {
	const question = "metrics"
	refused, err := l.Lint(ctx, map[string][]byte{
		question: []byte("metrics:\n  prometheus: {}\ninput:\n  generate:\n    mapping: root = 1\noutput:\n  drop: {}\n"),
	})
	return err == nil && refused[question] == nil, err
}

// boundedBuffer keeps the first limit bytes written to it and drops the rest.
type boundedBuffer struct {
	data  []byte
	limit int
	cut   bool // something was not kept
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	kept := min(len(p), b.limit-len(b.data))
	b.data = append(b.data, p[:kept]...)
	b.cut = b.cut || kept < len(p)
	return len(p), nil
}

// tail returns the last n bytes of an output as one line.
func tail(output []byte, n int) string {
	text := string(bytes.TrimSpace(output))
	if len(text) > n {
		text = "..." + strings.ToValidUTF8(text[len(text)-n:], "")
	}
	return strings.Join(strings.Fields(text), " ")
}
