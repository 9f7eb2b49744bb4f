package benthos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6log"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// driver observes one Benthos instance and acts on it, through the s6 service
// that it owns.
type driver struct {
	name    string
	tree    s6.Tree
	options *Options
	wake    func()
	service *fsm.Instance[*s6.Spec, s6.Observed]

	// For the desired configuration.
	doc  *document
	spec *s6.Spec

	// What the service was asked last.
	asked     fsm.State
	askedSpec *s6.Spec
	askedAt   time.Time

	health           Health
	activity, errors MetricsWindow
	latest           Metrics
	logs             *s6log.Reader
	problem          logProblem
	well             time.Time // when the instance was last seen to be
	taken            portTrouble
}

// logProblem is a line of the log that tells of something wrong.
type logProblem struct {
	at   time.Time
	text string
}

var (
	_ fsm.Driver[*Config, Observed] = (*driver)(nil)
	_ fsm.Owner                     = (*driver)(nil)
)

func newDriver(tree s6.Tree, serviceKind *fsm.Kind[*s6.Spec, s6.Observed], options *Options, name string, wake func()) (*driver, error) {
	service, err := fsm.NewInstance(serviceKind, name, fsm.InstanceConfig{Backoff: options.Backoff}, wake)
	if err != nil {
		return nil, err
	}
	return &driver{
		name: name, tree: tree, options: options, wake: wake, service: service,
		activity: MetricsWindow{Span: options.ActivityWindow},
		errors:   MetricsWindow{Span: options.ErrorWindow},
	}, nil
}

// Close lets go of the service and its log, and of connections. Those of other
// instances are made anew when they are needed.
func (d *driver) Close() error {
	if d.options.client != nil {
		d.options.client.Close()
	}
	return errors.Join(d.service.Close(), d.closeLog())
}

// ReconcileOwned implements fsm.Owner.
func (d *driver) ReconcileOwned(ctx context.Context) time.Time {
	return d.service.Reconcile(ctx).Next
}

// want remembers what is desired, with the spec that is dear to render.
func (d *driver) want(config *Config) error {
	if d.doc != nil && config == d.doc.config {
		return nil
	}
	d.doc, d.spec = nil, nil
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
	// The same configuration in another Config is the same spec.
	if d.askedSpec != nil && d.askedSpec.Hash() == spec.Hash() {
		spec = d.askedSpec
	} else if d.askedSpec != nil {
		d.forget()
	}
	d.doc, d.spec = doc, spec
	return nil
}

// forget begins anew with another configuration, of which what was found of the
// one before says nothing.
func (d *driver) forget() {
	d.health, d.latest, d.taken = Health{}, Metrics{}, portTrouble{}
	d.activity = MetricsWindow{Span: d.options.ActivityWindow}
	d.errors = MetricsWindow{Span: d.options.ErrorWindow}
	d.problem, d.well = logProblem{}, time.Now()
}

// Observe implements fsm.Driver.
func (d *driver) Observe(ctx context.Context, desired fsm.Desired[*Config]) (Observed, error) {
	if err := d.want(desired.Spec); err != nil {
		return Observed{}, err
	}
	o := Observed{Service: d.service.Snapshot(), Asked: d.asked, Current: d.asked != "" && d.askedSpec == d.spec}
	if o.Service.ObservedAt.IsZero() {
		return Observed{}, fmt.Errorf("its service has not been seen: %w", o.Service.Err)
	}
	if desired.Spec == nil {
		return o, nil
	}
	o.Unseen = d.asked != "" && o.Service.ObservedAt.Before(d.askedAt)
	service := &o.Service.Observed
	switch {
	case o.up():
		if err := d.observeEngine(ctx, service); err != nil {
			return Observed{}, err
		}
		d.taken.found(d.health.PID, d.health.PortTaken)
		o.PortTaken = d.taken.of(service.Status.PID)
	case service.Up(): // another's place, where it may be another that answers
		o.PortTaken = d.taken.of(service.Status.PID)
	default:
		d.health, d.latest = Health{}, Metrics{}
		if desired.State == Active {
			o.PortTaken = d.taken.still(d.portTaken(service))
		}
	}
	o.Health = d.health
	o.Traffic = d.traffic(time.Now())
	if desired.State != Active || o.Health.Ready && o.Traffic.RecentErrors == 0 {
		if o.Health.Ready {
			d.problem, d.well, d.taken = logProblem{}, d.health.At, portTrouble{}
		}
		return o, d.closeLog()
	}
	if err := d.readLog(&o); err != nil {
		o.LogProblem, o.LogTime = err.Error(), time.Now()
	}
	return o, nil
}

// portTaken says which of the ports somebody else has. While a process of the
// instance's own ends that cannot be told: the kernel may no longer say whose its
// sockets are.
func (d *driver) portTaken(service *s6.Observed) string {
	if d.waitsFor(0) {
		return ""
	}
	own := d.own(service)
	for _, l := range d.doc.listens {
		if problem := portProblem(d.options.Prober, l, own); problem != "" {
			return problem
		}
	}
	return ""
}

// waitsFor reports whether some process of the instance holds its lock, or may,
// other than one of that id.
func (d *driver) waitsFor(pid int) bool {
	process, err := d.tree.Process(d.tree.Layout().Service(d.name))
	return err != nil || process.Held && process.PID != pid
}

