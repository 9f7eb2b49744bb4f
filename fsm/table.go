package fsm

import (
	"errors"
	"fmt"
	"slices"

	looplab "github.com/looplab/fsm"
)

// The lifecycle states, which every table has besides its own.
const (
	StateToBeCreated State = "to_be_created"
	StateCreating    State = "creating"
	StateRemoving    State = "removing"
	StateRemoved     State = "removed"
)

// The lifecycle events, whose rows every table has besides its own.
const (
	EventCreate     Event = "create"
	EventCreateDone Event = "create_done"
	EventRemove     Event = "remove"
	EventRemoveDone Event = "remove_done"
)

// Row is a transition: Event leads from From to To.
type Row struct {
	Event    Event
	From, To State
}

// Rows returns the rows by which an event leads from each of several states to
// one.
func Rows(event Event, to State, from ...State) []Row {
	rows := make([]Row, len(from))
	for n, state := range from {
		rows[n] = Row{Event: event, From: state, To: to}
	}
	return rows
}

// StateSpec is a state of a kind's own.
type StateSpec struct {
	Name  State
	Phase Phase
}

// Target is a state that can be asked for, and the phase in which an instance
// has done what was asked. Its name need not be that of a state.
type Target struct {
	Name  State
	Phase Phase
}

// TableSpec is what a Table is made from.
type TableSpec struct {
	// Name of the kind, for diagrams and errors.
	Name string
	// States of the kind's own, in the order in which diagrams show them.
	States []StateSpec
	// Initial is the state that create_done leads to; its phase is
	// PhaseStopped.
	Initial State
	// Targets that can be asked for besides StateRemoved.
	Targets []Target
	// Rows besides the lifecycle's.
	Rows []Row
}

type edge struct {
	event Event
	from  State
}

// Table is the checked, immutable table of a kind's states and transitions.
//
// It has the lifecycle's rows besides those it was made from: create leads from
// to_be_created and from removed to creating; create_done from there to the
// initial state; remove from to_be_created, creating and every state of
// PhaseStopped to removing; remove_done from there to removed.
type Table struct {
	spec   TableSpec
	states []StateSpec
	rows   []Row
	next   map[edge]State
	phases map[State]Phase
	events []looplab.EventDesc
}

// NewTable checks the spec and makes a table of it. It refuses an empty name, a
// duplicate state, target or row, a row that leads from a state to itself, a
// name that is not in the spec, a state that cannot be reached, a state from
// which some target's phase cannot be reached, and a state of the kind's own in
// PhaseToBeCreated or PhaseRemoved, which have one state each. The error lists
// all that is wrong.
func NewTable(spec TableSpec) (*Table, error) {
	t := &Table{
		spec:   spec,
		next:   make(map[edge]State),
		phases: make(map[State]Phase),
	}
	t.states = slices.Concat(
		[]StateSpec{{StateToBeCreated, PhaseToBeCreated}, {StateCreating, PhaseCreating}},
		spec.States,
		[]StateSpec{{StateRemoving, PhaseRemoving}, {StateRemoved, PhaseRemoved}},
	)
	t.spec.Targets = append(slices.Clone(spec.Targets), Target{StateRemoved, PhaseRemoved})
	t.rows = t.lifecycle()
	t.rows = append(t.rows, spec.Rows...)

	problems := t.index()
	if len(problems) == 0 {
		problems = t.checkReach()
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("cannot make table %q: %w", spec.Name, errors.Join(problems...))
	}
	for _, r := range t.rows {
		t.events = append(t.events, looplab.EventDesc{
			Name: string(r.Event), Src: []string{string(r.From)}, Dst: string(r.To),
		})
	}
	return t, nil
}

func (t *Table) lifecycle() []Row {
	rows := []Row{
		{EventCreate, StateToBeCreated, StateCreating},
		{EventCreate, StateRemoved, StateCreating},
		{EventCreateDone, StateCreating, t.spec.Initial},
		{EventRemove, StateToBeCreated, StateRemoving},
		{EventRemove, StateCreating, StateRemoving},
	}
	for _, s := range t.spec.States {
		if s.Phase == PhaseStopped {
			rows = append(rows, Row{EventRemove, s.Name, StateRemoving})
		}
	}
	return append(rows, Row{EventRemoveDone, StateRemoving, StateRemoved})
}

