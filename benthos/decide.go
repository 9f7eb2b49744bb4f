package benthos

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// The actions of an instance's driver: what it asks of the service, and the
// announcement to s6 that its process is ready.
const (
	actRun      fsm.Action = "ask the service to run"
	actHalt     fsm.Action = "ask the service to stop"
	actDiscard  fsm.Action = "ask the service to be removed"
	actAnnounce fsm.Action = "announce readiness"
)

// Lists of actions are never modified.
var (
	runActions      = []fsm.Action{actRun}
	haltActions     = []fsm.Action{actHalt}
	discardActions  = []fsm.Action{actDiscard}
	announceActions = []fsm.Action{actAnnounce}
)

// probeEvery is how often a process that is not ready yet is asked.
const probeEvery = 20 * time.Millisecond

// probePatience is how long that goes on.
const probePatience = 10 * time.Second

type input = fsm.Input[*Config, Observed]

// Decide is the state machine of a Benthos instance, the Decide of every kind that
// NewKind returns. It is pure. Masked values give the same decision, but for what is
// masked in its reason, and so do values that were read back from their JSON.
func Decide(in fsm.Input[*Config, Observed]) fsm.Decision {
	switch in.State {
	case fsm.StateCreating:
		return decideCreating(in)
	case StateStopped:
		return decideStopped(in)
	case StateStarting, StateConfigLoading, StateWaitingForHealth, StateWaitingToStay:
		return decideStarting(in)
	case StateIdle, StateActive:
		return decideRunning(in)
	case StateDegraded:
		return decideDegraded(in)
	case StateDone, StateFailed:
		return decideOver(in)
	case StateStopping:
		return decideStopping(in)
	default:
		return decideRemoving(in)
	}
}

func decideCreating(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case in.Desired.State == fsm.StateRemoved:
		return fsm.Decision{Fire: fsm.EventRemove, Reason: in.Asked()}
	case !toldTo(in):
		return tell(in)
	}
	if o.Unseen {
		return fsm.Decision{Reason: o.unseen()}
	}
	switch o.Service.Phase {
	case fsm.PhaseToBeCreated, fsm.PhaseCreating, fsm.PhaseRemoving, fsm.PhaseRemoved:
		return fsm.Decision{Reason: fsm.Because("its service is being created").With(o.serviceSays())}
	}
	return fsm.Decision{Fire: fsm.EventCreateDone, Reason: fsm.Because("its service is there")}
}

// service returns what the service is to be asked: to run if the instance is to
// be active, unless another process has a port of it, or it waits because its
// process has ended by itself.
func service(in input) fsm.State {
	if _, waits := waiting(in); waits || in.Desired.State != Active {
		return s6.Stopped
	}
	return s6.Running
}

// waiting says why an instance that is to be active is not to run, if it is not.
func waiting(in input) (r fsm.Reason, waits bool) {
	o := &in.Observed
	switch {
	case o.over(): // which is said in another way
	case o.PortTaken != "":
		return fsm.Because("it cannot listen").With(o.PortTaken), true
	case o.Ended.waits():
		return o.Ended.reason(), true
	}
	return fsm.Reason{}, false
}

// toldTo reports whether the service was asked for that, with the desired
// configuration.
func toldTo(in input) bool {
	return in.Observed.Asked == service(in) && in.Observed.Current
}

func tell(in input) fsm.Decision {
	if service(in) == s6.Running {
		return fsm.Decision{Do: runActions, Reason: in.Asked()}
	}
	if r, waits := waiting(in); waits && in.Desired.State == Active {
		return fsm.Decision{Do: haltActions, Reason: r}
	}
	return fsm.Decision{Do: haltActions, Reason: in.Asked()}
}

func decideStopped(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case in.Desired.State == fsm.StateRemoved:
		return fsm.Decision{Fire: fsm.EventRemove, Reason: in.Asked()}
	case in.Desired.State == Active && toldTo(in):
		return fsm.Decision{Fire: EventStart, Reason: in.Asked()}
	case in.Desired.State == Active:
		d := tell(in)
		d.Fire = EventStart
		return d
	case !toldTo(in):
		return tell(in)
	case !o.rested():
		return fsm.Decision{Fire: EventStop, Reason: fsm.Because("its service is " + string(o.Service.State))}
	case o.Unseen:
		return fsm.Decision{Reason: o.unseen(), Pending: true}
	}
	return fsm.Decision{}
}

