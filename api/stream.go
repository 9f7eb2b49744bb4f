package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

const (
	// heartbeat is how often a watcher hears something, so that a proxy, or it,
	// notices that the other side is gone.
	heartbeat = 15 * time.Second
	// writeTime bounds one write to a watcher.
	writeTime = 10 * time.Second
)

// stream serves what happens as it happens.
func (s *Server) stream(api huma.API) {
	events := huma.Operation{
		OperationID: "watch-events", Method: http.MethodGet, Path: "/api/events",
		Summary: "Watch events", Description: "Server-sent events, each with its id and an Event as its data. A comment comes at least every 15 s.",
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
			"text/event-stream": {Schema: api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Event](), true, "Event")},
		}}},
	}
	huma.Register(api, events, func(_ context.Context, in *struct {
		After  int64  `query:"after" default:"-1" doc:"the id after which to begin; 0 for all that are there, -1 for those to come"`
		LastID int64  `header:"Last-Event-ID" default:"-1" doc:"the same, as browsers say it when they connect again"`
		Name   string `query:"name" doc:"those of an instance alone"`
	}) (*huma.StreamResponse, error) {
		after := max(in.After, in.LastID)
		if after < 0 {
			after = s.Feed.Last()
		}
		return &huma.StreamResponse{Body: func(ctx huma.Context) { s.watch(ctx, after, in.Name) }}, nil
	})
	log := huma.Operation{
		OperationID: "read-log", Method: http.MethodGet, Path: "/api/instances/{name}/log",
		Summary: "Read the log", Description: "Lines as text, masked, each with its time before it.",
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/plain": {}}}},
	}
	huma.Register(api, log, s.log)
}

// watch writes events until the watcher is gone.
func (s *Server) watch(ctx huma.Context, after int64, name string) {
	ctx.SetHeader("Content-Type", "text/event-stream")
	ctx.SetHeader("Cache-Control", "no-store")
	w := newPatient(ctx.BodyWriter())
	if w.say(": watching\n\n") != nil {
		return
	}
	// The error is that of the watcher, who is gone.
	_ = s.Feed.Watch(ctx.Context(), after, heartbeat, func(e *Event) error {
		switch {
		case e == nil:
			return w.say(": still here\n\n")
		case name != "" && e.Name != name && e.Type != Missed:
			return nil
		}
		text, err := shownJSON(e)
		if err != nil {
			return err
		}
		return w.say(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Type, text))
	})
}

func (s *Server) log(_ context.Context, in *struct {
	Name   string `path:"name" doc:"the name of the instance"`
	Kind   string `query:"kind" doc:"its kind, where two kinds have one of that name"`
	Last   int    `query:"n" default:"100" doc:"how many of the newest lines, -1 for all"`
	Since  string `query:"since" doc:"none that are older: a time as in RFC 3339, or for how long, such as 10m"`
	Follow bool   `query:"follow" doc:"and the lines that come"`
}) (*huma.StreamResponse, error) {
	_, found, err := s.find(in.Kind, in.Name)
	switch {
	case err != nil:
		return nil, err
	case s.Log == nil:
		return nil, huma.Error501NotImplemented("this program shows no logs")
	}
	lines := LogLines{Last: in.Last, Follow: in.Follow}
	if in.Since != "" {
		if lines.Since, err = ParseSince(in.Since, time.Now()); err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "text/plain; charset=utf-8")
		ctx.SetHeader("X-Content-Type-Options", "nosniff")
		w := newPatient(ctx.BodyWriter())
		if err := s.Log(ctx.Context(), found.Name, lines, w); err != nil && ctx.Context().Err() == nil {
			_ = w.say("cannot read on: " + err.Error() + "\n") // to whom, if that fails
		}
	}}, nil
}

// ParseSince reads since when something is meant: a time as in RFC 3339, or for how
// long before now, such as 10m. The error says so.
func ParseSince(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("cannot tell since when: %q is neither a duration, such as 10m, nor a time, such as %s", text, now.Format(time.RFC3339))
	}
	return at, nil
}

// patient writes to somebody who is there for long: each write is sent at once, and
// has a time of its own.
type patient struct {
	to      *bufio.Writer
	control *http.ResponseController
}

func newPatient(w io.Writer) *patient {
	p := &patient{to: bufio.NewWriter(w)}
	if response, is := w.(http.ResponseWriter); is {
		p.control = http.NewResponseController(response)
	}
	return p
}

// Write implements io.Writer.
func (p *patient) Write(data []byte) (int, error) {
	if p.control != nil {
		_ = p.control.SetWriteDeadline(time.Now().Add(writeTime)) // some writers have none
	}
	n, err := p.to.Write(data)
	if err == nil {
		err = p.to.Flush()
	}
	if err == nil && p.control != nil {
		err = p.control.Flush()
	}
	return n, err
}

func (p *patient) say(text string) error {
	_, err := io.WriteString(p, text)
	return err
}
