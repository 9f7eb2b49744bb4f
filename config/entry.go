package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/order"
	"github.com/evenkeel/evenkeel/s6"
)

// Entry is what a file asks for of one instance.
type Entry struct {
	// At is where the entry begins.
	At Position
	// State is a target of the instance's table: s6.Running or s6.Stopped,
	// benthos.Active or benthos.Stopped.
	State fsm.State
	// Service or Stream is what the instance is made from, by its kind. They are
	// not to be modified.
	Service *s6.Spec
	Stream  *benthos.Config
	// Essential: when the instance has failed for good, the program is to end.
	Essential bool
	// DependsOn are the instances that this one starts after, and stops before.
	DependsOn []Dependency

	node *yaml.Node // nil if it was made elsewhere
	path string     // of the stream's configuration in it
}

// Runs reports whether the entry asks for its instance to run.
func (e Entry) Runs() bool {
	if e.Stream != nil {
		return e.State != benthos.Stopped
	}
	return e.State != s6.Stopped
}

// Policy returns what is to follow on the end of the instance's process.
func (e Entry) Policy() (p s6.Policy) {
	switch {
	case e.Service != nil:
		p = e.Service.Policy
	case e.Stream != nil:
		p = e.Stream.Policy
	}
	return p
}

// locate is Locate for what is in the entry itself.
func (e Entry) locate(path string) Position {
	if e.node == nil {
		return e.At
	}
	n := find(e.node, path)
	return Position{e.At.File, n.Line, n.Column}
}

// Dependency is an instance that another one starts after, and stops before.
type Dependency struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
	// Is is what it has to be. Empty means that it is to have come to its end well
	// where it is never restarted, and ready otherwise.
	Is order.Is `json:"is,omitempty"`
}

// Key returns the key of the instance.
func (d Dependency) Key() Key { return Key{d.Kind, d.Name} }

// dependencies returns what an entry depends on, by the names that it gives.
func dependencies(on []dependency) (all []Dependency) {
	for _, d := range on {
		all = append(all, Dependency{Name: d.Name, Is: d.Is})
	}
	return all
}

// sort is a sort of entries: what each becomes, and by which name.
type sort struct {
	kind   Kind
	prefix string // of the name of the s6 service
	schema reflect.Type
	read   func(r *entryReader) Entry
}

// The sorts of entries, with the names that UMH Core gives their services.
var (
	services = sort{KindService, "", reflect.TypeFor[serviceEntry](), (*entryReader).service}
	streams  = sort{KindStream, "benthos-", reflect.TypeFor[streamEntry](), (*entryReader).stream}
	flows    = sort{KindStream, "benthos-dataflow-", reflect.TypeFor[flowEntry](), (*entryReader).flow}
)

// ServiceNames returns the names that the s6 service of an entry may have, one for
// each list that the entry may be in.
func ServiceNames(entry string) []string {
	return []string{services.prefix + entry, streams.prefix + entry, flows.prefix + entry}
}

// entryReader reads one entry.
type entryReader struct {
	walker
	sources
	node *yaml.Node
}

