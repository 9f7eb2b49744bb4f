package benthos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

var (
	_ fsm.Driver[*Config, Observed] = (*driver)(nil)
	_ fsm.Owner                     = (*driver)(nil)
)

// Close lets go of the service and its log, and of connections. Those of other
// instances are made anew when they are needed.
func (d *driver) Close() error {
	if d.options.client != nil {
		d.options.client.Close()
	}
	return errors.Join(d.service.Close(), d.closeLog())
}

// ReconcileOwned implements fsm.Owner.
func (d *driver) ReconcileOwned(ctx context.Context) time.Time {
	return d.service.Reconcile(ctx).Next
}

// Do implements fsm.Driver. What the service is asked it is stepped towards at
// once.
func (d *driver) Do(ctx context.Context, action fsm.Action, _ fsm.Desired[*Config]) error {
	switch action {
	case actRun:
		return d.ask(ctx, s6.Running)
	case actHalt:
		return d.ask(ctx, s6.Stopped)
	case actDiscard:
		return d.ask(ctx, fsm.StateRemoved)
	case actAnnounce:
		return d.tree.AnnounceReady(d.tree.Layout().Service(d.name), d.stream.health.PID)
	}
	return fsm.Permanent(fmt.Errorf("no action %q", action))
}

// ask hands the service what is wanted of it. That it cannot do it, it says
// itself; the instance sees that in its next pass.
func (d *driver) ask(ctx context.Context, state fsm.State) error {
	if spec := d.stream.wanted(); spec != nil {
		d.askedSpec = spec
	}
	d.asked, d.askedAt = state, time.Now()
	if err := d.service.SetDesired(fsm.Desired[*s6.Spec]{State: state, Spec: d.askedSpec}); err != nil {
		return fsm.Permanent(err)
	}
	if d.service.Reconcile(ctx).Fired {
		d.wake()
	}
	return nil
}
