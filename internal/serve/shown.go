package serve

import (
	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/journal"
	"github.com/evenkeel/evenkeel/runner"
	"github.com/evenkeel/evenkeel/s6"
)

// Shown is what a program with this directory shows of a runner's instances, and has
// done to them by hand. What else there is to be shown, the program adds.
func Shown(dir string, r *runner.Runner, feed *api.Feed) *api.Server {
	h := hands{r}
	return &api.Server{
		Sources: []api.Source{api.Of(r.Services, serviceFigures), api.Of(r.Streams, streamFigures)},
		Feed:    feed, Hands: h, Late: r.Late, Explain: h.explain, Config: h.files, Log: logOf(dir), History: historyIn(dir),
	}
}

// historyIn returns what the journal in dir has of instances.
func historyIn(dir string) func(kind, name string) ([]fsm.Transition, error) {
	return func(kind, name string) (transitions []fsm.Transition, err error) {
		all, _, err := journal.History(filesystem.OS{}, JournalIn(dir), name)
		for _, r := range all {
			if r.Transition != nil && r.Transition.Kind == kind {
				transitions = append(transitions, r.Transition.Transition)
			}
		}
		return transitions, err
	}
}

func serviceFigures(s *fsm.Snapshot[*s6.Spec, s6.Observed]) api.Figures {
	o := &s.Observed
	f := api.Figures{PID: o.PID(), Restarts: o.Restarts}
	if f.PID != 0 {
		f.Up = o.Status.Stamp
	}
	return f
}

func streamFigures(s *fsm.Snapshot[*benthos.Config, benthos.Observed]) (f api.Figures) {
	o := &s.Observed
	if o.Service != nil {
		f = serviceFigures(o.Service)
	}
	if t := &o.Traffic; !t.At.IsZero() {
		f.Traffic = &api.Traffic{
			Received: t.InputReceived, Sent: t.OutputSent, Failed: t.OutputErrors,
			ReceivedRate: t.InputRate, SentRate: t.OutputRate,
		}
	}
	return f
}
