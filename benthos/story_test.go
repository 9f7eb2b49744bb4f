package benthos_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
	"github.com/evenkeel/evenkeel/ports"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

var update = flag.Bool("update", false, "write the golden files")

const endpoint = "127.0.0.1:9080"

// stream is a configuration with the endpoint's port.
func stream(interval string) *benthos.Config {
	return &benthos.Config{
		MetricsPort: 9080,
		Input:       map[string]any{"generate": map[string]any{"interval": interval, "mapping": `root = "hello"`}},
		Output:      map[string]any{"stdout": map[string]any{}},
	}
}

// picky is a linter that refuses what it is told to.
func picky(refused map[string]error) benthostest.Linter {
	return func(name string, _ []byte) error { return refused[name] }
}

// memory is an s6 tree in memory with an engine installed.
type memory struct {
	tree    *s6test.Tree
	prober  *benthostest.Prober
	options benthos.Options
	deletes bool // the test deletes a service directory under its process
}

func newMemory(t *testing.T) *memory {
	m := &memory{tree: s6test.New(s6test.Config{}), prober: benthostest.NewProber()}
	t.Cleanup(func() {
		if m.deletes {
			assert.ErrorContains(t, m.tree.Close(), "was deleted while it lived")
			return
		}
		assert.NoError(t, m.tree.Close())
		assert.Empty(t, m.tree.Violations())
	})
	m.tree.Install("/usr/bin/benthos", s6test.Program{ReadyAfter: s6test.Never})
	m.options = benthos.Options{Engine: "/usr/bin/benthos", Prober: m.prober}
	return m
}

// play is a story about one instance.
type play struct {
	*fsmtest.Story[*benthos.Config, benthos.Observed]
	*memory
	t *testing.T
}

func (p *play) ask(state fsm.State, c *benthos.Config, d time.Duration) {
	p.t.Helper()
	p.Ask(fsm.Desired[*benthos.Config]{State: state, Spec: c})
	p.Watch(d)
	p.processes()
}

func (p *play) processes() {
	var all []string
	for _, process := range p.tree.Processes() {
		all = append(all, fmt.Sprint(process.PID))
	}
	p.Note("processes: %s", strings.Join(all, ", "))
}

// set tells what the endpoint says from now on.
func (p *play) set(what string, e benthostest.Endpoint, d time.Duration) {
	p.t.Helper()
	p.Note("%s", what)
	p.prober.Set(endpoint, e)
	p.Watch(d)
}

