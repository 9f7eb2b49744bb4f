package s6_test

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6"
)

// scripted is a service directory whose scripts are run by a shell, with stand-ins
// for s6's programs.
type scripted struct {
	t     *testing.T
	dir   string
	shell []string
	hash  string
	files map[string]string
}

const finished = "123"

// inEveryShell runs a test with the scripts of a spec in each shell there is.
func inEveryShell(t *testing.T, spec *s6.Spec, test func(s *scripted)) {
	for _, shell := range [][]string{{"/bin/sh"}, {"bash", "--posix"}, {"busybox", "ash"}} {
		if _, err := exec.LookPath(shell[0]); err != nil {
			continue
		}
		t.Run(filepath.Base(shell[0]), func(t *testing.T) {
			s := &scripted{t: t, dir: t.TempDir(), shell: shell, hash: s6.ProcessHash(spec), files: make(map[string]string)}
			files, err := s6.Render(spec, "/logs", s6.Tools{Dir: s.dir})
			require.NoError(t, err)
			for _, f := range files {
				s.files[f.Name] = f.Data
			}
			require.NoError(t, os.Mkdir(filepath.Join(s.dir, "data"), 0o755))
			s.write("finish", s.files["finish"])
			s.write("s6-svstat", "#!/bin/sh\ncat wanted\n")
			s.write("s6-svc", "#!/bin/sh\necho \"$*\" >>told\n")
			s.write("wanted", "true\n")
			s.write("data/started", s.hash+" "+finished+" 1.1\n")
			s.write("data/course", "none 0 0 0 -\n")
			s.write("data/marked", "")
			test(s)
		})
	}
}

func (s *scripted) write(name, text string) {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o755))
}

func (s *scripted) read(name string) string {
	text, _ := os.ReadFile(filepath.Join(s.dir, name))
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.ReplaceAll(line, s.hash, "HASH")
}