// own returns the processes of the instance, supervised and not.
func (d *driver) own(service *s6.Observed) []int {
	own := []int{service.Status.PID, service.StrayPID}
	if holder, err := d.tree.Process(d.tree.Layout().Service(d.name)); err == nil {
		own = append(own, holder.PID)
	}
	return own
}

// observeEngine asks the engine how it is and what it has counted, where the
// last answer is too old. That a pass runs out of time says nothing about the
// engine, unless the engine had as much time as a Client gives one.
func (d *driver) observeEngine(ctx context.Context, service *s6.Observed) error {
	status := &service.Status
	now, pid := time.Now(), status.PID
	every := d.options.HealthInterval - probeEvery/2
	if !d.health.Ready {
		every = probeEvery / 2
	}
	switch {
	case pid != d.health.PID:
		d.latest = Metrics{}
	case now.Sub(d.health.At) < every:
		return nil
	}
	var m Metrics
	var err error
	own := func() []int { return d.own(service) }
	asked := health(ctx, d.options.Prober, d.doc, pid, own, d.health)
	if asked.PortTaken != "" && d.waitsFor(pid) {
		asked.PortTaken = ""
	}
	if asked.Ready {
		m, err = d.options.Prober.Metrics(ctx, d.doc.config.EndpointAddr())
		asked.MetricsProblem = metricsProblem(err)
	}
	hadTime := errors.Is(ctx.Err(), context.DeadlineExceeded) && time.Since(now) >= DefaultRequestTimeout
	if ctx.Err() != nil && !hadTime {
		return fmt.Errorf("the engine was not asked to the end: %w", ctx.Err())
	}
	d.health = asked
	if !asked.Ready || err != nil {
		return nil
	}
	// A window that is shorter than an engine takes to answer must hold it.
	read := time.Now()
	d.latest = m
	d.count(&d.activity, read, status, m)
	d.count(&d.errors, read, status, m)
	return nil
}

// count adds a sample to a window. Of a process that is younger than the window
// all counts, though it was not looked at before.
func (d *driver) count(w *MetricsWindow, now time.Time, status *supervise.Status, m Metrics) {
	age := now.Sub(status.Stamp)
	if _, any := w.Latest(); !any && age > 0 && age < w.span() {
		// By the clock that is never set, as what follows.
		w.Add(now.Add(-age), status.PID, Metrics{})
	}
	w.Add(now, status.PID, m)
}

func (d *driver) traffic(now time.Time) Traffic {
	lately := d.activity.Delta(now)
	return Traffic{
		InputReceived: d.latest.InputReceived, OutputSent: d.latest.OutputSent, OutputErrors: d.latest.OutputError,
		InputRate:    lately.PerSecond(lately.Counts.InputReceived),
		OutputRate:   lately.PerSecond(lately.Counts.OutputSent),
		Active:       lately.Counts.InputReceived > 0,
		RecentErrors: d.errors.Delta(now).Counts.OutputError,
	}
}

const (
	// logTail is how much of the log is read when something begins to be
	// wrong, in bytes.
	logTail = 64 << 10
	// logLines is how many lines are read in a pass: more than logTail holds.
	logLines = 2000
)

// readLog keeps the newest line of the log that tells of something wrong with
// the process that runs or ran last. It is for when something is: the log may
// hold every message of a busy stream.
func (d *driver) readLog(o *Observed) error {
	if d.logs == nil {
		logs, err := s6log.NewReader(d.tree.FS(), d.tree.Layout().Log(d.name), logTail)
		if err != nil {
			return err
		}
		d.logs = logs
	}
	lines, err := d.logs.Read(logLines)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, line := range lines {
		if line.Time.Before(d.well.Add(-d.options.HealthInterval)) {
			continue // of something that is over
		}
		if class := ClassifyLine(string(line.Text)); class.Matters {
			d.problem = logProblem{line.Time, class.Kind.String() + ": " + class.Message}
		}
	}
	if d.problem.at.After(o.Service.Observed.Status.Stamp.Add(-d.options.ErrorWindow)) {
		o.LogProblem, o.LogTime = d.problem.text, d.problem.at
	}
	return nil
}

func (d *driver) closeLog() error {
	if d.logs == nil {
		return nil
	}
	err := d.logs.Close()
	d.logs = nil
	return err
}

// Do implements fsm.Driver. What the service is asked it is stepped towards at
// once.
func (d *driver) Do(ctx context.Context, action fsm.Action, _ fsm.Desired[*Config]) error {
	switch action {
	case actRun:
		return d.ask(ctx, s6.Running)
	case actHalt:
		return d.ask(ctx, s6.Stopped)
	case actDiscard:
		return d.ask(ctx, fsm.StateRemoved)
	case actAnnounce:
		return d.tree.AnnounceReady(d.tree.Layout().Service(d.name), d.health.PID)
	}
	return fsm.Permanent(fmt.Errorf("no action %q", action))
}

// ask hands the service what is wanted of it. That it cannot do it, it says
// itself; the instance sees that in its next pass.
func (d *driver) ask(ctx context.Context, state fsm.State) error {
	if d.spec != nil {
		d.askedSpec = d.spec
	}
	d.asked, d.askedAt = state, time.Now()
	if err := d.service.SetDesired(fsm.Desired[*s6.Spec]{State: state, Spec: d.askedSpec}); err != nil {
		return fsm.Permanent(err)
	}
	if d.service.Reconcile(ctx).Fired {
		d.wake()
	}
	return nil
}