var stories = []struct {
	file string
	play func(p *play)
}{
	{"life", func(p *play) {
		p.prober.Set(endpoint, benthostest.Endpoint{NotReady: "input not connected"})
		p.ask(benthos.Active, stream("1s"), time.Second)
		p.set("its input connects", benthostest.Endpoint{}, 3*time.Second)
		p.set("five messages come in", benthostest.Endpoint{Metrics: benthos.Metrics{InputReceived: 5}}, 15*time.Second)
		p.Note("its process is killed")
		require.NoError(p.t, p.tree.Kill("a", syscall.SIGKILL))
		p.Watch(3 * time.Second)
		p.processes()
		p.Note("its configuration is changed")
		p.ask(benthos.Active, stream("2s"), 3*time.Second)
		p.ask(benthos.Stopped, stream("2s"), 3*time.Second)
		p.ask(fsm.StateRemoved, nil, 3*time.Second)
	}},
	{"writes", func(p *play) {
		p.prober.Set(endpoint, benthostest.Endpoint{})
		p.ask(benthos.Active, stream("1s"), 2*time.Second)
		p.set("two writes fail", benthostest.Endpoint{Metrics: benthos.Metrics{OutputError: 2}}, time.Minute)
	}},
	{"hang", func(p *play) {
		p.prober.Set(endpoint, benthostest.Endpoint{})
		p.ask(benthos.Active, stream("1s"), 2*time.Second)
		p.set("it hangs", benthostest.Endpoint{Err: context.DeadlineExceeded}, 3*time.Second)
		p.set("it goes on", benthostest.Endpoint{}, 3*time.Second)
	}},
	{"port", func(p *play) {
		p.set("a stranger has its port", benthostest.Endpoint{Holder: ports.Holder{PID: 7, Process: "stranger"}}, 0)
		p.ask(benthos.Active, stream("1s"), 3*time.Second)
		p.set("the stranger goes", benthostest.Endpoint{}, 3*time.Second)
		p.processes()
	}},
	{"engine", func(p *play) {
		require.NoError(p.t, p.tree.FS().Remove("/usr/bin/benthos"))
		p.prober.Set(endpoint, benthostest.Endpoint{})
		p.ask(benthos.Active, stream("1s"), 3*time.Second)
		p.Note("the engine is installed")
		p.tree.Install("/usr/bin/benthos", s6test.Program{ReadyAfter: s6test.Never})
		p.Watch(5 * time.Second)
		p.processes()
	}},
	{"missing-samples", func(p *play) {
		unreadable := func(m benthos.Metrics) benthostest.Endpoint {
			return benthostest.Endpoint{Metrics: m, MetricsErr: fmt.Errorf("cannot get http://%s/metrics: %w", endpoint, benthos.ErrBodyTooLarge)}
		}
		p.prober.Set(endpoint, benthostest.Endpoint{})
		p.ask(benthos.Active, stream("1s"), 2*time.Second)
		m := benthos.Metrics{InputReceived: 5}
		p.set("messages come in", benthostest.Endpoint{Metrics: m}, 2*time.Second)
		p.set("its metrics cannot be read", unreadable(m), time.Minute)
		m.OutputError = 2
		p.set("they can, and two writes failed", benthostest.Endpoint{Metrics: m}, 2*time.Second)
		p.set("again they cannot be read", unreadable(m), 5*time.Minute)
		m.OutputError = 48144
		p.set("they can, and more failed meanwhile", benthostest.Endpoint{Metrics: m}, 40*time.Second)
		m.OutputError++
		p.set("one more failed", benthostest.Endpoint{Metrics: m}, 2*time.Second)
		p.set("again they cannot be read", unreadable(m), 2*time.Second)
		p.ask(benthos.Stopped, stream("1s"), time.Second)
		p.ask(benthos.Active, stream("1s"), 3*time.Second)
	}},
	{"expects", func(p *play) {
		expects := func(d time.Duration) *benthos.Config {
			c := stream("1s")
			c.ExpectTraffic = d
			return c
		}
		p.prober.Set(endpoint, benthostest.Endpoint{NotReady: "input not connected"})
		p.ask(benthos.Active, expects(time.Minute), 25*time.Second)
		p.set("it is ready, and no message comes in", benthostest.Endpoint{}, 62*time.Second)
		m := benthos.Metrics{InputReceived: 5}
		p.set("messages come in", benthostest.Endpoint{Metrics: m}, time.Minute)
		p.Note("longer pauses are expected")
		p.ask(benthos.Active, expects(90*time.Second), 31*time.Second)
		p.set("its metrics cannot be read", benthostest.Endpoint{Metrics: m, MetricsErr: benthos.ErrBodyTooLarge}, 3*time.Minute)
		m.InputReceived++
		p.set("they can, and a message came in meanwhile", benthostest.Endpoint{Metrics: m}, time.Minute)
		p.set("they cannot for long", benthostest.Endpoint{Metrics: m, MetricsErr: benthos.ErrBodyTooLarge}, 3*time.Minute)
		p.set("they can, and no message came in meanwhile", benthostest.Endpoint{Metrics: m}, 2*time.Second)
		p.Reopen()
		p.Watch(91 * time.Second)
		p.Note("none is expected any more")
		p.ask(benthos.Active, expects(0), 2*time.Second)
		p.set("input_received is not served", benthostest.Endpoint{Metrics: benthos.Metrics{InputUncounted: true}}, 0)
		p.ask(benthos.Active, expects(time.Minute), 3*time.Minute)
	}},
	{"input-ends", func(p *play) {
		p.tree.Install("/usr/bin/benthos", s6test.Program{ReadyAfter: s6test.Never, RunFor: 300 * time.Millisecond, Prints: []string{
			`level=info msg="Pipeline has terminated. Shutting down the service" @service=bento`,
		}})
		p.prober.Set(endpoint, benthostest.Endpoint{})
		p.ask(benthos.Active, stream("1s"), 20*time.Second)
		p.Note("it is stopped, and started again")
		p.ask(benthos.Stopped, stream("1s"), time.Second)
		p.ask(benthos.Active, stream("1s"), 2*time.Second)
		p.Note("its input is endless")
		p.tree.Install("/usr/bin/benthos", s6test.Program{ReadyAfter: s6test.Never})
		p.Watch(time.Minute)
	}},
	{"input-fails", func(p *play) {
		p.prober.Set(endpoint, benthostest.Endpoint{})
		p.ask(benthos.Active, stream("1s"), 2*time.Second)
		p.Note("each read fails")
		for range 3 {
			require.NoError(p.t, p.tree.Print("a", `level=error msg="Failed to read message: connection refused" @service=bento label="" path=root.input`))
			p.Watch(10 * time.Second)
		}
		p.set("messages come in", benthostest.Endpoint{Metrics: benthos.Metrics{InputReceived: 1}}, 15*time.Second)
		p.Note("one read fails, and no messages come in for long")
		require.NoError(p.t, p.tree.Print("a", `level=error msg="Failed to read message: no route to host" @service=bento label="" path=root.input`))
		p.Watch(10 * time.Minute)
		p.Note("a message on stdout looks like an error")
		require.NoError(p.t, p.tree.Print("a", `{"level":"error","msg":"Failed to read message"}`))
		p.Watch(5 * time.Second)
	}},
	{"no-metrics", func(p *play) {
		p.prober.Set(endpoint, benthostest.Endpoint{NoMetrics: true})
		p.ask(benthos.Active, stream("1s"), 5*time.Second)
		p.Note("it says: %s", p.Snapshot().Reason)
	}},
}