func decideStarting(in input) fsm.Decision {
	o := &in.Observed
	why, waits := waiting(in)
	switch {
	case in.Desired.State != Active:
		return fsm.Decision{Fire: EventStop, Reason: in.Asked()}
	case waits:
		return fsm.Decision{Fire: EventStartFailed, Reason: why}
	case !toldTo(in):
		return tell(in)
	case o.over():
		return over(o)
	case o.Service.Phase == fsm.PhaseDegraded && !o.healthy():
		return fsm.Decision{Fire: EventStartFailed, Reason: o.serviceTrouble()}
	}
	switch {
	case in.State == StateStarting && o.up():
		return fsm.Decision{Fire: EventS6Started, Reason: fsm.Because("its process runs").With(fmt.Sprintf("pid %d", o.Service.Observed.PID()))}
	case in.State == StateConfigLoading && o.alive():
		return fsm.Decision{Fire: EventConfigLoaded, Reason: fsm.Because("it answers")}
	case in.State == StateWaitingForHealth && o.healthy():
		return fsm.Decision{Fire: EventHealthchecksPassed, Reason: fsm.Because("it says that it is ready")}
	case in.State == StateWaitingToStay && o.Service.Phase == fsm.PhaseDegraded && o.AnnounceProblem != "":
		return fsm.Decision{Fire: EventStartFailed, Reason: unannounced(o)}
	case in.State == StateWaitingToStay && o.Service.Phase == fsm.PhaseDegraded && o.Service.Observed.Status.Ready:
		return fsm.Decision{Fire: EventStartFailed, Reason: o.serviceTrouble()}
	case in.State == StateWaitingToStay && o.healthy() && !o.Service.Observed.Status.Ready:
		return fsm.Decision{Do: announceActions, Reason: fsm.Because("telling s6 that it is ready"), After: probeEvery}
	case in.State == StateWaitingToStay && o.healthy() && o.Service.Phase == fsm.PhaseRunning:
		return fsm.Decision{Fire: EventStartDone, Reason: fsm.Because("it runs and stays ready")}
	case in.State == StateStarting:
		return fsm.Decision{Reason: fsm.Because("waiting for its process").With(o.serviceSays()), After: time.Second}
	}
	return fsm.Decision{Reason: fsm.Because("waiting for it to be ready").With(o.evidence()), After: probeSoon(in)}
}

// unannounced says that s6 is to be told of its readiness, and what keeps it from
// being told. As long as s6 does not know, it counts as degraded once its time to
// start is over: s6 would make it pause for a second after a crash.
func unannounced(o *Observed) fsm.Reason {
	if o.AnnounceProblem == "" {
		return fsm.Because("telling s6 that it is ready")
	}
	return fsm.Because("it is ready, and s6 cannot be told").With(o.AnnounceProblem)
}

// probeSoon returns probeEvery while the state is new, then a second.
func probeSoon(in input) time.Duration {
	if in.Now.Sub(in.Since) < probePatience {
		return probeEvery
	}
	return time.Second
}

func decideRunning(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case in.Desired.State != Active:
		return fsm.Decision{Fire: EventStop, Reason: in.Asked()}
	case o.Asked == s6.Running && o.Renoted:
		return fsm.Decision{Do: runActions, Reason: fsm.Because("its configuration changed, but not for the engine")}
	case o.Asked != s6.Running || !o.Current:
		return fsm.Decision{Do: runActions, Fire: EventRestart, Reason: fsm.Because("its configuration changed")}
	case o.Service.Observed.Stale():
		return fsm.Decision{Fire: EventRestart, Reason: o.Service.Reason}
	case o.over():
		return over(o)
	case o.Service.Observed.Ending():
		return fsm.Decision{Reason: o.Service.Reason, Pending: true}
	}
	if r, bad := trouble(in); bad {
		return fsm.Decision{Fire: EventDegraded, Reason: r}
	}
	switch {
	case in.State == StateIdle && o.Traffic.Active:
		return fsm.Decision{Fire: EventDataReceived, Reason: fsm.Because("messages come in")}
	case in.State == StateActive && !o.Traffic.Active:
		return fsm.Decision{Fire: EventNoDataTimeout, Reason: fsm.Because("no messages have come in recently")}
	}
	return fsm.Decision{Reason: o.doubt(in.Desired.Spec.ExpectTraffic)}
}

