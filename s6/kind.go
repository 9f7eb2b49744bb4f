package s6

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/evenkeel/evenkeel/fsm"
)

// ErrSpec is wrapped by the refusal of a Spec that is missing or not valid.
var ErrSpec = errors.New("not a valid service spec")

// NewKind returns the kind of instance that is one service of the tree. owner
// is written into each service directory. Services of that owner in the tree
// are this kind's own; no other is ever touched. Plain services have the owner
// KindName. An owner has one manager at a time.
func NewKind(tree Tree, owner string) (fsm.Kind[*Spec, Observed], error) {
	if err := checkOwner(owner); err != nil {
		return fsm.Kind[*Spec, Observed]{}, fmt.Errorf("cannot make a kind of service: %w", err)
	}
	table, err := NewTable()
	if err != nil {
		return fsm.Kind[*Spec, Observed]{}, err
	}
	return fsm.Kind[*Spec, Observed]{
		Name:   KindName,
		Table:  table,
		Decide: Decide,
		Open: func(name string, wake func()) (fsm.Driver[*Spec, Observed], error) {
			return newDriver(tree, owner, name, wake), nil
		},
		Validate: func(_ context.Context, desired, _ map[string]fsm.Desired[*Spec]) (map[string]error, error) {
			refused := validate(tree, owner, desired)
			refuseBeyondRoom(tree, owner, desired, refused)
			return refused, nil
		},
		Discover: func(context.Context) (map[string]fsm.Desired[*Spec], map[string]error, error) {
			return discover(tree, owner)
		},
		Claim:   func() (func(), error) { return tree.Claim(owner) },
		Explain: explain,
		Compare: compare,
	}, nil
}

// NewManager returns a manager of plain services in the tree.
func NewManager(tree Tree, config fsm.Config) (*fsm.Manager[*Spec, Observed], error) {
	kind, err := NewKind(tree, KindName)
	if err != nil {
		return nil, err
	}
	return fsm.NewManager(kind, config)
}

func validate(tree Tree, owner string, desired map[string]fsm.Desired[*Spec]) map[string]error {
	refused := make(map[string]error)
	for _, name := range slices.Sorted(maps.Keys(desired)) { // so that it is the same each time
		d := desired[name]
		if d.State == fsm.StateRemoved {
			continue
		}
		other, err := Owner(tree, name)
		reserved := CheckName(name)
		switch {
		case err != nil:
			refused[name] = err
		case reserved != nil:
			refused[name] = fmt.Errorf("%w: %w", ErrSpec, reserved)
		case other != "" && other != owner:
			refused[name] = fmt.Errorf("%w: %w: it belongs to %q", ErrSpec, ErrOwned, other)
		case d.Spec == nil:
			refused[name] = fmt.Errorf("%w: there is none", ErrSpec)
		default:
			if err := d.Spec.Validate(); err != nil {
				refused[name] = fmt.Errorf("%w: %w", ErrSpec, err)
			}
		}
	}
	return refused
}

// CheckName refuses the names that fsm.CheckName refuses, and those to which
// s6-svscan or this package gives another meaning: s6-svscan-log, and names
// that begin with evenkeel-nudge-. The error wraps fsm.ErrName and states the
// rule.
func CheckName(name string) error {
	if reserved(name) {
		return fmt.Errorf("name %q: %w: it means something else in a scan directory", name, fsm.ErrName)
	}
	return fsm.CheckName(name)
}

// discover returns the services of an owner in the tree, with the spec that
// each was made from and what was last asked of it. A directory without a
// manifest is somebody else's. unread are those of which it cannot be found out
// what they are.
func discover(tree Tree, owner string) (services map[string]fsm.Desired[*Spec], unread map[string]error, err error) {
	entries, err := tree.FS().ReadDir(tree.Layout().ServicesDir)
	if ok, err := found(err); err != nil || !ok {
		return nil, nil, err
	}
	services, unread = make(map[string]fsm.Desired[*Spec]), make(map[string]error)
	for _, e := range entries {
		if !e.IsDir() || fsm.CheckName(e.Name()) != nil {
			continue
		}
		d, mine, err := lastAsked(tree, owner, e.Name())
		if err != nil {
			unread[e.Name()] = unowned(err)
		} else if mine {
			services[e.Name()] = d
		}
	}
	return services, unread, nil
}

// lastAsked returns what was last asked of a service, if it is this owner's.
func lastAsked(tree Tree, owner, name string) (d fsm.Desired[*Spec], mine bool, err error) {
	service := tree.Layout().Service(name)
	m, err := readManifest(tree.FS(), service)
	if err != nil || m == nil || m.Kind != owner {
		return d, false, err
	}
	d = fsm.Desired[*Spec]{State: Running, Spec: m.Spec}
	_, err = tree.FS().Lstat(path.Join(service, fileDown))
	down, err := found(err)
	if !down || err != nil {
		return d, true, err
	}
	// A service that came to its end has the file, too.
	text, err := tree.FS().ReadFile(path.Join(service, fileCourse))
	if _, err := found(err); err != nil {
		return d, true, err
	}
	if parseCourse(string(text)).verdict(m.Spec, m.Spec.processHash()) == "" {
		d.State = Stopped
	}
	return d, true, nil
}
