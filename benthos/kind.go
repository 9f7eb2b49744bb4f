package benthos

import (
	"context"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// NewKind returns the kind of instance that is one Benthos stream in the tree.
func NewKind(tree s6.Tree, options Options) (fsm.Kind[*Config, Observed], error) {
	o, err := options.defaults(tree.OnHost())
	if err != nil {
		return fsm.Kind[*Config, Observed]{}, err
	}
	table, err := NewTable()
	if err != nil {
		return fsm.Kind[*Config, Observed]{}, err
	}
	service, err := s6.NewKind(tree, o.Owner)
	if err != nil {
		return fsm.Kind[*Config, Observed]{}, err
	}
	a := &admission{tree: tree, options: o}
	return fsm.Kind[*Config, Observed]{
		Name:   KindName,
		Table:  table,
		Decide: decide,
		Open: func(name string, wake func()) (fsm.Driver[*Config, Observed], error) {
			return newDriver(tree, &service, o, name, wake)
		},
		Claim:    service.Claim,
		Resync:   o.HealthInterval,
		Validate: a.validate,
		Discover: func(context.Context) (map[string]fsm.Desired[*Config], error) { return discover(tree, o.Owner) },
		Compare:  func(d fsm.Desired[*Config], seen Observed) fsm.Change { return compare(o, &service, d, seen) },
	}, nil
}

// NewManager returns a manager of Benthos instances in the tree.
func NewManager(tree s6.Tree, options Options, config fsm.Config) (*fsm.Manager[*Config, Observed], error) {
	kind, err := NewKind(tree, options)
	if err != nil {
		return nil, err
	}
	return fsm.NewManager(kind, config)
}

// discover returns the instances in the tree with the configuration and the
// state that was last asked of them.
func discover(tree s6.Tree, owner string) (map[string]fsm.Desired[*Config], error) {
	services, err := s6.Discover(tree, owner)
	if err != nil {
		return nil, err
	}
	all := make(map[string]fsm.Desired[*Config], len(services))
	for name, service := range services {
		d := fsm.Desired[*Config]{State: Stopped}
		if service.State == s6.Running {
			d.State = Active
		}
		if service.Spec != nil {
			if c, err := readNote(service.Spec.Note); err == nil {
				d.Spec = &c
			}
		}
		all[name] = d
	}
	return all, nil
}

// compare implements fsm.Kind.Compare: what the service under it would need.
func compare(o *Options, service *fsm.Kind[*s6.Spec, s6.Observed], d fsm.Desired[*Config], seen Observed) fsm.Change {
	doc, err := o.documents.of(d.Spec)
	if err != nil {
		return fsm.Change{Kind: fsm.ChangeRefused, Why: err.Error()}
	}
	spec, err := o.serviceSpec(doc)
	if err != nil {
		return fsm.Change{Kind: fsm.ChangeRefused, Why: err.Error()}
	}
	want := fsm.Desired[*s6.Spec]{State: s6.Stopped, Spec: spec}
	if d.State == Active {
		want.State = s6.Running
	}
	return service.Compare(want, seen.Service.Observed)
}
