package top

import (
	"io"
	"os"
	"sync"
	"time"
)

// outlet is the output of a table, and knows how long it takes nothing.
type outlet struct {
	io.Writer

	mu      sync.Mutex // guards it
	writing time.Time  // since when; zero while nothing is written
}

// Write implements io.Writer.
func (o *outlet) Write(p []byte) (int, error) {
	o.note(time.Now())
	defer o.note(time.Time{})
	return o.Writer.Write(p)
}

func (o *outlet) note(writing time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing = writing
}

// stuck reports whether what is being written has not been taken for so long.
func (o *outlet) stuck(patience time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.writing.IsZero() && time.Since(o.writing) >= patience
}

// tty is the outlet of a terminal, whose settings are changed through it.
type tty struct {
	*outlet
	file *os.File
}

func (t tty) Read(p []byte) (int, error) { return t.file.Read(p) }
func (t tty) Close() error               { return t.file.Close() }
func (t tty) Fd() uintptr                { return t.file.Fd() }

// watched returns what is to be drawn on, and what tells whether that is stuck.
func (t Terminal) watched() (io.Writer, *outlet) {
	o := &outlet{Writer: t.Out}
	if file, is := t.Out.(*os.File); is {
		return tty{o, file}, o
	}
	return o, o
}
