package main

import (
	"context"
	"net"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// patience is how long a stream runs on while its address does not answer.
const patience = 10 * time.Second

// Bridge is the spec of a bridge: a stream that is to run while something
// answers at an address.
type Bridge struct {
	Address string         `json:"address"` // host:port
	Stream  benthos.Config `json:"stream"`
}

// Masked implements fsm.Masker.
func (b *Bridge) Masked() *Bridge { return &Bridge{b.Address, *b.Stream.Masked()} }

// Observed is what was seen of a bridge.
type Observed struct {
	Stream fsm.ChildObserved[*benthos.Config, benthos.Observed] `json:"stream"`
	Silent string                                               `json:"silent,omitempty"` // why its address does not answer
}

type (
	child = fsm.Child[*Bridge, *benthos.Config, benthos.Observed]
	input = fsm.Input[*Bridge, Observed]
)

// NewKind returns the kind of instance that is a bridge. dial tries an address.
func NewKind(tree s6.Tree, options benthos.Options, dial func(address string) error) (kind fsm.Kind[*Bridge, Observed], err error) {
	table, err := fsm.NewRunTable("bridge")
	if err != nil {
		return kind, err
	}
	options.Owner = "bridge"
	streams, err := benthos.NewKind(tree, options)
	if err != nil {
		return kind, err
	}
	kind = fsm.Kind[*Bridge, Observed]{Name: "bridge", Table: table, Decide: decide, Resync: time.Second}
	return fsm.BuildOn(kind, fsm.ChildKind[*Bridge, *benthos.Config, benthos.Observed]{
		Kind:    streams,
		Targets: map[fsm.State]fsm.State{fsm.StateRunning: benthos.Active, fsm.StateStopped: benthos.Stopped},
		Spec: func(_ string, b *Bridge) (*benthos.Config, error) {
			c := b.Stream
			c.Note = b.Address
			_, _, err := net.SplitHostPort(b.Address)
			return &c, err
		},
		Parent: func(c *benthos.Config) (*Bridge, bool) {
			b := &Bridge{c.Note, *c}
			b.Stream.Note = ""
			return b, true
		},
	}, func(_ string, _ func(), stream *child) (fsm.Driver[*Bridge, Observed], error) {
		return &driver{child: stream, dial: dial}, nil
	})
}

// gate returns what the stream is to be asked, and why: a stream that has lost
// its address goes on for a while.
func gate(in input) (state fsm.State, why fsm.Reason) {
	silent := fsm.Because("its address does not answer").With(in.Observed.Silent)
	switch {
	case in.Desired.State != fsm.StateRunning:
		return benthos.Stopped, in.Asked()
	case in.Observed.Silent == "":
		return benthos.Active, fsm.Because("its address answers")
	case in.Observed.Stream.Snapshot.Observed.Service.Observed.Up() && (in.State == fsm.StateRunning || in.Now.Sub(in.Since) < patience):
		return benthos.Active, silent
	}
	return benthos.Stopped, silent
}

// decide is the state machine of a bridge.
func decide(in input) fsm.Decision {
	asked, why := gate(in)
	stream, silent := in.Observed.Stream, in.Observed.Silent != ""
	if d, ok := fsm.DecideChild(in, stream, asked, why); ok {
		return d
	}
	well, rests := !silent && stream.Is(fsm.PhaseRunning), stream.Is(fsm.PhaseStopped)
	if asked == benthos.Active && !silent && !well || in.State == fsm.StateStopping {
		why = stream.Reason()
	}
	d := fsm.Decision{Reason: why}
	switch wanted := in.Desired.State == fsm.StateRunning; {
	case in.State == fsm.StateStopped && in.Desired.State == fsm.StateRemoved:
		d.Fire = fsm.EventRemove
	case in.State == fsm.StateStopped && wanted:
		d.Fire = fsm.EventStart
	case in.State == fsm.StateStopping && rests:
		d.Fire = fsm.EventStopDone
	case in.State == fsm.StateStopping, in.State == fsm.StateStopped && rests: // as it is to be
	case !wanted:
		d.Fire = fsm.EventStop
	case in.State == fsm.StateStarting && well:
		d.Fire = fsm.EventStartDone
	case in.State == fsm.StateStarting && (silent || stream.Is(fsm.PhaseDegraded)):
		d.Fire = fsm.EventStartFailed
	case in.State == fsm.StateRunning && !well:
		d.Fire = fsm.EventDegraded
	case in.State == fsm.StateDegraded && well:
		d.Fire = fsm.EventRecovered
	}
	return d
}

type driver struct {
	*child
	dial            func(address string) error
	address, silent string    // that was tried, and why it is silent
	tried           time.Time // when it was
}

// Observe implements fsm.Driver. It does not try the address twice in a row.
func (d *driver) Observe(ctx context.Context, desired fsm.Desired[*Bridge]) (Observed, error) {
	stream, err := d.Look(desired)
	if err != nil || desired.State != fsm.StateRunning {
		return Observed{Stream: stream}, err
	}
	now, address := fsm.Now(ctx), desired.Spec.Address
	if address != d.address || now.Sub(d.tried) > time.Second/2 {
		d.address, d.tried, d.silent = address, now, ""
		if err := d.dial(address); err != nil {
			d.silent = err.Error()
		}
	}
	return Observed{stream, d.silent}, nil
}
