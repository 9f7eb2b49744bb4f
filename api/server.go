package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evenkeel/evenkeel/fsm"
)

// PagePath is where what belongs to a Server's page is served.
const PagePath = "/page/"

// Server is what a program gives to be shown. Sources and Feed are needed. Its
// fields are not changed once it serves.
type Server struct {
	// Sources are the instances, kind by kind. Where two kinds have one of the same
	// name, the first is meant by its name alone.
	Sources []Source
	// Feed is what happens to them.
	Feed *Feed
	// Hands carry out what is asked by hand; nil refuses it.
	Hands Hands
	// Late says what is wrong with the program itself, a line for each: that passes
	// are not made. nil says nothing.
	Late func(now time.Time) []string
	// NotReady says why the program is not ready, a line for each, though no instance
	// is in its way: that it has just begun. nil says nothing.
	NotReady func() []string
	// Explain returns a Why with what the program knows of an instance beside its
	// manager; nil adds nothing.
	Explain func(fsm.Why) fsm.Why
	// History returns the transitions of an instance, oldest first, those of earlier
	// runs of the program as well; nil, and an error, leave it at those that its
	// snapshot has.
	History func(kind, name string) ([]fsm.Transition, error)
	// Log writes lines of an instance's log; nil shows none.
	Log func(ctx context.Context, name string, lines LogLines, to io.Writer) error
	// Config returns the files that an instance runs with, without secrets; nil shows
	// none.
	Config func(kind, name string) ([]File, error)
	// Page is a page for browsers, served at / and below PagePath, as package page has
	// one; nil serves none.
	Page http.Handler
	// Also are further handlers, by their patterns, such as "GET /metrics". They are
	// for reading.
	Also map[string]http.Handler
	// Version is that of the program.
	Version string
}

// Hands carry out what somebody asks for by hand. by says who that is. An error that
// wraps fsm.ErrUnknown, fsm.ErrNoRestart or fsm.ErrInPass is told as what it is.
type Hands interface {
	// Stop has an instance stopped until Start, whatever is declared of it.
	Stop(ctx context.Context, kind, name, by string) error
	// Start has it be again what is declared of it.
	Start(ctx context.Context, kind, name, by string) error
	// Restart has another process take the place of the one that runs.
	Restart(ctx context.Context, kind, name, by string) error
	// Retry has what failed, or is held, tried at once.
	Retry(ctx context.Context, kind, name, by string) error
}

// LogLines says which lines of a log are meant.
type LogLines struct {
	Last   int       // how many of the newest, negative for all
	Since  time.Time // none that are older; zero for any age
	Follow bool      // and those that come, until the context ends
}

// File is a file that an instance runs with, as it is and as it is to be.
type File struct {
	Name string `json:"name"`
	Was  string `json:"was,omitempty" doc:"as it was written; empty where it is not there"`
	Is   string `json:"is,omitempty" doc:"as it is to be; empty where it is not to be there"`
}

// find returns the source of an instance, of a kind if one is given.
func (s *Server) find(kind, name string) (Source, Instance, error) {
	for _, of := range s.Sources {
		if kind != "" && kind != of.Kind() {
			continue
		}
		if one, exists := of.Instance(name); exists {
			return of, one, nil
		}
	}
	return nil, Instance{}, huma.Error404NotFound(`no instance has the name "` + fsm.EscapeLine(name) + `": GET /api/instances lists those there are`)
}
