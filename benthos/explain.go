package benthos

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// explains returns what fsm.Kind.Explain is of a stream: what its engine says, and
// then what is to say of its service.
func explains(service func(*Service) []fsm.Link) func(*fsm.Snapshot[*Config, Observed]) []fsm.Link {
	return func(s *fsm.Snapshot[*Config, Observed]) []fsm.Link {
		links := engineSays(&s.Observed)
		help := helps(s)
		if s.Observed.Service != nil {
			for _, l := range service(s.Observed.Service) {
				if l.Part != fsm.PartHelp || help == "" {
					links = append(links, l)
				}
			}
		}
		if help != "" {
			links = append(links, fsm.Link{Part: fsm.PartHelp, Text: help})
		}
		return links
	}
}

// engineSays is what was seen of the engine.
func engineSays(o *Observed) (links []fsm.Link) {
	see := func(at time.Time, format string, args ...any) {
		links = append(links, fsm.Link{Part: fsm.PartSeen, At: at, Text: fmt.Sprintf(format, args...)})
	}
	if o.LogProblem != "" {
		see(o.LogTime, "%s", o.LogProblem)
	}
	if o.PortTaken != "" {
		see(time.Time{}, "%s", o.PortTaken)
	}
	if o.Service == nil || !o.up() {
		return links
	}
	switch h := &o.Health; {
	case h.At.IsZero() || h.PID != o.Service.Observed.PID():
		see(time.Time{}, "its engine has not been asked yet how it is")
	case o.healthy():
		see(h.At, "its engine answers and is ready")
	case h.Alive:
		see(h.At, "its engine answers and is not ready: %s", h.Problem)
	default:
		see(h.At, "its engine does not answer: %s", h.Problem)
	}
	if t := &o.Traffic; !t.At.IsZero() {
		see(t.At, "%d messages have come in (%.1f/s), %d have gone out (%.1f/s), %d writes have failed, %d of them lately",
			t.InputReceived, t.InputRate, t.OutputSent, t.OutputRate, t.OutputErrors, t.RecentErrors)
	}
	if p := o.Health.MetricsProblem; p != "" {
		see(o.Health.At, "its metrics cannot be read: %s", p)
	}
	return links
}

// helps says what would change the state of a stream that is to be active, where the
// engine is what it depends on.
func helps(s *fsm.Snapshot[*Config, Observed]) string {
	o := &s.Observed
	switch {
	case s.State == StateDone:
		return "its input has come to its end: it runs again only if it is restarted or its declaration changes"
	case s.Desired.State != Active || s.Phase == fsm.PhaseRunning || o.Service == nil:
		return ""
	case o.PortTaken != "":
		return "end what listens there, or give the stream another port"
	case o.Ended.waits():
		return "it runs again by itself; restart it for that to be at once"
	case o.up() && o.Traffic.RecentErrors > 0:
		return "mend what its output writes to: it is well again by itself once writes succeed"
	case o.up() && o.Health.Alive && !o.Health.Ready:
		return "mend what its input or its output connects to: it is well again by itself once its engine is ready"
	}
	return ""
}
