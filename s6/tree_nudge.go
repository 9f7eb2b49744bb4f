package s6

import (
	"fmt"
	"os"
	"path"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Nudge implements Tree.
//
// From 2.12 on, s6-svscan leaves a second between two starts of one supervisor,
// and forgets a supervisor that it owes when it starts another one within that
// second. It remembers it when it has a new service to start. So it is shown
// one, which runs nothing, until that has its supervisor. In 2.13 and 2.15 a
// link that leads nowhere aborts every scan: such links into this tree's
// services are removed, and in a private tree all of them.
func (t *SystemTree) Nudge() error {
	if err := t.Served(); err != nil {
		return err
	}
	return t.nudges.begin(func() (func(*nudge), error) {
		if err := t.unlinkDangling(t.keeper != nil); err != nil {
			return nil, fmt.Errorf("cannot clear the scan directory: %w", err)
		}
		dir, err := os.MkdirTemp(t.layout.ScanDir, "."+t.layout.nudgePrefix())
		if err != nil {
			return nil, fmt.Errorf("cannot make a service to nudge s6-svscan with: %w", err)
		}
		return func(n *nudge) {
			t.show(n, dir)
			t.hide(n, dir)
		}, nil
	})
}

// show shows a hidden service directory to s6-svscan until it has a supervisor.
// If anything fails, the next nudge makes up for it.
func (t *SystemTree) show(n *nudge, hidden string) {
	shown := unhidden(hidden)
	err := os.WriteFile(path.Join(hidden, fileDown), nil, 0o644)
	if err == nil {
		err = os.Rename(hidden, shown)
	}
	if err == nil && t.Rescan() == nil {
		wait(scanPatience, n.ending, func() bool {
			supervisor, err := t.Supervisor(shown)
			return err != nil || supervisor.Held
		})
	}
}

// hide removes services that s6-svscan was nudged with.
func (t *SystemTree) hide(n *nudge, hidden ...string) {
	for _, dir := range hidden {
		_ = os.Rename(unhidden(dir), dir) // it may be hidden already
	}
	if t.Prune() == nil {
		// A supervisor that s6-svscan has just started holds no lock yet.
		wait(scanTime, n.abandon, func() bool { return false })
	}
	ended := func() bool { return t.allEnded(hidden) }
	if !wait(scanPatience, n.abandon, ended) {
		for _, dir := range hidden {
			_ = t.Control(dir, supervise.CommandExit) // nobody else tells it
		}
		wait(scanPatience, n.abandon, ended)
	}
	for _, dir := range hidden {
		if t.allEnded([]string{dir}) {
			_ = os.RemoveAll(dir)
		}
	}
}

// allEnded reports whether directories are known to have no supervisor.
func (t *SystemTree) allEnded(dirs []string) bool {
	for _, dir := range dirs {
		if supervisor, err := t.Supervisor(dir); err != nil || supervisor.Held {
			return false
		}
	}
	return true
}

// wait polls until done, until a time is over, or until ended is closed, and
// reports whether it was done.
func wait(patience time.Duration, ended <-chan struct{}, done func() bool) bool {
	for end := time.Now().Add(patience); !done(); {
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
