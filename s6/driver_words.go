package s6

import (
	"fmt"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/s6log"
)

// observeWords finds out what the process that ended last printed last, if it
// ended by itself. It reads the log when the end is new, when its finish script is
// done, which ends a line that was not whole, and once more when the logger has
// certainly written what it had to read. Where the log cannot be read, there are
// no words.
func (d *driver) observeWords(now time.Time, o *Observed) {
	w := &d.words
	read := now.Add(o.Late) // when the status was
	if d.stray.Of != 0 || w.mixing {
		w.mixed = read.Add(loggerLag)
	}
	if !o.Last.Time.Equal(w.of) {
		w.begin(now, d.spanOfLast(), o.Last.Time)
		w.memory = d.shortage(o)
		if now.Sub(w.of) < loggerLag {
			time.AfterFunc(loggerLag, d.wake)
		}
	}
	w.mixing = d.stray.Of != 0 || len(o.Left) > 0
	w.next = read
	if o.Status.Up() {
		w.next = o.Status.Stamp
	}
	o.OutOfMemory = w.memory
	if o.Unasked {
		d.readWords(now, read, o)
		o.LastWords = w.text
	}
}

// shortage says whether the process that ended last may have been ended for want of
// memory. It is asked when the end is new; what cannot be told is not said.
func (d *driver) shortage(o *Observed) string {
	if o.Last.Signal != syscall.SIGKILL || !o.Unasked {
		return ""
	}
	ended, since, err := d.tree.Shortage()
	if err != nil || ended == 0 || o.Last.Time.Before(since) {
		return ""
	}
	return fmt.Sprintf("the kernel has ended %d for want of memory since %s", ended, since.Format(time.RFC3339))
}

// spanOfLast returns when the process printed that ended last. What the one before
// has printed may have a later stamp than its end, for a logger reads and stamps
// lines when it can; and so may what the process itself has printed, unless a
// finish command prints as well.
func (d *driver) spanOfLast() span {
	deaths := d.tally.deaths
	if len(deaths) == 0 {
		return span{}
	}
	by := span{from: d.words.next, to: deaths[len(deaths)-1].Time}
	if len(deaths) > 1 {
		by.from = newest(by.from, deaths[len(deaths)-2].Time.Add(loggerLag))
	}
	if !by.from.IsZero() {
		by.from = newest(by.from, d.words.mixed)
	}
	if d.spec != nil && len(d.spec.Finish) == 0 {
		by.to = by.to.Add(loggerLag)
	}
	return by
}

func (d *driver) readWords(now, read time.Time, o *Observed) {
	w := &d.words
	stage := wordsDone
	switch {
	case now.Sub(w.seen) >= loggerLag, now.Sub(w.of) >= loggerLag:
		stage = wordsWritten
	case o.Status.Finishing:
		stage = wordsNew
	}
	if stage <= w.stage || w.by.from.IsZero() {
		return
	}
	w.stage = stage
	by := w.by
	if by.to.After(read) {
		by.to = read // another process may print by now
	}
	if o.Status.Up() && by.to.After(o.Status.Stamp) {
		by.to = o.Status.Stamp
	}
	log := s6log.Tail{FS: d.fs, Dir: d.tree.Layout().Log(d.name)}
	lines, err := log.Since(by.from)
	if err := log.Close(); err != nil {
		return
	}
	if text := lastWords(lines, by); err == nil || text != "" {
		w.text = text
	}
}

func newest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
