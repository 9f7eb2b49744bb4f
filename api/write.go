package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evenkeel/evenkeel/fsm"
)

// write serves what can be asked for by hand.
func (s *Server) write(api huma.API) {
	act := func(verb, summary string, do func(Hands) func(ctx context.Context, kind, name, by string) error) {
		huma.Register(api, huma.Operation{
			OperationID: verb, Method: http.MethodPost, Path: "/api/instances/{name}/" + verb,
			Summary: summary, DefaultStatus: http.StatusAccepted,
			Description: "It is asked for, and written down, when this is answered; events tell when it has come to that.",
		}, func(ctx context.Context, in *one) (*struct{}, error) {
			of, found, err := s.find(in.Kind, in.Name)
			switch {
			case err != nil:
				return nil, err
			case s.Hands == nil:
				return nil, huma.Error501NotImplemented("nothing can be asked of this program by hand")
			}
			return nil, refusal(do(s.Hands)(ctx, of.Kind(), found.Name, whoAsks(ctx)))
		})
	}
	act("stop", "Stop an instance until it is started by hand, whatever is declared of it", func(h Hands) func(context.Context, string, string, string) error { return h.Stop })
	act("start", "Have a stopped instance be again what is declared of it", func(h Hands) func(context.Context, string, string, string) error { return h.Start })
	act("restart", "Have another process take the place of the one that runs", func(h Hands) func(context.Context, string, string, string) error { return h.Restart })
	act("retry", "Try at once what failed or is held", func(h Hands) func(context.Context, string, string, string) error { return h.Retry })
}

// Rights is the body that says what whoever asks may ask for.
type Rights struct {
	Version string `json:"version,omitempty" doc:"the version of the program"`
	Writes  string `json:"writes" enum:"yes,token,no" doc:"whether instances may be stopped and started: yes, with the token of the program, or no"`
}

// rights serves what whoever asks may ask for.
func (s *Server) rights(api huma.API, access Access) {
	huma.Get(api, "/api/rights", func(_ context.Context, in *struct {
		Authorization string `header:"Authorization" doc:"Bearer and the token, where it is known"`
	}) (*answer[Rights], error) {
		r := Rights{s.Version, "no"}
		switch {
		case s.Hands == nil:
		case access.Local, access.Token != "" && access.holds(in.Authorization):
			r.Writes = "yes"
		case access.Token != "":
			r.Writes = "token"
		}
		return answers(r), nil
	})
}

// refusal returns an error of Hands as an answer.
func refusal(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fsm.ErrUnknown):
		return huma.Error404NotFound(fsm.MaskText(err.Error()))
	case errors.Is(err, fsm.ErrNoRestart), errors.Is(err, fsm.ErrInPass):
		return huma.Error409Conflict(fsm.MaskText(err.Error()))
	}
	return huma.Error500InternalServerError(fsm.MaskText(err.Error()))
}
