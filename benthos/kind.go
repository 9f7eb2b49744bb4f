package benthos

import (
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6log"
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
	kind := fsm.Kind[*Config, Observed]{
		Name:     KindName,
		Table:    table,
		Decide:   Decide,
		Resync:   o.HealthInterval,
		Validate: a.validate,
		Explain:  explains(service.Explain),
		Compare:  func(d fsm.Desired[*Config], seen Observed) fsm.Change { return compare(o, &service, d, seen) },
	}
	return fsm.BuildOn(kind, o.onService(service), func(name string, _ func(), c *child) (fsm.Driver[*Config, Observed], error) {
		return &driver{child: c, name: name, tree: tree, options: o, logs: s6log.Tail{FS: tree.FS(), Dir: tree.Layout().Log(name)}}, nil
	})
}

// onService says how instances are built on services.
func (o *Options) onService(service fsm.Kind[*s6.Spec, s6.Observed]) fsm.ChildKind[*Config, *s6.Spec, s6.Observed] {
	return fsm.ChildKind[*Config, *s6.Spec, s6.Observed]{
		Kind:    service,
		Targets: map[fsm.State]fsm.State{Active: s6.Running, Stopped: s6.Stopped},
		Spec: func(_ string, c *Config) (*s6.Spec, error) {
			doc, err := o.documents.of(c)
			if err != nil {
				return nil, err
			}
			return doc.service, nil
		},
		Parent: func(spec *s6.Spec) (*Config, bool) {
			c, err := readNote(spec.Note)
			c.Policy = spec.Policy
			return &c, err == nil
		},
		Equal:   func(a, b *s6.Spec) bool { return a.Hash() == b.Hash() },
		Backoff: o.Backoff,
	}
}

// NewManager returns a manager of Benthos instances in the tree.
func NewManager(tree s6.Tree, options Options, config fsm.Config) (*fsm.Manager[*Config, Observed], error) {
	kind, err := NewKind(tree, options)
	if err != nil {
		return nil, err
	}
	return fsm.NewManager(kind, config)
}

// compare implements fsm.Kind.Compare: what the service under it would need.
func compare(o *Options, service *fsm.Kind[*s6.Spec, s6.Observed], d fsm.Desired[*Config], seen Observed) fsm.Change {
	doc, err := o.documents.of(d.Spec)
	if err != nil {
		return fsm.Change{Kind: fsm.ChangeRefused, Why: err.Error()}
	}
	want := fsm.Desired[*s6.Spec]{State: s6.Stopped, Spec: doc.service}
	if d.State == Active {
		want.State = s6.Running
	}
	return service.Compare(want, seen.Service.Observed)
}
