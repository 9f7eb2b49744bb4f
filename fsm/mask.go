package fsm

import (
	"log/slog"
	"slices"
)

// Mask stands in the place of a secret that is not shown.
const Mask = "***"

// Masker is implemented by a spec or an observation that may hold secrets; T is
// its own type. Where a snapshot is shown, what Masked returns takes its place.
//
// Masked returns a copy without the secrets. The copy shares nothing with the
// original that either would change, and masking it again changes nothing.
// MaskText, MaskArgs and SecretName help to write one.
type Masker[T any] interface {
	Masked() T
}

// Masked returns a copy of the snapshot for display: Desired.Spec and Observed
// are masked where they are Maskers, texts as by MaskText.
func (s *Snapshot[D, O]) Masked() *Snapshot[D, O] {
	if s == nil {
		return nil
	}
	shown := *s
	shown.Desired.Spec = masked(s.Desired.Spec)
	shown.Observed = masked(s.Observed)
	shown.Desired.Rejected = s.Desired.Rejected.masked()
	shown.Waits, shown.Reason = s.Waits.masked(), s.Reason.masked()
	if s.Err != nil {
		shown.Err = maskedError{s.Err}
	}
	shown.History = slices.Clone(s.History)
	for n := range shown.History {
		shown.History[n].Reason = s.History[n].Reason.masked()
	}
	return &shown
}

// Masked implements Masker: with the Snapshot masked.
func (c ChildObserved[D, O]) Masked() ChildObserved[D, O] {
	c.Snapshot = c.Snapshot.Masked()
	return c
}

// LogValue implements slog.LogValuer: what is asked, with the Spec masked where
// it is a Masker. The JSON of Desired itself has all that is in it.
func (d Desired[D]) LogValue() slog.Value {
	type plain Desired[D]
	return slog.AnyValue(plain{d.State, masked(d.Spec), d.Rejected.masked()})
}

// masked returns v, masked where it knows how to be: by a method of its own or
// of a pointer to it.
func masked[T any](v T) T {
	if missing(v) {
		return v
	}
	if m, ok := any(v).(Masker[T]); ok {
		return m.Masked()
	}
	if m, ok := any(&v).(Masker[T]); ok {
		return m.Masked()
	}
	return v
}

func (r Reason) masked() Reason { return Reason{MaskText(r.Summary), MaskText(r.Evidence)} }

// maskedError is an error whose text is masked.
type maskedError struct{ err error }

func (e maskedError) Error() string { return MaskText(e.err.Error()) }
func (e maskedError) Unwrap() error { return e.err }