func TestStories(t *testing.T) {
	for _, s := range stories {
		t.Run(s.file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t)
				kind, err := benthos.NewKind(m.tree, m.options)
				require.NoError(t, err)
				p := &play{fsmtest.NewStory(t, kind, "a"), m, t}
				s.play(p)
				p.Golden("testdata/stories/"+s.file+".golden", *update)
			})
		})
	}
}

// manage runs a manager of the memory's instances.
func (m *memory) manage(t *testing.T) *fsm.Manager[*benthos.Config, benthos.Observed] {
	return m.manageOn(t, m.tree)
}

// manageOn is manage on a tree that is, below, the memory's.
func (m *memory) manageOn(t *testing.T, tree s6.Tree) *fsm.Manager[*benthos.Config, benthos.Observed] {
	manager, leave := m.startOn(t, tree)
	t.Cleanup(leave)
	return manager
}

// start runs a manager until leave is called, which leaves what runs running.
func (m *memory) start(t *testing.T) (manager *fsm.Manager[*benthos.Config, benthos.Observed], leave func()) {
	return m.startOn(t, m.tree)
}

func (m *memory) startOn(t *testing.T, tree s6.Tree) (manager *fsm.Manager[*benthos.Config, benthos.Observed], leave func()) {
	manager, err := benthos.NewManager(tree, m.options, fsm.Config{})
	require.NoError(t, err)
	go manager.Run(context.Background())
	return manager, func() { assert.NoError(t, manager.Close(context.Background())) }
}

