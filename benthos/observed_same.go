package benthos

// Same reports whether two passes saw the same of an instance: all but when its engine
// was asked, what its counters say while messages come in or do not, and what its log
// says of a problem that it has anyway. What differs in that alone is not worth a
// record.
func (o *Observed) Same(p *Observed) bool {
	return o.Asked == p.Asked && o.Current == p.Current && o.Renoted == p.Renoted && o.Unseen == p.Unseen &&
		o.PortTaken == p.PortTaken && o.Ended.same(&p.Ended) && o.AnnounceProblem == p.AnnounceProblem &&
		(o.LogProblem == "") == (p.LogProblem == "") &&
		o.Health.same(&p.Health) && o.Traffic.same(&p.Traffic) && sameService(o.Service, p.Service)
}

func (e *Ended) same(f *Ended) bool {
	return e.Why == f.Why && e.At.Equal(f.At) && e.Times == f.Times && e.Again.Equal(f.Again)
}

func (h *Health) same(i *Health) bool {
	return h.PID == i.PID && h.Alive == i.Alive && h.Ready == i.Ready && h.Problem == i.Problem &&
		h.PortTaken == i.PortTaken && h.Version == i.Version && h.MetricsProblem == i.MetricsProblem
}

func (t *Traffic) same(u *Traffic) bool {
	return t.Active == u.Active && t.Uncounted == u.Uncounted && t.Began.Equal(u.Began) &&
		(t.RecentErrors == 0) == (u.RecentErrors == 0) && t.LastMessage.IsZero() == u.LastMessage.IsZero()
}

// sameService compares what is decided on of a service.
func sameService(a, b *Service) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.State == b.State && a.Phase == b.Phase && a.Desired.State == b.Desired.State && a.Desired.Spec == b.Desired.Spec &&
		a.Reason == b.Reason && a.Held == b.Held && textOfError(a.Err) == textOfError(b.Err) &&
		a.Observed.Same(&b.Observed)
}

func textOfError(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
