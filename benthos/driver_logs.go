package benthos

import (
	"errors"
	"io/fs"

	"github.com/evenkeel/evenkeel/s6/s6log"
)

const (
	// logTail is how much of the log is read when something begins to be
	// wrong, in bytes.
	logTail = 64 << 10
	// logLines is how many lines are read in a pass: more than logTail holds.
	logLines = 2000
)

// readLog keeps the newest line of the log that reports a problem of the
// process that runs or ran last. It is called only when something is wrong: the
// log may hold every message of a busy stream.
func (d *driver) readLog(o *Observed) error {
	if d.logs == nil {
		logs, err := s6log.NewReader(d.tree.FS(), d.tree.Layout().Log(d.name), logTail)
		if err != nil {
			return err
		}
		d.logs = logs
	}
	lines, err := d.logs.Read(logLines)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s := d.stream
	for _, line := range lines {
		if line.Time.Before(s.well.Add(-d.options.HealthInterval)) {
			continue // of something that is over
		}
		class := classifyLine(string(line.Text))
		if class.matters {
			s.problem = logProblem{line.Time, class.kind.String() + ": " + class.message}
		}
		if class.kind == logFinished || class.kind == logStopping {
			s.ends.line = class.kind
		}
	}
	if s.problem.at.After(o.Service.Observed.Status.Stamp.Add(-d.options.ErrorWindow)) {
		o.LogProblem, o.LogTime = s.problem.text, s.problem.at
	}
	return nil
}

func (d *driver) closeLog() error {
	if d.logs == nil {
		return nil
	}
	err := d.logs.Close()
	d.logs = nil
	return err
}
