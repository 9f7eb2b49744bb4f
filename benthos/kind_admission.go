package benthos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// ErrConfig is wrapped by the refusal of a Config that is missing, not valid,
// refused by the engine's linter, or in conflict with another's ports.
var ErrConfig = errors.New("not a valid Benthos configuration")

// admission decides which configurations of a declaration are taken.
type admission struct {
	tree    s6.Tree
	options *Options

	mu     sync.Mutex       // guards passed
	passed map[digest]error // of the last declaration, what the linter accepted, and its warning
}

// declaration is one that is being validated.
type declaration struct {
	desired map[string]fsm.Desired[*Config]
	docs    map[string]*document // of those that are sound so far
	before  map[string]fsm.Desired[*Config]
	inUse   map[string]*document // what was asked before, of each that exists
	refused map[string]error
	warned  map[string]error // what the linter says of those that it accepts
}

// refuseConfig refuses a configuration, and not only what is asked for now.
func (d *declaration) refuseConfig(name string, err error) {
	d.refuse(name, fmt.Errorf("%w: %w", ErrConfig, err))
}

// refuse refuses what is asked of an instance.
func (d *declaration) refuse(name string, err error) {
	d.refused[name] = err
	delete(d.docs, name)
}

// unchanged reports whether an instance exists with this very configuration.
func (d *declaration) unchanged(name string) bool {
	was, exists := d.inUse[name]
	return exists && was.hash == d.docs[name].hash
}

// validate implements fsm.Kind.Validate.
func (a *admission) validate(ctx context.Context, desired, before map[string]fsm.Desired[*Config]) (map[string]error, error) {
	d := &declaration{
		desired: desired, before: before, docs: make(map[string]*document),
		inUse: make(map[string]*document), refused: make(map[string]error),
		warned: make(map[string]error),
	}
	used := make(map[*Config]bool)
	for name, was := range before {
		d.inUse[name] = a.inUse(was.Spec)
		used[was.Spec] = true
	}
	for _, name := range slices.Sorted(maps.Keys(desired)) { // so that it is the same each time
		want := desired[name]
		if want.State == fsm.StateRemoved {
			continue
		}
		used[want.Spec] = true
		if err := s6.CheckName(name); err != nil {
			d.refuseConfig(name, err)
			continue
		}
		owner, err := s6.Owner(a.tree, name)
		if err != nil {
			d.refuse(name, err)
			continue
		}
		if owner != "" && owner != a.options.Owner {
			d.refuseConfig(name, fmt.Errorf("%w: it belongs to %q", s6.ErrOwned, owner))
			continue
		}
		if want.Spec == nil {
			d.refuseConfig(name, errors.New("there is none"))
			continue
		}
		doc, err := a.options.documents.of(want.Spec)
		if err != nil {
			d.refuseConfig(name, err)
			continue
		}
		d.docs[name] = doc
	}
	a.options.documents.keep(used)
	d.refusePortConflicts()
	a.refuseTakenPorts(d)
	if !fsm.Preparing(ctx) { // the engine takes its time
		if err := a.lint(ctx, d); err != nil {
			return nil, err
		}
	}
	d.refuseKeptPorts()
	verdicts := d.warned
	maps.Copy(verdicts, d.refused)
	return verdicts, nil
}

// inUse returns the document of a configuration that an instance has. If the
// configuration is not valid any more, the document has no more than where it
// listens.
func (a *admission) inUse(c *Config) *document {
	if c == nil {
		return new(document)
	}
	doc, err := a.options.documents.of(c)
	if err != nil {
		return &document{listens: Ports(*c)}
	}
	return doc
}

// refusePortConflicts refuses the instances that would listen where another one
// does. An instance that did not change comes before one that did; otherwise
// names decide.
func (d *declaration) refusePortConflicts() {
	type owned struct {
		Listen
		name string
	}
	var taken []owned
	names := slices.SortedFunc(maps.Keys(d.docs), func(a, b string) int {
		if x, y := d.unchanged(a), d.unchanged(b); x != y {
			if x {
				return -1
			}
			return 1
		}
		return cmp.Compare(a, b)
	})
	for _, name := range names {
		var mine []owned
		for _, l := range d.docs[name].listens {
			at := slices.IndexFunc(taken, func(o owned) bool { return o.Overlaps(l) })
			if at >= 0 {
				d.refuseConfig(name, fmt.Errorf("%s: port %d is that of %q already (%s)", l.Path, l.Port, taken[at].name, taken[at].Path))
			}
			mine = append(mine, owned{l, name})
		}
		if d.refused[name] == nil {
			taken = append(taken, mine...)
		}
	}
}

