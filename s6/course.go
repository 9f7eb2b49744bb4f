package s6

import (
	"strconv"
	"strings"
	"time"
)

// What a spec says about a process that has ended by itself is carried out by
// the scripts of its service directory, so that it holds whoever runs: finish
// writes down what is to follow, and run waits where that is to come later. One
// line of data/course says so:
//
//	none    0        0      0      -     nothing has happened
//	wait    FAILURES UNTIL  PAUSE  -     the next process waits, for a pause until then
//	runs    FAILURES SINCE  0      -     it runs, after so many failures in a row
//	done    0        0      0      HASH  what HASH is of is not to run again: it ended well,
//	failed  FAILURES 0      0      HASH  has failed so many times in a row,
//	refused 0        0      0      HASH  or its finish command has said so
//
// Times are in hundredths of a second since the machine started, as in
// /proc/uptime.
type course struct {
	state     string
	failures  int
	at, pause time.Duration
	hash      string // Spec.processHash
}

const (
	courseNone    = "none"
	courseWaits   = "wait"
	courseRuns    = "runs"
	courseDone    = "done"
	courseFailed  = "failed"
	courseRefused = "refused"
)

// freshCourse is what the file says at first.
const freshCourse = courseNone + " 0 0 0 -\n"

// parseCourse reads the line. What cannot be read says nothing.
func parseCourse(text string) course {
	line, _, whole := strings.Cut(text, "\n")
	words := strings.Fields(line)
	if !whole || len(words) < 4 {
		return course{state: courseNone}
	}
	var numbers [3]int64
	for n := range numbers {
		var err error
		if numbers[n], err = strconv.ParseInt(words[n+1], 10, 64); err != nil || numbers[n] < 0 || numbers[n] > maxCentiseconds {
			return course{state: courseNone}
		}
	}
	c := course{state: words[0], failures: int(numbers[0])}
	c.at, c.pause = time.Duration(numbers[1])*centisecond, time.Duration(numbers[2])*centisecond
	if len(words) > 4 && words[4] != "-" {
		c.hash = words[4]
	}
	return c
}

const maxCentiseconds = int64(1<<63-1) / int64(centisecond)

// left is how much of a pause is left at a time since the start of the machine,
// less than nothing for how long it has been over. A pause that would be longer
// than it was to be is from before that start: it has been over for so long that
// nobody still takes the line away.
func (c course) left(uptime time.Duration) time.Duration {
	left := c.at - uptime
	if left > c.pause {
		return -beginPatience
	}
	return left
}

// Verdict says that a service is not to run again.
type Verdict string

// The verdicts. The empty one is none.
const (
	VerdictDone    Verdict = "done"    // its process ended well
	VerdictFailed  Verdict = "failed"  // it has failed as many times as it may
	VerdictRefused Verdict = "refused" // its finish command has said so
)

// verdict returns what still holds for a spec: another process, or a policy by
// which it would run, asks for it again.
func (c course) verdict(spec *Spec, processHash string) Verdict {
	if c.hash != processHash || !spec.policed() {
		return ""
	}
	switch {
	case c.state == courseDone && spec.Ends():
		return VerdictDone
	case c.state == courseFailed && (spec.Restart == RestartNever || spec.GiveUpAfter > 0 && c.failures >= spec.GiveUpAfter):
		return VerdictFailed
	case c.state == courseRefused && len(spec.Finish) > 0:
		return VerdictRefused
	}
	return ""
}

// policed reports whether the scripts write down what becomes of a process.
func (s *Spec) policed() bool { return s != nil && (s.Judges() || len(s.Finish) > 0) }

// longRun is how long a process has to run for its failure to be the first in a
// row.
func (s *Spec) longRun() time.Duration {
	_, to := s.Backoff.pauses()
	return max(CrashWindow, to)
}