// run runs a script and returns its exit code.
func (s *scripted) run(script string, args ...string) int {
	s.t.Helper()
	cmd := exec.Command(s.shell[0], append(append(s.shell[1:len(s.shell):len(s.shell)], script), args...)...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	require.NoError(s.t, err, "%s", out)
	return 0
}

// ends has a process end with a code, and returns that of the finish script.
func (s *scripted) ends(code string) int {
	s.t.Helper()
	s.write("data/started", s.hash+" "+finished+" 1.1\n")
	return s.run("finish", code, "0", "a")
}

// begins has the next process begin, in place of which a word is printed.
func (s *scripted) begins() int {
	s.t.Helper()
	_, script, _ := strings.Cut(s.files["run"], " -c '")
	script, _, _ = strings.Cut(script, "' run ")
	s.write("begin", strings.ReplaceAll(script, `'\''`, "'"))
	return s.run("begin", "true")
}

func TestScriptsOfAJob(t *testing.T) {
	spec := &s6.Spec{Command: []string{"true"}, Policy: s6.Policy{Restart: s6.RestartOnFailure, GiveUpAfter: 3}}
	inEveryShell(t, spec, func(s *scripted) {
		assert.Zero(t, s.begins())
		assert.Regexp(t, `^runs 0 \d+ 0 -$`, s.read("data/course"))
		assert.Zero(t, s.ends("7"))
		assert.Regexp(t, `^wait 1 \d+ 0 -$`, s.read("data/course"))
		assert.Zero(t, s.begins())
		assert.Regexp(t, `^runs 1 \d+ 0 -$`, s.read("data/course"))

		s.write("wanted", "false\n")
		assert.Zero(t, s.ends("7"), "it was told to go down")
		assert.Equal(t, "none 0 0 0 -", s.read("data/course"))
		s.write("wanted", "true\n")
		s.write("data/marked", strings.Repeat("1", 64)+" "+finished+" 5\n")
		assert.Zero(t, s.begins())
		assert.Zero(t, s.ends("0"), "another one is to replace it")
		assert.Equal(t, "none 0 0 0 -", s.read("data/course"))
		assert.NoFileExists(t, filepath.Join(s.dir, "told"))

		assert.Zero(t, s.begins())
		assert.Equal(t, 125, s.ends("0"), "the mark was of the one before")
		assert.Equal(t, "done 0 0 0 HASH", s.read("data/course"))
		assert.FileExists(t, filepath.Join(s.dir, "down"))
		assert.Equal(t, "-O .", s.read("told"))
		assert.Equal(t, 125, s.begins(), "whoever wants it up")
		assert.Equal(t, 125, s.ends("125"))
		assert.Equal(t, "done 0 0 0 HASH", s.read("data/course"))

		s.write("data/course", "none 0 0 0 -\n")
		for range 2 {
			assert.Zero(t, s.begins())
			assert.Zero(t, s.ends("256"))
		}
		assert.Zero(t, s.begins())
		assert.Equal(t, 125, s.ends("1"))
		assert.Equal(t, "failed 3 0 0 HASH", s.read("data/course"))
	})
}

func TestScriptsWherePausesGrow(t *testing.T) {
	spec := &s6.Spec{Command: []string{"true"}, Policy: s6.Policy{Backoff: s6.Backoff{From: 50 * time.Millisecond, To: 300 * time.Millisecond}}}
	inEveryShell(t, spec, func(s *scripted) {
		for _, pause := range []string{"5", "10", "20", "30", "30"} {
			begun := time.Now()
			assert.Zero(t, s.begins())
			assert.Less(t, time.Since(begun), time.Minute)
			assert.Zero(t, s.ends("1"))
			assert.Regexp(t, `^wait \d \d+ `+pause+` -$`, s.read("data/course"))
		}
		before := s.read("data/course")
		s.write("data/course", strings.Replace(before, " 30 -", " 360000 -", 1)+"\n")
		assert.Zero(t, s.begins(), "what is over")
		s.write("data/course", "wait 3 9999999999999 100 -\n")
		assert.Zero(t, s.begins(), "of a time before the machine has started")
		assert.Regexp(t, `^runs 3 \d+ 0 -$`, s.read("data/course"))
		s.write("data/course", "runs 7 1 0 -\n")
		assert.Zero(t, s.begins())
		assert.Regexp(t, `^runs 0 \d+ 0 -$`, s.read("data/course"), "it has run for long")
		s.write("data/course", "what is this\n")
		assert.Zero(t, s.begins())
		assert.Zero(t, s.ends("1"))
	})
}

// TestScriptsThatWaitHearSignals: what is told to end during its pause does, and
// has not failed by that.
func TestScriptsThatWaitHearSignals(t *testing.T) {
	spec := &s6.Spec{Command: []string{"true"}, Policy: s6.Policy{Backoff: s6.Backoff{From: time.Hour}, GiveUpAfter: 2}}
	signals := []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP}
	// Where this test was started with some of them ignored, a shell would hear none
	// of these.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, signals...)
	defer signal.Stop(heard)
	for _, told := range signals {
		inEveryShell(t, spec, func(s *scripted) {
			assert.Zero(t, s.begins())
			assert.Zero(t, s.ends("1"))
			waits := s.read("data/course")
			cmd := exec.Command(s.shell[0], append(append(s.shell[1:len(s.shell):len(s.shell)], "begin"), "touch", "begun")...)
			cmd.Dir = s.dir
			require.NoError(t, cmd.Start())
			children := "/proc/" + strconv.Itoa(cmd.Process.Pid) + "/task/" + strconv.Itoa(cmd.Process.Pid) + "/children"
			require.Eventually(t, func() bool {
				pids, _ := os.ReadFile(children)
				return strings.TrimSpace(string(pids)) != "" && strings.Contains(commandOf(strings.Fields(string(pids))[0]), "sleep")
			}, time.Minute, time.Millisecond)
			require.NoError(t, cmd.Process.Signal(told))
			assert.Error(t, cmd.Wait(), told)
			assert.NoFileExists(t, filepath.Join(s.dir, "begun"))
			assert.Zero(t, s.ends("111"))
			assert.Equal(t, waits, s.read("data/course"))
		})
	}
}

