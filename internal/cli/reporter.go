package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/runner"
)

// beatFile is where the beat of evenkeel run is.
func beatFile(c runner.Config) string { return filepath.Join(c.Scan(), ".evenkeel") }

// reporter tells all who supervise the program how it is: s6 that it has begun,
// systemd that and more, and by its beat whoever looks.
type reporter struct {
	systemd *runner.Notifier
	readyFD int
	beat    string
	keeper  *runner.Runner
	tell    func(problem error)

	begun   atomic.Bool // all has been asked for once
	reading bool        // systemd was told that files are read
	status  string
	ending  atomic.Bool
	quiet   context.CancelFunc // of the beat and the watchdog
	beating sync.WaitGroup
}

// notReady says why the program is not ready though no instance is in its way.
func (r *reporter) notReady() []string {
	if r.begun.Load() {
		return nil
	}
	return []string{"what is declared has not been asked for yet"}
}

// reads is called when somebody has asked that the files are read.
func (r *reporter) reads() {
	if r.begun.Load() {
		r.reading = true
		r.report(r.systemd.Reloading())
	}
}

// has is called when what the files declare has been asked for, or why that
// failed. The first time that it has, the program has begun: passes are watched
// from then on. The error says why that cannot be announced.
func (r *reporter) has(problem error) error {
	switch {
	case !r.begun.Load() && problem == nil:
		r.begun.Store(true)
		ctx, quiet := context.WithCancel(context.Background())
		r.quiet = quiet
		r.status = r.line(nil)
		r.report(r.systemd.Ready(r.status))
		r.beating.Go(func() { runner.Beat{Path: r.beat, Wrong: r.look}.Keep(ctx) })
		r.beating.Go(func() { r.systemd.Watch(ctx, r.passes) })
		return runner.Announce(r.readyFD)
	case r.reading && problem != nil:
		r.report(r.systemd.Ready(problem.Error()))
	case r.reading:
		r.report(r.systemd.Ready(r.line(nil)))
	}
	r.reading = false
	return nil
}

// look returns what is wrong, and tells systemd when that changes.
func (r *reporter) look(now time.Time) []string {
	wrong := append(r.keeper.Late(now), r.keeper.Failing()...)
	if status := r.line(wrong); status != r.status && !r.ending.Load() {
		r.status = status
		r.report(r.systemd.Status(status))
	}
	return wrong
}

// passes reports whether passes are made over all instances.
func (r *reporter) passes(now time.Time) bool { return len(r.keeper.Late(now)) == 0 }

// line says in one sentence what is kept, and what is wrong with it.
func (r *reporter) line(wrong []string) string {
	line := "keeps " + counted(len(r.keeper.Services.Declared()), "service") + " and " + counted(len(r.keeper.Streams.Declared()), "stream")
	switch len(wrong) {
	case 0:
		return line
	case 1:
		return line + "; " + wrong[0]
	}
	return fmt.Sprintf("%s; %s (and %d more)", line, wrong[0], len(wrong)-1)
}

// stopping is called when the program ends, with the time that the instances have
// to stop; zero means that they go on.
func (r *reporter) stopping(halt time.Duration) {
	r.ending.Store(true)
	r.report(r.systemd.Stopping(halt))
}

func (r *reporter) report(err error) {
	if err != nil {
		r.tell(err)
	}
}

// end ends the beat and the watchdog.
func (r *reporter) end() {
	if r.quiet != nil {
		r.quiet()
	}
	r.beating.Wait()
}
