package s6

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Policy says what follows on the end of a process that nobody asked to end. It
// holds while no program runs, too. The zero Policy is that of s6, another process
// after a second at most; a program spares what crashes for the first time in
// CrashWindow that second.
type Policy struct {
	// Restart is what follows; empty means RestartAlways. What is not to run again
	// stays so, also for another run of the program, until it is asked for again:
	// by another command, environment or policy, by being stopped and started, or
	// by a restart by hand.
	Restart Restart `json:"restart,omitempty" yaml:"restart,omitempty"`
	// Backoff is how long no process runs in between.
	Backoff Backoff `json:"backoff,omitzero" yaml:"backoff,omitempty"`
	// GiveUpAfter is how many ends in a row are the last one; zero means that it
	// is tried for ever. An end is the first in a row after a run of half a
	// minute, and of Backoff.To if that is longer.
	GiveUpAfter int `json:"giveUpAfter,omitempty" yaml:"giveUpAfter,omitempty"`
}

// Restart is what follows on the end of a process.
type Restart string

// What can follow. A process ends well that exits with 0.
const (
	RestartAlways    Restart = "always"     // another process
	RestartOnFailure Restart = "on-failure" // another one unless it ended well: then the service is done
	RestartNever     Restart = "never"      // nothing: the service is done, or has failed
)

// Backoff is a pause that doubles with each end in a row, from From to To. The
// zero Backoff leaves it to s6. Where only To is given, From is a second or To,
// and where only From is, To is five minutes or From, whatever is more.
type Backoff struct {
	From time.Duration `json:"from,omitempty" yaml:"from,omitempty"`
	To   time.Duration `json:"to,omitempty" yaml:"to,omitempty"`
}

// pauses returns the first and the longest pause, zeros for none.
func (b Backoff) pauses() (from, to time.Duration) {
	if b == (Backoff{}) {
		return 0, 0
	}
	from = cmp.Or(b.From, min(time.Second, b.To))
	return from, cmp.Or(b.To, max(from, longestPause))
}

// Judges reports whether something else can follow on the end of a process than
// another one after s6's own pause.
func (p Policy) Judges() bool { return p.Ends() || p.Backoff != Backoff{} || p.GiveUpAfter > 0 }

// Ends reports whether nothing follows on the end of a process that ended well.
func (p Policy) Ends() bool { return p.Restart == RestartOnFailure || p.Restart == RestartNever }

// Validate returns everything that is wrong with the policy, nil for nothing. Each
// error begins with the name of a field.
func (p Policy) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch p.Restart {
	case "", RestartAlways, RestartOnFailure, RestartNever:
	default:
		bad("restart: %q must be one of %q", p.Restart, []Restart{RestartAlways, RestartOnFailure, RestartNever})
	}
	pause := func(field string, d time.Duration) {
		if d < 0 || d > longestTimeout || d > 0 && d < centisecond {
			bad("%s: %v must be from 10ms to 24h", field, d)
		}
	}
	pause("backoff.from", p.Backoff.From)
	pause("backoff.to", p.Backoff.To)
	if p.Backoff.To != 0 && p.Backoff.From > p.Backoff.To {
		bad("backoff.from: %v must not be more than backoff.to, %v", p.Backoff.From, p.Backoff.To)
	}
	if p.GiveUpAfter < 0 {
		bad("giveUpAfter: %d must not be negative", p.GiveUpAfter)
	}
	if p.Restart == RestartNever && p.GiveUpAfter > 0 {
		bad("giveUpAfter: it has no meaning with restart: never")
	}
	if p.Restart == RestartNever && p.Backoff != (Backoff{}) {
		bad("backoff: it has no meaning with restart: never")
	}
	return errors.Join(errs...)
}
