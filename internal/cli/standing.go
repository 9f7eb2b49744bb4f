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

// standing is how the program stands, told to all who supervise it: to s6 that it
// has begun, to systemd that and more, and by its beat to whoever looks.
type standing struct {
	systemd *runner.Notifier
	readyFD int
	beat    string
	keeper  *runner.Runner
	tell    func(problem error)

	begun   bool // all has been asked for once
	reading bool // systemd was told that files are read
	status  string
	ending  atomic.Bool
	quiet   context.CancelFunc // of the beat and the watchdog
	beating sync.WaitGroup
}

// reads is called when somebody has asked that the files are read.
func (s *standing) reads() {
	if s.begun {
		s.reading = true
		s.report(s.systemd.Reloading())
	}
}

// has is called when what the files declare has been asked for, or why that
// failed. The first time that it has, the program has begun: passes are watched
// from then on. The error says why that cannot be announced.
func (s *standing) has(problem error) error {
	switch {
	case !s.begun && problem == nil:
		s.begun = true
		ctx, quiet := context.WithCancel(context.Background())
		s.quiet = quiet
		s.status = s.line(nil)
		s.report(s.systemd.Ready(s.status))
		s.beating.Go(func() { runner.Beat{Path: s.beat, Wrong: s.look}.Keep(ctx) })
		s.beating.Go(func() { s.systemd.Watch(ctx, s.passes) })
		return runner.Announce(s.readyFD)
	case s.reading && problem != nil:
		s.report(s.systemd.Ready(problem.Error()))
	case s.reading:
		s.report(s.systemd.Ready(s.line(nil)))
	}
	s.reading = false
	return nil
}

// look returns what is wrong, and tells systemd when that changes.
func (s *standing) look(now time.Time) []string {
	wrong := append(s.keeper.Late(now), s.keeper.Failing()...)
	if status := s.line(wrong); status != s.status && !s.ending.Load() {
		s.status = status
		s.report(s.systemd.Status(status))
	}
	return wrong
}

// passes reports whether passes are made over all instances.
func (s *standing) passes(now time.Time) bool { return len(s.keeper.Late(now)) == 0 }

// line says in one sentence what is kept, and what is wrong with it.
func (s *standing) line(wrong []string) string {
	line := "keeps " + counted(len(s.keeper.Services.Declared()), "service") + " and " + counted(len(s.keeper.Streams.Declared()), "stream")
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
func (s *standing) stopping(halt time.Duration) {
	s.ending.Store(true)
	s.report(s.systemd.Stopping(halt))
}

func (s *standing) report(err error) {
	if err != nil {
		s.tell(err)
	}
}

// end ends the beat and the watchdog.
func (s *standing) end() {
	if s.quiet != nil {
		s.quiet()
	}
	s.beating.Wait()
}
