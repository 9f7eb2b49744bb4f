package runner

import (
	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// Failed returns the first by name of the essential instances that are to run and
// have failed for good, nil while there is none. One whose change is tried, or is
// just being taken back, has not: what ran before will run again, unless that is
// refused.
func (r *Runner) Failed() *Failure {
	changes, refused := r.probation.all(), r.Refused()
	for _, key := range r.essential.sorted() {
		change, changed := changes[key]
		if changed && change.Rejected == (fsm.Reason{}) {
			continue
		}
		if refused[key] != nil {
			change.Rejected = fsm.Reason{} // it has what it had
		}
		if key.Kind == config.KindStream {
			s := failed(r.Streams, key.Name, benthos.Active, change.Rejected)
			if s != nil && s.Observed.Service != nil {
				return failure(key.Name, s.Reason, &s.Observed.Service.Observed)
			}
		} else if s := failed(r.Services, key.Name, s6.Running, change.Rejected); s != nil {
			return failure(key.Name, s.Reason, &s.Observed)
		}
	}
	return nil
}

// failed returns the snapshot of an instance that has failed with what is asked of
// it now, nil if it has not. back is why a change was taken back, if one was.
func failed[D, O any](m *fsm.Manager[D, O], name string, run fsm.State, back fsm.Reason) *fsm.Snapshot[D, O] {
	s, current := m.Current(name)
	if !current || s.Phase != fsm.PhaseFailed || s.Desired.State != run || s.Desired.Rejected != back {
		return nil
	}
	return s
}
