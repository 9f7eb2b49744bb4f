package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evenkeel/evenkeel/fsm"
)

// one names an instance in a request.
type one struct {
	Name string `path:"name" doc:"the name of the instance"`
	Kind string `query:"kind" doc:"its kind, where two kinds have one of that name"`
}

// answer is a body.
type answer[T any] struct{ Body T }

func answers[T any](body T) *answer[T] { return &answer[T]{body} }

// List is the body that lists instances.
type List struct {
	Instances []Summary `json:"instances"`
	Last      int64     `json:"last" doc:"the id of the newest event: what comes has a larger one"`
}

// History is the body that lists transitions.
type History struct {
	Transitions []fsm.Transition `json:"transitions" doc:"oldest first"`
}

// Files is the body that lists the files that an instance runs with.
type Files struct {
	Files []File `json:"files"`
}

// TableBody is the table of a kind.
type TableBody struct {
	Kind    string          `json:"kind"`
	States  []fsm.StateSpec `json:"states"`
	Targets []fsm.Target    `json:"targets" doc:"what can be asked for"`
	Rows    []fsm.Row       `json:"rows"`
	Mermaid string          `json:"mermaid" doc:"as a diagram"`
}

// Health says whether all is well.
type Health struct {
	OK    bool     `json:"ok"`
	Wrong []string `json:"wrong,omitempty" doc:"what is wrong, a line for each"`
}

// healthAnswer has the status that goes with it.
type healthAnswer struct {
	Status int
	Body   Health
}

func healthOf(wrong []string) *healthAnswer {
	if len(wrong) == 0 {
		return &healthAnswer{http.StatusOK, Health{OK: true}}
	}
	return &healthAnswer{http.StatusServiceUnavailable, Health{Wrong: wrong}}
}

// read serves what can be asked.
func (s *Server) read(api huma.API) {
	huma.Get(api, "/api/instances", s.list)
	huma.Get(api, "/api/instances/{name}", func(_ context.Context, in *one) (*answer[Instance], error) {
		_, found, err := s.find(in.Kind, in.Name)
		return answers(found), err
	})
	huma.Get(api, "/api/instances/{name}/why", func(_ context.Context, in *one) (*answer[fsm.Why], error) {
		why, err := s.why(in)
		return answers(why), err
	})
	huma.Get(api, "/api/instances/{name}/history", func(_ context.Context, in *one) (*answer[History], error) {
		of, found, err := s.find(in.Kind, in.Name)
		if err == nil && s.History != nil {
			if all, failed := s.History(of.Kind(), found.Name); failed == nil {
				return answers(History{all}), nil
			}
		}
		return answers(History{found.History}), err
	})
	huma.Get(api, "/api/instances/{name}/config", func(_ context.Context, in *one) (*answer[Files], error) {
		of, found, err := s.find(in.Kind, in.Name)
		if err != nil || s.Config == nil {
			return answers(Files{}), err
		}
		files, err := s.Config(of.Kind(), found.Name)
		return answers(Files{files}), err
	})
	huma.Get(api, "/api/tables/{kind}", s.table)
	huma.Get(api, "/healthz", func(context.Context, *struct{}) (*healthAnswer, error) {
		return healthOf(s.late(time.Now())), nil
	})
	huma.Get(api, "/readyz", func(context.Context, *struct{}) (*healthAnswer, error) {
		return healthOf(slices.Concat(s.notReady(), s.late(time.Now()), s.wrong())), nil
	})
}

func (s *Server) list(_ context.Context, in *struct {
	Kind  string `query:"kind" doc:"those of a kind alone"`
	Phase string `query:"phase" doc:"those in a phase alone"`
}) (*answer[List], error) {
	var phase fsm.Phase
	if in.Phase != "" {
		if err := phase.UnmarshalText([]byte(in.Phase)); err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
	}
	all := List{Instances: []Summary{}, Last: s.Feed.Last()}
	for _, of := range s.Sources {
		if in.Kind == "" || in.Kind == of.Kind() {
			all.Instances = append(all.Instances, of.List()...)
		}
	}
	if phase != 0 {
		all.Instances = slices.DeleteFunc(all.Instances, func(one Summary) bool { return one.Phase != phase })
	}
	slices.SortStableFunc(all.Instances, func(a, b Summary) int { return strings.Compare(a.Name, b.Name) })
	return answers(all), nil
}

func (s *Server) why(in *one) (fsm.Why, error) {
	of, _, err := s.find(in.Kind, in.Name)
	if err != nil {
		return fsm.Why{}, err
	}
	why, _ := of.Why(in.Name)
	if s.Explain != nil {
		why = s.Explain(why)
	}
	return why, nil
}

func (s *Server) table(_ context.Context, in *struct {
	Kind string `path:"kind"`
}) (*answer[TableBody], error) {
	for _, of := range s.Sources {
		if of.Kind() == in.Kind {
			t := of.Table()
			return answers(TableBody{of.Kind(), t.States(), t.Targets(), t.Rows(), t.Mermaid()}), nil
		}
	}
	var kinds []string
	for _, of := range s.Sources {
		kinds = append(kinds, of.Kind())
	}
	return nil, huma.Error404NotFound(fmt.Sprintf("there is no kind %q: there are %s", in.Kind, strings.Join(kinds, ", ")))
}

// late says what is wrong with the program itself.
func (s *Server) late(now time.Time) []string {
	if s.Late == nil {
		return nil
	}
	return s.Late(now)
}

// notReady says why the program is not ready, though no instance is in its way.
func (s *Server) notReady() []string {
	if s.NotReady == nil {
		return nil
	}
	return s.NotReady()
}

// wrong says which instances are to run and do not.
func (s *Server) wrong() (lines []string) {
	for _, of := range s.Sources {
		for _, one := range of.List() {
			if line := one.Wrong(); line != "" {
				lines = append(lines, fsm.EscapeLine(line))
			}
		}
	}
	return lines
}
