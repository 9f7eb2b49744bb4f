package fsm

import (
	"context"
	"fmt"
	"time"
)

// State is a state of a table, by name. It is also what is asked for: a
// desired state is the name of one of the table's targets.
type State string

// Event is what a row of a table answers to.
type Event string

// Action is something a driver can do, by name.
type Action string

// Desired is what is asked of one instance.
type Desired[D any] struct {
	State State `json:"state,omitempty"` // one of the table's targets, or StateRemoved
	Spec  D     `json:"spec,omitzero"`   // what the instance is made from; not to be modified once handed over
	// Rejected says why a change was taken back, where this is what was asked before
	// it: an instance that runs with it counts as degraded, for this Reason and no
	// other. Those that depend on it take it as ready.
	Rejected Reason `json:"rejected,omitzero"`
}

// Reason says why an instance is where it is: what was concluded, and the
// evidence for it. The zero Reason is none.
type Reason struct {
	Summary  string `json:"summary,omitempty"`
	Evidence string `json:"evidence,omitempty"`
}

// Because returns the reason with that summary and no evidence.
func Because(summary string) Reason { return Reason{Summary: summary} }

// With returns the reason with that evidence in place of its own.
func (r Reason) With(evidence string) Reason {
	r.Evidence = evidence
	return r
}

// String returns "summary: evidence", or what there is of it.
func (r Reason) String() string {
	if r.Summary == "" || r.Evidence == "" {
		return r.Summary + r.Evidence
	}
	return r.Summary + ": " + r.Evidence
}

// Input is all that a decision is made from.
type Input[D, O any] struct {
	Now      time.Time  `json:"now"` // the pass's one clock reading
	State    State      `json:"state"`
	Since    time.Time  `json:"since,omitzero"` // when State was entered
	Desired  Desired[D] `json:"desired,omitzero"`
	Waits    Reason     `json:"waits,omitzero"` // for what the instance waits, if Desired is there meanwhile
	Observed O          `json:"observed,omitzero"`
}

// Asked is the reason for doing what was asked for.
func (in Input[D, O]) Asked() Reason {
	if in.Waits != (Reason{}) {
		return in.Waits
	}
	return Because("asked to be " + string(in.Desired.State))
}

// Decision is what a pass is to do. The zero Decision does nothing and looks
// again at the kind's periodic resync.
type Decision struct {
	// Do lists actions to carry out in order; the first that fails ends the
	// pass.
	Do []Action `json:"do,omitempty"`
	// Fire is the event to fire once every action succeeded; empty for none.
	// After a transition the instance is due again at once.
	Fire Event `json:"fire,omitempty"`
	// Reason explains the state the pass leaves the instance in.
	Reason Reason `json:"reason,omitzero"`
	// Pending: what was seen is about to change by itself, so that the state the
	// pass leaves the instance in does not count as reached.
	Pending bool `json:"pending,omitempty"`
	// After is how long to leave the instance alone unless it is woken, the
	// kind's Resync at most; zero means one tick where there were actions, else
	// the kind's Resync.
	After time.Duration `json:"after,omitempty"`
}

// Driver is the side of an instance that touches the world. The methods of
// one driver are never called concurrently. The desired value is handed to
// each call; a driver need not remember it. The context carries the pass's clock
// reading: Now returns it.
//
// A driver that implements io.Closer is closed when its instance is gone or
// its manager is closed; its Close must not wait for anything.
type Driver[D, O any] interface {
	// Observe reads what is there. It changes nothing. What it could not
	// read is an error, never an absence.
	Observe(ctx context.Context, desired Desired[D]) (O, error)
	// Do carries out one action. It is idempotent: a pass that was cut short
	// does it again. An error made by Permanent says that trying again the
	// same way is useless.
	Do(ctx context.Context, action Action, desired Desired[D]) error
}

// Owner is implemented by a driver that owns further instances: they are
// reconciled first in every pass of the owner.
type Owner interface {
	// ReconcileOwned makes one pass over what is owned. What fails in it is in
	// the snapshots of what is owned.
	ReconcileOwned(ctx context.Context)
	// OwnedDue returns when the next such pass is due, the zero time for no
	// sooner than the owner's. It is asked when the owner has acted, which may
	// have changed that.
	OwnedDue() time.Time
}

// Hearer is implemented by a driver that can hear of what happens to its instance.
type Hearer interface {
	// Hears reports whether whatever may change what was observed last wakes the
	// instance, and has woken it since that was observed. It is asked after a pass
	// that had nothing to do: the instance is then left alone for the kind's Rest.
	Hears() bool
}

