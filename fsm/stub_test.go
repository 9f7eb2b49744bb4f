package fsm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// stub is a driver made of functions; nil ones succeed.
type stub struct {
	observe func(context.Context) (int, error)
	do      func(context.Context, fsm.Action) error
	close   func() error
	done    []fsm.Action // tried, in order
}

func (s *stub) Observe(ctx context.Context, _ fsm.Desired[string]) (int, error) {
	if s.observe == nil {
		return 0, nil
	}
	return s.observe(ctx)
}

func (s *stub) Do(ctx context.Context, action fsm.Action, _ fsm.Desired[string]) error {
	s.done = append(s.done, action)
	if s.do == nil {
		return nil
	}
	return s.do(ctx, action)
}

func (s *stub) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

// taken returns the actions that were tried and forgets them.
func (s *stub) taken() []fsm.Action {
	done := s.done
	s.done = nil
	return done
}

type stubInput = fsm.Input[string, int]

// script is a Decide function that can be changed from pass to pass.
type script struct{ decide func(stubInput) fsm.Decision }

func (s *script) says(d fsm.Decision) { s.decide = func(stubInput) fsm.Decision { return d } }

// newStub returns an instance with a driver and a Decide to script. Its
// failures are put off without jitter.
func newStub(t testing.TB, config fsm.InstanceConfig) (*fsm.Instance[string, int], *stub, *script) {
	t.Helper()
	driver, decides := &stub{}, &script{}
	decides.says(fsm.Decision{})
	kind := fsm.Kind[string, int]{
		Name: "stub", Table: lampTable(t),
		Decide: func(in stubInput) fsm.Decision { return decides.decide(in) },
		Open:   func(string, func()) (fsm.Driver[string, int], error) { return driver, nil },
	}
	if config.Backoff == (fsm.Backoff{}) {
		config.Backoff.Jitter = -1
	}
	i, err := fsm.NewInstance(&kind, "a", config, nil)
	require.NoError(t, err)
	return i, driver, decides
}

func pass[D, O any](t testing.TB, i *fsm.Instance[D, O]) fsm.Result {
	t.Helper()
	return i.Reconcile(t.Context())
}

// follow makes each pass of an instance as it falls due, for so long in fake
// time, and returns how long after the beginning each was made.
func follow[D, O any](t testing.TB, i *fsm.Instance[D, O], d time.Duration) (at []time.Duration) {
	t.Helper()
	start := time.Now()
	for next := start; next.Sub(start) <= d; {
		time.Sleep(time.Until(next))
		at = append(at, time.Since(start))
		require.Less(t, len(at), 10_000, "passes without end")
		next = pass(t, i).Next
	}
	return at
}
