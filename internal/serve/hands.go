package serve

import (
	"context"
	"fmt"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/runner"
)

// hands carry out what is asked of a program by hand.
type hands struct{ runner *runner.Runner }

func (h hands) key(kind, name string) config.Key {
	if kind == benthos.KindName {
		return config.Key{Kind: config.KindStream, Name: name}
	}
	return config.Key{Kind: config.KindService, Name: name}
}

func (h hands) Stop(_ context.Context, kind, name, by string) error {
	return h.runner.StopByHand(h.key(kind, name), by)
}

func (h hands) Start(_ context.Context, kind, name, _ string) error {
	return h.runner.StartByHand(h.key(kind, name))
}

func (h hands) Restart(ctx context.Context, kind, name, _ string) error {
	if kind == benthos.KindName {
		return h.runner.Streams.Restart(ctx, name)
	}
	return h.runner.Services.Restart(ctx, name)
}

func (h hands) Retry(_ context.Context, kind, name, _ string) error {
	if kind == benthos.KindName {
		return h.runner.Streams.Retry(name)
	}
	return h.runner.Services.Retry(name)
}

// explain says how what was stopped by hand runs again.
func (h hands) explain(w fsm.Why) fsm.Why {
	for _, o := range h.runner.StoppedByHand() {
		if o.Key() == h.key(w.Kind, w.Name) {
			w.Chain = append(w.Chain, fsm.Link{Part: fsm.PartHelp, Text: "start it by hand: evenkeel start " + w.Name})
		}
	}
	return w
}

// files returns the files of an instance's service.
func (h hands) files(kind, name string) ([]api.File, error) {
	was, is, err := h.runner.Shown(h.key(kind, name))
	if err != nil {
		return nil, fmt.Errorf("cannot show the files of %s: %w", name, err)
	}
	at := make(map[string]int)
	var all []api.File
	for _, f := range was {
		at[f.Name] = len(all)
		all = append(all, api.File{Name: f.Name, Was: f.Text})
	}
	for _, f := range is {
		if n, there := at[f.Name]; there {
			all[n].Is = f.Text
		} else {
			all = append(all, api.File{Name: f.Name, Is: f.Text})
		}
	}
	return all, nil
}
