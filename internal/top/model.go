package top

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/evenkeel/evenkeel/fsm"
)

// Model is the table without a terminal: Update takes messages, View draws. It belongs
// to one goroutine.
type Model struct {
	calls calls
	look  look

	width, height int
	now           time.Time // of the last message that has a time

	rows    map[key]*row
	shown   []*row // those that match the filter, in order
	counts  map[fsm.Phase]int
	widths  widths
	by      column // unsorted for what is wrong first
	reverse bool
	filter  string
	typing  bool // what is typed goes to the filter

	chosen key // the instance that is meant
	at     int // its place in shown
	top    int // the place of the first that is visible

	deaf   bool // nothing can be typed
	ending bool // the program has begun to end

	pane     pane
	question *question
	help     bool
	read     int    // how many lines of the help are above what is visible
	said     string // how what was asked by hand went
	failed   bool   // not well
	until    time.Time

	lost   string // why the program cannot be asked; empty where it can
	asking bool   // an answer is awaited
	again  bool   // and something has happened meanwhile
	due    bool   // a sample is to be taken of the next answer
}

// NewModel returns a table of what a source has. What it asks for ends with ctx.
func NewModel(ctx context.Context, c Config) *Model {
	m := &Model{calls: callsOf(ctx, c), look: fancy(), rows: make(map[key]*row), by: unsorted, due: true}
	if c.Plain {
		m.look = plain()
	}
	return m
}

// Init implements tea.Model.
func (m *Model) Init() tea.Cmd {
	return tea.Batch(m.list(), tick(), m.calls.watch, m.calls.news, m.calls.said, m.calls.ending)
}

// list asks how all instances are, once at a time.
func (m *Model) list() tea.Cmd {
	if m.asking {
		m.again = true
		return nil
	}
	m.asking, m.again = true, false
	return m.calls.list
}

// current returns the instance that is chosen, nil for none.
func (m *Model) current() *row { return m.rows[m.chosen] }

// say shows for a while how something went.
func (m *Model) say(text string, failed bool) {
	m.said, m.failed, m.until = text, failed, m.now.Add(sayTime)
}

// sayTime is for how long it is shown how something went.
const sayTime = 10 * time.Second
