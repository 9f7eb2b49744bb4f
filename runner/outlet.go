package runner

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Outlet prints without making anybody wait or fail: what is kept running, and
// its end in order, must not depend on who reads. What cannot be printed, for
// its reader is slow or gone, or the disk is full, is left out and counted, and
// told as soon as something can be printed again. It is an io.Writer for any
// number of goroutines.
type Outlet struct {
	to   io.Writer
	room int           // how many bytes may wait
	wake chan struct{} // has room for one: there is something to print, or closed is set
	done chan struct{} // closed when nothing more is printed

	mu      sync.Mutex // guards all below
	waiting [][]byte   // each was written at once, and is printed or left out as a whole
	size    int        // of these
	held    bool       // nothing is to be printed for now
	closed  bool
	lost    int   // lines left out since the last that was printed
	err     error // why, nil if for want of room
	tell    func(lines int, why string) []byte
}

// OutletRoom is how much waits for a slow reader, in bytes. A pipe has 64 KiB
// besides.
const OutletRoom = 1 << 20

// NewOutlet returns an outlet to w, which nothing else writes to. The name is
// that of the program, for what the outlet says itself, and room how many bytes
// may wait. The caller flushes it at the end: until then a goroutine prints.
func NewOutlet(w io.Writer, name string, room int) *Outlet {
	o := &Outlet{to: w, room: room, wake: make(chan struct{}, 1), done: make(chan struct{})}
	o.TellGaps(func(lines int, why string) []byte {
		return fmt.Appendf(nil, "%s: %d lines were left out: %s\n", name, lines, why)
	})
	go o.run()
	return o
}

// NewOutlets returns outlets to a program's standard output and standard error, as by
// NewOutlet. It is the same one twice where both are one file, as a terminal: then
// what is written to the two is printed in its order.
func NewOutlets(stdout, stderr io.Writer, name string, room int) (out, errs *Outlet) {
	out = NewOutlet(stdout, name, room)
	if sameFile(stdout, stderr) {
		return out, out
	}
	return out, NewOutlet(stderr, name, room)
}

func sameFile(a, b io.Writer) bool {
	one, isOne := a.(*os.File)
	other, isOther := b.(*os.File)
	if !isOne || !isOther {
		return false
	}
	first, err := one.Stat()
	if err != nil {
		return false
	}
	second, err := other.Stat()
	return err == nil && os.SameFile(first, second)
}

// TellGaps sets what is printed where lines were left out, how many and why, in
// place of a line of the outlet's own. It must not write to the outlet.
func (o *Outlet) TellGaps(text func(lines int, why string) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tell = text
}

// Write takes a text to print. It always succeeds.
func (o *Outlet) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.size+len(text) > o.room {
		o.lose(text, nil)
		return len(text), nil
	}
	o.waiting = append(o.waiting, bytes.Clone(text))
	o.size += len(text)
	o.ring()
	return len(text), nil
}

// lose counts a text that is not printed. The caller holds mu.
func (o *Outlet) lose(text []byte, err error) {
	o.lost += max(1, bytes.Count(text, []byte("\n")))
	o.err = err
}

func (o *Outlet) ring() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// To returns what the outlet prints to.
func (o *Outlet) To() io.Writer { return o.to }

// Hold has what is written wait until Release, for whom it would disturb: a program
// that has the terminal to itself. What there is no room for is left out, as where
// nobody reads.
func (o *Outlet) Hold() { o.hold(true) }

// Release has it printed.
func (o *Outlet) Release() { o.hold(false) }

func (o *Outlet) hold(held bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = held
	o.ring()
}

// Waiting returns how many bytes were written and have to wait. Who can wait as well
// waits until they are few, and so takes no room from others.
func (o *Outlet) Waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.size
}

// close takes no more. What has been written is still printed, held or not: done is
// closed when it has been.
func (o *Outlet) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.held = true, false
	o.ring()
}

// Flush closes outlets and waits until all has been printed, but no longer than
// patience. What is written to them afterwards is left out.
func Flush(patience time.Duration, all ...*Outlet) {
	enough := time.After(patience)
	for _, o := range all {
		o.close()
	}
	for _, o := range all {
		select {
		case <-o.done:
		case <-enough:
			return
		}
	}
}

// run prints until the outlet is closed and nothing waits.
func (o *Outlet) run() {
	defer close(o.done)
	for range o.wake {
		for o.next() {
		}
		if gap, over := o.over(); over {
			_, _ = o.to.Write(gap) // the last try
			return
		}
	}
}

// over reports whether nothing comes any more. What was written since next found
// nothing rings again.
func (o *Outlet) over() (gap []byte, over bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.gap(), o.closed && len(o.waiting) == 0
}

// next prints the next text that waits and may be printed, and reports whether there
// was one.
func (o *Outlet) next() bool {
	o.mu.Lock()
	if len(o.waiting) == 0 || o.held {
		o.mu.Unlock()
		return false
	}
	text := o.waiting[0]
	o.waiting, o.size = o.waiting[1:], o.size-len(text)
	gap := o.gap()
	o.mu.Unlock()

	_, err := o.to.Write(append(gap, text...))

	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case err != nil:
		o.lose(text, err)
	case gap != nil:
		o.lost, o.err = 0, nil
	}
	return true
}

// gap is what is said of the lines that were left out, nil for none. The caller
// holds mu.
func (o *Outlet) gap() []byte {
	switch {
	case o.lost == 0:
		return nil
	case o.err == nil:
		return o.tell(o.lost, "they were not read in time")
	}
	return o.tell(o.lost, o.err.Error())
}

// IsTerminal reports whether what is written there is shown on a terminal.
func IsTerminal(w io.Writer) bool {
	file, is := w.(*os.File)
	if !is {
		return false
	}
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}
