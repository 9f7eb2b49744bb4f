package benthos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
)

// fakeLintEnv makes the test binary a lint command; its value says which kind.
const fakeLintEnv = "BENTHOS_FAKE_LINT"

// lintsEnv names a file that a linter makes which then hangs.
const lintsEnv = "BENTHOS_FAKE_LINTS"

// fakeLint answers for each file what the file's own "# say" lines ask for, in
// the form of the given lineage, and refuses the document that every engine
// refuses.
func fakeLint(mode string, args []string) int {
	switch mode {
	case "usage":
		fmt.Println("Incorrect Usage: flag provided but not defined")
		return 0
	case "crash":
		fmt.Fprintln(os.Stderr, "panic: oh no")
		return 2
	case "hang":
		if err := os.WriteFile(os.Getenv(lintsEnv), nil, 0o600); err != nil {
			return 3
		}
		select {}
	case "flood":
		os.Stdout.Write(bytes.Repeat([]byte("chatter\n"), 1<<20))
	}
	code := 0
	for _, path := range args[1:] {
		if strings.HasPrefix(path, "--") {
			fmt.Fprintln(os.Stderr, "a word about", path)
			continue
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return 3
		}
		refusals := os.Stderr
		if mode == "stdout" {
			refusals = os.Stdout
		}
		if strings.Contains(string(body), "evenkeel_canary") {
			code = 1
			fmt.Fprintf(refusals, "%s(2,1) unable to infer input type\n", path)
		}
		for line := range strings.Lines(string(body)) {
			if say, ok := strings.CutPrefix(line, "# say "); ok {
				code = 1
				fmt.Fprint(refusals, strings.ReplaceAll(say, "PATH", path))
			}
			// As Bento does where something else is refused.
			if warn, ok := strings.CutPrefix(line, "# warn "); ok {
				warn = strings.ReplaceAll(warn, "PATH", path)
				fmt.Fprint(os.Stdout, warn, warn)
				fmt.Fprint(refusals, warn, warn)
			}
		}
	}
	return code
}

func fakeLinter(t *testing.T, mode string) *benthos.Linter {
	self, err := os.Executable()
	require.NoError(t, err)
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv(lintsEnv, filepath.Join(t.TempDir(), "lints"))
	return &benthos.Linter{Path: self, Env: append(os.Environ(), fakeLintEnv+"="+mode)}
}

func TestLintSortsVerdictsByDocument(t *testing.T) {
	l := fakeLinter(t, "engine")
	l.SkipEnvCheck = true
	docs := map[string][]byte{
		"good":      []byte("input: {}\n"),
		"one/../x":  []byte("# say PATH(5,17) field pahtt not recognised\n"),
		"several":   []byte("# say PATH(5,1) first\n# say   and more of it\n# say PATH(7,1) second\n# say PATH(9,1) third in PATH\n"),
		"old style": []byte("# say PATH: line 3: field a: not recognised\n"),
		"older":     []byte("# say PATH: yaml: did not find (expected) key\n"),
		"no number": []byte("# say PATH(a,b) odd\n"),
	}
	for i := range 600 { // more than one process is asked about
		docs[fmt.Sprintf("good %d", i)] = []byte("input: {}\n")
	}
	refused, err := l.Lint(t.Context(), docs)
	require.NoError(t, err)
	assert.Equal(t, map[string]error{
		"one/../x": &benthos.LintError{Line: 5, Column: 17, Message: "field pahtt not recognised"},
		"several": &benthos.LintError{Line: 5, Column: 1, Message: "first and more of it", More: []benthos.LintError{
			{Line: 7, Column: 1, Message: "second"},
			{Line: 9, Column: 1, Message: "third in the configuration"},
		}},
		"old style": &benthos.LintError{Line: 3, Message: "field a: not recognised"},
		"older":     &benthos.LintError{Message: "yaml: did not find (expected) key"},
		"no number": &benthos.LintError{Message: "(a,b) odd"},
	}, refused)
	assert.EqualError(t, refused["several"], "the engine refuses the configuration: "+
		"line 5: first and more of it; line 7: second; line 9: third in the configuration")
	assertNothingLeft(t)
}

