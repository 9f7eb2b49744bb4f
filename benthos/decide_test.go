package benthos

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// world simulates the service and the engine under one instance, in the time
// that Advance lets pass.
type world struct {
	now time.Time

	// What is special about it.
	dies      bool          // the engine ends as soon as it starts
	neverOK   bool          // it never becomes ready
	takenFor  time.Duration // a stranger has the port for so long
	failsFor  time.Duration // writes fail for so long
	traffic   bool          // messages come in
	hangsFrom time.Duration // the engine stops answering for five seconds
	quietFrom time.Duration // no message comes in for ten seconds from then on
	uncounted bool          // nor can be told of
	endsAfter time.Duration // its process ends by itself once, after so long
	over      fsm.Phase     // how its service came to its end, zero if it did not

	begun     time.Time
	exists    bool
	up        bool
	upSince   time.Time
	pid       int
	announced bool
	asked     fsm.State
	askedAt   time.Time
	current   bool
}

func (w *world) age() time.Duration { return w.now.Sub(w.begun) }

func (w *world) Advance(d time.Duration) {
	w.now = w.now.Add(d)
	if w.now.Sub(w.askedAt) < 5*time.Millisecond {
		return
	}
	switch w.asked {
	case s6.Running:
		w.exists = true
		if !w.up && !w.dies && w.over == 0 {
			w.up, w.upSince, w.announced = true, w.now, false
			w.pid++
		}
	case s6.Stopped:
		w.exists, w.up = true, false
	case fsm.StateRemoved:
		w.exists, w.up = false, false
	}
}

func (w *world) ready() bool {
	hung := w.hangsFrom > 0 && w.age() >= w.hangsFrom-1 && w.age() < w.hangsFrom+5*time.Second
	return w.up && !w.neverOK && !hung && w.now.Sub(w.upSince) > 200*time.Millisecond
}

// service is what the machine of the s6 service would say.
func (w *world) service() *Service {
	s := &Service{ObservedAt: w.now, Desired: fsm.Desired[*s6.Spec]{State: w.asked}}
	switch {
	case w.asked == "" && !w.exists:
		s.State, s.Phase = fsm.StateToBeCreated, fsm.PhaseToBeCreated
	case w.asked == "":
		s.State, s.Phase = fsm.StateToBeCreated, fsm.PhaseToBeCreated
	case w.asked == fsm.StateRemoved && !w.exists:
		s.State, s.Phase = fsm.StateRemoved, fsm.PhaseRemoved
	case w.asked == fsm.StateRemoved:
		s.State, s.Phase = fsm.StateRemoving, fsm.PhaseRemoving
	case !w.exists:
		s.State, s.Phase = fsm.StateCreating, fsm.PhaseCreating
	case w.asked == s6.Stopped && w.up:
		s.State, s.Phase = s6.StateStopping, fsm.PhaseStopping
	case w.asked == s6.Stopped:
		s.State, s.Phase = s6.StateStopped, fsm.PhaseStopped
	case w.over != 0:
		s.State, s.Phase = fsm.State(w.over.String()), w.over
	case w.dies || w.neverOK && w.age() > 30*time.Second:
		s.State, s.Phase = s6.StateDegraded, fsm.PhaseDegraded
	case w.announced:
		s.State, s.Phase = s6.StateRunning, fsm.PhaseRunning
	default:
		s.State, s.Phase = s6.StateStarting, fsm.PhaseStarting
	}
	s.Reason = fsm.Because("the service is " + string(s.State))
	if w.up {
		s.Observed = s6.Observed{
			Supervised: true, ReadyRequired: true,
			Status: supervise.Status{PID: w.pid, WantUp: true, Ready: w.announced, Stamp: w.upSince},
		}
	}
	return s
}

// ended is what the driver says while no process is to run.
func (w *world) ended() Ended {
	if w.endsAfter == 0 || w.age() < w.endsAfter || w.age() >= w.endsAfter+time.Second {
		return Ended{}
	}
	return Ended{Why: "its input came to its end", Times: 1, At: w.begun.Add(w.endsAfter), Again: w.begun.Add(w.endsAfter + time.Second)}
}

func (w *world) Observe(context.Context, fsm.Desired[*Config]) (Observed, error) {
	o := Observed{Service: w.service(), Asked: w.asked, Current: w.current}
	if !w.up && w.age() < w.takenFor {
		o.PortTaken = "port 9080 is taken: process 7 (stranger) listens on 127.0.0.1:9080"
	}
	if w.up {
		o.Health = Health{At: w.now, PID: w.pid, Alive: w.now.Sub(w.upSince) > 100*time.Millisecond, Ready: w.ready()}
		if !o.Health.Ready {
			o.Health.Problem = "not connected"
		}
	}
	o.Ended = w.ended()
	if w.age() < w.failsFor {
		o.Traffic.RecentErrors = 3
	}
	o.Traffic.Active = w.traffic
	if o.Traffic.Uncounted = w.uncounted; w.ready() && !w.uncounted {
		o.Traffic.Began = w.upSince
		if quiet := w.age() - w.quietFrom; w.quietFrom > 0 && quiet > 0 && quiet < 10*time.Second {
			o.Traffic.Quiet = min(quiet, w.now.Sub(w.upSince))
		}
	}
	return o, nil
}

