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
)

// fakeLintEnv makes the test binary a lint command; its value says which kind.
const fakeLintEnv = "BENTHOS_FAKE_LINT"

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
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			return 3
		}
		if dir, err := os.Stat(filepath.Dir(path)); err != nil || dir.Mode().Perm() != 0o700 {
			return 4
		}
		body, _ := os.ReadFile(path)
		if strings.Contains(string(body), "evenkeel_canary") {
			code = 1
			fmt.Fprintf(os.Stderr, "%s(2,1) unable to infer input type\n", path)
		}
		for line := range strings.Lines(string(body)) {
			if say, ok := strings.CutPrefix(line, "# say "); ok {
				code = 1
				fmt.Fprint(os.Stderr, strings.ReplaceAll(say, "PATH", path))
			}
		}
	}
	return code
}

func fakeLinter(t *testing.T, mode string) *benthos.Linter {
	self, err := os.Executable()
	require.NoError(t, err)
	t.Setenv("TMPDIR", t.TempDir())
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
	for i := range 12 {
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

func TestLintOfNothingRunsNothing(t *testing.T) {
	refused, err := (&benthos.Linter{Path: "/nonexistent"}).Lint(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, refused)
}
