package benthos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

// driver observes one Benthos instance and acts on it, through the s6 service
// that it owns.
type driver struct {
	name    string
	tree    s6.Tree
	options *Options
	wake    func()
	service *fsm.Instance[*s6.Spec, s6.Observed]

	// What the service was asked last.
	asked     fsm.State
	askedSpec *s6.Spec
	askedAt   time.Time

	stream *stream       // of the desired configuration, nil where there is none
	logs   *s6log.Reader // nil while nothing is looked for
}

var (
	_ fsm.Driver[*Config, Observed] = (*driver)(nil)
	_ fsm.Owner                     = (*driver)(nil)
)

func newDriver(tree s6.Tree, serviceKind *fsm.Kind[*s6.Spec, s6.Observed], options *Options, name string, wake func()) (*driver, error) {
	service, err := fsm.NewInstance(serviceKind, name, fsm.InstanceConfig{Backoff: options.Backoff}, wake)
	if err != nil {
		return nil, err
	}
	return &driver{name: name, tree: tree, options: options, wake: wake, service: service}, nil
}

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
