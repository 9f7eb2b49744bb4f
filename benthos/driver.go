package benthos

import (
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

// driver observes one Benthos instance and acts on it, through the s6 service
// that it owns.
type driver struct {
	name    string
	tree    s6.Tree
	options *Options
	wake    func()
	service *fsm.Instance[*s6.Spec, s6.Observed]

	// What the service was asked last.
	asked     fsm.State
	askedSpec *s6.Spec
	askedAt   time.Time

	stream *stream       // of the desired configuration, nil where there is none
	logs   *s6log.Reader // nil while nothing is looked for
}

func newDriver(tree s6.Tree, serviceKind *fsm.Kind[*s6.Spec, s6.Observed], options *Options, name string, wake func()) (*driver, error) {
	service, err := fsm.NewInstance(serviceKind, name, fsm.InstanceConfig{Backoff: options.Backoff}, wake)
	if err != nil {
		return nil, err
	}
	return &driver{name: name, tree: tree, options: options, wake: wake, service: service}, nil
}

// want has the stream be that of a configuration, nil for none. The same
// configuration in another Config is the same stream.
func (d *driver) want(config *Config) error {
	before := d.stream
	if before != nil && config == before.doc.config {
		return nil
	}
	d.stream = nil
	if config == nil {
		return nil
	}
	doc, err := d.options.documents.of(config)
	if err != nil {
		return err
	}
	spec, err := d.options.serviceSpec(doc)
	if err != nil {
		return err
	}
	if before != nil && before.spec.Hash() == spec.Hash() {
		before.doc = doc
		d.stream = before
		return nil
	}
	next := &stream{
		doc: doc, spec: spec,
		activity: window{span: d.options.ActivityWindow},
		errors:   window{span: d.options.ErrorWindow},
	}
	if d.askedSpec != nil {
		next.well = time.Now() // what its log says so far is another's
		if d.askedSpec.Hash() == spec.Hash() {
			next.spec = d.askedSpec
		}
	}
	d.stream = next
	return nil
}
