package journal

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// Observation is implemented by a pointer to an observation that knows what of it
// moves by itself. Others are compared as by reflect.DeepEqual.
type Observation[O any] interface {
	// Same reports whether another pass saw the same.
	Same(other *O) bool
}

// Passes returns a function for fsm.Config.OnPass that records passes over instances
// with specs of type D and observations of type O. It hears of others, and records
// nothing of them.
func Passes[D, O any](j *Journal) func(fsm.Reconciled) {
	p := &passes[D, O]{
		journal: j, pointers: reflect.TypeFor[D]().Kind() == reflect.Pointer, newest: make(map[key]*recorded[D, O]),
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forget = append(j.forget, p.forget)
	return p.hear
}

// passes knows which pass was recorded last of each instance.
type passes[D, O any] struct {
	journal  *Journal
	pointers bool // D is one

	mu     sync.Mutex // guards newest
	newest map[key]*recorded[D, O]
}

// recorded is a pass that was recorded.
type recorded[D, O any] struct {
	fsm.Reconciled
	state fsm.State // before
	after *fsm.Snapshot[D, O]
	epoch uint64 // of the journal
}

// atLeast is how often an instance is recorded of which there is nothing new.
const atLeast = time.Hour

func (p *passes[D, O]) hear(r fsm.Reconciled) {
	after, is := r.After.(*fsm.Snapshot[D, O])
	before, was := r.Before.(*fsm.Snapshot[D, O])
	if !is || !was {
		return
	}
	at, epoch := key{r.Kind, r.Instance}, p.journal.epoch.Load()
	p.mu.Lock()
	old := p.newest[at]
	p.mu.Unlock()
	if old != nil && old.epoch == epoch && p.same(old, &r, before, after) {
		return
	}
	if !p.journal.offer(entryOf[D, O](r, before.State)) {
		return
	}
	r.Before = nil // which is not held
	p.mu.Lock()
	defer p.mu.Unlock()
	p.newest[at] = &recorded[D, O]{r, before.State, after, epoch}
}

func (p *passes[D, O]) forget(instance string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.newest, func(k key, _ *recorded[D, O]) bool { return k.instance == instance })
}

// entryOf returns the entry of a pass, whose record is made when it is written.
func entryOf[D, O any](r fsm.Reconciled, state fsm.State) entry {
	return entry{
		Record: Record{At: r.At, Note: &Note{Subject: r.Subject}},
		pass: func() (*Pass, error) {
			pass := &Pass{
				Kind: r.Kind, Instance: r.Instance, State: state, Decision: r.Decision,
				PutOff: r.PutOff, Did: r.Did, Fired: r.Fired, Took: r.Took,
			}
			if r.Err != nil {
				pass.Err = fsm.MaskText(r.Err.Error())
			}
			var err error
			pass.Input, err = inputOf[D, O](r)
			return pass, err
		},
	}
}

// same reports whether a pass is nothing new after another.
func (p *passes[D, O]) same(a *recorded[D, O], b *fsm.Reconciled, before, after *fsm.Snapshot[D, O]) bool {
	return b.At.Sub(a.At) < atLeast && a.state == before.State && a.after.State == after.State &&
		a.Decided == b.Decided && a.PutOff == b.PutOff && a.Did == b.Did && a.Fired == b.Fired && sameError(a.Err, b.Err) &&
		slices.Equal(a.Decision.Do, b.Decision.Do) && a.Decision.Fire == b.Decision.Fire &&
		a.Decision.Pending == b.Decision.Pending && sameReason(a.Decision.Reason, b.Decision.Reason) &&
		a.after.Desired.State == after.Desired.State && p.sameSpec(a.after.Desired.Spec, after.Desired.Spec) &&
		sameReason(a.after.Desired.Rejected, after.Desired.Rejected) && sameReason(a.after.Waits, after.Waits) &&
		sameObservation(a.after, after)
}

func (p *passes[D, O]) sameSpec(a, b D) bool {
	return p.pointers && any(a) == any(b) || reflect.DeepEqual(a, b)
}

func sameObservation[D, O any](a, b *fsm.Snapshot[D, O]) bool {
	if o, knows := any(&a.Observed).(Observation[O]); knows {
		return o.Same(&b.Observed)
	}
	return reflect.DeepEqual(a.Observed, b.Observed)
}

func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return sameText(a.Error(), b.Error())
}

func sameReason(a, b fsm.Reason) bool {
	return a == b || sameText(a.Summary, b.Summary) && sameText(a.Evidence, b.Evidence)
}

// sameText reports whether texts differ in numbers alone, if at all, such as for how
// long something has been so.
func sameText(a, b string) bool { return a == b || wordsOf(a) == wordsOf(b) }

func wordsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, text)
}