func active(configs map[string]*benthos.Config) map[string]fsm.Desired[*benthos.Config] {
	all := make(map[string]fsm.Desired[*benthos.Config])
	for name, c := range configs {
		all[name] = fsm.Desired[*benthos.Config]{State: benthos.Active, Spec: c}
	}
	return all
}

// Invariant 3.
func TestBadConfigurationNeverStopsAGoodInstance(t *testing.T) {
	bad := errors.New("line 3: field nonsense not recognised")
	cases := map[string]struct {
		config *benthos.Config
		want   string
	}{
		"the linter refuses it": {stream("5s"), bad.Error()},
		"it is not valid":       {&benthos.Config{MetricsPort: 9080}, "input"},
		"there is none":         {nil, "there is none"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t)
				m.prober.Set(endpoint, benthostest.Endpoint{})
				refuse := map[string]error{}
				m.options.Linter = picky(refuse)
				manager := m.manage(t)
				require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
				require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
				before := m.tree.Processes()

				refuse["a"] = bad
				err := manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": c.config}))
				var refused *fsm.RefusedError
				require.ErrorAs(t, err, &refused)
				require.ErrorIs(t, err, benthos.ErrConfig)
				assert.ErrorContains(t, err, c.want)
				time.Sleep(10 * time.Second)
				assert.Equal(t, before, m.tree.Processes())
				s, _ := manager.Instance("a")
				assert.Equal(t, benthos.StateIdle, s.State)
				assert.Contains(t, manager.Refused()["a"].Error(), c.want)
			})
		})
	}
}

// Invariant 3, where the program has just been started with it.
func TestBadConfigurationOfAnAdoptedInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		first, leave := m.start(t)
		require.NoError(t, first.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, first.Wait(t.Context(), "a", fsm.PhaseRunning))
		leave()
		before := m.tree.Processes()
		m.options.Linter = picky(map[string]error{"a": errors.New("no")})
		manager := m.manage(t)
		require.Error(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("5s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		assert.Equal(t, before, m.tree.Processes())
		s, _ := manager.Instance("a")
		assert.Equal(t, rendered(t, *stream("1s")), rendered(t, *s.Desired.Spec), "what it was found with goes on")
	})
}

func TestPortsOfOneDeclaration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"b": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "b", fsm.PhaseRunning))

		err := manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s"), "b": stream("1s"), "c": stream("2s")}))
		require.Error(t, err)
		refused := manager.Refused()
		assert.ErrorContains(t, refused["a"], `port 9080 is that of "b" already`)
		assert.ErrorContains(t, refused["c"], `port 9080 is that of "b" already`)
		assert.NoError(t, refused["b"], "the one that did not change goes first")
		_, held := manager.Instance("a")
		assert.False(t, held)
	})
}

func TestPlanSaysWhatApplyDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		manager := m.manage(t)
		kind := func(desired map[string]fsm.Desired[*benthos.Config]) fsm.ChangeKind {
			t.Helper()
			changes, err := manager.Plan(t.Context(), desired)
			require.NoError(t, err)
			require.Len(t, changes, 1)
			return changes[0].Kind
		}
		first := active(map[string]*benthos.Config{"a": stream("1s")})
		assert.Equal(t, fsm.ChangeCreate, kind(first))
		require.NoError(t, manager.Apply(t.Context(), first))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		before := m.tree.Processes()[0].PID

		assert.Equal(t, fsm.ChangeNone, kind(active(map[string]*benthos.Config{"a": stream("1s")})))
		assert.Equal(t, fsm.ChangeRestart, kind(active(map[string]*benthos.Config{"a": stream("2s")})))
		assert.Equal(t, fsm.ChangeStop, kind(map[string]fsm.Desired[*benthos.Config]{"a": {State: benthos.Stopped, Spec: stream("1s")}}))
		assert.Equal(t, fsm.ChangeRemove, kind(nil))
		assert.Equal(t, before, m.tree.Processes()[0].PID, "planning does nothing")
	})
}
