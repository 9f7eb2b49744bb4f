package metrics

import (
	"maps"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// service and stream are the snapshots of the kinds that have metrics of their own.
type (
	service = fsm.Snapshot[*s6.Spec, s6.Observed]
	stream  = fsm.Snapshot[*benthos.Config, benthos.Observed]
)

// key is that of an instance.
type key struct{ kind, name string }

// passes are those over an instance, or over what it owns of one kind.
type passes struct {
	errors uint64
	took   durations
}

// tally is what is counted of an instance, and what was seen of its process and its
// stream.
type tally struct {
	transitions map[fsm.State]uint64
	passes      map[string]*passes // by the kind
	overruns    uint64

	phase      fsm.Phase // entered last
	phaseStart time.Time // when

	process process
	service *service // nil for none, as stream
	stream  *stream

	touched uint64 // the number of the scrape during or before which it was used last
}

// moved counts a transition.
func (t *tally) moved(n fsm.Transition) {
	if t.transitions == nil {
		t.transitions = make(map[fsm.State]uint64)
	}
	t.transitions[n.To]++
	if n.ToPhase != t.phase {
		t.phase, t.phaseStart = n.ToPhase, n.At
	}
}

// passed counts a pass.
func (t *tally) passed(r fsm.Reconciled) {
	if t.passes == nil {
		t.passes = make(map[string]*passes)
	}
	p := t.passes[r.Kind]
	if p == nil {
		p = &passes{}
		t.passes[r.Kind] = p
	}
	if r.Err != nil {
		p.errors++
	}
	p.took.note(r.Took)
	t.see(r.After)
}

// see takes what a snapshot says, of the instance or of what it owns, unless a newer
// one of that kind is known. Of two with one observation the later one is newer: the
// pass after it could not observe.
func (t *tally) see(snapshot any) {
	switch s := snapshot.(type) {
	case *service:
		if t.service == nil || !s.ObservedAt.Before(t.service.ObservedAt) {
			t.service = s
		}
		t.process.see(s.ObservedAt, &s.Observed)
	case *stream:
		if t.stream == nil || !s.ObservedAt.Before(t.stream.ObservedAt) {
			t.stream = s
		}
		// What a stream has seen of its service may be from before the last pass
		// over that.
		if under := s.Observed.Service; under != nil && (t.service == nil || under.ObservedAt.After(t.service.ObservedAt)) {
			t.see(under)
		}
	}
}

// errors returns how many passes failed.
func (t *tally) errors() (n uint64) {
	for _, p := range t.passes {
		n += p.errors
	}
	return n
}

// copied returns what nobody changes any more.
func (t *tally) copied() tally {
	c := *t
	c.transitions = maps.Clone(t.transitions)
	c.passes = make(map[string]*passes, len(t.passes))
	for kind, p := range t.passes {
		same := *p
		c.passes[kind] = &same
	}
	return c
}
