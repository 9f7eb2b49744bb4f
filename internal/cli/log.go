package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/runner"
	"github.com/evenkeel/evenkeel/s6/logs"
)

// logOptions are the flags of a command that has a log.
type logOptions struct {
	format choice
	level  choice
}

// logFlags are how a command is told how to write its log.
func logFlags(c *cobra.Command, o *logOptions) {
	o.format = choice{of: []string{"auto", "text", "json"}, is: "auto"}
	o.level = choice{of: []string{"debug", "info", "warn", "error"}, is: "info"}
	c.Flags().Var(&o.format, "log-format", "`FORMAT` of the log: text, a line for people; json, one object a line; auto, text on a terminal and json elsewhere")
	c.Flags().Var(&o.level, "log-level", "the least `LEVEL` that is logged: debug, info, warn or error")
	// The flags are there.
	_ = c.RegisterFlagCompletionFunc("log-format", cobra.FixedCompletions(o.format.of, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("log-level", cobra.FixedCompletions(o.level.of, cobra.ShellCompDirectiveNoFileComp))
}

// choice is a flag that takes one of a few words.
type choice struct {
	of []string
	is string
}

// String implements pflag.Value.
func (c *choice) String() string { return c.is }

// Type implements pflag.Value.
func (c *choice) Type() string { return "word" }

// Set implements pflag.Value.
func (c *choice) Set(word string) error {
	if !slices.Contains(c.of, word) {
		return errors.New("it is one of " + strings.Join(c.of, ", "))
	}
	c.is = word
	return nil
}

// programLog is the log of a command: records below Warn go to its standard
// output, the others to its standard error. Nobody waits for who reads them.
// trouble is for one goroutine, all else for any number.
type programLog struct {
	*slog.Logger
	out, errs *runner.Outlet // one, where both are one file: records keep their order
	json      bool           // what is printed to out are objects
	failing   repeats        // what has no place in a file
}

// open begins a log on these outputs. The caller flushes it at the end.
func (o logOptions) open(stdout, stderr io.Writer) *programLog {
	l := new(programLog)
	l.out, l.errs = runner.NewOutlets(stdout, stderr, "evenkeel", runner.OutletRoom)
	l.json = o.json(l.out)
	shared := new(columns)
	calm := o.on(l.out, shared)
	l.Logger = slog.New(split{calm, o.on(l.errs, shared)})
	return l
}

// flush ends the log.
func (l *programLog) flush() { runner.Flush(runner.FlushTime, l.out, l.errs) }

// json reports whether objects are printed to an outlet.
func (o logOptions) json(to *runner.Outlet) bool {
	return o.format.is == "json" || o.format.is == "auto" && !runner.IsTerminal(to.To())
}

// on returns the handler that prints to an outlet. What the outlet leaves out is
// a record as well.
func (o logOptions) on(to *runner.Outlet, shared *columns) slog.Handler {
	var level slog.Level
	_ = level.UnmarshalText([]byte(o.level.is)) // choice has seen to it
	terminal := runner.IsTerminal(to.To())
	handler := func(w io.Writer) slog.Handler {
		if o.json(to) {
			return slog.NewJSONHandler(escaped{w}, &slog.HandlerOptions{Level: level, ReplaceAttr: masked})
		}
		l := &lines{to: w, level: level}
		if terminal {
			l.columns, l.colour = shared, wantsColor(to.To())
		}
		return l
	}
	to.TellGaps(func(lost int, why string) []byte {
		var text bytes.Buffer
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "lines were left out", 0)
		r.Add("error", why, "lines", lost)
		_ = handler(&text).Handle(context.Background(), r) // a buffer takes everything
		return text.Bytes()
	})
	return handler(to)
}

// split is a slog.Handler with two outputs.
type split struct {
	calm    slog.Handler // for records below Warn
	trouble slog.Handler // for the others
}

func (s split) of(level slog.Level) slog.Handler {
	if level < slog.LevelWarn {
		return s.calm
	}
	return s.trouble
}

// Enabled implements slog.Handler.
func (s split) Enabled(ctx context.Context, level slog.Level) bool {
	return s.of(level).Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (s split) Handle(ctx context.Context, r slog.Record) error { return s.of(r.Level).Handle(ctx, r) }

// WithAttrs implements slog.Handler.
func (s split) WithAttrs(attrs []slog.Attr) slog.Handler {
	return split{s.calm.WithAttrs(attrs), s.trouble.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (s split) WithGroup(name string) slog.Handler {
	return split{s.calm.WithGroup(name), s.trouble.WithGroup(name)}
}

// masked masks what is in a text or an error.
func masked(_ []string, a slog.Attr) slog.Attr {
	switch err, is := a.Value.Any().(error); {
	case is:
		a.Value = slog.StringValue(fsm.MaskText(err.Error()))
	case a.Value.Kind() == slog.KindString:
		a.Value = slog.StringValue(fsm.MaskText(a.Value.String()))
	}
	return a
}

// escaped is a writer of JSON that a terminal may show.
type escaped struct{ to io.Writer }

// Write implements io.Writer.
func (e escaped) Write(text []byte) (int, error) {
	_, err := e.to.Write(fsm.EscapeJSON(text))
	return len(text), err
}

// trouble logs what is wrong with what files declare, as runner.Files tells it:
// problems once, and what has no place in a file as often as it is news.
func (l *programLog) trouble(err error) {
	if p, is := errors.AsType[config.Problem](err); is {
		args := []any{"at", p.At}
		if p.Entry.Name != "" {
			args = append(args, "entry", p.Entry)
		}
		l.Warn("problem in a file", append(args, "error", p.What)...)
		return
	}
	if l.failing.again(err, time.Now()) {
		l.Warn("trouble with what is declared", l.failing.args()...)
	}
}

// line logs a line that an instance has printed, with its own time.
func (l *programLog) line(line logs.Line) {
	r := slog.NewRecord(line.At, slog.LevelInfo, "printed", 0)
	r.Add("name", line.Instance, "line", line.Text)
	if line.Gap {
		r.Add("gap", true)
	}
	if line.Cut {
		r.Add("cut", true)
	}
	_ = l.Handler().Handle(context.Background(), r) // an outlet takes all
}

// untold logs that those who supervise the program could not be told how it is.
func (l *programLog) untold(err error) { l.Warn("supervisor not told", "error", err) }

// unrecorded logs that something could not be written into the journal.
func (l *programLog) unrecorded(err error) { l.Warn("journal not written", "error", err) }

// end logs why a command ends, unless that is told already, and returns the error
// that it ends with.
func (l *programLog) end(err error) error {
	code := exitProblems
	if err == nil || errors.As(err, &code) {
		return err
	}
	l.Error("ended with an error", "error", err)
	return exitProblems
}
