package top

import (
	"context"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

// Source is a program whose instances are shown, as an api.Client asks it. Its methods
// may be called concurrently, and return when their context ends. What they return is
// masked; it may hold texts of others.
type Source interface {
	// List returns all instances.
	List(ctx context.Context) (api.List, error)
	// Instance returns one, and Why why it is where it is.
	Instance(ctx context.Context, name string) (api.Instance, error)
	Why(ctx context.Context, name string) (fsm.Why, error)
	// Ask asks for something by hand: "stop", "start", "restart" or "retry".
	Ask(ctx context.Context, name, verb string) error
	// Events calls told with each event that comes after an ID, below zero with those
	// that come, until ctx ends, the program does, or told returns an error. begun, if
	// it is not nil, is called once nothing is missed.
	Events(ctx context.Context, after int64, begun func(), told func(api.Event) error) error
}

// Logs follows the log of an instance: it returns the newest lines, and those that
// come, and closes the channel when ctx has ended or there is nothing more. Lines may
// be as they were printed: they are masked and escaped when they are drawn. An empty
// log and one that cannot be read are a channel with no lines, and with one that says
// so.
type Logs func(ctx context.Context, name string) <-chan string

// Config is what a table is made from. Source is needed.
type Config struct {
	Source Source
	// Logs follows logs; nil shows none.
	Logs Logs
	// Plain draws with ASCII alone, for terminals that show nothing else.
	Plain bool
	// Quit has the program end whose table it is: it is called when somebody quits,
	// and each time that somebody types Ctrl-C. The table stays then until it is told
	// to end. nil for a table that ends alone.
	Quit func()
	// Ending is closed when the program begins to end; that is shown.
	Ending <-chan struct{}
	// Said has what the program says meanwhile, which the table covers: each line is
	// shown for a while.
	Said <-chan string
}
