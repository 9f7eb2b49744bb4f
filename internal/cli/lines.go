package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/runner"
)

// lines is a slog.Handler for people, who read a line a record:
//
//	15:04:05.000 NAME from -> to (event) reason
//	15:04:05.000 NAME message: error (3 times since 15:00:00, key=value)
//	15:04:05.000 FILE:LINE:COLUMN: error
//
// What is in a record is masked and escaped: none takes more than its line.
type lines struct {
	to      io.Writer
	level   slog.Level // the least that is printed
	columns *columns   // nil for none
	colour  bool
	attrs   []slog.Attr // of all records
	group   string      // what their further keys begin with
}

// columns are those of one terminal: names have one, which grows with them.
type columns struct {
	mu   sync.Mutex // guards name
	name int        // how wide
}

// nameWidth is how wide the column of names becomes. Longer names stand out.
const nameWidth = 32

// pad returns a name as wide as the column.
func (c *columns) pad(name string) string {
	width := utf8.RuneCountInString(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.name = max(c.name, min(width, nameWidth))
	return name + strings.Repeat(" ", max(0, c.name-width))
}

// Enabled implements slog.Handler.
func (l *lines) Enabled(_ context.Context, level slog.Level) bool { return level >= l.level }

// WithAttrs implements slog.Handler.
func (l *lines) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *l
	with.attrs = slices.Clip(l.attrs)
	for _, a := range attrs {
		with.attrs = append(with.attrs, slog.Attr{Key: l.group + a.Key, Value: a.Value})
	}
	return &with
}

// WithGroup implements slog.Handler.
func (l *lines) WithGroup(name string) slog.Handler {
	with := *l
	if name != "" {
		with.group += name + "."
	}
	return &with
}

// Handle implements slog.Handler.
func (l *lines) Handle(_ context.Context, r slog.Record) error {
	said := record{at: r.Time, message: plain(r.Message), known: make(map[string]slog.Value)}
	for _, a := range l.attrs {
		said.take(a.Key, a.Value)
	}
	r.Attrs(func(a slog.Attr) bool {
		said.take(l.group+a.Key, a.Value)
		return true
	})
	_, err := io.WriteString(l.to, l.render(r.Level, &said)+"\n")
	return err
}

// record is what a record says.
type record struct {
	at      time.Time
	message string
	known   map[string]slog.Value // that have a place in the line
	rest    []string
}

// take takes an attribute, those of a group one by one.
func (r *record) take(key string, v slog.Value) {
	switch v = v.Resolve(); {
	case v.Kind() == slog.KindGroup:
		for _, a := range v.Group() {
			within := a.Key
			if key != "" {
				within = key + "." + a.Key
			}
			r.take(within, a.Value)
		}
	case placed(key):
		r.known[key] = v
	case v.Kind() == slog.KindBool:
		if v.Bool() {
			r.rest = append(r.rest, plain(key))
		}
	case key != "":
		r.rest = append(r.rest, plain(key+"="+v.String()))
	}
}

// placed reports whether an attribute has a place in the line, or none: whoever
// reads the name knows the kind and what it is an entry of.
func placed(key string) bool {
	switch key {
	case "kind", "entry", "phase", "name", "at", "from", "to", "event", "reason", "error", "times", "since":
		return true
	}
	return false
}

// text returns an attribute as it is shown, "" where there is none.
func (r *record) text(key string) string {
	v, known := r.known[key]
	if !known {
		return ""
	}
	return plain(v.String())
}

// notes is what stands at the end of the line.
func (r *record) notes() string {
	notes := r.rest
	if times := r.known["times"]; times.Kind() == slog.KindInt64 && times.Int64() > 1 {
		repeated := fmt.Sprintf("%d times", times.Int64())
		if since := r.known["since"]; since.Kind() == slog.KindTime {
			repeated += " since " + moment(since.Time(), r.at)
		}
		notes = append([]string{repeated}, notes...)
	}
	if len(notes) == 0 {
		return ""
	}
	return " (" + strings.Join(notes, ", ") + ")"
}

// moment returns a time for somebody who reads it at another one.
func moment(t, read time.Time) string {
	if t.Format(time.DateOnly) == read.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format("2006-01-02 15:04")
}

// plain returns a text of any origin as it stands in a line.
func plain(text string) string { return fsm.EscapeLine(fsm.MaskText(text)) }

// The colours of a terminal, as its user has chosen them.
const (
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// wantsColor reports whether what is written may have colors: it goes to a terminal
// that has some, and whoever has set NO_COLOR does not want them (no-color.org).
func wantsColor(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && runner.IsTerminal(w)
}

// paint gives a text a colour, "" for none.
func (l *lines) paint(colour, text string) string {
	if !l.colour || colour == "" || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// render returns the line of a record.
func (l *lines) render(level slog.Level, r *record) string {
	var begin string
	if !r.at.IsZero() {
		begin = l.paint(faint, r.at.Format("15:04:05.000")) + " "
	}
	name, at, why := r.text("name"), r.text("at"), cmp.Or(r.text("error"), r.text("reason"))
	if name != "" {
		if l.columns != nil {
			name = l.columns.pad(name)
		}
		begin += name + " "
	}
	if to := r.text("to"); to != "" {
		return begin + r.text("from") + " -> " + l.paint(phaseColour(r.text("phase")), to) + " " +
			l.paint(faint, "("+r.text("event")+")") + " " + why + r.notes()
	}
	colour, what := levelColour(level), r.message
	switch {
	case at != "" && why != "":
		return begin + l.paint(colour, at+":") + " " + why + r.notes()
	case why != "":
		return begin + l.paint(colour, what+":") + " " + why + r.notes()
	}
	return begin + l.paint(colour, what) + r.notes()
}

func levelColour(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return red
	case level >= slog.LevelWarn:
		return yellow
	case level < slog.LevelInfo:
		return faint
	}
	return ""
}

func phaseColour(phase string) string {
	switch phase {
	case fsm.PhaseRunning.String():
		return green
	case fsm.PhaseDegraded.String():
		return yellow
	case fsm.PhaseFailed.String():
		return red
	}
	return ""
}
