package simulate

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// services and streams are the names of what there can be, names both.
func services() []string { return []string{"a", "b"} }
func streams() []string  { return []string{"x"} }
func names() []string    { return append(services(), streams()...) }

func isStream(name string) bool { return slices.Contains(streams(), name) }

// declaration is what the user asks of an instance: to run as a variant says, to
// be stopped, or, without a state, nothing. Spoiled is what is refused.
type declaration struct {
	state fsm.State // in the terms of package s6
	*variant
	spoiled bool
}

func (d declaration) String() string {
	switch {
	case d.spoiled:
		return "what is refused"
	case d.state == "":
		return "nothing"
	}
	return fmt.Sprintf("%s %s", d.state, d.key[:6])
}

func (d declaration) same(o declaration) bool {
	return d.state == o.state && (d.state == "" || d.key == o.key)
}

// sameProcess reports whether a process that runs as one declaration says needs
// no other to run as the other says.
func (d declaration) sameProcess(o declaration) bool {
	return d.state == s6.Running && o.state == s6.Running && d.process == o.process
}

// desired is what the manager of services is given.
func (d declaration) desired() fsm.Desired[*s6.Spec] {
	if d.spoiled {
		return fsm.Desired[*s6.Spec]{State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep"}, StopSignal: "NONE"}}
	}
	return fsm.Desired[*s6.Spec]{State: d.state, Spec: d.service}
}

// desiredStream is what the manager of streams is given. What is refused is refused by
// the linter.
func (d declaration) desiredStream() fsm.Desired[*benthos.Config] {
	switch {
	case d.spoiled:
		return fsm.Desired[*benthos.Config]{State: benthos.Active, Spec: newConfig(func(c *benthos.Config) { c.Input = map[string]any{spoiledInput: map[string]any{}} })}
	case d.state == s6.Running:
		return fsm.Desired[*benthos.Config]{State: benthos.Active, Spec: d.stream}
	}
	return fsm.Desired[*benthos.Config]{State: benthos.Stopped, Spec: d.stream}
}

// variant is one way to run an instance.
type variant struct {
	key     string // of the whole
	process string // two with the same need the same process
	stays   bool   // it runs once its process has stayed for a while
	service *s6.Spec
	stream  *benthos.Config
}

// ofService returns a service as a variant.
func ofService(spec *s6.Spec) *variant {
	part := s6.Spec{Command: spec.Command, Env: spec.Env, Dir: spec.Dir, ConfigFiles: spec.ConfigFiles, User: spec.User, Limits: spec.Limits, Ready: spec.Ready}
	part.Ready.Stays = 0
	return &variant{key: spec.Hash(), process: part.Hash(), stays: spec.Ready.FD == 0, service: spec}
}

// ofStream returns a stream as a variant.
func ofStream(config *benthos.Config) *variant {
	doc, err := config.Render()
	if err != nil {
		return &variant{key: err.Error(), stream: config}
	}
	beside := fmt.Appendf(doc[:len(doc):len(doc)], "%s%+v", config.Note, config.Policy)
	return &variant{key: fmt.Sprintf("%x", sha256.Sum256(beside)), process: string(doc), stream: config}
}

// nthVariant returns one of the ways in which an instance can be run, by any
// number. The first is a plain one.
func nthVariant(name string, n int) *variant {
	if isStream(name) {
		all := configs()
		return ofStream(all[n%len(all)])
	}
	all := specs()
	return ofService(all[n%len(all)])
}

// run returns a declaration to run an instance as one of its variants, and stop
// one to stop it.
func run(name string, n int) declaration  { return declare(s6.Running, name, n) }
func stop(name string, n int) declaration { return declare(s6.Stopped, name, n) }

func declare(state fsm.State, name string, n int) declaration {
	return declaration{state: state, variant: nthVariant(name, n)}
}

// specs of services.
func specs() []*s6.Spec {
	sleep := func(arg string) *s6.Spec { return &s6.Spec{Command: []string{"sleep", arg}, Log: keepAll} }
	of := func(change func(s *s6.Spec)) *s6.Spec {
		s := sleep("1")
		change(s)
		return s
	}
	checked := s6.Check{TCP: "127.0.0.1:5432", Every: 2 * time.Second}
	return []*s6.Spec{
		sleep("1"),
		of(func(s *s6.Spec) { s.Command, s.Check = []string{"sleep", "2"}, checked }),
		of(func(s *s6.Spec) { s.Log.FileSize = 2 * keepAll.FileSize }),
		of(func(s *s6.Spec) { s.Ready.FD, s.Check = 3, checked }),
		of(func(s *s6.Spec) { s.Ready.Stays, s.StartTimeout = 3*time.Second, 5*time.Second }),
		of(func(s *s6.Spec) { s.Finish = []string{"true"} }),
		of(func(s *s6.Spec) { s.Restart = s6.RestartOnFailure }),
		of(func(s *s6.Spec) { s.Check = checked }),
		of(func(s *s6.Spec) {
			s.Check = s6.Check{TCP: "127.0.0.1:5432", Every: 3 * time.Second, Restart: true}
			s.StartTimeout, s.Backoff = 5*time.Second, s6.Backoff{From: time.Second}
		}),
		of(func(s *s6.Spec) { s.Env, s.GiveUpAfter = map[string]string{"X": "3"}, 1 }),
		of(func(s *s6.Spec) { s.Restart, s.Ready.FD, s.Finish = s6.RestartNever, 3, []string{"true"} }),
		of(func(s *s6.Spec) {
			s.Backoff, s.GiveUpAfter = s6.Backoff{From: 2 * time.Second, To: 20 * time.Second}, 4
		}),
		of(func(s *s6.Spec) { s.Backoff = s6.Backoff{From: 100 * time.Millisecond, To: 5 * time.Second} }),
		of(func(s *s6.Spec) { s.StopTimeout, s.StopSignal, s.Restart = 2*time.Second, "INT", s6.RestartOnFailure }),
		of(func(s *s6.Spec) {
			s.Env = map[string]string{"X": "1", "Y": "2"}
			s.ConfigFiles = map[string]string{"x.conf": "x", "y.conf": "y"}
			s.Restart = s6.RestartOnFailure
		}),
		of(func(s *s6.Spec) { s.Env, s.Ready.FD, s.Restart = map[string]string{"X": "2"}, 4, s6.RestartOnFailure }),
		of(func(s *s6.Spec) { s.Env, s.Check = map[string]string{"X": "2", "Y": "1"}, checked }),
	}
}

// keepAll keeps every line that a service prints.
var keepAll = s6.Log{Files: 1000, FileSize: 100000}

// configs of streams.
func configs() []*benthos.Config {
	return []*benthos.Config{
		newConfig(func(*benthos.Config) {}),
		newConfig(func(c *benthos.Config) { c.LogLevel = "DEBUG" }),
		newConfig(func(c *benthos.Config) { c.Note = "of a parent" }),
		newConfig(func(c *benthos.Config) { c.MetricsPort++ }),
		newConfig(func(c *benthos.Config) { c.ShutdownTimeout = time.Second }),
		newConfig(func(c *benthos.Config) { c.Policy.Restart = s6.RestartOnFailure }),
	}
}

// otherPort is the variant of a stream that listens on another port.
const otherPort = 3

// spoiledInput is an input that no engine knows.
const spoiledInput = "spoiled"

func newConfig(change func(c *benthos.Config)) *benthos.Config {
	c := &benthos.Config{
		Input:       map[string]any{"generate": map[string]any{"mapping": "root = 1"}},
		Output:      map[string]any{"drop": map[string]any{}},
		MetricsPort: 9080,
	}
	change(c)
	return c
}
