package fsm

import (
	"strings"
	"time"
)

// Gate has instances wait for one another, those of several managers as well. It
// stands between what is asked of an instance and the passes over it, and changes
// nothing of what is asked. Its methods are called from many goroutines. Package
// order has one.
type Gate interface {
	// Hold is asked at the beginning of each pass whether the instance has to wait
	// with the state that is asked of it. The time that it takes is the pass's own.
	Hold(instance string, asked State) (h Hold, held bool)
	// Passed is called after each pass over an instance, when its snapshot is there,
	// and when the instance is gone. It returns at once, and may call Manager.Wake.
	Passed(instance string)
}

// Hold is what passes over an instance work towards while it waits.
type Hold struct {
	// As is the state that is asked of it meanwhile, one of the table's targets.
	As State
	// Stays: the instance is left as it is. It keeps the spec that it was asked for
	// before, by an earlier run as well, unless that is not known.
	Stays bool
	// Why says what it waits for.
	Why Reason
	// By names the layer that has it wait, as "order".
	By string
	// Until is when the gate is asked again at the latest; zero leaves that to
	// Manager.Wake.
	Until time.Time
}

// hold has a pass work towards what the gate lets through.
func (i *Instance[D, O]) hold(p *pass[D, O]) {
	p.after.Waits, p.after.HeldBy, p.after.Asked = Reason{}, "", ""
	if i.config.hold == nil || p.after.Generation == 0 {
		return
	}
	h, held := i.config.hold(p.after.Desired.State)
	if !held {
		return
	}
	p.after.Waits, p.after.HeldBy, p.after.Asked, p.until = h.Why, h.By, p.after.Desired.State, h.Until
	if h.Stays && p.before.Generation > 0 {
		p.after.Desired = p.before.Desired
		return
	}
	if h.Stays && i.left.State != "" {
		p.after.Desired = i.left
	}
	p.after.Desired.State = h.As
}

// explain returns the reason of a decision. What does nothing because it waits
// says so, unless there is trouble to tell of. A change that was taken back is told
// beside other trouble.
func (p *pass[D, O]) explain(d *Decision) Reason {
	if why := p.after.Desired.Rejected; why != (Reason{}) && d.Reason != why && d.Reason != (Reason{}) {
		return d.Reason.With(strings.TrimPrefix(d.Reason.Evidence+"; "+why.String(), "; "))
	}
	idle := len(d.Do) == 0 && d.Fire == "" && !d.Pending
	well := p.before.Phase == PhaseStopped || p.before.Phase == PhaseRunning
	if p.after.Waits != (Reason{}) && (idle && well || d.Reason == (Reason{})) {
		return p.after.Waits
	}
	return d.Reason
}

// Current returns the snapshot of the named instance, nil if the manager has none,
// and whether the last pass has observed it and worked towards what is asked of it
// now.
func (m *Manager[D, O]) Current(name string) (s *Snapshot[D, O], current bool) {
	e := m.listedAs(name)
	if e == nil {
		return nil, false
	}
	_, generation := e.instance.wanted()
	s = e.instance.Snapshot()
	return s, s.Generation == generation && s.seen > 0 && s.seen == s.pass
}

// Wake has the named instance looked at at once, if the manager has it.
func (m *Manager[D, O]) Wake(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[name]; e != nil {
		m.wakeLocked(e)
	}
}
