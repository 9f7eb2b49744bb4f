package runner

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
)

// lookEvery is how often an instance is looked at that is to stop and was never
// created.
const lookEvery = 100 * time.Millisecond

// halter stops all instances of a manager.
type halter[D, O any] struct {
	manager *fsm.Manager[D, O]
	tree    s6.Tree
	stopped fsm.State
	// problem returns why an instance makes no progress, nil if it does.
	problem func(*fsm.Snapshot[D, O]) error
}

// ask asks instances to stop, whatever their specs are.
func (h halter[D, O]) ask(ctx context.Context, asked map[string]fsm.Desired[D]) error {
	if len(asked) == 0 {
		return nil // nothing was asked of it, and what others have left is not its own
	}
	desired := make(map[string]fsm.Desired[D])
	for name, d := range asked {
		desired[name] = fsm.Desired[D]{State: h.stopped, Spec: d.Spec}
	}
	return h.manager.Apply(ctx, desired)
}

// wait waits for instances that were asked to stop until ctx ends.
func (h halter[D, O]) wait(ctx context.Context, asked map[string]fsm.Desired[D]) error {
	var errs []error
	stopped := make(chan error)
	waits := 0
	for name := range asked {
		if h.manager.Refused()[name] == nil {
			waits++
			go func() { stopped <- h.waitFor(ctx, name) }()
		}
	}
	for range waits {
		errs = append(errs, <-stopped)
	}
	return errors.Join(errs...)
}

// waitFor waits until an instance has stopped, or is seen never to have been
// created: what keeps it from being created does not keep the program from
// ending.
func (h halter[D, O]) waitFor(ctx context.Context, name string) error {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	stopped := make(chan error, 1)
	go func() { stopped <- h.manager.Wait(ctx, name, fsm.PhaseStopped) }()
	for {
		select {
		case err := <-stopped:
			return err
		case <-time.After(lookEvery):
		}
		s, held := h.manager.Instance(name)
		if held && s.Phase <= fsm.PhaseCreating && h.problem(s) != nil && !runs(h.tree.Layout().Service(name)) {
			enough()
			<-stopped
			return nil
		}
	}
}

// runs reports whether a process works in a service directory, apart from s6's
// own programs. Where that cannot be found out, one may.
func runs(service string) bool {
	found, err := proc.System.UnderReal(service)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return err != nil || slices.ContainsFunc(found, func(p proc.Process) bool { return !p.OfS6() })
}