// TestScriptsLookOnceMore: a process says which one it is before it looks for the
// last time whether it has to wait.
func TestScriptsLookOnceMore(t *testing.T) {
	spec := &s6.Spec{Command: []string{"true"}, Policy: s6.Policy{Backoff: s6.Backoff{From: time.Minute}}}
	inEveryShell(t, spec, func(s *scripted) {
		assert.Zero(t, s.begins())
		assert.Zero(t, s.ends("1"))
		course := filepath.Join(s.dir, "data/course")
		waits := s.read("data/course")
		require.NoError(t, os.Remove(course))
		require.NoError(t, syscall.Mkfifo(course, 0o600)) // each look waits for what it gets
		told := make(chan error, 1)
		go func() {
			first := os.WriteFile(course, []byte(waits+"\n"), 0)
			assert.Eventually(t, func() bool { return s.read("data/pauses") != "" }, time.Minute, time.Millisecond)
			told <- errors.Join(first, os.WriteFile(course, []byte("none 0 0 0 -\n"), 0))
		}()
		begun := time.Now()
		assert.Zero(t, s.begins())
		assert.Less(t, time.Since(begun), time.Minute)
		assert.NoError(t, <-told)
		assert.Regexp(t, `^\d+$`, s.read("data/pauses"))
	})
}

// TestScriptsWhereNothingCanBeWritten: what is not to run again does not.
func TestScriptsWhereNothingCanBeWritten(t *testing.T) {
	spec := &s6.Spec{Command: []string{"true"}, Policy: s6.Policy{Restart: s6.RestartNever}}
	inEveryShell(t, spec, func(s *scripted) {
		s.write("data/marked", strings.Repeat("1", 64)+" "+finished+" 5\n")
		require.NoError(t, os.Remove(filepath.Join(s.dir, "data/started")))
		assert.Zero(t, s.run("finish", "256", "15", "a"), "another one is to replace it, whichever it was")
		assert.Equal(t, "-", s.read("data/marked"))

		require.NoError(t, os.Symlink("/nonexistent/down", filepath.Join(s.dir, "down")))
		assert.Zero(t, s.begins())
		assert.Equal(t, 125, s.ends("0"))
		assert.Equal(t, "done 0 0 0 HASH", s.read("data/course"))
		s.write("data/course", "runs 0 1 0 -\n")
		assert.Equal(t, 125, s.begins(), "nobody has seen how the one before ended")
		assert.Equal(t, "failed 0 0 0 HASH", s.read("data/course"))
		require.NoError(t, os.Remove(filepath.Join(s.dir, "data/course")))
		require.NoError(t, os.Mkdir(filepath.Join(s.dir, "data/course"), 0o755))
		assert.Zero(t, s.begins())
		assert.Equal(t, 125, s.ends("7"))
	})
}

// TestScriptOfAFinishCommand gives it the time that it has, its arguments and its
// environment, and takes its word for it.
func TestScriptOfAFinishCommand(t *testing.T) {
	for what, want := range map[string]struct {
		command string
		code    int
		course  string
	}{
		"refuses":       {`echo "$@" "$state$now$evenkeel_now" >args; exit 125`, 125, "refused 0 0 0 HASH"},
		"fails":         {`echo "$@" "$state$now$evenkeel_now" >args; exit 99`, 0, "none 0 0 0 -"},
		"does not end":  {`echo "$@" "$state$now$evenkeel_now" >args; trap "" TERM; while :; do sleep 1; done`, 0, "none 0 0 0 -"},
		"is not there":  {"", 0, "none 0 0 0 -"},
		"ends well too": {`echo "$@" "$state$now$evenkeel_now" >args`, 0, "none 0 0 0 -"},
	} {
		t.Run(what, func(t *testing.T) {
			spec := &s6.Spec{Command: []string{"true"}, Finish: []string{"/bin/sh", "-c", want.command, "finish"}, FinishTimeout: 10 * time.Millisecond}
			if want.command == "" {
				spec.Finish = []string{"/nonexistent"}
			}
			t.Setenv("state", "kept")
			t.Setenv("now", "as it was")
			inEveryShell(t, spec, func(s *scripted) {
				assert.Equal(t, want.code, s.ends("256"))
				assert.Equal(t, want.course, s.read("data/course"))
				if want.command != "" {
					assert.Equal(t, "256 0 a keptas it was", s.read("args"))
				}
			})
		})
	}
}

func commandOf(pid string) string {
	text, _ := os.ReadFile("/proc/" + pid + "/cmdline")
	return string(text)
}
