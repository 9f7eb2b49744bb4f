package benthos

import (
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// idlePatience is how long a problem in the log counts for an instance that is
// well and that no messages reach: longer than engines pause between two lines.
const idlePatience = 5 * time.Minute

// observeLog looks into the log for a problem, where something is wrong, and
// with each poll where no messages come in: an input that fails at every read
// calls itself connected, and no counter tells of it. While messages come in the
// log is not read, for it may hold all of them.
func (d *driver) observeLog(now time.Time, state fsm.State, o *Observed) error {
	s := d.stream
	if state != Active {
		s.healed(o)
		return d.logs.Close()
	}
	well := o.Health.Ready && o.Traffic.RecentErrors == 0 && !o.Ended.waits()
	switch {
	case well && (o.Traffic.Active || s.since.IsZero()):
		s.healed(o)
		if o.Traffic.Active {
			return d.logs.Close()
		}
	case well:
		s.well = s.health.At
		if now.Sub(s.problem.at) > idlePatience {
			s.problem = logProblem{}
		}
	case !s.since.IsZero(): // not any more
		s.since = time.Time{}
		if s.problem.at.Before(s.from(d.options)) {
			s.problem = logProblem{}
		}
	}
	if well && !s.health.At.Equal(now) {
		o.LogProblem, o.LogTime = s.problem.text, s.problem.at
		return nil
	}
	if err := d.readLog(); err != nil {
		o.LogProblem, o.LogTime = err.Error(), now
		return nil
	}
	if well || s.problem.at.After(o.Service.Observed.Status.Stamp.Add(-d.options.ErrorWindow)) {
		o.LogProblem, o.LogTime = s.problem.text, s.problem.at
	}
	return nil
}

// healed notes that what was wrong is over, if the instance is well.
func (s *stream) healed(o *Observed) {
	if o.Health.Ready {
		s.problem, s.well, s.taken = logProblem{}, s.health.At, portTrouble{}
		s.deaf.forget()
		s.since = s.health.At
	}
}

// from is from when on lines of the log say something about the stream: since it
// is well, or just before it was well last.
func (s *stream) from(o *Options) time.Time {
	if s.since.IsZero() {
		return s.well.Add(-o.HealthInterval)
	}
	return s.since
}

// readLog keeps the newest line of the log that reports a problem of the
// process that runs or ran last. The log may hold every message of a busy
// stream: where more was written than is read in a pass, the rest is left out.
func (d *driver) readLog() error {
	s := d.stream
	lines, err := d.logs.Since(s.from(d.options))
	if err != nil {
		return err
	}
	for _, line := range lines {
		class := classifyLine(string(line.Text))
		if class.matters {
			s.problem = logProblem{line.Time, class.kind.String() + ": " + class.message}
		}
		if class.kind == logFinished || class.kind == logStopping {
			s.ends.line = class.kind
		}
	}
	return nil
}
