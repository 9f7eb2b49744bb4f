package s6

import "slices"

// Same reports whether two passes saw the same of a service: all but when a check was
// made, how late the status was read, and for how long something has been so. What
// differs in that alone is not worth a record.
func (o *Observed) Same(other *Observed) bool {
	return o.sameFiles(other) && o.sameProcess(other) && o.sameEnds(other) && o.Check.same(&other.Check)
}

// sameFiles compares what is seen of the files, and of who serves them.
func (o *Observed) sameFiles(p *Observed) bool {
	return o.Exists == p.Exists && o.Linked == p.Linked && o.Watched == p.Watched && o.Owner == p.Owner &&
		o.Leftover == p.Leftover && o.AskedDown == p.AskedDown &&
		o.WantHash == p.WantHash && o.Hash == p.Hash && o.WantProcess == p.WantProcess && o.Started == p.Started &&
		o.Unrecorded == p.Unrecorded && o.Intact == p.Intact && o.Damage == p.Damage &&
		o.Supervised == p.Supervised && o.LoggerSupervised == p.LoggerSupervised && o.Owed.Equal(p.Owed) &&
		(o.LoggerProblem == "") == (p.LoggerProblem == "") && o.LoggerRemains == p.LoggerRemains && o.LogsDeleted == p.LogsDeleted
}

// sameProcess compares what is seen of the processes.
func (o *Observed) sameProcess(p *Observed) bool {
	return o.Status == p.Status && o.StatusProblem == p.StatusProblem && o.Lags == p.Lags &&
		o.Told == p.Told && o.Overdue == p.Overdue && o.Ended == p.Ended && o.Awaited == p.Awaited &&
		o.Unheard == p.Unheard && o.Unstarted == p.Unstarted && o.StartDue == p.StartDue && o.Complaint == p.Complaint &&
		o.ReadyRequired == p.ReadyRequired && o.Locked == p.Locked && o.StrayPID == p.StrayPID &&
		slices.Equal(o.Left, p.Left) && o.Deleted == p.Deleted && o.Unlocked == p.Unlocked &&
		o.CommandProblem == p.CommandProblem && o.StartTimeout == p.StartTimeout && o.Stays == p.Stays
}

// sameEnds compares what is seen of the ends of processes, and what has followed.
func (o *Observed) sameEnds(p *Observed) bool {
	return o.Failed == p.Failed && o.Judged == p.Judged && o.Ends == p.Ends && o.Once == p.Once && o.Pauses == p.Pauses &&
		o.Failures == p.Failures && o.Waits.Equal(p.Waits) && o.Verdict == p.Verdict && o.Overslept == p.Overslept &&
		o.Began.Equal(p.Began) && o.Deaths == p.Deaths && o.Restarts == p.Restarts && o.Last == p.Last &&
		o.Unasked == p.Unasked && o.LastWords == p.LastWords && o.OutOfMemory == p.OutOfMemory
}

func (c *Checked) same(d *Checked) bool {
	return c.What == d.What && c.Passed == d.Passed && c.Problem == d.Problem && c.Unmade == d.Unmade &&
		c.Failures == d.Failures && c.Limit == d.Limit && c.Restart == d.Restart && c.Next.Equal(d.Next) &&
		c.Restarts == d.Restarts && c.Why == d.Why
}