// Restarter is implemented by a driver that can restart what its instance runs.
type Restarter[D any] interface {
	// Restart ends what runs, so that another takes its place. Where nothing
	// runs, the start is tried again at once. The end is no failure of the
	// instance. Restart returns once this is under way, and leaves the rest to
	// passes.
	Restart(ctx context.Context, desired Desired[D]) error
}

// Retrier is implemented by a driver that owns further instances, for
// Manager.Retry to reach them and Manager.Wait to know of them. [Child]
// implements it.
type Retrier interface {
	// Retry makes the next pass over what is owned try what failed or is held.
	Retry()
	// Held returns the error for which something that is owned is held, nil
	// where nothing is.
	Held() error
}

// Kind is everything there is to say about instances of one sort. Its
// functions must be safe to call concurrently for different instances.
type Kind[D, O any] struct {
	// Name of the kind, as logs, snapshots and metrics show it.
	Name string
	// Table of its states.
	Table *Table
	// Decide is pure: the same input gives the same decision, and nothing
	// else is read or written. It is asked in all states but to_be_created and
	// removed. Where D is a pointer, a desired spec that is nil reaches it only
	// when the instance is to be removed or is being removed.
	Decide func(Input[D, O]) Decision
	// Open returns the driver of the named instance. wake may be called at
	// any time, from any goroutine, to have the instance looked at at once.
	Open func(name string, wake func()) (Driver[D, O], error)
	// Resync is the longest that an instance goes unobserved; zero means
	// DefaultResync. An instance that needs nothing else is observed once in it, at
	// a moment that depends on its name: not all at once.
	Resync time.Duration
	// Rest is the same for an instance whose driver is a Hearer, and hears of it;
	// zero means DefaultRest.
	Rest time.Duration

	// Validate says of a whole declaration which of its instances are
	// refused, and why; nil accepts all. A nil reason, a name that was not
	// declared and a reason made by Warning refuse nothing, nor is a removal ever
	// refused. An error says that the question could not be answered, so that
	// nothing is applied. before is what was asked of the instances that exist,
	// by this manager or by an earlier run: what a refused one keeps.
	Validate func(ctx context.Context, desired, before map[string]Desired[D]) (refused map[string]error, err error)
	// Discover returns the instances that exist already with what was last
	// asked of them, for instance those of an earlier run of the program; nil
	// where there can be none. An empty State says that this is not known: until
	// something is asked of it, such an instance is only observed. unread says
	// of which names it could not be found out what they are, and why: where
	// they are declared, Validate has its say; otherwise they stay as they are
	// and are told as refused. An error says that it could not be found out what
	// names there are.
	Discover func(ctx context.Context) (found map[string]Desired[D], unread map[string]error, err error)
	// Claim is called when a manager of the kind is made, and release when that
	// manager is closed. It is for what two managers must not have at the same
	// time. Its error is that of NewManager. nil claims nothing.
	Claim func() (release func(), err error)
	// Explain says more of an instance than its Reason does, for Manager.Why: what was
	// seen (PartSeen), and what would change it (PartHelp), the most telling first. It
	// is pure, and must not modify the snapshot. nil says nothing more.
	Explain func(*Snapshot[D, O]) []Link
	// Compare says what it takes to get from what was observed to what is
	// desired, for an instance that exists and is to go on existing. nil means
	// that Plan judges by states alone.
	Compare func(Desired[D], O) Change
}

// check refuses a kind that lacks what every instance needs.
func (k *Kind[D, O]) check() error {
	if k.Table == nil || k.Decide == nil || k.Open == nil {
		return fmt.Errorf("kind %q needs a Table, Decide and Open", k.Name)
	}
	return nil
}

// resync returns the longest that an instance goes unobserved.
func (k *Kind[D, O]) resync() time.Duration {
	if k.Resync > 0 {
		return k.Resync
	}
	return DefaultResync
}

// rest returns the longest that an instance goes unobserved that is heard of.
func (k *Kind[D, O]) rest() time.Duration {
	if k.Rest > 0 {
		return k.Rest
	}
	return max(DefaultRest, k.resync())
}

// DefaultRest is how long an instance goes unobserved whose driver hears of what
// happens to it, where its kind says nothing else.
const DefaultRest = 5 * time.Minute

// DefaultResync is how long an instance goes unobserved where neither its
// kind nor a decision says otherwise.
const DefaultResync = 5 * time.Second
