package cli

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
)

// secret must not be seen anywhere, and wild not as it is.
const (
	secret = "s3cr3t"
	wild   = "\x1b[2J \a \u009b31m \x9b32m \u202e \x7f\r\n15:04:05.000 a stopped -> running"
)

var someday = time.Date(2000, 1, 2, 15, 4, 5, 6_000_000, time.UTC)

// logged logs a record of someday.
func logged(h slog.Handler, level slog.Level, message string, args ...any) {
	if h.Enabled(context.Background(), level) {
		r := slog.NewRecord(someday, level, message, 0)
		r.Add(args...)
		_ = h.Handle(context.Background(), r) // a buffer takes everything
	}
}

// story logs one record of each sort.
func story(h slog.Handler) {
	tell := fsm.LogTo(slog.New(h))
	about := fsm.Subject{At: someday, Kind: "s6", Instance: "a"}
	stream := fsm.Subject{At: someday, Kind: "benthos", Instance: "benthos-s"}
	broken := errors.New("cannot start: no room")
	tell(fsm.Transition{Subject: about, From: "starting", To: "running", Event: "start_done", ToPhase: fsm.PhaseRunning, Reason: fsm.Because("its process runs").With("pid 7")})
	tell(fsm.Transition{Subject: stream, From: "active", To: "degraded", Event: "degraded", ToPhase: fsm.PhaseDegraded, Reason: fsm.Because("it does not answer")})
	tell(fsm.Transition{Subject: about, From: "running", To: "failed", Event: "give_up", ToPhase: fsm.PhaseFailed, Reason: fsm.Because("it ends")})
	tell(fsm.PassFailed{Subject: about, Err: broken, Failures: 1, Since: someday})
	tell(fsm.PassFailed{Subject: about, Err: broken, Failures: 10, Since: someday.Add(-5 * time.Minute), Held: true})
	tell(fsm.PassRecovered{Subject: about, Err: broken, Failures: 100, Since: someday.Add(-48 * time.Hour)})
	tell(fsm.Refused{Subject: stream, Err: errors.New("line 14: no\nsuch field")})
	tell(fsm.Owned{Subject: stream, Notice: fsm.PassFailed{Subject: about, Err: broken, Failures: 1, Since: someday}})
	tell(fsm.Overran{Subject: about, After: 10 * time.Second})
	logged(h, slog.LevelWarn, "problem in a file", "at", config.Position{File: "a.yaml", Line: 6, Column: 23}, "entry", config.Key{Kind: "service", Name: "a"}, "error", "there is no comand")
	logged(h, slog.LevelError, "ended with an error", "error", broken)
	logged(h, slog.LevelWarn, "a process was killed", "pid", 7)
	logged(h, slog.LevelDebug, "looked")
}

func TestLinesForPeople(t *testing.T) {
	var out strings.Builder
	story(&lines{to: &out, level: slog.LevelDebug})
	assert.Equal(t, `15:04:05.006 a starting -> running (start_done) its process runs: pid 7
15:04:05.006 benthos-s active -> degraded (degraded) it does not answer
15:04:05.006 a running -> failed (give_up) it ends
15:04:05.006 a pass failed: cannot start: no room
15:04:05.006 a pass failed: cannot start: no room (10 times since 14:59:05, held)
15:04:05.006 a pass succeeded again: cannot start: no room (100 times since 1999-12-31 15:04)
15:04:05.006 benthos-s declaration refused: line 14: no such field
15:04:05.006 a pass failed: cannot start: no room (parent=benthos)
15:04:05.006 a pass does not end (after=10s)
15:04:05.006 a.yaml:6:23: there is no comand
15:04:05.006 ended with an error: cannot start: no room
15:04:05.006 a process was killed (pid=7)
15:04:05.006 looked
`, out.String())
}