func (w *world) Do(_ context.Context, action fsm.Action, _ fsm.Desired[*Config]) error {
	ask := func(state fsm.State) {
		w.asked, w.askedAt, w.current = state, w.now, true
	}
	switch action {
	case actRun:
		ask(s6.Running)
	case actHalt:
		ask(s6.Stopped)
	case actDiscard:
		ask(fsm.StateRemoved)
	case actAnnounce:
		if !w.ready() {
			return errors.New("it is not ready")
		}
		w.announced = true
	}
	return nil
}

func scene(name string, change func(*world), ends map[fsm.State][]fsm.Phase) fsmtest.Scene[*Config, Observed] {
	return fsmtest.Scene[*Config, Observed]{
		Name: name,
		Ends: ends,
		New: func(now time.Time) fsmtest.World[*Config, Observed] {
			w := &world{now: now, begun: now, pid: 100}
			change(w)
			return w
		},
	}
}

func TestEveryStateHasAWayOn(t *testing.T) {
	table, err := NewTable()
	require.NoError(t, err)
	hopeless := map[fsm.State][]fsm.Phase{Active: {fsm.PhaseDegraded, fsm.PhaseStarting}}
	fsmtest.Check[*Config, Observed]{
		Kind:  fsm.Kind[*Config, Observed]{Name: KindName, Table: table, Decide: Decide, Resync: time.Second},
		Specs: []*Config{{}, {ExpectTraffic: 5 * time.Second}},
		Scenes: []fsmtest.Scene[*Config, Observed]{
			scene("nothing there", func(*world) {}, nil),
			scene("it runs already", func(w *world) {
				w.exists, w.up, w.announced, w.upSince = true, true, true, w.now.Add(-time.Hour)
			}, nil),
			scene("it runs, not announced", func(w *world) {
				w.exists, w.up, w.upSince = true, true, w.now.Add(-time.Hour)
			}, nil),
			scene("it is there and stopped", func(w *world) { w.exists = true }, nil),
			scene("it was asked to run", func(w *world) {
				w.exists, w.up, w.announced, w.upSince = true, true, true, w.now.Add(-time.Hour)
				w.asked, w.current = s6.Running, true
			}, nil),
			scene("it was asked to stop", func(w *world) {
				w.exists, w.up, w.announced, w.upSince = true, true, true, w.now.Add(-time.Hour)
				w.asked, w.current, w.askedAt = s6.Stopped, true, w.now
			}, nil),
			scene("another configuration runs", func(w *world) {
				w.exists, w.up, w.announced, w.upSince = true, true, true, w.now
				w.asked = s6.Running
			}, nil),
			scene("messages come in", func(w *world) { w.traffic = true }, nil),
			scene("no message comes in for a while", func(w *world) { w.traffic, w.quietFrom = true, 3*time.Second }, nil),
			scene("it cannot be told whether messages come in", func(w *world) { w.uncounted = true }, nil),
			scene("writes fail for a while", func(w *world) { w.failsFor = 40 * time.Second }, nil),
			scene("it hangs for a while, under load", func(w *world) {
				w.exists, w.up, w.announced, w.upSince = true, true, true, w.now.Add(-time.Hour)
				w.asked, w.current, w.traffic, w.hangsFrom = s6.Running, true, true, 1
			}, nil),
			scene("it hangs for a while", func(w *world) { w.hangsFrom = 2 * time.Second }, nil),
			scene("a stranger has the port for a while", func(w *world) { w.takenFor = 10 * time.Second }, nil),
			scene("a stranger keeps the port", func(w *world) { w.takenFor = 24 * time.Hour }, hopeless),
			scene("its input comes to an end", func(w *world) { w.endsAfter = 3 * time.Second }, nil),
			scene("its input ends at once", func(w *world) { w.endsAfter = time.Millisecond }, nil),
			scene("its input has come to its end for good", func(w *world) { w.exists, w.over = true, fsm.PhaseDone },
				map[fsm.State][]fsm.Phase{Active: {fsm.PhaseDone}}),
			scene("it was done before", func(w *world) {
				w.exists, w.over, w.asked, w.current = true, fsm.PhaseDone, s6.Running, true
			}, map[fsm.State][]fsm.Phase{Active: {fsm.PhaseDone}}),
			scene("it is given up", func(w *world) {
				w.exists, w.over, w.asked, w.current = true, fsm.PhaseFailed, s6.Running, true
			}, map[fsm.State][]fsm.Phase{Active: {fsm.PhaseFailed}}),
			scene("the engine dies at once", func(w *world) { w.dies = true }, hopeless),
			scene("it never becomes ready", func(w *world) { w.neverOK = true }, hopeless),
		},
	}.Run(t)
}

