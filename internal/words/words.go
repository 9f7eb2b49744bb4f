package words

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

// Ago says in a word how long ago that was, or how long it will take: "-" for the zero
// time.
func Ago(at, now time.Time) string {
	if at.IsZero() {
		return "-"
	}
	d := now.Sub(at).Abs()
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// Reason says why an instance is where it is, and what comes of it.
func Reason(s *api.Summary, now time.Time) string {
	text := cmp.Or(s.Error, s.Waits.String(), s.Reason.String())
	if s.Held {
		text += " (held: it is not tried again until something changes)"
	} else if !s.NextTry.IsZero() {
		text += " (next try in " + Ago(s.NextTry, now) + ")"
	}
	if s.Refused != "" {
		text = strings.TrimPrefix(text+"; its declaration is refused: "+s.Refused, "; ")
	}
	return text
}

// Link says one sentence of a Why, with who says it and since when that is so.
func Link(l fsm.Link, now time.Time) string {
	text := l.Text
	if l.By != "" {
		text += " (" + l.By + ")"
	}
	switch {
	case l.At.IsZero():
		return text
	case l.At.After(now):
		return text + ", in " + Ago(l.At, now)
	}
	return text + ", since " + l.At.Local().Format("2006-01-02 15:04:05") + " (" + Ago(l.At, now) + ")"
}
