package benthos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// Observe implements fsm.Driver.
func (d *driver) Observe(ctx context.Context, desired fsm.Desired[*Config]) (Observed, error) {
	now := fsm.Now(ctx)
	if err := d.want(now, desired); err != nil {
		return Observed{}, err
	}
	seen, err := d.Look(desired)
	if err != nil {
		return Observed{}, err
	}
	d.resume(&seen.Snapshot.Observed)
	s, o := d.stream, Observed{Service: seen.Snapshot, Asked: seen.Asked, Current: seen.Current, Unseen: seen.Unseen}
	if s == nil {
		d.asks("")
		return o, nil
	}
	o.Renoted = !seen.Current && s.doc.runBy(seen.Snapshot.Desired.Spec)
	service := &o.Service.Observed
	s.ends.note(service, s.doc.config.Policy)
	if !o.up() || service.Status.PID != s.health.PID {
		d.asks("")
	}
	switch {
	case o.up():
		if err := d.observeEngine(ctx, now, service); err != nil {
			return Observed{}, err
		}
		s.taken.found(s.health.PID, s.health.PortTaken)
		o.PortTaken = s.taken.of(service.Status.PID)
		o.AnnounceProblem = s.announced.problem(service.Status.PID)
	case service.Up(): // a process that is to be replaced, where another one may answer
		o.PortTaken = s.taken.of(service.Status.PID)
	default:
		s.health, s.latest = Health{}, Metrics{}
		if service.StatusProblem == "" { // its id may come again
			s.deaf.pid, s.taken.pid, s.heard, s.hush = 0, 0, 0, hush{}
		}
		switch {
		case o.over(): // nothing is to listen
			s.forget()
		case desired.State == Active:
			o.PortTaken = s.taken.still(now, d.portTaken(service))
		default:
			s.forget()
			s.deaf.forget()
		}
	}
	o.Health = s.health
	o.Traffic = s.traffic(service.Up(), service.Status.PID)
	if desired.State != Active {
		s.ends.forget()
	}
	o.Ended = s.ends.still(now)
	err = d.observeLog(now, desired.State, &o)
	o.Ended = s.ends.still(now) // the log says more
	return o, err
}

// portTaken says which of the ports another process has. While a process of the
// instance itself ends, that cannot be known: the kernel may no longer say
// whose its sockets are.
func (d *driver) portTaken(service *s6.Observed) string {
	if d.waitsFor(0) {
		return ""
	}
	own := d.own(service)
	for _, l := range d.stream.doc.listens {
		if problem := portProblem(d.options.Prober, l, own); problem != "" {
			return problem
		}
	}
	return ""
}

// givenUp says that a process has not listened for too long, "" where it is not
// to be given up: it listens by now, that cannot be found out, or it waits for
// another process of the instance to end and has had no time yet.
func (d *driver) givenUp(pid int) string {
	deaf := &d.stream.deaf
	process, err := d.tree.Process(d.tree.Layout().Service(d.name))
	if err != nil {
		return ""
	}
	if process.Held && process.PID != pid {
		deaf.lasted = 0
		return ""
	}
	if ok, err := d.options.Prober.Listens(pid, deaf.to.Addr()); ok || err != nil {
		return ""
	}
	if d.stream.taken.pid != pid {
		deaf.count++
	}
	return fmt.Sprintf("process %d has not listened on %s (%s) for %v", pid, deaf.to.Addr(), deaf.to.Path, deaf.lasted.Round(time.Second))
}

// waitsFor reports whether a process of the instance other than the one with
// that id holds the instance lock, or may hold it.
func (d *driver) waitsFor(pid int) bool {
	process, err := d.tree.Process(d.tree.Layout().Service(d.name))
	return err != nil || process.Held && process.PID != pid
}

// own returns the processes of the instance, supervised or not.
func (d *driver) own(service *s6.Observed) []int {
	own := []int{service.Status.PID, service.StrayPID}
	if holder, err := d.tree.Process(d.tree.Layout().Service(d.name)); err == nil {
		own = append(own, holder.PID)
	}
	return own
}

// observeEngine asks the engine how it is and what it has counted, if the last
// answer is too old. That a pass runs out of time says nothing about the
// engine, unless the engine had as much time as a Client gives it.
func (d *driver) observeEngine(ctx context.Context, now time.Time, service *s6.Observed) error {
	s, status, pid := d.stream, &service.Status, service.Status.PID
	every := d.options.HealthInterval - probeEvery/2
	if !s.health.Ready {
		every = probeEvery / 2
	}
	switch {
	case pid != s.health.PID:
		s.latest = Metrics{}
	case now.Sub(s.health.At) < every:
		return nil
	}
	d.asks(s.doc.config.EndpointAddr())
	began := time.Now() // Not the pass's reading: how long the engine has had.
	var m Metrics
	var err error
	own := func() []int { return d.own(service) }
	asked, listens := health(ctx, now, d.options.Prober, s.doc, pid, own, s.health, s.heard == pid)
	if asked.PortTaken != "" && d.waitsFor(pid) {
		asked.PortTaken = ""
	}
	if asked.Ready {
		m, err = d.options.Prober.Metrics(ctx, s.doc.config.EndpointAddr())
		asked.MetricsProblem = metricsProblem(err)
	}
	answered := time.Now() // Not the pass's reading: an engine may take long.
	hadTime := errors.Is(ctx.Err(), context.DeadlineExceeded) && answered.Sub(began) >= DefaultRequestTimeout
	if ctx.Err() != nil && !hadTime {
		return fmt.Errorf("the engine was not asked to the end: %w", ctx.Err())
	}
	if listens.all {
		s.heard = pid
	}
	if s.deaf.note(now, pid, listens) {
		asked.PortTaken = d.givenUp(pid)
	}
	s.health = asked
	switch {
	case !asked.Ready:
		s.hush = hush{} // the time begins when it is ready
	case err == nil:
		s.count(answered, status, m)
	case errors.Is(err, ErrNoMetrics):
		s.countless(pid)
	}
	return nil
}
