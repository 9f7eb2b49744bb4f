package runner

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
)

// StopByHand has an instance that is declared stopped, whatever is declared of it,
// until StartByHand, also by the next program with the same Store. Its reason says
// by whom and when. It stops after what depends on it and is stopped by hand as
// well; what else depends on it goes on. The error wraps fsm.ErrUnknown where no
// such instance is declared; on an error nothing is stopped.
func (r *Runner) StopByHand(key config.Key, by string) error {
	r.applying.Lock()
	defer r.applying.Unlock()
	if err := r.ordering.recall(r.probation.store); err != nil {
		return fmt.Errorf("cannot stop %s: %w", key, err)
	}
	if !r.ordering.declared(key) {
		return fmt.Errorf("cannot stop %s: %w", key, fsm.ErrUnknown)
	}
	all := r.ordering.stopped()
	all[key] = Override{Kind: key.Kind, Name: key.Name, By: by, At: time.Now()}
	if err := r.probation.store.saveOverrides(all); err != nil {
		return fmt.Errorf("cannot stop %s: %w", key, err)
	}
	r.ordering.override(all)
	return nil
}

// StartByHand ends what StopByHand has begun: the instance is again what is
// declared of it. It does nothing to one that was not stopped by hand.
func (r *Runner) StartByHand(key config.Key) error {
	r.applying.Lock()
	defer r.applying.Unlock()
	if err := r.ordering.recall(r.probation.store); err != nil {
		return fmt.Errorf("cannot start %s: %w", key, err)
	}
	all := r.ordering.stopped()
	if _, is := all[key]; !is {
		return nil
	}
	delete(all, key)
	if err := r.probation.store.saveOverrides(all); err != nil {
		return fmt.Errorf("cannot start %s: %w", key, err)
	}
	r.ordering.override(all)
	return nil
}

// StoppedByHand returns what is stopped by hand, by the names.
func (r *Runner) StoppedByHand() []Override { return r.ordering.stopped().sorted() }