// wellNamed is what a name may be.
var wellNamed = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$`)

// keyOf returns the key of an entry. Without one it cannot be known which
// instance the entry is about, so that the problem is the file's.
func keyOf(w *walker, n *yaml.Node, s sort, path string) (Key, bool) {
	entry := resolved(n)
	if !w.isA(yaml.MappingNode, n, entry, path) {
		return Key{}, false
	}
	name := field(entry, "name")
	if name == nil || name.Kind != yaml.ScalarNode || name.Value == "" || name.ShortTag() == nullTag {
		w.add(n, "%s has no name", path)
		return Key{}, false
	}
	if !wellNamed.MatchString(name.Value) {
		w.add(name, "%s.name is %q, and must be of letters, digits, _ and -, with a letter or digit first and last", path, cut(name.Value))
		return Key{}, false
	}
	key := Key{s.kind, s.prefix + name.Value}
	if err := s6.CheckName(key.Name); err != nil {
		w.add(name, "%s.name cannot be used: %v", path, err)
		return Key{}, false
	}
	return key, true
}

// find returns what is at a path below a node, or as near to it as something
// is. Keys may have dots in them.
func find(n *yaml.Node, path string) *yaml.Node {
	n = resolved(n)
	for end := len(path); path != "" && end > 0; end = strings.LastIndexByte(path[:end], '.') {
		if v := field(n, path[:end]); v != nil {
			return find(v, strings.TrimPrefix(path[end:], "."))
		}
	}
	if index, rest, _ := strings.Cut(path, "."); n.Kind == yaml.SequenceNode {
		for i, e := range n.Content {
			if fmt.Sprint(i) == index {
				return find(e, rest)
			}
		}
	}
	return n
}

// read decodes the entry, unless the schema does not allow it.
func (r *entryReader) read(into any) bool {
	if len(r.problems) > 0 {
		return false
	}
	if err := decode(r.node, into); err != nil {
		_, why := whatYAMLSays(err)
		r.add(r.node, "it cannot be read: %s", why)
	}
	return len(r.problems) == 0
}

// state returns the state that is asked for, the first one if none is.
func (r *entryReader) state(asked string, can ...fsm.State) fsm.State {
	if asked == "" {
		return can[0]
	}
	if !slices.Contains(can, fsm.State(asked)) {
		r.add(find(r.node, "desiredState"), "desiredState is %q, and must be %s or %s", cut(asked), can[0], can[1])
	}
	return fsm.State(asked)
}

func (r *entryReader) service() (e Entry) {
	var in serviceEntry
	if !r.read(&in) {
		return e
	}
	c := in.S6ServiceConfig
	spec := &s6.Spec{
		Command: c.Command, Env: r.env(c.Env), ConfigFiles: c.ConfigFiles,
		Dir: in.Dir, User: in.User, Limits: in.Limits,
		Ready: s6.Readiness{Stays: in.Ready.Stays, FD: in.Ready.FD, Check: in.Ready.Check},
		Check: in.Check, StartTimeout: in.StartTimeout, StopSignal: in.StopSignal, StopTimeout: in.StopTimeout,
		Policy: in.policy.policy(), Finish: in.Finish, FinishTimeout: in.FinishTimeout, Log: in.Log,
	}
	r.same("s6ServiceConfig.memoryLimit", c.MemoryLimit, "limits.memory", &spec.Limits.Memory)
	r.same("s6ServiceConfig.logFilesize", c.LogFilesize, "log.fileSize", &spec.Log.FileSize)
	e = Entry{State: r.state(in.DesiredState, s6.Running, s6.Stopped), Service: spec, Essential: in.Essential, DependsOn: dependencies(in.DependsOn)}
	r.refuse(spec.Validate())
	return e
}

// same takes UMH Core's name of a setting for ours, unless both are given.
func (r *entryReader) same(theirs string, value int64, ours string, into *int64) {
	switch {
	case value == 0:
	case *into != 0:
		r.add(find(r.node, theirs), "%s and %s are one setting: give one of them", theirs, ours)
	default:
		*into = value
	}
}

// env returns the values of variables, from wherever they are.
func (r *entryReader) env(values map[string]value) map[string]string {
	if values == nil {
		return nil
	}
	env := make(map[string]string, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text, err := r.resolve(values[name], r.file)
		if err != nil {
			r.add(values[name].at, "s6ServiceConfig.env.%s %v", name, err)
		}
		env[name] = text
	}
	return env
}

// refuse says what is wrong with a spec, each thing where it is.
func (r *entryReader) refuse(err error) {
	all, several := err.(interface{ Unwrap() []error })
	if err == nil || !several {
		return
	}
	for _, one := range all.Unwrap() {
		at, what := one.Error(), ""
		at, what, _ = strings.Cut(at, ": ")
		switch first, _, _ := strings.Cut(at, "."); {
		case first == "command", first == "env", first == "configFiles":
			at = "s6ServiceConfig." + at
		case at == "limits.memory" && field(r.node, "limits") == nil:
			at = "s6ServiceConfig.memoryLimit"
		case at == "log.fileSize" && field(r.node, "log") == nil:
			at = "s6ServiceConfig.logFilesize"
		}
		r.add(find(r.node, at), "%s: %s", at, what)
	}
}

func (r *entryReader) stream() (e Entry) {
	var in streamEntry
	if !r.read(&in) {
		return e
	}
	in.Config.Policy, in.Config.ExpectTraffic = in.policy.policy(), in.ExpectTraffic
	e = r.config("benthosServiceConfig", in.Config, in.DesiredState)
	e.Essential, e.DependsOn = in.Essential, dependencies(in.DependsOn)
	return e
}

func (r *entryReader) flow() (e Entry) {
	var in flowEntry
	if !r.read(&in) {
		return e
	}
	in.Config.Benthos.DebugLevel = in.Config.Benthos.DebugLevel || in.DebugLevel
	in.Config.Benthos.Policy, in.Config.Benthos.ExpectTraffic = in.policy.policy(), in.ExpectTraffic
	e = r.config("dataFlowComponentConfig.benthos", in.Config.Benthos, in.DesiredState)
	e.Essential, e.DependsOn = in.Essential, dependencies(in.DependsOn)
	return e
}

// config returns the entry of a stream whose configuration is at path.
func (r *entryReader) config(path string, c benthos.Config, asked string) Entry {
	e := Entry{State: r.state(asked, benthos.Active, benthos.Stopped), Stream: &c, path: path}
	if invalid := new(benthos.ConfigError); errors.As(c.Validate(), &invalid) {
		for _, p := range invalid.Problems {
			at := below(path, p.Field)
			if field, ours := strings.CutPrefix(p.Field, "policy."); ours || field == "expectTraffic" {
				at = field
			}
			r.add(find(r.node, at), "%s %s", at, p.Problem)
		}
	}
	return e
}
