package s6

import (
	"fmt"
	"time"
)

// observeRecord finds out whether it was lost which process runs: its start says
// so first of all.
func (d *driver) observeRecord(now time.Time, o *Observed) {
	o.Unrecorded = d.unrecorded && o.Exists && o.Up() && !o.Lags && !within(now.Add(o.Late), o.Status.Stamp, startedPatience)
}

// record writes down which process runs, where that was lost: without it, some
// versions of s6 leave what the process has started when it ends. If another
// process begins just now, this may replace what that one has written down. Then
// the finish script of that one ends nothing by it, and the next pass finds it.
func (d *driver) record() error {
	status, err := d.tree.Status(d.service)
	if ok, err := written(err); err != nil || !ok || !status.Up() || status.PID != d.seen {
		return err
	}
	words, err := d.tree.Record(d.service, status.PID)
	if err != nil {
		return err
	}
	if words == "" {
		return fmt.Errorf("cannot write down which process runs: its supervisor has not started process %d, or that has ended", status.PID)
	}
	hash := unknownHash
	if of := &d.startOf; of.pid == status.PID && of.stamp.Equal(status.Stamp) {
		hash = of.hash
	}
	if _, err := d.readOwnStart(&status); err != nil || !d.unrecorded {
		return err
	}
	return d.fs.ReplaceFile(d.paths.started, []byte(hash+" "+words+"\n"), 0o644)
}
