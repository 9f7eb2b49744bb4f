package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// trial is a change of an instance that ran. Until it is known that the instance
// runs with it, there is a way back; when it does not, what ran before runs again,
// and the change is not tried again until it is another one.
type trial struct {
	// Before is what ran. Change is the fingerprint of what is tried.
	Before config.Entry
	Change string
	// Rejected says why the change was taken back, nothing while it is tried.
	Rejected fsm.Reason
}

// trials are the changes that are tried, and those that were taken back. They are
// values: judge returns others.
type trials map[config.Key]trial

// keys returns the instances that they are about, by their names.
func (t trials) keys() []config.Key {
	return slices.SortedFunc(maps.Keys(t), config.Key.Compare)
}

// fingerprint returns the same for entries that ask the same of an instance.
func fingerprint(key config.Key, e config.Entry) (string, error) {
	asked := config.Entry{State: e.State, Service: e.Service, Stream: e.Stream}
	text, err := (&config.Declaration{Entries: map[config.Key]config.Entry{key: asked}}).Encode()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// judge returns the trials that there are with what is wanted, of which before is
// what is in force, and ran whether an instance runs with that, as far as is known,
// and may do so again. A stop changes nothing about a trial.
func (t trials) judge(w Wanted, before map[config.Key]config.Entry, ran func(config.Key) bool) (trials, error) {
	next := make(trials)
	for key, e := range w.Entries {
		was, tried := t[key]
		prev, known := before[key]
		switch {
		case tried && !e.Runs():
			next[key] = was // for when it is to run again
			continue
		case !e.Runs(), once(e), !tried && !(known && prev.Runs() && !once(prev) && ran(key)):
			continue
		}
		if !tried {
			was.Before = prev
		}
		print, err := fingerprint(key, e)
		if err != nil {
			return nil, err
		}
		old, err := fingerprint(key, was.Before)
		switch {
		case err != nil:
			return nil, err
		case print == old: // taken back, or nothing has changed
		case print == was.Change:
			next[key] = was
		default:
			next[key] = trial{Before: was.Before, Change: print}
		}
	}
	for key, trial := range t {
		if _, listed := w.Entries[key]; !listed && w.stays(key) {
			next[key] = trial
		}
	}
	return next, nil
}

// once reports whether the process of an entry is not restarted: what it does is
// not to be done again in another way.
func once(e config.Entry) bool { return e.Policy().Restart == s6.RestartNever }

// ends reports whether the process of an entry may come to its end well: what it
// has done then is not to be done again.
func ends(e config.Entry) bool { return e.Policy().Ends() }

// taken returns what is wanted, with what ran before in place of each change that
// was taken back.
func (t trials) taken(w Wanted) Wanted {
	d := *w.Declaration
	d.Entries = maps.Clone(d.Entries)
	for key, trial := range t {
		if e, listed := d.Entries[key]; listed && e.Runs() && trial.Rejected != (fsm.Reason{}) {
			e.State, e.Service, e.Stream = trial.Before.State, trial.Before.Service, trial.Before.Stream
			d.Entries[key] = e
		}
	}
	w.Declaration = &d
	return w
}

// rejected marks what runs in place of a change that was taken back.
func rejected[D any](t trials, w Wanted, kind config.Kind, all map[string]fsm.Desired[D]) map[string]fsm.Desired[D] {
	for name, d := range all {
		if key := (config.Key{Kind: kind, Name: name}); w.Entries[key].Runs() {
			d.Rejected = t[key].Rejected
			all[name] = d
		}
	}
	return all
}

// startTime is how long a change may take until its instance runs, from the end of
// the process before: until that is ready, or up, and has stayed so.
func startTime(e config.Entry) time.Duration {
	if e.Service != nil {
		return e.Service.StartTime() + max(e.Service.Ready.Stays, time.Second)
	}
	return (&s6.Spec{}).StartTime() + time.Second
}

// outcome is what is seen of an instance that is to run with what was changed.
type outcome struct {
	runs  bool
	done  bool       // it has come to its end well
	fails bool       // it does not run as it should, whatever becomes of that
	waits bool       // its time has not begun
	why   fsm.Reason // it does not run, and is not expected to any more
}

// outcomeOf returns that of an instance of a manager. unseen and stale are about what
// runs it: that cannot be seen at the moment, and it is from before the change. late
// says that the time for it is over.
func outcomeOf[D, O any](m *fsm.Manager[D, O], name string, unseen, stale func(O) bool, late bool) outcome {
	s, current := m.Current(name)
	switch {
	case s == nil, s.Err != nil && !s.Held, unseen(s.Observed): // nothing is known of it
		return outcome{waits: true}
	case current && (s.Waits != (fsm.Reason{}) || stale(s.Observed)): // it has not begun
		return outcome{waits: true}
	case current && s.Settled && (s.Phase == fsm.PhaseRunning || s.Phase == fsm.PhaseDone):
		return outcome{runs: true, done: s.Phase == fsm.PhaseDone}
	}
	fails := current && (s.Phase == fsm.PhaseDegraded || s.Phase == fsm.PhaseFailed)
	if !late && !(current && s.Phase == fsm.PhaseFailed) {
		return outcome{fails: fails}
	}
	text := "it was " + string(s.State) + ": " + s.Reason.String()
	if s.Err != nil {
		text = "it was " + string(s.State) + ": " + s.Err.Error()
	}
	return outcome{fails: fails, why: fsm.Because("change rejected").With(text)}
}
