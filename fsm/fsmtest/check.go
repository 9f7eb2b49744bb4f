package fsmtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// World is the simulated world of one instance: its driver, and the time that
// passes there. What takes time in it must not go on by itself, only in
// Advance. A World that is an fsm.Owner has what it owns reconciled first in each
// pass, one that is an io.Closer is closed in the end.
//
// Live makes one of a real driver.
type World[D, O any] interface {
	fsm.Driver[D, O]
	// Advance lets simulated time pass. It is called between passes.
	Advance(d time.Duration)
}

// Clock is implemented by a World that keeps the time itself, for instance one
// that sleeps in a testing/synctest bubble. A pass's Now is read from it.
type Clock interface {
	Now() time.Time
}

// Scene is a world to put instances in.
type Scene[D, O any] struct {
	// Name says what is special about it: "nothing there", "burns out".
	Name string
	// New makes a fresh world whose clock stands at now.
	New func(now time.Time) World[D, O]
	// Ends lists, for each target, the phases in which an instance may be left
	// in this world because it cannot get further. Where an entry lacks the
	// target's own phase, getting there is a failure.
	Ends map[fsm.State][]fsm.Phase
}

// Check is an exhaustive check of a kind. From every state of the table, with
// every target and spec, in every scene, passes are simulated until there is
// nothing more to do. The check demands that
//   - the instance reaches the phase that was asked for, and a pass finds nothing
//     to do there; where the scene lists Ends, the instance is in one of these
//     when Within is over, and its next look is no further away than that
//   - every pass that leaves it elsewhere gives a Reason or fails with an error
//   - Decide gives the same decision for the same input, fires only rows of the
//     table, asks for no negative After, and does not go round in circles
//     without letting time pass
//   - what was asked for first, from to_be_created, can be changed for anything
//     else
//   - every row of the table is used in some simulation
//
// What failed is retried or held by the rule that fsm.Instance uses, with the
// default back-off and without jitter. The check stops after ten failures.
type Check[D, O any] struct {
	Kind   fsm.Kind[D, O] // its Open is not called
	Scenes []Scene[D, O]
	// Specs to ask for, each with every target; none means the zero D.
	Specs []D
	// Within is the simulated time that getting there may take; zero means
	// five minutes.
	Within time.Duration
	// Unused lists the rows that no scene can show in use.
	Unused []fsm.Row
}

// enough is how many failures end the check.
const enough = 10

// Run makes the check and reports each failure with the path that led to it.
func (c Check[D, O]) Run(t testing.TB) {
	t.Helper()
	if c.Kind.Table == nil || c.Kind.Decide == nil || len(c.Scenes) == 0 {
		t.Errorf("cannot check kind %q: it needs a Table and Decide, and the check at least one scene", c.Kind.Name)
		return
	}
	if c.Within <= 0 {
		c.Within = 5 * time.Minute
	}
	if c.Kind.Resync <= 0 {
		c.Kind.Resync = fsm.DefaultResync
	}
	if len(c.Specs) == 0 {
		c.Specs = make([]D, 1)
	}
	used := make(map[fsm.Row]bool)
	failures := c.walk(used)
	for _, failure := range failures {
		t.Errorf("%s", failure)
	}
	switch len(failures) {
	case 0:
		c.checkRows(t, used)
	case enough:
		t.Errorf("there may be more: the check stops after %d failures", enough)
	}
}

// walk simulates all lives and returns what is wrong with the first ten that
// fail.
func (c *Check[D, O]) walk(used map[fsm.Row]bool) (failures []string) {
	for _, scene := range c.Scenes {
		for _, state := range c.Kind.Table.States() {
			for _, plan := range c.plans(state.Name) {
				if failure := c.live(scene, state.Name, plan, used); failure != "" {
					failures = append(failures, failure)
				}
				if len(failures) == enough {
					return failures
				}
			}
		}
	}
	return failures
}

// plans returns what to ask of an instance that begins in the state: each thing
// by itself, and from the very beginning each followed by each.
func (c *Check[D, O]) plans(state fsm.State) (plans [][]fsm.Desired[D]) {
	all := c.desired()
	for _, first := range all {
		plans = append(plans, []fsm.Desired[D]{first})
		if state != fsm.StateToBeCreated {
			continue
		}
		for _, second := range all {
			plans = append(plans, []fsm.Desired[D]{first, second})
		}
	}
	return plans
}

func (c *Check[D, O]) desired() (all []fsm.Desired[D]) {
	for _, target := range c.Kind.Table.Targets() {
		for _, spec := range c.Specs {
			all = append(all, fsm.Desired[D]{State: target.Name, Spec: spec})
		}
	}
	return all
}

// live puts one instance into the state and asks it for everything in the plan,
// one after the other. It returns what went wrong, with the path.
func (c *Check[D, O]) live(scene Scene[D, O], state fsm.State, plan []fsm.Desired[D], used map[fsm.Row]bool) string {
	l := newLife(c, scene, state, used)
	problem := ""
	for _, desired := range plan {
		if problem = l.ask(desired); problem != "" {
			break
		}
	}
	// What depends on more than its input may fail in any way: say the cause.
	if impure := l.impure(); impure != "" {
		problem = impure
	}
	if err := l.close(); err != nil && problem == "" {
		problem = fmt.Sprintf("it cannot be closed: %v", err)
	}
	if problem == "" {
		return ""
	}
	return fmt.Sprintf("%s: from %s, asked for %s: %s\n%s", scene.Name, state, asked(plan), problem, l.log.tail(maxLines))
}

func asked[D any](plan []fsm.Desired[D]) (text string) {
	for n, d := range plan {
		if n > 0 {
			text += ", then "
		}
		text += fmt.Sprintf("%s %+v", d.State, d.Spec)
	}
	return text
}

// checkRows reports the rows that were never used, and those that were used
// though they are listed as unused.
func (c *Check[D, O]) checkRows(t testing.TB, used map[fsm.Row]bool) {
	t.Helper()
	for _, row := range c.Kind.Table.Rows() {
		switch excused := slices.Contains(c.Unused, row); {
		case !used[row] && !excused:
			t.Errorf("row %s from %s to %s is never used: it is dead, or a scene that needs it is missing", row.Event, row.From, row.To)
		case used[row] && excused:
			t.Errorf("row %s from %s to %s is listed as unused but is used", row.Event, row.From, row.To)
		}
	}
}