// trouble says what is wrong with an instance that should be active, if
// anything is.
func trouble(in input) (r fsm.Reason, bad bool) {
	o := &in.Observed
	if r, waits := waiting(in); waits {
		return r, true
	}
	switch {
	case o.Service.Phase != fsm.PhaseRunning:
		return o.serviceTrouble(), true
	case !o.healthy():
		return fsm.Because("it is not ready").With(o.evidence()), true
	case o.Traffic.RecentErrors > 0 && o.Health.MetricsProblem != "":
		return fsm.Because("its output failed, and since then its metrics cannot be read").With(o.Health.MetricsProblem), true
	case o.Traffic.RecentErrors > 0:
		return fsm.Because("its output failed recently").With(o.LogProblem), true
	}
	if r, bad := o.silent(in.Desired.Spec.ExpectTraffic); bad {
		return r, true
	}
	return in.Desired.Rejected, in.Desired.Rejected != (fsm.Reason{})
}

func decideDegraded(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case in.Desired.State != Active:
		return fsm.Decision{Fire: EventStop, Reason: in.Asked()}
	case !toldTo(in):
		return tell(in)
	case o.over():
		return over(o)
	case o.healthy() && !o.Service.Observed.Status.Ready:
		return fsm.Decision{Do: announceActions, Reason: unannounced(o), After: probeEvery}
	}
	r, bad := trouble(in)
	if !bad {
		return fsm.Decision{Fire: EventRecovered, Reason: fsm.Because("it is ready")}
	}
	after := time.Second
	switch {
	case o.Ended.waits():
		after = max(o.Ended.Again.Sub(in.Now), probeEvery)
	case o.up() && !o.healthy():
		after = probeSoon(in)
	}
	return fsm.Decision{Reason: r, After: after}
}

// over says how an instance came to its end: as its service did.
func over(o *Observed) fsm.Decision {
	if o.Service.Phase == fsm.PhaseDone {
		return fsm.Decision{Fire: EventFinish, Reason: o.Service.Reason}
	}
	return fsm.Decision{Fire: EventGiveUp, Reason: o.Service.Reason}
}

// decideOver leaves an instance that came to its end as it is, unless it is asked
// for something else.
func decideOver(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case in.Desired.State != Active:
		return fsm.Decision{Fire: EventStop, Reason: in.Asked()}
	case !toldTo(in):
		return tell(in)
	case !o.over() || (in.State == StateDone) != (o.Service.Phase == fsm.PhaseDone):
		return fsm.Decision{Fire: EventStart, Reason: fsm.Because("its service is " + string(o.Service.State))}
	}
	return fsm.Decision{Reason: o.Service.Reason}
}

func decideStopping(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case o.Asked != s6.Stopped:
		return fsm.Decision{Do: haltActions, Reason: in.Asked()}
	case !o.stopped():
		return fsm.Decision{Reason: fsm.Because("waiting for its service to stop").With(o.serviceSays())}
	}
	return fsm.Decision{Fire: EventStopDone, Reason: fsm.Because("its service is stopped")}
}

func decideRemoving(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case o.Asked != fsm.StateRemoved:
		return fsm.Decision{Do: discardActions, Reason: in.Asked()}
	case o.Unseen || o.Service.State != fsm.StateRemoved:
		return fsm.Decision{Reason: fsm.Because("waiting for its service to be removed").With(o.serviceSays())}
	}
	return fsm.Decision{Fire: fsm.EventRemoveDone, Reason: fsm.Because("nothing of it is left")}
}
