package runner

import (
	"context"
	"errors"
	"slices"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
)

// applyStreams declares streams. Where that is wanted early, those that are new are
// created while the engine is still being asked about them, which takes as long as to
// start one, and started when it takes them. One that it refuses is removed. On an error
// nothing is declared, and what was created waits until something is.
func (o *ordering) applyStreams(ctx context.Context, desired map[string]fsm.Desired[*benthos.Config], w Wanted) error {
	if w.Early {
		if err := o.prepareStreams(ctx, desired); err != nil {
			return err
		}
	}
	if err := apply(ctx, o.streams, desired, keysOf(w.Held, config.KindStream), w.Stays); err != nil {
		return err
	}
	o.ask(nil)
	return nil
}

// prepareStreams begins with the streams that are new, and has them wait.
func (o *ordering) prepareStreams(ctx context.Context, desired map[string]fsm.Desired[*benthos.Config]) error {
	known := o.streams.Declared()
	waiting := o.asking()
	var unknown []string
	for name := range desired {
		if _, is := known[name]; !is {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	// Before a pass can start one. What exists already is among them, and must not wait
	// any more when it is applied: it may run.
	o.ask(slices.Concat(waiting, unknown))
	created, err := o.streams.Prepare(ctx, desired)
	o.ask(slices.Concat(waiting, created))
	return err
}

// apply declares what one manager is to keep.
func apply[D, O any](ctx context.Context, m *fsm.Manager[D, O], desired map[string]fsm.Desired[D], held []string, stays bool) error {
	if err := addHeld(ctx, m, desired, held, stays); err != nil {
		return err
	}
	err := m.Apply(ctx, desired)
	if refused := new(fsm.RefusedError); errors.As(err, &refused) {
		return nil
	}
	return err
}

// addHeld adds what is held, or all that stays, as it was asked for before.
func addHeld[D, O any](ctx context.Context, m *fsm.Manager[D, O], desired map[string]fsm.Desired[D], held []string, stays bool) error {
	if len(held) > 0 || stays {
		standing, err := m.Standing(ctx)
		if err != nil {
			return err
		}
		for name, d := range standing {
			if _, listed := desired[name]; !listed && (stays || slices.Contains(held, name)) {
				desired[name] = d
			}
		}
	}
	return nil
}

func keysOf(keys []config.Key, kind config.Kind) (names []string) {
	for _, key := range keys {
		if key.Kind == kind {
			names = append(names, key.Name)
		}
	}
	return names
}
