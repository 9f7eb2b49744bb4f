package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/runner"
)

// display shows what happens: on a terminal as a live table, elsewhere as a line for
// each transition.
type display struct {
	settings    settings
	out, stderr *runner.Outlet

	live  atomic.Bool // a table is shown, and not lines
	table *table

	told    troubles // a listener too
	remarks remarks
}

func newDisplay(s settings, in *os.File, out, stderr *runner.Outlet) *display {
	d := &display{settings: s, out: out, stderr: stderr, remarks: make(remarks)}
	d.table = newTable(s.dir, in, out.To())
	d.live.Store(!s.verify && !s.json && d.table.fits())
	return d
}

// log is where lines of a log go: they are printed, and shown in the table that covers
// what is printed.
func (d *display) log() io.Writer {
	return writer(func(lines []byte) (int, error) {
		d.table.says(string(lines))
		return d.stderr.Write(lines)
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// problem tells what is wrong, and harms nothing that is kept.
func (d *display) problem(err error) {
	fmt.Fprintln(d.log(), "fivebenthos:", fsm.EscapeText(err.Error()))
}

// transition prints a transition, unless a table or a report shows all of them.
func (d *display) transition(t fsm.Transition) {
	if d.live.Load() || d.settings.verify {
		return
	}
	if d.settings.json {
		d.json(t)
		return
	}
	d.printf("%s %s %s -> %s (%s) %s\n", t.At.Format("15:04:05.000"), t.Instance, t.From, t.To, t.Event, line(t.Reason.String()))
}

// printf prints what may hold texts of others.
func (d *display) printf(format string, args ...any) {
	fmt.Fprint(d.out, fsm.EscapeText(fmt.Sprintf(format, args...)))
}

func (d *display) json(v any) {
	var line bytes.Buffer
	// What is shown are structs of strings, numbers and times.
	_ = json.NewEncoder(&line).Encode(v)
	_, _ = d.out.Write(fsm.EscapeJSON(line.Bytes())) // it never fails
}

// begin begins to show the instances, and that the program ends from ending on.
func (d *display) begin(ending <-chan struct{}) {
	if !d.live.Load() {
		return
	}
	d.out.Hold()
	d.stderr.Hold()
	d.table.draw(ending, func(err error) {
		d.live.Store(false)
		d.release()
		d.problem(fmt.Errorf("%w: lines are printed instead", err))
	})
}

// follow shows the instances until done is closed.
func (d *display) follow(done <-chan struct{}, p *program) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if !d.live.Load() {
			d.news(p)
		}
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}

// leave leaves the terminal to what is printed: what was printed meanwhile, and how
// the instances are, if that is known.
func (d *display) leave(how string) {
	d.table.leave()
	d.release()
	if d.live.Swap(false) {
		fmt.Fprint(d.out, how)
	}
}

func (d *display) release() {
	d.stderr.Release()
	d.out.Release()
}

// line returns a text of others as it is shown in a line.
func line(text string) string { return fsm.EscapeLine(fsm.MaskText(text)) }
