package benthos

import (
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

// child is the s6 service under an instance.
type child = fsm.Child[*Config, *s6.Spec, s6.Observed]

// driver observes one Benthos instance and acts on it, through the service that
// it owns.
type driver struct {
	*child
	name    string
	tree    s6.Tree
	options *Options

	stream *stream    // of the desired configuration, nil where there is none
	before *stream    // the one whose process still runs, nil where that is not another
	logs   s6log.Tail // open while something is looked for
	asked  string     // the address whose engine was asked last, as long as it is
}

// want makes the stream that of a configuration, nil for none. The same
// configuration in another Config is the same stream. What another
// configuration had printed is no evidence of this one. An instance that is to
// be removed needs no configuration that is still valid.
func (d *driver) want(now time.Time, desired fsm.Desired[*Config]) error {
	before, config := d.stream, desired.Spec
	if before != nil && config == before.doc.config {
		return nil
	}
	if d.stream = nil; before != nil && before.health.PID != 0 {
		d.before = before
	}
	if config == nil {
		return nil
	}
	doc, err := d.options.documents.of(config)
	switch {
	case err != nil && desired.State == fsm.StateRemoved:
		return nil
	case err != nil:
		return err
	}
	if before != nil && before.doc.hash == doc.hash {
		before.doc = doc
		d.stream = before
		return nil
	}
	d.stream = &stream{
		doc:      doc,
		activity: window{span: d.options.ActivityWindow},
		errors:   window{span: d.options.ErrorWindow},
	}
	if before != nil {
		d.stream.well = now
	}
	return nil
}

// resume makes the stream of a change that was taken back the one from before
// the change, if no other process has come: what it was found to do, it does.
func (d *driver) resume(service *s6.Observed) {
	before := d.before
	switch {
	case before == nil, service.StatusProblem != "": // which tells of no process
	case !service.Up() || service.Status.PID != before.health.PID || !service.Status.Stamp.Equal(before.ends.began):
		d.before = nil
	case d.stream != nil && d.stream.doc.hash == before.doc.hash:
		before.doc = d.stream.doc
		d.stream, d.before = before, nil
	}
}

// asks notes whose engine is asked from now on, "" for none: the connection to
// another one is closed.
func (d *driver) asks(addr string) {
	if keeps, ok := d.options.Prober.(interface{ Drop(addr string) }); ok && d.asked != "" && d.asked != addr {
		keeps.Drop(d.asked)
	}
	d.asked = addr
}
