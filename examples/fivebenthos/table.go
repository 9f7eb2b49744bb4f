package main

import (
	"context"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/serve"
	"github.com/evenkeel/evenkeel/internal/top"
)

// table is the live table on a terminal, that of evenkeel top.
type table struct {
	dir  string
	on   top.Terminal
	said chan string // what is shown in it for a while

	ctx    context.Context // ends when the table is to be left
	cancel context.CancelFunc
	begun  atomic.Bool
	left   chan struct{} // closed when nothing is drawn any more
}

func newTable(dir string, in *os.File, out io.Writer) *table {
	t := &table{dir: dir, on: top.Terminal{In: in, Out: out, Env: os.Environ()}, said: make(chan string, 8), left: make(chan struct{})}
	if t.on.Untyped() != "" || t.on.Foreign() {
		t.on.In = nil // it is looked at
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// fits reports whether a table can be drawn.
func (t *table) fits() bool { return t.on.Undrawable() == "" && !t.on.Small() }

// draw draws the table until it is left. That the program ends is shown from ending on.
// failed is called if the table cannot be drawn, or not any more.
func (t *table) draw(ending <-chan struct{}, failed func(error)) {
	t.begun.Store(true)
	go func() {
		defer close(t.left)
		client := api.NewClient(t.dir)
		defer client.Close()
		err := top.Run(t.ctx, top.Config{
			Source: client, Logs: serve.Followed(t.dir), Plain: t.on.ASCII(), Quit: interrupt, Ending: ending, Said: t.said,
		}, t.on)
		if err != nil && t.ctx.Err() == nil {
			failed(err)
		}
	}()
}

// interrupt is what a terminal does at Ctrl-C that is not read key by key: a second one
// is a second signal.
func interrupt() { _ = syscall.Kill(os.Getpid(), syscall.SIGINT) }

// says shows a line in the table for a while, unless others wait to be shown.
func (t *table) says(line string) {
	select {
	case t.said <- fsm.MaskText(strings.TrimSpace(line)):
	default:
	}
}

// leave leaves the terminal as it was, if that takes anything.
func (t *table) leave() {
	t.cancel()
	if t.begun.Load() {
		<-t.left
	}
}