func TestDecideCostsNothingWhereNothingChanges(t *testing.T) {
	w := &world{up: true, exists: true, announced: true, pid: 1, asked: s6.Running, current: true}
	w.now = w.upSince.Add(time.Hour)
	o, err := w.Observe(t.Context(), fsm.Desired[*Config]{})
	require.NoError(t, err)
	o.Health.Problem = ""
	in := input{Now: w.now, State: StateIdle, Desired: fsm.Desired[*Config]{State: Active, Spec: &Config{}}, Observed: o}
	require.Equal(t, fsm.Decision{}, Decide(in))
	assert.Zero(t, testing.AllocsPerRun(100, func() { Decide(in) }))
}

func TestBadNewsNameTheEvidence(t *testing.T) {
	running := func(change func(*Observed)) fsm.Decision {
		w := &world{up: true, exists: true, announced: true, pid: 1, asked: s6.Running, current: true}
		w.now = w.upSince.Add(time.Hour)
		o, err := w.Observe(t.Context(), fsm.Desired[*Config]{})
		require.NoError(t, err)
		change(&o)
		return Decide(input{Now: w.now, State: StateIdle, Desired: fsm.Desired[*Config]{State: Active, Spec: &Config{}}, Observed: o})
	}
	cases := map[string]struct {
		change func(*Observed)
		want   string
	}{
		"not ready":       {func(o *Observed) { o.Health.Ready, o.Health.Problem = false, "output not connected" }, "it is not ready: output not connected"},
		"another process": {func(o *Observed) { o.Health.PID++ }, "it is not ready"},
		"output fails":    {func(o *Observed) { o.Traffic.RecentErrors = 1 }, "its output failed recently"},
		"no process": {func(o *Observed) {
			o.Service.Phase, o.Service.Reason = fsm.PhaseDegraded, fsm.Because("its process does not run").With("exited with 1")
			o.Service.Observed.Supervised = false
		}, "its process does not run: exited with 1"},
		"no process, and a word of it": {func(o *Observed) {
			o.Service.Phase, o.Service.Reason = fsm.PhaseDegraded, fsm.Because("its process does not run").With("exited with 1")
			o.Service.Observed.Supervised, o.LogProblem = false, "configuration refused: line 3"
		}, "its process does not run: configuration refused: line 3"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := running(c.change)
			assert.Equal(t, EventDegraded, d.Fire)
			assert.Equal(t, c.want, d.Reason.String())
		})
	}
}

func TestMissingMetricsAreNoFailure(t *testing.T) {
	w := &world{up: true, exists: true, announced: true, pid: 1, asked: s6.Running, current: true}
	w.now = w.upSince.Add(time.Hour)
	o, err := w.Observe(t.Context(), fsm.Desired[*Config]{})
	require.NoError(t, err)
	o.Health.MetricsProblem = ErrNoMetrics.Error()
	d := Decide(input{Now: w.now, State: StateIdle, Desired: fsm.Desired[*Config]{State: Active, Spec: &Config{}}, Observed: o})
	assert.Empty(t, d.Fire)
	assert.Equal(t, "its metrics cannot be read: "+ErrNoMetrics.Error(), d.Reason.String())
}

// What a service was before it was asked is no evidence that it is so again.
func TestDecideWaitsUntilTheServiceWasSeen(t *testing.T) {
	for state, test := range map[fsm.State]struct {
		service Service
		asked   fsm.State
		want    fsm.State // of the instance
		fire    fsm.Event
	}{
		fsm.StateCreating: {Service{State: s6.StateStopped, Phase: fsm.PhaseStopped}, s6.Stopped, Stopped, fsm.EventCreateDone},
		StateStopping:     {Service{State: s6.StateStopped, Phase: fsm.PhaseStopped}, s6.Stopped, Stopped, EventStopDone},
		fsm.StateRemoving: {Service{State: fsm.StateRemoved, Phase: fsm.PhaseRemoved}, fsm.StateRemoved, fsm.StateRemoved, fsm.EventRemoveDone},
	} {
		in := input{State: state, Desired: fsm.Desired[*Config]{State: test.want, Spec: &Config{}}}
		in.Observed = Observed{Service: &test.service, Asked: test.asked, Current: true}
		assert.Equal(t, test.fire, Decide(in).Fire, state)
		in.Observed.Unseen, test.service.Err = true, errors.New("no space left")
		d := Decide(in)
		assert.Empty(t, d.Fire, state)
		assert.Empty(t, d.Do, state)
		assert.Contains(t, d.Reason.String(), "no space left", state)
	}
}
