package simulate

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/s6/s6test"
)

// records knows of processes of which the adversary has destroyed what their starts
// have written down, or their finish scripts. Up to 2.12 s6 does not tell a finish
// script which process has ended: what that has started runs on beside the next one
// where no program has written it down again. Where there is no finish script, it does
// with any version. It is used by one goroutine at a time.
type records struct {
	told    bool                            // s6 tells
	written func(name string, pid int) bool // whether a record names a process
	lost    map[string]time.Time            // when those of the processes that run were, the last time
	finish  map[string]time.Time            // when finish scripts were, and no program has looked since
	kids    map[string]map[int]bool         // what they have started
	blind   map[int]bool                    // what no finish script could know of
	reborn  map[int]bool                    // ids that others have since the last complaints
}

func newRecords() *records {
	return &records{
		lost: make(map[string]time.Time), finish: make(map[string]time.Time), kids: make(map[string]map[int]bool),
		blind: make(map[int]bool), reborn: make(map[int]bool),
	}
}

// loses says that the adversary has destroyed the record of a service's process. dir:
// it was with all of its directory, which is a loss of its own. One of the record alone
// before that may have been made good, and counts from now.
func (r *records) loses(name string, dir bool) {
	if !dir || !r.lost[name].IsZero() {
		r.lost[name] = time.Now()
	}
}

// losesFinish says that the adversary has destroyed the finish script of a service.
func (r *records) losesFinish(name string) { r.finish[name] = time.Now() }

// looks says when a program has observed a service, in a pass in which nothing failed:
// what it has had the time to notice until then it has put right.
func (r *records) looks(name string, at time.Time) {
	if lost, is := r.finish[name]; is && at.Sub(lost) >= noticed {
		delete(r.finish, name)
	}
}

// happens is told of each process of a service and each that such a one starts.
func (r *records) happens(h s6test.Happening) {
	name := h.Service
	switch {
	case h.Finish:
	case h.Child && h.Change == s6test.Started:
		if r.kids[name] == nil {
			r.kids[name] = make(map[int]bool)
		}
		r.kids[name][h.PID] = true
	case h.Child && h.Change == s6test.Ended:
		delete(r.kids[name], h.PID)
	case h.Change == s6test.Started:
		delete(r.lost, name) // this one writes its own
	case h.Change == s6test.Ended && r.unknown(name, h.PID):
		for kid := range r.kids[name] {
			r.blind[kid] = true
			delete(r.reborn, kid)
		}
	}
	if h.Change == s6test.Started {
		r.reborn[h.PID] = true
	}
}

// unknown reports whether no finish script can know of a process that runs, for
// what the adversary has destroyed.
func (r *records) unknown(name string, pid int) bool {
	_, none := r.finish[name]
	return none || !r.told && !r.lost[name].IsZero() && !r.written(name, pid)
}

// since is for how long the record of a process has been lost, zero where it is
// there.
func (r *records) since(name string, pid int) time.Duration {
	if at := r.lost[name]; !at.IsZero() && !r.written(name, pid) {
		return time.Since(at)
	}
	return 0
}

// excuses reports whether a complaint is about what was left of a process of which
// no finish script could know.
func (r *records) excuses(complaint string) bool {
	var pid, left int
	var name string
	n, _ := fmt.Sscanf(complaint, "process %d of %s is at work beside %d,", &pid, &name, &left)
	return n == 3 && r.blind[left]
}

// heard says that there is no complaint that has not been looked at.
func (r *records) heard() {
	for pid := range r.reborn {
		delete(r.blind, pid)
	}
	clear(r.reborn)
}
