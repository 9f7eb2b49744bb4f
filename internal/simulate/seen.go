package simulate

import (
	"cmp"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// seen is what a manager says of an instance, whatever its kind.
type seen struct {
	name                        string
	state                       fsm.State
	phase                       fsm.Phase
	settled, held               bool
	reason                      fsm.Reason
	err                         error
	since, observedAt, nextPass time.Time
	want                        declaration  // without a state where nothing was asked
	spec                        *s6.Spec     // what its service is to be, nil while that is not known
	service                     *s6.Observed // what was seen of its service
	waits                       bool         // for the end of a pause
	behind                      fsm.Reason   // another instance, which it waits for
}

// what returns what a snapshot of any kind says.
func what[D, O any](s *fsm.Snapshot[D, O]) seen {
	return seen{
		name: s.Name, state: s.State, phase: s.Phase, settled: s.Settled, held: s.Held,
		reason: s.Reason, err: s.Err, behind: s.Waits, since: s.Since, observedAt: s.ObservedAt, nextPass: s.NextPass,
	}
}

// seeServices returns what sees services. It may be called from any goroutine.
func seeServices() func(*fsm.Snapshot[*s6.Spec, s6.Observed]) seen {
	variantOf := once(ofService)
	return func(s *fsm.Snapshot[*s6.Spec, s6.Observed]) seen {
		one := what(s)
		one.service, one.spec = &s.Observed, s.Desired.Spec
		if s.Desired.Spec != nil {
			one.want = declaration{state: s.Desired.State, variant: variantOf(s.Desired.Spec)}
		}
		return one
	}
}

// seeStreams returns what sees streams. It may be called from any goroutine.
func seeStreams() func(*fsm.Snapshot[*benthos.Config, benthos.Observed]) seen {
	variantOf := once(ofStream)
	return func(s *fsm.Snapshot[*benthos.Config, benthos.Observed]) seen {
		one := what(s)
		one.service = new(s6.Observed)
		if under := s.Observed.Service; under != nil {
			one.service, one.spec = &under.Observed, under.Desired.Spec
			one.err = cmp.Or(one.err, under.Err)
			one.settled = one.settled && one.err == nil // its passes may not know what becomes of it
		}
		if s.Desired.Spec != nil {
			one.want = declaration{state: s.Desired.State, variant: variantOf(s.Desired.Spec)}
			if s.Desired.State == benthos.Active {
				one.want.state = s6.Running
			}
		}
		one.waits = s.Observed.Ended.Times > 0
		return one
	}
}

// once returns of, which is then asked once about each spec. A spec that was
// given away does not change.
func once[S any](of func(*S) *variant) func(*S) *variant {
	var known sync.Map // of *S to *variant
	return func(spec *S) *variant {
		if v, ok := known.Load(spec); ok {
			return v.(*variant)
		}
		v := of(spec)
		known.Store(spec, v)
		return v
	}
}

// asAsked reports whether the instance is in the phase that is asked for.
func (s *seen) asAsked() bool {
	return s.state == s.want.state || s.phase == fsm.PhaseRunning && s.want.state == s6.Running || s.phase == fsm.PhaseStopped && s.want.state == s6.Stopped
}
