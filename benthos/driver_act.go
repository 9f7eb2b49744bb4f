package benthos

import (
	"context"
	"errors"
	"fmt"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

var (
	_ fsm.Driver[*Config, Observed] = (*driver)(nil)
	_ fsm.Restarter[*Config]        = (*driver)(nil)
)

// Close lets go of the service, its log, and the connection to the engine.
func (d *driver) Close() error {
	d.asks("")
	return errors.Join(d.child.Close(), d.logs.Close())
}

// Restart implements fsm.Restarter. It ends a pause.
func (d *driver) Restart(ctx context.Context, desired fsm.Desired[*Config]) error {
	if s := d.stream; s != nil && desired.State == Active && s.ends.still(fsm.Now(ctx)).waits() {
		s.ends.forget()
		return d.Ask(ctx, desired, s6.Running)
	}
	err := d.child.Restart(ctx, desired)
	if err == nil && d.stream != nil {
		d.stream.deaf.forget()
	}
	return err
}

// Do implements fsm.Driver. The service is stepped at once towards what it is
// asked.
func (d *driver) Do(ctx context.Context, action fsm.Action, desired fsm.Desired[*Config]) error {
	switch action {
	case actRun:
		return d.Ask(ctx, desired, s6.Running)
	case actHalt:
		return d.Ask(ctx, desired, s6.Stopped)
	case actDiscard:
		return d.Ask(ctx, desired, fsm.StateRemoved)
	case actAnnounce:
		pid := d.stream.health.PID
		err := d.tree.AnnounceReady(d.tree.Layout().Service(d.name), pid)
		d.stream.announced = announcement{pid, err}
		return err
	}
	return fsm.Permanent(fmt.Errorf("no action %q", action))
}