// The severity of a lint is looked at.
func TestLintWarnings(t *testing.T) {
	docs := map[string][]byte{
		"good":    []byte("input: {}\n"),
		"warned":  []byte("# warn PATH(10,1) field fields is deprecated\n# warn PATH(12,1) field x is deprecated\n"),
		"both":    []byte("# warn PATH(10,1) field fields is deprecated\n# say PATH(5,1) field nonsense not recognised\n"),
		"doubled": []byte("# say PATH(5,1) bad\n# say PATH(5,1) bad\n"),
	}
	verdicts, err := fakeLinter(t, "engine").Lint(t.Context(), docs)
	require.NoError(t, err)
	assert.Equal(t, map[string]error{
		"warned": fsm.Warning(&benthos.LintError{
			Warning: true, Line: 10, Column: 1, Message: "field fields is deprecated",
			More: []benthos.LintError{{Line: 12, Column: 1, Message: "field x is deprecated"}},
		}),
		"both":    &benthos.LintError{Line: 5, Column: 1, Message: "field nonsense not recognised"},
		"doubled": &benthos.LintError{Line: 5, Column: 1, Message: "bad"},
	}, verdicts)
	assert.EqualError(t, verdicts["warned"], "the engine takes the configuration with a warning: "+
		"line 10: field fields is deprecated; line 12: field x is deprecated")

	verdicts, err = fakeLinter(t, "stdout").Lint(t.Context(), docs)
	require.NoError(t, err)
	assert.Len(t, verdicts, 3)
	for name, verdict := range verdicts {
		assert.False(t, fsm.IsWarning(verdict), "%s: an engine that prints all to stdout has no warnings", name)
	}
}

func assertNothingLeft(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestLintWithoutVerdict(t *testing.T) {
	docs := map[string][]byte{"a": []byte("# say PATH(1,1) bad\n")}
	for mode, want := range map[string]string{
		"usage": "it does not lint",
		"crash": "exit status 2: panic: oh no",
		"flood": "it printed more than",
	} {
		l := fakeLinter(t, mode)
		refused, err := l.Lint(t.Context(), docs)
		var failed *benthos.LinterError
		require.ErrorAs(t, err, &failed, mode)
		assert.Equal(t, l.Path, failed.Path)
		assert.ErrorContains(t, err, want, mode)
		assert.Less(t, len(failed.Output), 500)
		assert.Nil(t, refused, mode)
		assertNothingLeft(t)
	}
	_, err := (&benthos.Linter{Path: "/nonexistent/engine"}).Lint(t.Context(), docs)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = (&benthos.Linter{Path: t.TempDir()}).Lint(t.Context(), docs)
	require.ErrorIs(t, err, fs.ErrPermission)
	_, err = (&benthos.Linter{}).Lint(t.Context(), docs)
	require.Error(t, err)
	truth, err := exec.LookPath("true")
	require.NoError(t, err)
	_, err = (&benthos.Linter{Path: truth}).Lint(t.Context(), docs)
	require.ErrorContains(t, err, "it does not lint")
}

func TestLintEndsWithItsContext(t *testing.T) {
	l := fakeLinter(t, "hang")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(errors.New("enough")) })
	_, err := l.Lint(ctx, map[string][]byte{"a": nil})
	require.ErrorIs(t, err, context.Canceled)
	var failed *benthos.LinterError
	require.ErrorAs(t, err, &failed)

	l.Timeout = 50 * time.Millisecond
	_, err = l.Lint(t.Context(), map[string][]byte{"a": nil})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assertNothingLeft(t)
}

// Temporary files cannot outlive a kill: there are none.
func TestLintHasNoTemporaryFiles(t *testing.T) {
	l := fakeLinter(t, "hang")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := l.Lint(ctx, map[string][]byte{"a": []byte("secret")})
		ended <- err
	}()
	require.Eventually(t, func() bool {
		_, err := os.Stat(os.Getenv(lintsEnv))
		return err == nil
	}, time.Minute, time.Millisecond)
	assertNothingLeft(t)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)

	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "gone"))
	_, err := fakeLinter(t, "engine").Lint(t.Context(), map[string][]byte{"a": nil})
	require.NoError(t, err)
}

func TestLintOfNothingRunsNothing(t *testing.T) {
	refused, err := (&benthos.Linter{Path: "/nonexistent"}).Lint(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, refused)
}
