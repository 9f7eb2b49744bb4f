package runner

import (
	"context"
	"errors"
	"maps"

	"github.com/evenkeel/evenkeel/config"
)

// Recall implements Keeper. nil is nothing. Where it cannot be read which changes
// were taken back, what is there says what is in force.
func (r *Runner) Recall(last *config.Declaration) error {
	if last == nil {
		last = &config.Declaration{}
	}
	known, err := r.probation.store.changes()
	if err != nil {
		there, unseen := r.there(context.Background(), last)
		last, err = there, errors.Join(err, unseen)
	}
	r.probation.recall(last, known)
	w := known.taken(Wanted{Declaration: last})
	// What applies nothing does not fail.
	_ = r.ordering.Declare(r.ordering.take(w), func() error { return nil })
	return err
}

// there returns a declaration with what its instances were made from.
func (r *Runner) there(ctx context.Context, last *config.Declaration) (*config.Declaration, error) {
	services, errServices := r.Services.Standing(ctx)
	streams, errStreams := r.Streams.Standing(ctx)
	d := &config.Declaration{Entries: maps.Clone(last.Entries)}
	for key, e := range d.Entries {
		if is := services[key.Name].Spec; key.Kind == config.KindService && is != nil {
			e.Service = is
		}
		if is := streams[key.Name].Spec; key.Kind == config.KindStream && is != nil {
			e.Stream = is
		}
		d.Entries[key] = e
	}
	return d, errors.Join(errServices, errStreams)
}

// HaltStanding is Halt for what an earlier run has left as well: for a program
// that is there to stop it. last is what was in force then.
func (r *Runner) HaltStanding(ctx context.Context, last *config.Declaration) error {
	unread := r.Recall(last)
	services, err := r.Services.Standing(ctx)
	if err != nil {
		return err
	}
	streams, err := r.Streams.Standing(ctx)
	if err != nil {
		return err
	}
	return errors.Join(unread, r.halt(ctx, services, streams))
}
