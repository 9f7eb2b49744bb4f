package top

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/evenkeel/evenkeel/api"
)

const (
	// every is how often all instances are asked for, and their rates sampled.
	every = time.Second
	// settles is how long what has happened is let settle before it is asked about:
	// more may come, and a pass publishes what it changed when it has ended.
	settles = 100 * time.Millisecond
	// answerTime bounds how long an answer is waited for. What is asked by hand waits
	// for a pass that runs.
	answerTime, handTime = 5 * time.Second, 30 * time.Second
	// logTime is for how long lines of a log are gathered before they are drawn.
	logTime = 100 * time.Millisecond
	// logRoom is how many lines of a log are kept.
	logRoom = 2000
)

// calls are what a model asks for. They end with the context that they were made with.
type calls struct {
	// list asks how all instances are.
	list tea.Cmd
	// watch has what happens told by news, until the context ends.
	watch, news tea.Cmd
	// tell asks how one is, and why; ask asks for something by hand.
	tell func(key) tea.Cmd
	ask  func(verb, name string) tea.Cmd
	// said waits for a line that the program says, ending until it begins to end. quit
	// has it end; nil for a table that ends alone.
	said, ending, quit tea.Cmd
	// follow begins to follow a log, until it is told to end.
	follow func(name string, turn int) (begin tea.Cmd, end func())
}

func callsOf(ctx context.Context, c Config) calls {
	news := make(chan struct{}, 1)
	call := calls{
		list:  func() tea.Msg { return listOf(ctx, c.Source) },
		watch: func() tea.Msg { watch(ctx, c.Source, news); return nil },
		news:  func() tea.Msg { return awaited(ctx, news) },
		tell:  func(of key) tea.Cmd { return func() tea.Msg { return tell(ctx, c.Source, of) } },
		ask: func(verb, name string) tea.Cmd {
			return func() tea.Msg {
				limited, cancel := context.WithTimeout(ctx, handTime)
				defer cancel()
				return answered{verb, name, c.Source.Ask(limited, name, verb)}
			}
		},
		said:   func() tea.Msg { return saidBy(ctx, c.Said) },
		ending: func() tea.Msg { return endOf(ctx, c.Ending) },
	}
	if c.Quit != nil {
		call.quit = func() tea.Msg { c.Quit(); return nil }
	}
	if c.Logs != nil {
		call.follow = func(name string, turn int) (tea.Cmd, func()) {
			following, end := context.WithCancel(ctx)
			return func() tea.Msg { return gather(following, turn, c.Logs(following, name)) }, end
		}
	}
	return call
}

// tick tells that a second has passed.
func tick() tea.Cmd { return tea.Tick(every, func(at time.Time) tea.Msg { return ticked{at} }) }

func listOf(ctx context.Context, s Source) listed {
	limited, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	list, err := s.List(limited)
	return listed{time.Now(), list, err}
}

// watch sends news of what happens, until ctx ends, over restarts of the program.
func watch(ctx context.Context, s Source, news chan<- struct{}) {
	send := func() {
		select {
		case news <- struct{}{}:
		default: // one is on its way
		}
	}
	for ctx.Err() == nil {
		// That it has ended is seen by what is asked each second.
		_ = s.Events(ctx, -1, send, func(api.Event) error { send(); return nil })
		wait(ctx, every)
	}
}

// awaited waits for news and for what comes with them.
func awaited(ctx context.Context, news <-chan struct{}) tea.Msg {
	select {
	case <-news:
	case <-ctx.Done():
		return nil
	}
	wait(ctx, settles)
	return happened{}
}

// saidBy waits for the next line.
func saidBy(ctx context.Context, from <-chan string) tea.Msg {
	select {
	case line := <-from:
		return said{line}
	case <-ctx.Done():
		return nil
	}
}

// endOf waits for the program to begin to end.
func endOf(ctx context.Context, begun <-chan struct{}) tea.Msg {
	select {
	case <-begun:
		return ending{}
	case <-ctx.Done():
		return nil
	}
}

// wait waits for a while, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func tell(ctx context.Context, s Source, of key) told {
	limited, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	t := told{of: of}
	if t.why, t.err = s.Why(limited, of.name); t.err != nil {
		return t
	}
	one, err := s.Instance(limited, of.name)
	t.history, t.err = one.History, err
	return t
}

// gather waits for lines of a log, and for those that come with the first.
func gather(ctx context.Context, turn int, from <-chan string) printed {
	var lines []string
	var over <-chan time.Time
	next := func() tea.Msg { return gather(ctx, turn, from) }
	for {
		select {
		case <-ctx.Done():
			return printed{turn, lines, nil}
		case line, open := <-from:
			if !open {
				return printed{turn, lines, nil}
			}
			if over == nil {
				over = time.After(logTime)
			}
			lines = newest(append(lines, line))
		case <-over:
			return printed{turn, lines, next}
		}
	}
}

// newest returns the lines of a log that are kept.
func newest(lines []string) []string {
	if len(lines) < 2*logRoom {
		return lines
	}
	return append([]string(nil), lines[len(lines)-logRoom:]...)
}
