package screen

import (
	"io"

	"github.com/charmbracelet/x/vt"
)

// Of returns what stands on a terminal of so many cells after that was written to it,
// line by line. What the terminal answers to questions is dropped.
func Of(written string, width, height int) string { return on(written, width, height).String() }

// on returns the terminal.
func on(written string, width, height int) *vt.Emulator {
	terminal := vt.NewEmulator(width, height)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = io.Copy(io.Discard, terminal)
	}()
	_, _ = terminal.WriteString(written)               // it never fails
	if c, is := terminal.InputPipe().(io.Closer); is { // Close would not wait for who reads
		_ = c.Close()
	}
	<-answered
	return terminal
}
