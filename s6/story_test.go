package s6_test

import (
	"flag"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

var update = flag.Bool("update", false, "write the golden files")

// play is a story about a service "a" of a tree in memory.
type play struct {
	*fsmtest.Story[*s6.Spec, s6.Observed]
	t    *testing.T
	tree *s6test.Tree
}

// run asks for the spec to run, and lets time pass.
func (p *play) run(spec *s6.Spec, d time.Duration) {
	p.t.Helper()
	p.Ask(desired{State: s6.Running, Spec: spec})
	p.Watch(d)
	p.processes()
}

// processes writes the process table down.
func (p *play) processes() {
	var all []string
	for _, process := range p.tree.Processes() {
		text := fmt.Sprintf("%s %d", process.Service, process.PID)
		if process.Waiting {
			text += " (waiting)"
		}
		if !process.Supervised {
			text += " (stray)"
		}
		all = append(all, text)
	}
	p.Note("processes: %s", strings.Join(all, ", "))
}

func (p *play) does(what string, err error) {
	p.t.Helper()
	p.Note("%s", what)
	require.NoError(p.t, err)
}

var stories = []struct {
	file, about string
	play        func(p *play)
}{
	{"life", "a service is created, crashes, is changed twice, stops and is removed", func(p *play) {
		p.run(&s6.Spec{Command: []string{"sleep", "1"}, Ready: s6.Readiness{FD: 3}}, 3*time.Second)
		p.does("its process is killed", p.tree.Kill("a", syscall.SIGKILL))
		p.Watch(3 * time.Second)
		p.processes()
		p.Note("now with smaller logs: the process goes on")
		p.run(&s6.Spec{Command: []string{"sleep", "1"}, Ready: s6.Readiness{FD: 3}, Log: s6.Log{FileSize: 5000}}, 3*time.Second)
		p.Note("now with another argument: the process has to be another")
		p.run(&s6.Spec{Command: []string{"sleep", "2"}, Ready: s6.Readiness{FD: 3}, Log: s6.Log{FileSize: 5000}}, 3*time.Second)
		p.Ask(desired{State: s6.Stopped, Spec: p.Snapshot().Desired.Spec})
		p.Watch(3 * time.Second)
		p.processes()
		p.Ask(desired{State: fsm.StateRemoved})
		p.Watch(3 * time.Second)
		p.processes()
	}},
	{"adoption", "an earlier run of the program left the service running, and then it is changed", func(p *play) {
		spec := &s6.Spec{Command: []string{"sleep", "1"}}
		p.Note("the program ran before and was killed")
		settle(p.t, p.tree, map[string]desired{"a": {State: s6.Running, Spec: spec}})
		p.processes()
		p.run(&s6.Spec{Command: []string{"sleep", "1"}, Env: map[string]string{}}, 3*time.Second)
		p.Note("the same for another value")
		p.run(&s6.Spec{Command: []string{"sleep", "2"}}, 5*time.Second)
	}},
	{"bad-command", "the command is not there, and then it is", func(p *play) {
		p.run(&s6.Spec{Command: []string{"/opt/late", "-x"}}, 3*time.Second)
		p.Note("/opt/late is installed")
		p.tree.Install("/opt/late", s6test.Program{})
		p.Watch(3 * time.Second)
		p.processes()
	}},
	{"deaf", "the process does not hear TERM, when it is to stop and when it is to change", func(p *play) {
		p.tree.SetProgram("a", s6test.Program{Deaf: true})
		p.run(&s6.Spec{Command: []string{"sleep", "1"}, StopTimeout: 2 * time.Second}, 2*time.Second)
		p.run(&s6.Spec{Command: []string{"sleep", "2"}, StopTimeout: 2 * time.Second}, 5*time.Second)
		p.Ask(desired{State: s6.Stopped, Spec: &s6.Spec{Command: []string{"sleep", "2"}, StopTimeout: 2 * time.Second}})
		p.Watch(5 * time.Second)
		p.processes()
	}},
	{"stray", "s6-supervise is killed: its process goes on, the next one waits for it", func(p *play) {
		p.run(&s6.Spec{Command: []string{"sleep", "1"}}, 2*time.Second)
		p.does("s6-supervise is killed", p.tree.KillSupervisor("a"))
		p.Watch(50 * time.Millisecond)
		p.processes()
		p.Watch(5 * time.Second)
		p.processes()
		p.does("s6-supervise is killed once more, and the service is to stop at once", p.tree.KillSupervisor("a"))
		p.Ask(desired{State: s6.Stopped, Spec: &s6.Spec{Command: []string{"sleep", "1"}}})
		p.Watch(5 * time.Second)
		p.processes()
	}},
	{"job", "a job is done, stays so for another program, and is done again when that is asked for", func(p *play) {
		job := func(change func(s *s6.Spec)) *s6.Spec {
			s := &s6.Spec{Command: []string{"sleep", "1"}, Policy: s6.Policy{Restart: s6.RestartOnFailure, Backoff: s6.Backoff{From: 3 * time.Second}}}
			change(s)
			return s
		}
		p.tree.SetProgram("a", s6test.Program{RunFor: 1500 * time.Millisecond, ExitCode: 1})
		p.run(job(func(*s6.Spec) {}), 4*time.Second)
		p.Note("now it will end well")
		p.tree.SetProgram("a", s6test.Program{RunFor: 1500 * time.Millisecond})
		p.Watch(5 * time.Second)
		p.processes()
		p.Reopen()
		p.Watch(5 * time.Second)
		p.Note("with smaller logs it is the same job")
		p.run(job(func(s *s6.Spec) { s.Log.FileSize = 5000 }), 3*time.Second)
		p.Note("with another argument it is not")
		p.run(job(func(s *s6.Spec) { s.Command = []string{"sleep", "2"} }), 4*time.Second)
		p.Ask(desired{State: s6.Stopped, Spec: p.Snapshot().Desired.Spec})
		p.Watch(time.Second)
		p.run(p.Snapshot().Desired.Spec, 4*time.Second)
		p.Ask(desired{State: fsm.StateRemoved})
		p.Watch(3 * time.Second)
		p.processes()
	}},
	{"backs-off", "a process fails again and again, is given up, and is tried again by hand", func(p *play) {
		spec := &s6.Spec{Command: []string{"sleep", "1"}, Policy: s6.Policy{Backoff: s6.Backoff{From: time.Second, To: 5 * time.Second}, GiveUpAfter: 5}}
		p.tree.SetProgram("a", s6test.Program{RunFor: 100 * time.Millisecond, ExitCode: 7})
		p.run(spec, 10*time.Second)
		p.Reopen()
		p.Watch(10 * time.Second)
		p.processes()
		p.Restart()
		p.Watch(2 * time.Second)
		p.tree.SetProgram("a", s6test.Program{})
		p.Restart()
		p.Watch(3 * time.Second)
		p.processes()
	}},
	{"another-policy", "its policy changes while it pauses, and while its finish script runs", func(p *play) {
		with := func(policy s6.Policy) *s6.Spec { return &s6.Spec{Command: []string{"sleep", "1"}, Policy: policy} }
		p.tree.SetProgram("a", s6test.Program{RunFor: 1500 * time.Millisecond, ExitCode: 7})
		p.run(with(s6.Policy{Backoff: s6.Backoff{From: time.Hour}}), 3*time.Second)
		p.Note("a shorter pause")
		p.run(with(s6.Policy{Backoff: s6.Backoff{From: 3 * time.Second}}), 8*time.Second)
		p.Note("and none")
		p.tree.SetProgram("a", s6test.Program{RunFor: 1500 * time.Millisecond, ExitCode: 7, Children: []s6test.Program{{Deaf: true}}})
		p.run(with(s6.Policy{}), 1500*time.Millisecond)
		p.Note("never again")
		p.run(with(s6.Policy{Restart: s6.RestartNever}), time.Second)
		p.Note("and while the finish script runs, always again")
		p.run(with(s6.Policy{}), 4*time.Second)
	}},
	{"hangs", "a process does not answer its check, is restarted, does not answer again, and the program is killed meanwhile", func(p *play) {
		spec := &s6.Spec{Command: []string{"sleep", "1"}, StartTimeout: 5 * time.Second, Check: s6.Check{
			HTTP: "http://127.0.0.1:8080/health", Every: 5 * time.Second, Restart: true,
		}}
		p.run(spec, 3*time.Second)
		p.does("it hangs, and so will the next one", p.tree.Hang("a", true))
		p.tree.SetProgram("a", s6test.Program{Hangs: true})
		p.Watch(40 * time.Second)
		p.processes()
		p.Reopen()
		p.Watch(30 * time.Second)
		p.processes()
		p.Note("the next one will answer")
		p.tree.SetProgram("a", s6test.Program{})
		p.Watch(60 * time.Second)
		p.processes()
		p.Note("another check is nothing to the process")
		other := *spec
		other.Check = s6.Check{TCP: "127.0.0.1:5432"}
		p.run(&other, 3*time.Second)
	}},
	{"gives-up", "the finish command says never to start it again, until somebody asks", func(p *play) {
		spec := &s6.Spec{Command: []string{"sleep", "1"}, Finish: []string{"true"}}
		p.tree.SetProgram("a", s6test.Program{RunFor: 1500 * time.Millisecond, ExitCode: 7, FinishCode: 125, FinishFor: 20 * time.Millisecond})
		p.run(spec, 5*time.Second)
		p.tree.SetProgram("a", s6test.Program{})
		p.Note("what was wrong is mended")
		p.Ask(desired{State: s6.Stopped, Spec: spec})
		p.Watch(time.Second)
		p.run(spec, 3*time.Second)
	}},
	{"crashes", "its process is killed, for the first time and again", func(p *play) {
		p.run(&s6.Spec{Command: []string{"sleep", "1"}}, 3*time.Second)
		for _, which := range []string{"its process is killed", "and killed again"} {
			p.does(which, p.tree.Kill("a", syscall.SIGKILL))
			p.Watch(3 * time.Second)
		}
		p.processes()
	}},
	{"crash-loop", "it dies all the time, and is mended by a new configuration", func(p *play) {
		p.tree.SetProgram("a", s6test.Program{RunFor: 100 * time.Millisecond, ExitCode: 3})
		p.run(&s6.Spec{Command: []string{"sleep", "1"}}, 6*time.Second)
		p.tree.SetProgram("a", s6test.Program{})
		p.run(&s6.Spec{Command: []string{"sleep", "2"}}, 40*time.Second)
	}},
	{"no-svscan", "s6-svscan is gone when the service is asked for, and comes back", func(p *play) {
		p.tree.KillSvscan()
		p.run(&s6.Spec{Command: []string{"sleep", "1"}}, 5*time.Second)
		p.Note("s6-svscan is started")
		p.tree.StartSvscan()
		p.Watch(5 * time.Second)
		p.processes()
	}},
	{"forgotten", "s6-svscan has to wait for two supervisors, and forgets the second", func(p *play) {
		p.run(&s6.Spec{Command: []string{"sleep", "1"}}, 1500*time.Millisecond)
		p.does("the supervisor of the logger is killed, and is back at once", p.tree.KillSupervisor("a/log"))
		p.Watch(400 * time.Millisecond)
		p.does("the supervisor of the service is killed, and is back at once", p.tree.KillSupervisor("a"))
		p.Watch(100 * time.Millisecond)
		p.does("that of the logger is killed again", p.tree.KillSupervisor("a/log"))
		p.does("and that of the service", p.tree.KillSupervisor("a"))
		p.Watch(6 * time.Second)
		p.processes()
	}},
}

// TestStories compares what happens to a service with what was written down
// before, line by line: read the golden files.
func TestStories(t *testing.T) {
	for _, story := range stories {
		t.Run(story.file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tree := s6test.New(s6test.Config{})
				t.Cleanup(func() { assert.NoError(t, tree.Close()) })
				tree.Install("sleep", s6test.Program{})
				kind, err := s6.NewKind(tree, s6.KindName)
				require.NoError(t, err)
				p := &play{fsmtest.NewStory(t, kind, "a"), t, tree}
				p.Note("%s", story.about)
				story.play(p)
				p.Golden("testdata/"+story.file+".golden", *update)
			})
		})
	}
}
