package s6_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// model is a service "a" to which things happen at random, and what was asked
// of it.
type model struct {
	*program
	random           *rand.Rand
	tree             *s6test.Tree
	full, unreadable *offAndOn
	want             desired
	story            []string
	children         int // of each of its processes
}

var modelSpecs = []*s6.Spec{
	{Command: []string{"sleep", "1"}},
	{Command: []string{"sleep", "2"}},
	{Command: []string{"sleep", "1"}, Log: s6.Log{FileSize: 5000}},
	{Command: []string{"sleep", "1"}, Ready: s6.Readiness{FD: 3}},
	{Command: []string{"sleep", "1"}, Ready: s6.Readiness{Stays: 3 * time.Second}, StartTimeout: time.Second},
	{Command: []string{"sleep", "1"}, Finish: []string{"true"}},
}

func (x *model) milliseconds(most int) time.Duration {
	return time.Duration(x.random.IntN(most)) * time.Millisecond
}

func (x *model) begin() {
	x.program = start(x.t, s6test.Inject(x.tree, x.full, x.unreadable))
}

func (x *model) tell(format string, args ...any) {
	x.story = append(x.story, fmt.Sprintf(format, args...))
}

// step has one thing happen.
func (x *model) step() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	service := x.tree.Layout().Service("a")
	switch x.random.IntN(14) {
	case 0, 1:
		d := desired{State: s6.Running, Spec: modelSpecs[x.random.IntN(len(modelSpecs))]}
		if x.random.IntN(4) == 0 {
			d.State = s6.Stopped
		}
		err := x.Set(ctx, "a", d)
		x.tell("set %s %v: %v", d.State, *d.Spec, err)
		if err == nil {
			x.want = d
		}
	case 2, 3, 4:
		x.tell("restart: %v", x.Restart(ctx, "a"))
	case 5:
		err := x.Remove(ctx, "a")
		x.tell("remove: %v", err)
		if err == nil {
			x.want = desired{State: fsm.StateRemoved}
		}
	case 6:
		x.tell("it is killed: %v", x.tree.Kill("a", syscall.SIGKILL))
	case 7:
		x.tell("its supervisor is killed: %v", x.tree.KillSupervisor("a"))
	case 8:
		x.tell("its logger is killed: %v", x.tree.Kill("a/log", syscall.SIGKILL))
	case 9:
		x.tell("s6-svscan is killed")
		x.tree.KillSvscan()
		time.Sleep(x.milliseconds(1000))
		x.tree.StartSvscan()
	case 10:
		x.tell("it is paused: %v", x.tree.Control(service, supervise.CommandStop))
		time.Sleep(x.milliseconds(1000))
		_ = x.tree.Control(service, supervise.CommandCont)
	case 11:
		x.stop()
		x.begin()
		x.tell("another program: %v", x.Set(ctx, "a", x.want))
	case 12:
		x.full.on.Store(!x.full.on.Load())
		x.tell("the disk is full: %v", x.full.on.Load())
	case 13:
		x.unreadable.on.Store(!x.unreadable.on.Load())
		x.tell("manifests cannot be read: %v", x.unreadable.on.Load())
	}
	time.Sleep(x.milliseconds([]int{5, 200, 5000}[x.random.IntN(3)]))
}

// calm checks that the service is as was asked last, and can be restarted.
func (x *model) calm() {
	s, held := x.Instance("a")
	var all []s6test.Process
	for _, p := range x.tree.Processes() {
		if p.Service == "a" && !p.Child {
			all = append(all, p)
		}
	}
	if x.want.State != s6.Running {
		assert.Empty(x.t, all)
		assert.Empty(x.t, children(x.tree))
		assert.Equal(x.t, x.want.State == s6.Stopped, held && s.State == s6.StateStopped)
		return
	}
	require.True(x.t, held)
	assert.Equal(x.t, s6.StateRunning, s.State, "%s %v", s.Reason, s.Err)
	assert.Len(x.t, all, 1)
	assert.Equal(x.t, s6.ProcessHash(x.want.Spec), s.Observed.Started)
	assert.Equal(x.t, x.want.Spec.Hash(), s.Observed.Hash)
	assert.Len(x.t, children(x.tree), x.children)
	before := pidOf(x.tree, "a")
	require.NoError(x.t, x.Restart(x.t.Context(), "a"))
	x.wants(map[string]desired{"a": x.want})
	assert.NotEqual(x.t, before, pidOf(x.tree, "a"))
}

// TestRandomLives has a service and its program suffer at random, then lets calm
// return: the service must come to what was asked of it last.
func TestRandomLives(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			latencies := []time.Duration{0, 10 * time.Microsecond, 20 * time.Millisecond, 300 * time.Millisecond}
			versions := []s6test.Version{s6test.V211, s6test.V213, s6test.V215}
			config := s6test.Config{Latency: latencies[random.IntN(4)], Version: versions[random.IntN(3)]}
			inBubble(t, config, func(t *testing.T, tree *s6test.Tree) {
				x := &model{
					random: random, tree: tree, want: desired{State: s6.Running, Spec: modelSpecs[0]},
					program:    &program{t: t},
					full:       &offAndOn{Injector: filesystemtest.FullDisk(0)},
					unreadable: &offAndOn{Injector: filesystemtest.OnPath("manifest.json", filesystemtest.Fail(syscall.EIO))},
				}
				program := s6test.Program{StopAfter: x.milliseconds(100), FinishFor: x.milliseconds(50)}
				for range random.IntN(3) {
					program.Children = append(program.Children, s6test.Program{StopAfter: x.milliseconds(200), Deaf: random.IntN(8) == 0})
				}
				x.children = len(program.Children)
				tree.SetProgram("a", program)
				x.begin()
				require.NoError(t, x.Set(t.Context(), "a", x.want))
				for range 40 {
					x.step()
				}
				x.full.on.Store(false)
				x.unreadable.on.Store(false)
				require.NoError(t, x.Set(t.Context(), "a", x.want))
				_ = x.Retry("a")
				pass(3 * time.Minute)
				x.calm()
				if t.Failed() {
					t.Logf("what happened: %s", strings.Join(x.story, "\n"))
				}
			})
		})
	}
}
