package s6

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

// nudgeName begins the names of the services by which s6-svscan is nudged. They
// stand in the scan directory itself, and are hidden from s6-svscan by a dot
// before their name when they are to end.
const nudgeName = "evenkeel-nudge-"

// nudges are the services by which a tree's s6-svscan is nudged, one at a time.
type nudges struct {
	mu      sync.Mutex // guards the three below
	closed  bool
	current chan struct{} // closed when the one under way is over; nil for none
	ending  chan struct{} // closed when the one under way is to be over soon
}

// Nudge implements Tree.
//
// From 2.12 on, s6-svscan forgets a supervisor that it owes when it starts
// another one less than a second after the last start of the one it owes, and
// thinks of it again when it has a new service to start. So it is given one,
// which runs nothing, for as long as it takes to have its supervisor started.
// In 2.13 and 2.15 a link that leads nowhere aborts every scan: those into this
// tree's services are removed, all of them in a private tree.
func (t *SystemTree) Nudge() error {
	if err := t.Served(); err != nil {
		return err
	}
	t.nudges.mu.Lock()
	defer t.nudges.mu.Unlock()
	if t.nudges.closed || t.nudges.current != nil {
		return nil
	}
	if err := t.unlinkDangling(t.keeper != nil); err != nil {
		return fmt.Errorf("cannot clear the scan directory: %w", err)
	}
	dir, err := os.MkdirTemp(t.layout.ScanDir, "."+nudgeName)
	if err != nil {
		return fmt.Errorf("cannot make a service to nudge s6-svscan with: %w", err)
	}
	t.begin(func(ending <-chan struct{}) { t.nudge(dir, ending) })
	return nil
}

// begin has fn run beside the caller, who holds nudges.mu.
func (t *SystemTree) begin(fn func(ending <-chan struct{})) {
	over, ending := make(chan struct{}), make(chan struct{})
	t.nudges.current, t.nudges.ending = over, ending
	go func() {
		fn(ending)
		t.nudges.mu.Lock()
		defer t.nudges.mu.Unlock()
		t.nudges.current = nil
		close(over)
	}()
}

// endNudges waits until the one under way is over, and has no other begin.
func (t *SystemTree) endNudges() {
	t.nudges.mu.Lock()
	over := t.nudges.current
	if over != nil && !t.nudges.closed {
		close(t.nudges.ending)
	}
	t.nudges.closed = true
	t.nudges.mu.Unlock()
	if over != nil {
		<-over
	}
}

// nudge shows a hidden service directory to s6-svscan until it has a
// supervisor. What goes wrong is made up for by the next nudge.
func (t *SystemTree) nudge(hidden string, ending <-chan struct{}) {
	shown := unhidden(hidden)
	err := os.WriteFile(path.Join(hidden, fileDown), nil, 0o644)
	if err == nil {
		err = os.Rename(hidden, shown)
	}
	if err == nil && t.Rescan() == nil {
		t.nudgeWaits(func() bool {
			supervisor, err := t.Supervisor(shown)
			return err != nil || supervisor.Held
		}, ending)
	}
	t.endNudge(hidden)
}

// endNudge takes a service that s6-svscan was nudged with away again.
func (t *SystemTree) endNudge(hidden string) {
	if err := os.Rename(unhidden(hidden), hidden); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if t.Prune() == nil {
		// One that s6-svscan has just started holds no lock yet.
		time.Sleep(scanTime)
	}
	gone := func() bool {
		supervisor, err := t.Supervisor(hidden)
		return err == nil && !supervisor.Held
	}
	if !t.nudgeWaits(gone, nil) {
		_ = t.Control(hidden, CommandExit) // nobody else tells it
		if !t.nudgeWaits(gone, nil) {
			return // the next program sees to it
		}
	}
	_ = os.RemoveAll(hidden)
}

// nudgeWaits polls until done, for scanPatience at most or until ended is
// closed, and reports whether it was done.
func (t *SystemTree) nudgeWaits(done func() bool, ended <-chan struct{}) bool {
	for end := time.Now().Add(scanPatience); !done(); {
		select {
		case <-ended:
			return false
		case <-time.After(poll):
		}
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// sweepNudges ends, beside the caller, what a program that was killed had
// nudged s6-svscan with.
func (t *SystemTree) sweepNudges() {
	var left []string
	entries, _ := os.ReadDir(t.layout.ScanDir)
	for _, e := range entries {
		if name := strings.TrimPrefix(e.Name(), "."); strings.HasPrefix(name, nudgeName) {
			left = append(left, path.Join(t.layout.ScanDir, "."+name))
		}
	}
	if left == nil {
		return
	}
	t.nudges.mu.Lock()
	defer t.nudges.mu.Unlock()
	t.begin(func(<-chan struct{}) {
		for _, dir := range left {
			t.endNudge(dir)
		}
	})
}

// unhidden returns the name under which s6-svscan sees a hidden directory.
func unhidden(dir string) string {
	return path.Join(path.Dir(dir), strings.TrimPrefix(path.Base(dir), "."))
}

// unlinkDangling removes links in the scan directory that lead nowhere: all of
// them, or those into this tree's services. The error names one of another's.
func (t *SystemTree) unlinkDangling(all bool) error {
	entries, err := os.ReadDir(t.layout.ScanDir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		link := path.Join(t.layout.ScanDir, e.Name())
		if e.Type() != os.ModeSymlink || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if _, err := os.Stat(link); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		target, err := os.Readlink(link)
		if err != nil {
			return err
		}
		if !all && path.Dir(target) != t.layout.ServicesDir {
			return fmt.Errorf("%s leads nowhere, which keeps some versions of s6-svscan from starting anything: remove it", link)
		}
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
