package fsm

import (
	"context"
	"errors"
	"fmt"
)

// ErrInPass is returned by Instance.Reconcile while another pass over the
// same instance is under way.
var ErrInPass = errors.New("a pass over this instance is already under way")

// ErrUnknown is returned for a name that a manager does not have.
var ErrUnknown = errors.New("no such instance")

// ErrOver is wrapped by the error of Wait for an instance that has come to its
// end, well or not, and will not go on by itself.
var ErrOver = errors.New("it has come to its end")

// ErrClosed is wrapped by the errors of Apply, Set, Run and Wait once the
// manager has been closed. Its other methods then find no instances.
var ErrClosed = errors.New("the manager is closed")

// timedOut reports whether an error is a context that ended or any other
// time-out.
func timedOut(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.As(err, &t) && t.Timeout()
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Permanent marks an error of Driver.Do as one that trying again cannot mend.
// The instance is held: it is still observed, but the action is not tried again
// until what is desired, the state or the decision's reason changes, or
// Manager.Retry is called. Where only the reason's evidence changes, it is
// tried again no sooner than the back-off allows. An error that says of itself
// that it is a time-out, or that comes after the pass's context has ended, is
// never permanent, whatever wraps it. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether an error holds an instance: it wraps one made by
// Permanent and is no time-out.
func IsPermanent(err error) bool {
	if err == nil {
		return false // at no cost: it is asked in every pass
	}
	var permanent *permanentError
	return errors.As(err, &permanent) && !timedOut(err)
}

type warningError struct{ err error }

func (e *warningError) Error() string { return e.err.Error() }
func (e *warningError) Unwrap() error { return e.err }

// Warning marks a reason of Kind.Validate as one that refuses nothing: the
// declaration is taken, and the listeners are told with a Warned.
// Warning(nil) is nil.
func Warning(err error) error {
	if err == nil {
		return nil
	}
	return &warningError{err}
}

// IsWarning reports whether an error wraps one made by Warning.
func IsWarning(err error) bool {
	var warning *warningError
	return errors.As(err, &warning)
}

// ErrRunning is wrapped by the error of Run for a manager that is already being
// run.
var ErrRunning = errors.New("it is already being run")

// ErrNoRestart is wrapped by the error of Restart for an instance that cannot
// be restarted: its kind does not know how, or it is not to run.
var ErrNoRestart = errors.New("it cannot be restarted")

// ErrHeld is wrapped by the error of Wait for an instance that is held: what
// failed is not tried again until something changes.
var ErrHeld = errors.New("it is held until something changes")

// PanicError is the error of a pass in which a driver or a Decide function
// panicked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error names the value that was panicked with.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// RefusedError says that one instance's declaration was refused. What was asked
// of it before goes on.
type RefusedError struct {
	Name string
	Err  error
}

// Error names the instance and the reason.
func (e *RefusedError) Error() string { return fmt.Sprintf("refused %q: %v", e.Name, e.Err) }

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Err }
