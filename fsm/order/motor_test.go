package order_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/order"
)

// motor is what an instance runs: ready a while after its start, and down a while
// after it was told to stop.
type motor struct {
	readyAfter, stopTakes time.Duration
	starts, stops         bool // it was told to
	outgoing              bool // another is to take its place
	lingers               bool // its removal takes for ever
	spec                  string
	began, told           time.Time
}

func (m *motor) up(now time.Time) bool {
	return m.starts && (!m.stops || now.Sub(m.told) < m.stopTakes)
}
func (m *motor) ready(now time.Time) bool { return m.up(now) && now.Sub(m.began) >= m.readyAfter }

// seen is what is observed of a motor.
type seen struct {
	up, ready bool
	spec      string
	outgoing  bool // another is to take its place
	lingers   bool
}

func (o *seen) process() (there, works bool) { return o.up, o.up && !o.outgoing }

// hall has the motors, which outlive the managers.
type hall struct {
	mu     sync.Mutex // guards motors and whatever is in them
	motors map[string]*motor
}

func (h *hall) motor(name string) *motor {
	if h.motors[name] == nil {
		h.motors[name] = &motor{readyAfter: time.Second, stopTakes: time.Second}
	}
	return h.motors[name]
}

// span returns from when until when a motor ran, the zero time for what was not yet.
func (h *hall) span(name string) (began, ended time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.motor(name)
	if m.stops {
		return m.began, m.told.Add(m.stopTakes)
	}
	return m.began, time.Time{}
}

func (h *hall) runs(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.motor(name).up(time.Now())
}

type driver struct {
	hall *hall
	name string
}

func (d driver) Observe(context.Context, fsm.Desired[string]) (seen, error) {
	d.hall.mu.Lock()
	defer d.hall.mu.Unlock()
	m, now := d.hall.motor(d.name), time.Now()
	return seen{m.up(now), m.ready(now), m.spec, m.outgoing, m.lingers}, nil
}

func (d driver) Do(_ context.Context, action fsm.Action, desired fsm.Desired[string]) error {
	d.hall.mu.Lock()
	defer d.hall.mu.Unlock()
	switch m := d.hall.motor(d.name); {
	case action == "start":
		m.starts, m.stops, m.began, m.spec = true, false, time.Now(), desired.Spec
	case !m.stops:
		m.stops, m.told = true, time.Now()
	}
	return nil
}

func decide(in fsm.Input[string, seen]) fsm.Decision {
	run := in.Desired.State == fsm.StateRunning
	switch {
	case in.State == fsm.StateCreating:
		return fsm.Decision{Fire: fsm.EventCreateDone}
	case in.State == fsm.StateRemoving && in.Observed.lingers:
		return fsm.Decision{Reason: fsm.Because("it lingers")}
	case in.State == fsm.StateRemoving:
		return fsm.Decision{Fire: fsm.EventRemoveDone}
	case in.State == fsm.StateStopped && !run && in.Observed.up:
		return fsm.Decision{Fire: fsm.EventStop}
	case in.State == fsm.StateStopped && in.Desired.State == fsm.StateRemoved:
		return fsm.Decision{Fire: fsm.EventRemove}
	case in.State == fsm.StateStopped && run && in.Observed.up:
		return fsm.Decision{Fire: fsm.EventStart}
	case in.State == fsm.StateStopped && run:
		return fsm.Decision{Do: []fsm.Action{"start"}, Fire: fsm.EventStart}
	case in.State == fsm.StateStopping && in.Observed.up:
		return fsm.Decision{Do: []fsm.Action{"stop"}, Reason: fsm.Because("it turns still"), After: 10 * time.Millisecond}
	case in.State == fsm.StateStopping:
		return fsm.Decision{Fire: fsm.EventStopDone}
	case in.State == fsm.StateStopped:
		return fsm.Decision{}
	case !run:
		return fsm.Decision{Fire: fsm.EventStop}
	case in.State == fsm.StateStarting && in.Observed.ready:
		return fsm.Decision{Fire: fsm.EventStartDone}
	case in.State == fsm.StateDegraded && in.Observed.ready:
		return fsm.Decision{Fire: fsm.EventRecovered}
	case in.State == fsm.StateRunning && in.Observed.spec != in.Desired.Spec:
		return fsm.Decision{Do: []fsm.Action{"start"}, Fire: fsm.EventRestart}
	case in.State == fsm.StateRunning && !in.Observed.ready:
		return fsm.Decision{Fire: fsm.EventDegraded, Reason: fsm.Because("it is not ready")}
	}
	return fsm.Decision{Reason: fsm.Because("it turns"), After: 10 * time.Millisecond}
}

