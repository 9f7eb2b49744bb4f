package fsm

import (
	"context"
	"log/slog"
)

// LogTo returns a listener that writes notices to a logger: transitions and
// what is well again at level Info, what fails, is refused or is warned of at
// Warn, a pass that does not end at Error, and transitions of owned instances at
// Debug. A record has the time of its notice, kind and name of the instance and,
// where that is owned, the kind of its parent.
//
// What goes on is written once: a refusal as long as it stays, whatever is
// declared meanwhile, and a warning until the instance moves or is gone. A
// failure is written as often as PassFailed is told, with how many times it was
// and since when.
//
// Reasons and errors are written as MaskText and EscapeText show them.
func LogTo(logger *slog.Logger) Listener {
	var told standing
	return func(n Notice) {
		if told.news(n) {
			logNotice(logger, n, "")
		}
	}
}

// logNotice logs a notice of an instance of which a parent of some kind is the
// owner, "" for none.
func logNotice(logger *slog.Logger, n Notice, parent string) {
	if o, ok := n.(Owned); ok {
		logNotice(logger, o.Notice, o.Kind)
		return
	}
	level, message, args := wordsFor(n)
	if message == "" {
		return
	}
	if _, moved := n.(Transition); moved && parent != "" {
		level = slog.LevelDebug
	}
	ctx := context.Background()
	if !logger.Enabled(ctx, level) {
		return
	}
	about := n.About()
	r := slog.NewRecord(about.At, level, message, 0)
	r.Add("kind", about.Kind, "name", about.Instance)
	r.Add(args...)
	if parent != "" {
		r.Add("parent", parent)
	}
	_ = logger.Handler().Handle(ctx, r) // nobody could be told
}

// wordsFor returns what a log says of a notice, no message for one that is of
// no interest there.
func wordsFor(n Notice) (level slog.Level, message string, args []any) {
	switch n := n.(type) {
	case Transition:
		return slog.LevelInfo, "transition", []any{
			"from", n.From, "to", n.To, "event", n.Event, "phase", n.ToPhase, "reason", EscapeText(n.Reason.masked().String()),
		}
	case PassFailed:
		return slog.LevelWarn, "pass failed", []any{"error", loggedError{n.Err}, "times", n.Failures, "since", n.Since, "held", n.Held}
	case PassRecovered:
		return slog.LevelInfo, "pass succeeded again", []any{"error", loggedError{n.Err}, "times", n.Failures, "since", n.Since}
	case Refused:
		return slog.LevelWarn, "declaration refused", []any{"reason", loggedError{n.Err}}
	case RefusalEnded:
		return slog.LevelInfo, "refusal ended", []any{"reason", loggedError{n.Err}}
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