func (t *Table) index() (problems []error) {
	for _, s := range t.states {
		if _, dup := t.phases[s.Name]; dup {
			problems = append(problems, fmt.Errorf("state %q is there twice", s.Name))
		}
		if s.Name == "" {
			problems = append(problems, errors.New("a state has no name"))
		}
		if s.Phase == 0 || s.Phase > PhaseRemoved {
			problems = append(problems, fmt.Errorf("state %q has no phase", s.Name))
		}
		t.phases[s.Name] = s.Phase
	}
	for _, s := range t.spec.States {
		if s.Phase == PhaseToBeCreated || s.Phase == PhaseRemoved {
			problems = append(problems, fmt.Errorf("state %q is of phase %s, which has a state already", s.Name, s.Phase))
		}
	}
	if t.phases[t.spec.Initial] != PhaseStopped {
		problems = append(problems, fmt.Errorf("initial state %q is not a state of phase stopped", t.spec.Initial))
	}
	seen := make(map[State]bool)
	for _, target := range t.spec.Targets {
		if target.Name == "" {
			problems = append(problems, errors.New("a target has no name"))
		}
		if seen[target.Name] {
			problems = append(problems, fmt.Errorf("target %q is there twice", target.Name))
		}
		seen[target.Name] = true
	}
	for _, r := range t.rows {
		problems = append(problems, t.indexRow(r)...)
	}
	return problems
}

func (t *Table) indexRow(r Row) (problems []error) {
	for _, s := range []State{r.From, r.To} {
		if _, ok := t.phases[s]; !ok {
			problems = append(problems, fmt.Errorf("row %s: no state %q", r.Event, s))
		}
	}
	key := edge{r.Event, r.From}
	switch _, dup := t.next[key]; {
	case r.Event == "":
		problems = append(problems, fmt.Errorf("a row from %q has no event", r.From))
	case r.From == r.To:
		problems = append(problems, fmt.Errorf("row %s leads from %q to itself", r.Event, r.From))
	case dup:
		problems = append(problems, fmt.Errorf("row %s from %q is there twice", r.Event, r.From))
	}
	t.next[key] = r.To
	return problems
}

func (t *Table) checkReach() (problems []error) {
	place, reach := t.reach()
	for n, s := range t.states {
		if !reach[place[StateToBeCreated]][n] {
			problems = append(problems, fmt.Errorf("state %q cannot be reached", s.Name))
		}
		phases := make(map[Phase]bool)
		for to, reached := range reach[n] {
			if reached {
				phases[t.states[to].Phase] = true
			}
		}
		for _, target := range t.spec.Targets {
			if !phases[target.Phase] {
				problems = append(problems, fmt.Errorf("no way from state %q to target %q", s.Name, target.Name))
			}
		}
	}
	return problems
}

// reach returns the places of the states, and from the state at each place which
// can be reached, itself included.
func (t *Table) reach() (place map[State]int, reach [][]bool) {
	place, reach = make(map[State]int), make([][]bool, len(t.states))
	for n, s := range t.states {
		place[s.Name], reach[n] = n, make([]bool, len(t.states))
		reach[n][n] = true
	}
	for _, r := range t.rows {
		reach[place[r.From]][place[r.To]] = true
	}
	for via, further := range reach {
		for _, from := range reach {
			if !from[via] {
				continue
			}
			for to, reached := range further {
				from[to] = from[to] || reached
			}
		}
	}
	return place, reach
}

// Next returns where an event leads from a state, and whether it may be fired
// there.
func (t *Table) Next(from State, event Event) (State, bool) {
	to, ok := t.next[edge{event, from}]
	return to, ok
}

// Phase returns a state's phase, zero for a state that is not in the table.
func (t *Table) Phase(s State) Phase { return t.phases[s] }

// Target returns the phase that satisfies a desired state, and whether that
// state can be asked for.
func (t *Table) Target(s State) (Phase, bool) {
	for _, target := range t.spec.Targets {
		if target.Name == s {
			return target.Phase, true
		}
	}
	return 0, false
}

// States returns all states, the lifecycle's included, in the order of the
// diagrams.
func (t *Table) States() []StateSpec { return slices.Clone(t.states) }

// Rows returns all rows, the lifecycle's first.
func (t *Table) Rows() []Row { return slices.Clone(t.rows) }

// Targets returns all that can be asked for, StateRemoved last.
func (t *Table) Targets() []Target { return slices.Clone(t.spec.Targets) }

// checkTarget refuses a state that cannot be asked for.
func (t *Table) checkTarget(s State) error {
	if _, ok := t.Target(s); !ok {
		return fmt.Errorf("%q cannot be asked for, only one of %q", s, t.targetNames())
	}
	return nil
}

func (t *Table) targetNames() []State {
	names := make([]State, len(t.spec.Targets))
	for n, target := range t.spec.Targets {
		names[n] = target.Name
	}
	return names
}

// machine returns a new state machine over the table in the given state. No
// callbacks: the library drops a misspelt key silently and gains nothing here.
func (t *Table) machine(in State) *looplab.FSM {
	return looplab.NewFSM(string(in), t.events, looplab.Callbacks{})
}
