package harness

import (
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestProgram(t *testing.T) {
	p := Start(t, exec.Command("sh", "-c", "echo one; echo two >&2; read -r line; exit 3"))
	p.Says("one")
	assert.Equal(t, 3, p.End(), "its input is empty")
	assert.False(t, p.Runs())
	assert.Equal(t, "two\n", p.Stderr.String())
	p.Slay()

	p = Start(t, exec.Command("sleep", "1000000"))
	assert.True(t, p.Runs())
	assert.True(t, Alive(p.PID()))
	p.Signal(syscall.SIGTERM)
	assert.Equal(t, -1, p.End())
	Gone(t, p.PID())
}

func TestProgramOfTestsUnderNohup(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	p := Start(t, exec.Command("sleep", "1000000"))
	p.Signal(syscall.SIGHUP)
	assert.Equal(t, -1, p.End())
}

func TestProgramThatDoesNotSayIt(t *testing.T) {
	p := Start(t, exec.Command("sh", "-c", "echo why >&2"))
	said := failure(func(w testing.TB) {
		p := &Program{T: w, Cmd: p.Cmd, Stdout: p.Stdout, Stderr: p.Stderr, ended: p.ended}
		p.Says("one")
	})
	assert.Contains(t, said, "it ended before it said: one")
	assert.Contains(t, said, "why")
}

func TestProcessesOf(t *testing.T) {
	root := t.TempDir()
	assert.Empty(t, ProcessesOf(root))
	there := exec.Command("sleep", "1000000")
	there.Dir = root
	named := exec.Command("sleep", "1000000")
	named.Env = []string{"ROOT=" + root}
	a, b := Start(t, there), Start(t, named)
	Eventually(t, "both have begun", func() bool { return len(ProcessesOf(root)) == 2 })
	in := Running(root, "sleep")
	assert.Len(t, in, 1)
	assert.Equal(t, a.PID(), in[0].PID)
	KillAll(root)
	assert.False(t, Alive(a.PID()))
	assert.False(t, Alive(b.PID()))
	NoneLeft(t, root)
}
