package fsm

import (
	"context"
	"log/slog"
)

// LogTo returns a listener that writes notices to a logger: transitions and
// what is well again at level Info, what fails, is refused or is warned of at
// Warn, a pass that does not end at Error, and all that happens to owned
// instances at Debug.
// Reasons and errors are written as MaskText and EscapeText show them.
func LogTo(logger *slog.Logger) Listener {
	return func(n Notice) { logNotice(logger, n, false) }
}

func logNotice(logger *slog.Logger, n Notice, owned bool) {
	if o, ok := n.(Owned); ok {
		logNotice(logger, o.Notice, true)
		return
	}
	level, message, args := wordsFor(n)
	if message == "" {
		return
	}
	if owned {
		level = slog.LevelDebug
	}
	about := n.About()
	args = append([]any{"kind", about.Kind, "name", about.Instance}, args...)
	logger.Log(context.Background(), level, message, args...)
}

// wordsFor returns what a log says of a notice, no message for one that is of
// no interest there.
func wordsFor(n Notice) (level slog.Level, message string, args []any) {
	switch n := n.(type) {
	case Transition:
		return slog.LevelInfo, "transition", []any{"from", n.From, "to", n.To, "event", n.Event, "reason", EscapeText(n.Reason.masked().String())}
	case PassFailed:
		return slog.LevelWarn, "pass failed", []any{"error", loggedError{n.Err}, "held", n.Held}
	case PassRecovered:
		return slog.LevelInfo, "pass succeeded again", nil
	case Refused:
		return slog.LevelWarn, "declaration refused", []any{"reason", loggedError{n.Err}}
	case Warned:
		return slog.LevelWarn, "declaration taken with a warning", []any{"reason", loggedError{n.Err}}
	case Overran:
		return slog.LevelError, "pass does not end", []any{"after", n.After}
	case Closed:
		if n.Err != nil {
			return slog.LevelWarn, "cannot close driver", []any{"error", loggedError{n.Err}}
		}
	}
	return 0, "", nil
}

// loggedError is an error whose text is masked and escaped.
type loggedError struct{ err error }

func (e loggedError) Error() string { return EscapeText(MaskText(e.err.Error())) }
func (e loggedError) Unwrap() error { return e.err }
