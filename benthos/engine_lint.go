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
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/proc"
)

// maxLintOutput bounds what is read of each of a linter's outputs.
const maxLintOutput = 4 << 20

// lintBatch is how many documents one process is asked about at most. Each is a
// descriptor of it.
const lintBatch = 256

// DefaultLintTimeout bounds one Lint of a Linter that has no Timeout.
const DefaultLintTimeout = 10 * time.Second

// Linter asks an engine whether it would accept configurations, with its
// subcommand lint. The zero value lacks the path; all other fields are
// optional. Its methods may be called concurrently.
type Linter struct {
	// Path is the engine's executable.
	Path string
	// Env is the environment of the engine, as in exec.Cmd: nil means this process's
	// own. GOGC and GOMEMLIMIT are set where it does not have them. ${NAME} without a
	// default in a configuration is refused if Env does not have it.
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

// Lint checks documents, keyed by any name the caller likes. The returned map
// has a *LintError for every document that is refused, and an fsm.Warning of one
// for those that are accepted with a warning; nothing is said of the others.
// The error is always a *LinterError. It means that there is no verdict on any
// document, and wraps the context's error or ErrNoEngine if that is why.
//
// The documents lie in memory only: nothing of them is left on any disk,
// whoever is killed. Their paths appear in no message.
func (l *Linter) Lint(ctx context.Context, docs map[string][]byte) (map[string]error, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(l.Timeout, DefaultLintTimeout))
	defer cancel()
	verdicts := map[string]error{}
	for names := range slices.Chunk(slices.Sorted(maps.Keys(docs)), lintBatch) {
		batch := make([][]byte, 0, len(names)+1)
		for _, name := range names {
			batch = append(batch, docs[name])
		}
		said, output, err := l.lint(ctx, append(batch, []byte(canary)))
		if err != nil {
			return nil, &LinterError{Path: l.Path, Output: tail(output, 400), Err: err}
		}
		for i, name := range names {
			if said[i] != nil {
				verdicts[name] = said[i]
			}
		}
	}
	return verdicts, nil
}

// lint asks about documents in one process. The last one is the canary. It
// returns a verdict for each, or an error with what the linter printed.
func (l *Linter) lint(ctx context.Context, docs [][]byte) (verdicts []error, output []byte, err error) {
	files := make([]*os.File, 0, len(docs))
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	paths := make([]string, len(docs))
	for i, doc := range docs {
		f, err := memoryFile(doc)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, f)
		paths[i] = proc.System.Own(firstDescriptor + i)
	}
	stdout, stderr, err := l.run(ctx, files, paths)
	output = slices.Concat(stdout, stderr)
	if err != nil {
		return nil, output, err
	}
	verdicts, ok := judge(stdout, stderr, paths)
	if !ok {
		return nil, output, errNoVerdict
	}
	return verdicts, output, nil
}

// firstDescriptor is the number that the first of exec.Cmd.ExtraFiles has in the
// process.
const firstDescriptor = 3

// memoryFile returns a file that is in no directory, with that in it. It cannot
// be executed, which some systems ask for.
func memoryFile(text []byte) (*os.File, error) {
	const name = "benthos-lint"
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // a kernel from before 6.3
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot make a file in memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if _, err := f.Write(text); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot write a file in memory: %w", err)
	}
	return f, nil
}

// run returns what the linter printed, and an error unless it exited 0 or 1.
// The process inherits the files.
func (l *Linter) run(ctx context.Context, files []*os.File, paths []string) (stdout, stderr []byte, err error) {
	args := []string{"lint"}
	if l.SkipEnvCheck {
		args = append(args, "--skip-env-var-check")
	}
	cmd := exec.CommandContext(ctx, l.Path, append(args, paths...)...)
	cmd.Env = l.environ()
	cmd.WaitDelay = time.Second
	cmd.ExtraFiles = files
	out, errs := &boundedBuffer{limit: maxLintOutput}, &boundedBuffer{limit: maxLintOutput}
	cmd.Stdout, cmd.Stderr = out, errs
	if err := cmd.Start(); err != nil {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, exec.ErrNotFound) {
			err = fmt.Errorf("%w: %w", ErrNoEngine, err)
		}
		return nil, nil, err
	}
	err = cmd.Wait()
	if ctx.Err() != nil {
		return out.data, errs.data, ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil
	}
	if err == nil && (out.cut || errs.cut) {
		err = errTruncated
	}
	return out.data, errs.data, err
}

// environ is the environment of the process, with settings that keep a short-lived
// Go program from collecting garbage.
func (l *Linter) environ() []string {
	settings := []string{"GOGC=off", "GOMEMLIMIT=256MiB"}
	if l.Env == nil {
		return append(os.Environ(), settings...)
	}
	return append(settings, l.Env...)
}

// HasPrometheus reports whether the engine has the Prometheus exporter, which
// MetricsPrometheus asks for. The error is that of Lint.
func (l *Linter) HasPrometheus(ctx context.Context) (bool, error) {
	refused, err := l.Lint(ctx, map[string][]byte{exporterQuestion: []byte(exporterDocument)})
	return err == nil && takes(refused[exporterQuestion]), err
}

// exporterQuestion is the name of exporterDocument, which is refused by an engine
// without the Prometheus exporter.
const (
	exporterQuestion = "metrics"
	exporterDocument = "metrics:\n  prometheus: {}\ninput:\n  generate:\n    mapping: root = 1\noutput:\n  drop: {}\n"
)

// takes reports whether a verdict is no refusal.
func takes(verdict error) bool { return verdict == nil || fsm.IsWarning(verdict) }

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
