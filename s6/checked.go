package s6

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// ErrNoCheck is wrapped by the error of Tree.Check for a check that could not be
// made. It says nothing about the process.
var ErrNoCheck = errors.New("it cannot be made")

// Checked is what checks have said of the process that runs now, and what has
// followed on checks of those before it.
type Checked struct {
	// What is checked, empty where no check is asked for. It and all texts here
	// are without secrets.
	What string `json:"what,omitempty"`
	// Passed: the process has passed one. At is when the last one was over, zero
	// where none was.
	Passed bool      `json:"passed,omitempty"`
	At     time.Time `json:"at,omitzero"`
	// Problem is how the last one failed, empty where it did not. Unmade: it could
	// not be made.
	Problem string `json:"problem,omitempty"`
	Unmade  bool   `json:"unmade,omitempty"`
	// Failures is how many failed in a row, of those that count, and Since when
	// the first of them began. Limit is how many make the service degraded.
	Failures int       `json:"failures,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Limit    int       `json:"limit,omitempty"`
	// Restart: another process is to take the place of one that is degraded for
	// its check, no sooner than Next. Restarts is how many have in a row, and Why
	// what the last of them was for.
	Restart  bool      `json:"restart,omitempty"`
	Next     time.Time `json:"next,omitzero"`
	Restarts int       `json:"restarts,omitempty"`
	Why      string    `json:"why,omitempty"`
}

// failing reports that it has failed as many in a row as make it degraded.
func (c *Checked) failing() bool { return c.Limit > 0 && c.Failures >= c.Limit }

// untold reports that the process has not passed a check yet.
func (c *Checked) untold() bool { return c.What != "" && !c.Passed }

// due reports that another process is to take its place now.
func (c *Checked) due(now time.Time) bool {
	return c.failing() && c.Restart && !c.Unmade && !c.Next.After(now)
}

// evidence says what failed, and how often.
func (c *Checked) evidence() string {
	if c.Problem == "" {
		return c.What
	}
	times := "once"
	if c.Failures > 1 {
		times = fmt.Sprintf("%d times in %v", c.Failures, c.At.Sub(c.Since).Round(time.Second))
	}
	if c.Failures == 0 {
		return c.What + ": " + c.Problem
	}
	return c.What + ": " + c.Problem + " (" + times + ")"
}

// hung is what is written down of restarts for a check, before each of them: how
// many there have been in a row, when the last one was, by the time since the
// machine started, of which process, and why. What of is to be replaced, until it
// is. A program that is killed between writing this and telling the process to
// end leaves it to the next one. key is that of the spec that asked for it:
// another check, or another process, begins to count anew.
//
// On disk it is two lines: RESTARTS AT PID STAMP KEY, AT in hundredths of a
// second, and the reason.
type hung struct {
	restarts int
	at       time.Duration
	of       string
	key      string
	why      string
}

func (h hung) text() string {
	return fmt.Sprintf("%d %d %s %s\n%s\n", h.restarts, centiseconds(h.at), h.of, h.key, h.why)
}

// parseHung reads it. What cannot be read says nothing.
func parseHung(text string) hung {
	lines := strings.Split(text, "\n")
	words := strings.Fields(lines[0])
	if len(words) != 5 || len(lines) < 3 {
		return hung{}
	}
	restarts, err := strconv.Atoi(words[0])
	at, atErr := strconv.ParseInt(words[1], 10, 64)
	if err != nil || atErr != nil || restarts < 1 || at < 0 || at > maxCentiseconds {
		return hung{}
	}
	return hung{restarts, time.Duration(at) * centisecond, words[2] + " " + words[3], words[4], lines[1]}
}

// pause is how long no process is restarted for its check after so many times in
// a row.
func (h hung) pause() time.Duration {
	if h.restarts == 0 {
		return 0
	}
	return min(longestPause, shortestCheckPause<<min(h.restarts-1, 8))
}

// left is how much of the pause is left at a time since the start of the machine.
// A time that is yet to come is from before that start.
func (h hung) left(uptime time.Duration) time.Duration {
	if h.at > uptime {
		return 0
	}
	return max(0, h.pause()-(uptime-h.at))
}

// checkKey is the same for specs whose processes are the same, and are checked in
// the same way.
func (s *Spec) checkKey(processHash string) string {
	data, err := json.Marshal(s.Check)
	if err != nil {
		data = []byte(err.Error()) // it holds strings and numbers
	}
	sum := sha256.Sum256(append(data, processHash...))
	return hex.EncodeToString(sum[:])
}

// maxProblem bounds what is kept of an error.
const maxProblem = 300

// problem is how a check failed, in a line without secrets.
func (c Check) problem(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer in %v", c.timeout())
	}
	text := strings.TrimPrefix(err.Error(), ErrNoCheck.Error()+": ")
	return shortened(fsm.MaskText(text), maxProblem)
}

// shortened is a text in one line, of so many bytes at most.
func shortened(text string, most int) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
