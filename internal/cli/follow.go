package cli

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/evenkeel/evenkeel/runner"
)

const (
	// settleTime is how long after an event files are read: an editor that saves
	// makes several.
	settleTime = 20 * time.Millisecond
	// applyAgain is when files are read again that could not be applied.
	applyAgain = time.Second
	// essentialEvery is how often it is looked whether an essential instance has
	// failed.
	essentialEvery = time.Second
)

// follow has the files kept until ctx ends. The error is a *runner.Failure of an
// instance that is essential, or says why it cannot begin.
func follow(ctx context.Context, files *runner.Files, asked <-chan os.Signal, r *reporter, log *programLog) error {
	changed := make(chan struct{}, 1)
	runner.Watch(ctx, files.Paths, files.Read, func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	look := time.NewTicker(essentialEvery)
	defer look.Stop()
	l := loader{files: files, reporter: r, log: log}
	err := l.load(ctx, false)
	for err == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-asked:
			r.reads()
			err = l.load(ctx, true)
		case <-changed:
			time.Sleep(settleTime)
			err = l.load(ctx, false)
		case <-l.due:
			err = l.load(ctx, false)
		case <-look.C:
			if failed := r.keeper.Failed(); failed != nil {
				return failed
			}
		}
	}
	return err
}

// loader reads files again and again.
type loader struct {
	files    *runner.Files
	reporter *reporter
	log      *programLog
	due      <-chan time.Time // when they are to be read though nothing changes
	failing  repeats          // what could not be applied
}

// load reads the files. At once says that somebody has asked for it. The error
// says why the program cannot begin.
func (l *loader) load(ctx context.Context, atOnce bool) error {
	again, err := l.files.Load(ctx, atOnce)
	l.due = nil
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, runner.ErrNothing):
		if again == 0 && !l.reporter.begun.Load() {
			return err
		}
	case err != nil:
		if l.failing.again(err, time.Now()) {
			l.log.Warn("declaration not applied", l.failing.args()...)
		}
		again = applyAgain
	default:
		if ended, was := l.failing.over(); was {
			l.log.Info("declaration applied again", ended.args()...)
		}
	}
	if again > 0 {
		l.due = time.After(again)
	}
	if err != nil || l.files.Taken() {
		return l.reporter.has(err)
	}
	return nil
}
