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

	mu     sync.Mutex      // guards passed
	passed map[string]bool // hashes in the last declaration that the linter accepted
}

// declaration is one that is being validated.
type declaration struct {
	desired map[string]fsm.Desired[*Config]
	docs    map[string][]byte // rendered, of those that are sound so far
	before  map[string]fsm.Desired[*Config]
	inUse   map[string]string // hashes of what was asked before, by name
	refused map[string]error
}

func (d *declaration) refuse(name string, err error) {
	d.refused[name] = fmt.Errorf("%w: %w", ErrConfig, err)
	delete(d.docs, name)
}

// unchanged reports whether an instance exists with this very configuration.
func (d *declaration) unchanged(name string) bool {
	hash, exists := d.inUse[name]
	return exists && hash == d.desired[name].Spec.Hash()
}

// validate implements fsm.Kind.Validate.
func (a *admission) validate(ctx context.Context, desired, before map[string]fsm.Desired[*Config]) (map[string]error, error) {
	d := &declaration{
		desired: desired, before: before, docs: make(map[string][]byte),
		inUse: make(map[string]string), refused: make(map[string]error),
	}
	for name, was := range before {
		d.inUse[name] = ""
		if was.Spec != nil {
			d.inUse[name] = was.Spec.Hash()
		}
	}
	for name, want := range desired {
		if want.State == fsm.StateRemoved {
			continue
		}
		owner, err := s6.Owner(a.tree, name)
		if err != nil {
			return nil, err
		}
		if err := s6.CheckName(name); err != nil {
			d.refuse(name, err)
			continue
		}
		if owner != "" && owner != a.options.Owner {
			d.refuse(name, fmt.Errorf("%w: it belongs to %q", s6.ErrOwned, owner))
			continue
		}
		doc, err := render(want.Spec)
		if err != nil {
			d.refuse(name, err)
			continue
		}
		d.docs[name] = doc
	}
	d.refusePortConflicts()
	a.refuseTakenPorts(d)
	if err := a.lint(ctx, d); err != nil {
		return nil, err
	}
	d.refuseKeptPorts()
	return d.refused, nil
}

func render(c *Config) ([]byte, error) {
	if c == nil {
		return nil, errors.New("there is none")
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c.Render()
}

// refusePortConflicts refuses the instances that would listen where another
// one does: one that is as it was goes before one that changed, then names
// decide.
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
		for _, l := range Ports(*d.desired[name].Spec) {
			at := slices.IndexFunc(taken, func(o owned) bool { return o.Overlaps(l) })
			if at >= 0 {
				d.refuse(name, fmt.Errorf("%s: port %d is that of %q already (%s)", l.Path, l.Port, taken[at].name, taken[at].Path))
			}
			mine = append(mine, owned{l, name})
		}
		if d.refused[name] == nil {
			taken = append(taken, mine...)
		}
	}
}

// refuseKeptPorts refuses the instances that would listen where one does that
// was refused and therefore stays as it is; which may make others stay so.
func (d *declaration) refuseKeptPorts() {
	for again := true; again; {
		again = false
		for name := range d.docs {
			if !d.unchanged(name) && d.refuseKeptPort(name) {
				again = true
			}
		}
	}
}

func (d *declaration) refuseKeptPort(name string) bool {
	for other := range d.refused {
		was := d.before[other].Spec
		if other == name || was == nil || d.before[other].State == fsm.StateRemoved {
			continue
		}
		for _, l := range Ports(*d.desired[name].Spec) {
			kept := Ports(*was)
			if at := slices.IndexFunc(kept, l.Overlaps); at >= 0 {
				d.refuse(name, fmt.Errorf("%s: port %d is that of %q (%s), which was refused and keeps it", l.Path, l.Port, other, kept[at].Path))
				return true
			}
		}
	}
	return false
}

// refuseTakenPorts refuses changes by which a running instance would have to
// listen where some other program does: it could not, and what runs would have
// ended for nothing. Ports that instances have already change hands between
// them.
func (a *admission) refuseTakenPorts(d *declaration) {
	var ours []Listen
	var pids []int
	for name, was := range d.before {
		if was.Spec != nil {
			ours = append(ours, Ports(*was.Spec)...)
		}
		// Where a port is interpolated only the engine knows it.
		if process, err := a.tree.Process(a.tree.Layout().Service(name)); err == nil {
			pids = append(pids, process.PID)
		}
	}
	for name := range d.docs {
		want := d.desired[name]
		if want.State != Active || d.before[name].State != Active || d.unchanged(name) {
			continue
		}
		for _, l := range Ports(*want.Spec) {
			if slices.ContainsFunc(ours, l.Overlaps) {
				continue
			}
			if problem := portProblem(a.options.Prober, l, pids); problem != "" {
				d.refuse(name, fmt.Errorf("%s: %s", l.Path, problem))
				break
			}
		}
	}
}

// lint asks the engine about the configurations that are neither in use nor
// known already, and refuses those that it refuses. Where the engine is missing
// there is no verdict: an instance that exists keeps what it has, a new one is
// taken and then shows what is missing.
func (a *admission) lint(ctx context.Context, d *declaration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	unknown := make(map[string][]byte)
	for name, doc := range d.docs {
		if !d.unchanged(name) && !a.passed[d.desired[name].Spec.Hash()] {
			unknown[name] = doc
		}
	}
	verdicts, err := a.ask(ctx, unknown)
	missing := errors.Is(err, ErrNoEngine)
	if err != nil && !missing {
		return err
	}
	for name := range unknown {
		if _, exists := d.inUse[name]; missing && exists {
			d.refuse(name, err)
		} else if verdicts[name] != nil {
			d.refuse(name, verdicts[name])
		}
	}
	passed := make(map[string]bool, len(d.docs))
	for name := range d.docs {
		if _, asked := unknown[name]; !missing || !asked {
			passed[d.desired[name].Spec.Hash()] = true
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
