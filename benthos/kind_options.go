package benthos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// Options are settings of a manager of Benthos instances. Engine is required.
type Options struct {
	// Engine is the executable: a path, from this process's working directory
	// if it is relative, or a name that is looked up in PATH.
	Engine string
	// Owner is the owner of the instances' services, as in s6.NewKind. Managers
	// of one tree with different owners leave each other's instances alone.
	// Empty means KindName.
	Owner string
	// Linter checks configurations before they are taken; nil means the
	// engine's own. On a tree in memory (s6.Tree.OnHost) nothing is ever
	// executed: there nil means no linter, and only Config.Validate checks.
	Linter ConfigLinter
	// Prober looks at engines and ports; nil means the real one. On a tree in
	// memory it is required, for there is no engine to ask: package benthostest
	// has one.
	Prober Prober
	// HealthInterval is how often an engine that is ready is asked again;
	// zero means a second.
	HealthInterval time.Duration
	// ActivityWindow is how long after the last message an instance is still
	// active; zero means ten seconds. ErrorWindow is how long after the last
	// failed write it is degraded; zero means thirty seconds.
	ActivityWindow, ErrorWindow time.Duration
	// Env, Limits, Log and User are those of the services.
	Env    map[string]string
	Limits s6.Limits
	Log    s6.Log
	User   string
	// Backoff of the services' own passes.
	Backoff fsm.Backoff

	documents *documents
}

// ConfigLinter says which of some rendered configurations an engine would
// refuse; a Linter is one. An error says that it could not tell.
type ConfigLinter interface {
	// Lint returns an error for each document, by its name, that would be
	// refused, and one made by fsm.Warning for each that is to be warned of.
	Lint(ctx context.Context, docs map[string][]byte) (refused map[string]error, err error)
}

// configFile is the rendered configuration in a service directory, which is
// the working directory of the engine.
const configFile = "benthos.yaml"

// defaults returns the options with defaults filled in, for a tree whose
// processes are this host's or are not.
func (o Options) defaults(onHost bool) (*Options, error) {
	switch {
	case o.Engine == "":
		return nil, errors.New("cannot manage Benthos instances: Options.Engine must name an executable")
	case o.Prober == nil && !onHost:
		return nil, errors.New("cannot manage Benthos instances: the tree is in memory, where no engine can be asked: give Options.Prober, for instance benthostest.NewProber()")
	}
	if strings.Contains(o.Engine, "/") {
		engine, err := filepath.Abs(o.Engine)
		if err != nil {
			return nil, fmt.Errorf("cannot tell which engine %s is: %w", o.Engine, err)
		}
		o.Engine = engine
	}
	if o.Linter == nil && onHost {
		o.Linter = &Linter{Path: o.Engine, Env: o.lintEnv()}
	}
	if o.Prober == nil {
		o.Prober = NewProber(NewClient(ClientConfig{}))
	}
	o.Owner = cmp.Or(o.Owner, KindName)
	o.documents = &documents{service: o.serviceSpec}
	o.HealthInterval = cmp.Or(o.HealthInterval, time.Second)
	o.ActivityWindow = cmp.Or(o.ActivityWindow, 10*time.Second)
	o.ErrorWindow = cmp.Or(o.ErrorWindow, 30*time.Second)
	return &o, nil
}

// lintEnv is the environment of the engine as a linter: that of the services, nil
// for this process's own.
func (o *Options) lintEnv() []string {
	if len(o.Env) == 0 {
		return nil
	}
	env := os.Environ()
	for _, name := range slices.Sorted(maps.Keys(o.Env)) {
		env = append(env, name+"="+o.Env[name])
	}
	return env
}

// serviceSpec returns the service that runs a configuration.
func (o *Options) serviceSpec(doc *document) (*s6.Spec, error) {
	note, err := doc.config.note(doc.part)
	if err != nil {
		return nil, err
	}
	return &s6.Spec{
		Command:     []string{o.Engine, "-c", "config/" + configFile},
		Env:         o.Env,
		ConfigFiles: map[string]string{configFile: string(doc.text)},
		User:        o.User,
		Limits:      o.Limits,
		Log:         o.Log,
		Ready:       s6.Readiness{Announced: true},
		Policy:      doc.config.Policy,
		StopTimeout: doc.config.StopTime(),
		Note:        note,
	}, nil
}

// runBy reports whether a service runs an engine with this very document.
func (d *document) runBy(service *s6.Spec) bool {
	return service != nil && service.ConfigFiles[configFile] == string(d.text)
}
