package fsm

import (
	"context"
	"fmt"
	"maps"
)

// Prepare begins with what is new in a declaration before it is known whether it is
// taken, where Apply takes its time to find that out: instances that are listed, of
// which nothing exists, are declared as by Apply, and what they are called is
// returned. Their kind's Validate is asked with a context of which Preparing reports
// true. Everything else stays as it is, and what is refused is left for Apply to tell.
//
// What is prepared counts as new still when it is applied: what Apply refuses, or does
// not list, is removed. What is not to be done before that, a Gate has them wait with.
// After Close the error wraps ErrClosed. On any error nothing is prepared.
func (m *Manager[D, O]) Prepare(ctx context.Context, desired map[string]Desired[D]) (names []string, err error) {
	m.applying.Lock()
	defer m.applying.Unlock()
	asked := m.asked()
	found, err := m.examine(context.WithValue(ctx, preparing{}, true), desired, false)
	if err != nil {
		return nil, fmt.Errorf("cannot prepare: %w", err)
	}
	want := make(map[string]Desired[D])
	for name, d := range desired {
		_, held := asked[name]
		_, exists := found.existing[name]
		if !held && !exists && found.refused[name] == nil && d.State != StateRemoved {
			want[name] = d
		}
	}
	if err := m.declare(want, nil, found.existing, found.refused); err != nil {
		return nil, fmt.Errorf("cannot prepare: %w", err)
	}
	prepared := m.whatIsPrepared()
	for name := range want {
		if found.refused[name] == nil { // its driver can be opened
			prepared[name] = true
			names = append(names, name)
		}
	}
	m.isPrepared(prepared)
	return names, nil
}

// whatIsPrepared returns what is prepared and not applied yet.
func (m *Manager[D, O]) whatIsPrepared() map[string]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]bool)
	maps.Copy(all, m.prepared)
	return all
}

func (m *Manager[D, O]) isPrepared(names map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.prepared = names
}

// preparing is the key of the context of Prepare.
type preparing struct{}

// Preparing reports whether a declaration is about to be prepared and not applied: what
// takes its time to find out can wait.
func Preparing(ctx context.Context) bool { return ctx.Value(preparing{}) != nil }
