package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/runner"
)

// display shows what happens: on a terminal as a table that is redrawn,
// elsewhere as a line for each transition.
type display struct {
	settings settings
	terminal bool

	mu    sync.Mutex // guards all writing, and lines
	out   *runner.Outlet
	lines int // of the table that stands on the terminal

	told    troubles // a listener too
	remarks remarks
}

func newDisplay(out *runner.Outlet, s settings) *display {
	return &display{settings: s, out: out, remarks: make(remarks), terminal: runner.IsTerminal(out.To()) && !s.verify && !s.json}
}

// log returns where lines of a log go: on a terminal through the display, so
// that they do not break the table.
func (d *display) log(stderr *runner.Outlet) io.Writer {
	if d.terminal && runner.IsTerminal(stderr.To()) {
		return d
	}
	return stderr
}

// transition prints a transition, unless a table or a report shows all of them.
func (d *display) transition(t fsm.Transition) {
	if d.terminal || d.settings.verify {
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
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprint(d.out, fsm.EscapeText(fmt.Sprintf(format, args...)))
}

func (d *display) json(v any) {
	var line bytes.Buffer
	// What is shown are structs of strings, numbers and times.
	_ = json.NewEncoder(&line).Encode(v)
	d.mu.Lock()
	defer d.mu.Unlock()
	_, _ = d.out.Write(fsm.EscapeJSON(line.Bytes())) // it never fails
}

// follow shows the instances until done is closed.
func (d *display) follow(done <-chan struct{}, p *program) {
	show, every := d.draw, 250*time.Millisecond
	if !d.terminal {
		show, every = d.news, time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	show(p)
	for {
		select {
		case <-done:
			if d.terminal {
				show(p)
			}
			return
		case <-tick.C:
		}
		if d.terminal && !d.out.Idle() {
			continue // the terminal has stopped: it shows the table that it has
		}
		show(p)
	}
}

// draw redraws the table.
func (d *display) draw(p *program) {
	t := d.fitted(table(p))
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprint(d.out, d.cleared(), t)
	d.lines = strings.Count(t, "\n")
}

// cleared returns what removes the table from the terminal.
func (d *display) cleared() string {
	lines := d.lines
	d.lines = 0
	if lines == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\x1b[J", lines)
}

// Write prints lines of a log in the place of the table, which is redrawn below
// them.
func (d *display) Write(lines []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := fmt.Fprintf(d.out, "%s%s", d.cleared(), lines)
	return len(lines), err
}

// fitted cuts a table to the size of the terminal: what was wrapped or has
// scrolled away cannot be overwritten.
func (d *display) fitted(table string) string {
	size, err := unix.IoctlGetWinsize(int(d.out.To().(*os.File).Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 || size.Row == 0 {
		return table
	}
	lines := strings.SplitAfter(table, "\n")
	lines = lines[:min(len(lines), int(size.Row)-1)]
	for n, line := range lines {
		if text := []rune(strings.TrimSuffix(line, "\n")); len(text) >= int(size.Col) {
			lines[n] = string(text[:size.Col-1]) + "\n"
		}
	}
	return strings.Join(lines, "")
}

// table renders the instances, one a line.
func table(p *program) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTATE\tDESIRED\tPID\tUPTIME\tHTTP\tMETRICS\tIN\tIN/S\tOUT\tOUT/S\tRESTARTS\tREASON")
	for _, s := range p.instances.Snapshot() {
		pid, uptime, restarts := "-", "-", 0
		if service := s.Observed.Service; service != nil {
			restarts = service.Observed.Restarts
			if service.Observed.Up() {
				pid = fmt.Sprint(service.Observed.PID())
				uptime = time.Since(service.Observed.Status.Stamp).Truncate(time.Second).String()
			}
		}
		var metricsPort, httpPort uint16
		if s.Desired.Spec != nil {
			metricsPort = s.Desired.Spec.MetricsPort
			for _, l := range benthos.Ports(*s.Desired.Spec)[1:] {
				httpPort = l.Port
			}
		}
		t := s.Observed.Traffic
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%.1f\t%d\t%.1f\t%d\t%s\n",
			s.Name, s.State, s.Desired.State, pid, uptime, httpPort, metricsPort,
			t.InputReceived, t.InputRate, t.OutputSent, t.OutputRate, restarts, why(s))
	}
	w.Flush() // a strings.Builder takes everything
	return b.String()
}

// why returns the reason for an instance's state, in one line.
func why(s *snapshot) string {
	text := s.Reason.String()
	if s.Err != nil {
		text = s.Err.Error()
	}
	if !s.NextTry.IsZero() {
		text += fmt.Sprintf(" (next try in %v)", time.Until(s.NextTry).Round(100*time.Millisecond))
	}
	return line(text)
}

// line returns a text of others as it is shown in a line.
func line(text string) string { return fsm.EscapeLine(fsm.MaskText(text)) }