func TestLinesOnATerminal(t *testing.T) {
	var out strings.Builder
	story(&lines{to: &out, level: slog.LevelDebug, columns: new(columns), colour: true})
	assert.Equal(t, strings.ReplaceAll(`<2m15:04:05.006<0m a starting -> <32mrunning<0m <2m(start_done)<0m its process runs: pid 7
<2m15:04:05.006<0m benthos-s active -> <33mdegraded<0m <2m(degraded)<0m it does not answer
<2m15:04:05.006<0m a         running -> <31mfailed<0m <2m(give_up)<0m it ends
<2m15:04:05.006<0m a         <33mpass failed:<0m cannot start: no room
<2m15:04:05.006<0m a         <33mpass failed:<0m cannot start: no room (10 times since 14:59:05, held)
<2m15:04:05.006<0m a         pass succeeded again: cannot start: no room (100 times since 1999-12-31 15:04)
<2m15:04:05.006<0m benthos-s <33mdeclaration refused:<0m line 14: no such field
<2m15:04:05.006<0m a         <33mpass failed:<0m cannot start: no room (parent=benthos)
<2m15:04:05.006<0m a         <31mpass does not end<0m (after=10s)
<2m15:04:05.006<0m <33ma.yaml:6:23:<0m there is no comand
<2m15:04:05.006<0m <31mended with an error:<0m cannot start: no room
<2m15:04:05.006<0m <33ma process was killed<0m (pid=7)
<2m15:04:05.006<0m <2mlooked<0m
`, "<", "\x1b["), out.String())
}

// One name that is very long moves the others no further than nameWidth.
func TestLongNamesStandOut(t *testing.T) {
	var c columns
	assert.Equal(t, "a", c.pad("a"))
	assert.Equal(t, strings.Repeat("é", 5), c.pad(strings.Repeat("é", 5)))
	assert.Equal(t, "a    ", c.pad("a"))
	long := strings.Repeat("x", 200)
	assert.Equal(t, long, c.pad(long))
	assert.Len(t, c.pad("a"), nameWidth)
}

// What others have written takes one line, hides nothing and shows no secret,
// wherever it stands.
func TestLinesObeyNobody(t *testing.T) {
	for _, place := range []string{"name", "at", "from", "event", "reason", "error", "phase", "other", wild} {
		for _, transition := range []bool{true, false} {
			var out strings.Builder
			l := slog.New(&lines{to: &out, columns: new(columns)}).With("given", wild)
			args := []any{place, wild + " token=" + secret}
			if transition {
				args = append(args, "to", wild)
			}
			l.Info(wild, args...)
			assert.Equal(t, 1, strings.Count(out.String(), "\n"), out.String())
			text := strings.TrimSuffix(out.String(), "\n")
			assert.Equal(t, fsm.EscapeText(text), text, place)
			assert.NotContains(t, text, secret, place)
			assert.Contains(t, text, `\x1b[2J`)
		}
	}
}

// What a line says has all that slog demands of a handler.
func TestLinesAreAHandler(t *testing.T) {
	var out strings.Builder
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return &lines{to: &out}
	}, func(t *testing.T) map[string]any { return parsed(t, out.String()) })
}

// parsed returns what slogtest looks for in a line: its attributes by group.
func parsed(t *testing.T, line string) map[string]any {
	t.Helper()
	all := map[string]any{slog.LevelKey: "INFO"} // which colours alone tell
	line = strings.TrimSuffix(line, "\n")
	if clock, rest, _ := strings.Cut(line, " "); strings.Count(clock, ":") == 2 {
		all[slog.TimeKey], line = clock, rest
	}
	message, notes, _ := strings.Cut(line, " (")
	all[slog.MessageKey] = message
	for note := range strings.SplitSeq(strings.TrimSuffix(notes, ")"), ", ") {
		key, value, found := strings.Cut(note, "=")
		if !found {
			continue
		}
		within := all
		for {
			group, rest, grouped := strings.Cut(key, ".")
			if !grouped {
				break
			}
			if within[group] == nil {
				within[group] = make(map[string]any)
			}
			inner, is := within[group].(map[string]any)
			require.True(t, is, line)
			within, key = inner, rest
		}
		within[key] = value
	}
	return all
}