// plant has two managers of motors and an order over both.
type plant struct {
	*hall
	order *order.Order
	kinds map[string]*fsm.Manager[string, seen]
}

// newPlant begins anew in a hall, until the test ends or end is called.
func newPlant(t *testing.T, h *hall) (p *plant, end func()) {
	t.Helper()
	p = &plant{hall: h, kinds: make(map[string]*fsm.Manager[string, seen])}
	p.order = order.New(order.Config{
		Look: func(id order.ID) order.View {
			return order.Look(p.kinds[id.Kind], id.Name, (*seen).process)
		},
		Begun: func(id order.ID) (bool, bool) { return h.runs(id.Name), true },
		Wake:  func(id order.ID) { p.kinds[id.Kind].Wake(id.Name) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	for _, name := range []string{"motor", "pump"} {
		table, err := fsm.NewRunTable(name)
		require.NoError(t, err)
		m, err := fsm.NewManager(fsm.Kind[string, seen]{
			Name: name, Table: table, Decide: decide,
			Open: func(name string, _ func()) (fsm.Driver[string, seen], error) { return driver{h, name}, nil },
		}, fsm.Config{Gate: p.order.Gate(name, fsm.StateRunning, fsm.StateStopped)})
		require.NoError(t, err)
		p.kinds[name] = m
		ended.Go(func() { _ = m.Run(ctx) })
	}
	end = sync.OnceFunc(func() {
		for _, m := range p.kinds {
			require.NoError(t, m.Close(context.Background()))
		}
		cancel()
		ended.Wait()
	})
	t.Cleanup(end)
	return p, end
}

// is names an instance. One whose name begins with p is a pump.
func is(name string) order.ID {
	if name[0] == 'p' {
		return order.ID{Kind: "pump", Name: name}
	}
	return order.ID{Kind: "motor", Name: name}
}

// runs is a declaration: each instance that is to run, and what it needs ready. Its
// spec is made from that and the version.
type runs map[string][]string

const version = "version"

func (r runs) members() map[order.ID]order.Member {
	all := make(map[order.ID]order.Member)
	for name, needs := range r {
		if name == version {
			continue
		}
		m := order.Member{Runs: true, StopTime: time.Second}
		for _, need := range needs {
			m.Needs = append(m.Needs, order.Need{ID: is(need)})
		}
		all[is(name)] = m
	}
	return all
}

// declare has the instances kept, and all others removed. The manager of what
// needs no other is told last, or first.
func (p *plant) declare(t *testing.T, all runs, first ...string) {
	t.Helper()
	require.NoError(t, p.order.Declare(all.members(), func() error {
		for _, kind := range append(first, "pump", "motor") {
			desired := make(map[string]fsm.Desired[string])
			for name := range all {
				if name != version && is(name).Kind == kind {
					desired[name] = fsm.Desired[string]{State: fsm.StateRunning, Spec: name + strings.Join(all[version], "")}
				}
			}
			time.Sleep(50 * time.Millisecond) // passes are made meanwhile
			require.NoError(t, p.kinds[kind].Apply(t.Context(), desired))
		}
		return nil
	}))
}

// reason returns why an instance is where it is.
func (p *plant) reason(name string) string {
	s, held := p.kinds[is(name).Kind].Instance(name)
	if !held {
		return ""
	}
	return s.Reason.String()
}

// states returns where an instance has been.
func (p *plant) states(name string) (all []fsm.State) {
	s, _ := p.kinds[is(name).Kind].Instance(name)
	for _, move := range s.History {
		all = append(all, move.To)
	}
	return slices.Compact(all)
}