// refuseKeptPorts refuses the instances that would listen where a refused one,
// which stays as it is, listens. That may make others stay as they are, too.
func (d *declaration) refuseKeptPorts() {
	for again := true; again; {
		again = false
		for _, name := range slices.Sorted(maps.Keys(d.docs)) {
			if !d.unchanged(name) && d.refuseKeptPort(name) {
				again = true
			}
		}
	}
}

func (d *declaration) refuseKeptPort(name string) bool {
	for _, other := range slices.Sorted(maps.Keys(d.refused)) {
		was, exists := d.inUse[other]
		if other == name || !exists || d.before[other].State == fsm.StateRemoved {
			continue
		}
		for _, l := range d.docs[name].listens {
			if at := slices.IndexFunc(was.listens, l.Overlaps); at >= 0 {
				d.refuseConfig(name, fmt.Errorf("%s: port %d is that of %q (%s), which was refused and keeps it", l.Path, l.Port, other, was.listens[at].Path))
				return true
			}
		}
	}
	return false
}

// refuseTakenPorts refuses changes by which a running instance would have to
// listen where another program does. It could not, and what runs would have
// ended for nothing. Ports that instances have already can change hands between
// them.
func (a *admission) refuseTakenPorts(d *declaration) {
	names := slices.Sorted(maps.Keys(d.inUse))
	var listens []Listen
	for _, name := range names {
		listens = append(listens, d.inUse[name].listens...)
	}
	// Where a port is interpolated, or the process is of a configuration from
	// before, only the engine knows it.
	ours := processesOf(a.tree, names)
	for _, name := range slices.Sorted(maps.Keys(d.docs)) {
		doc := d.docs[name]
		if d.desired[name].State != Active || d.before[name].State != Active || d.unchanged(name) {
			continue
		}
		for _, l := range doc.listens {
			if slices.ContainsFunc(listens, l.Overlaps) {
				continue
			}
			problem := ours.taken(a.options.Prober, l)
			if problem == "" {
				continue
			}
			if ours.unknown == nil {
				d.refuseConfig(name, fmt.Errorf("%s: %s", l.Path, problem))
			} else {
				d.refuse(name, fmt.Errorf("%s: %s, and it cannot be told whether that is one of ours: %w", l.Path, problem, ours.unknown))
			}
			break
		}
	}
}

// lint asks the engine about the configurations that are neither in use nor
// known already, and refuses those that the engine refuses. If the engine is
// missing there is no verdict: an instance that exists keeps what it has, and a
// new one is taken and then shows what is missing.
func (a *admission) lint(ctx context.Context, d *declaration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	unknown := make(map[string][]byte)
	for name, doc := range d.docs {
		if d.unchanged(name) {
			continue
		}
		if warning, passed := a.passed[doc.hash]; !passed {
			unknown[name] = doc.text
		} else if warning != nil {
			d.warned[name] = warning
		}
	}
	verdicts, err := a.ask(ctx, unknown)
	missing := errors.Is(err, ErrNoEngine)
	if err != nil && !missing {
		return err
	}
	for name := range unknown {
		switch _, exists := d.inUse[name]; {
		case missing && exists:
			d.refuseConfig(name, err)
		case fsm.IsWarning(verdicts[name]):
			d.warned[name] = verdicts[name]
		case verdicts[name] != nil:
			d.refuseConfig(name, verdicts[name])
		}
	}
	passed := make(map[digest]error, len(d.docs))
	for name, doc := range d.docs {
		if _, asked := unknown[name]; !missing || !asked {
			passed[doc.hash] = d.warned[name]
		}
	}
	a.passed = passed
	return nil
}

func (a *admission) ask(ctx context.Context, docs map[string][]byte) (map[string]error, error) {
	if len(docs) == 0 || a.options.Linter == nil {
		return nil, nil
	}
	return a.options.Linter.Lint(ctx, docs)
}
