//go:build integration

package benthos

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// numbering is how many lines a service prints that numbers them.
const numbering = 3000

// numbersFile declares two services that number their lines, over many rotations of
// their logs, and print more when they are to end. Nothing of it is trimmed.
func numbersFile() string {
	text := "services:\n"
	for _, name := range []string{"a", "b"} {
		text += fmt.Sprintf(`  - name: %s
    log: {fileSize: 4096, files: 200}
    s6ServiceConfig:
      command:
        - sh
        - -c
        - |
          trap 'echo last words; exit 0' TERM
          i=0
          while [ $i -lt %d ]; do
            echo line $i
            i=$((i + 1))
            [ $((i %% 100)) != 0 ] || sleep 0.03
          done
          while :; do sleep 0.05; done
`, name, numbering)
	}
	return text
}

// linesOf returns what is shown of an instance.
func linesOf(name, shown string) (lines []string) {
	for line := range strings.Lines(shown) {
		if text, is := strings.CutPrefix(line, name+" | "); is {
			lines = append(lines, strings.TrimSuffix(text, "\n"))
		}
	}
	return lines
}

// TestLogsAreFollowed: each line is shown once, in order, through rotations, by
// evenkeel logs and by evenkeel run, which shows the last ones as well.
func TestLogsAreFollowed(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	p.write(numbersFile())
	run := p.start("--logs")
	logs := func(args ...string) *harness.Program {
		return harness.Start(t, exec.Command(evenkeel(t), append([]string{"logs", "--dir", p.root}, args...)...))
	}
	harness.Eventually(t, "there are logs", func() bool { return harness.Exists(t, filepath.Join(p.root, "logs")) })
	followed := logs("-f")
	last := fmt.Sprint("line ", numbering-1)
	for _, name := range []string{"a", "b"} {
		followed.Says(name + " | " + last)
		run.Says(name + " | " + last)
	}
	rotated, err := filepath.Glob(filepath.Join(p.root, "logs", "a", "@*.s"))
	require.NoError(t, err)
	assert.Greater(t, len(rotated), 10)
	followed.Signal(syscall.SIGINT)
	assert.Zero(t, followed.End())
	assert.Empty(t, followed.Stderr.String())

	var want []string
	for n := range numbering {
		want = append(want, fmt.Sprint("line ", n))
	}
	for _, name := range []string{"a", "b"} {
		assert.Equal(t, want, linesOf(name, followed.Stdout.String()), name)
	}
	p.ends(run)
	want = append(want, "last words")
	for _, name := range []string{"a", "b"} {
		assert.Equal(t, want, linesOf(name, run.Stdout.String()), name)
	}
	assert.Contains(t, run.Stdout.String(), " a stopped -> starting ", "what happens is told as well")

	// Nothing runs any more, and the log is there.
	shown := logs("a", "-n", "2")
	assert.Zero(t, shown.End())
	assert.Equal(t, last+"\nlast words\n", shown.Stdout.String())
}
