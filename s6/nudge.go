package s6

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// nudgeName begins the names of the services by which s6-svscan is nudged. They
// are directories in the scan directory itself, and are hidden from s6-svscan by
// a dot before their name when they are to end.
const nudgeName = "evenkeel-nudge-"

// nudgePatience is how long a tree that is closed waits for a nudge to be over.
const nudgePatience = time.Second

// nudges are the services by which a tree's s6-svscan is nudged, one at a time.
type nudges struct {
	mu      sync.Mutex // guards all below
	closed  bool
	current *nudge // nil for none
}

// nudge is one that is under way.
type nudge struct {
	over    chan struct{} // closed when it is
	ending  chan struct{} // closed when it is to be over soon
	abandon chan struct{} // closed when it is to be over at once
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
	dir, err := os.MkdirTemp(t.layout.ScanDir, "."+t.nudgePrefix())
	if err != nil {
		return fmt.Errorf("cannot make a service to nudge s6-svscan with: %w", err)
	}
	t.begin(func(n *nudge) {
		t.show(n, dir)
		t.hide(n, dir)
	})
	return nil
}

// nudgePrefix begins the names of this tree's own nudges: other programs may
// have other services under the same s6-svscan.
func (t *SystemTree) nudgePrefix() string {
	return fmt.Sprintf("%s%08x-", nudgeName, crc32.ChecksumIEEE([]byte(t.layout.ServicesDir)))
}

// begin has fn run beside the caller, who holds nudges.mu.
func (t *SystemTree) begin(fn func(*nudge)) {
	n := &nudge{over: make(chan struct{}), ending: make(chan struct{}), abandon: make(chan struct{})}
	t.nudges.current = n
	go func() {
		fn(n)
		t.nudges.mu.Lock()
		defer t.nudges.mu.Unlock()
		t.nudges.current = nil
		close(n.over)
	}()
}

// endNudges waits until the one under way is over, and has no other begin. One
// that is not over when ctx ends is left as it is: the next program sees to it.
func (t *SystemTree) endNudges(ctx context.Context) {
	t.nudges.mu.Lock()
	n, first := t.nudges.current, !t.nudges.closed
	t.nudges.closed = true
	t.nudges.mu.Unlock()
	if n == nil {
		return
	}
	if first {
		close(n.ending)
	}
	select {
	case <-n.over:
		return
	case <-ctx.Done():
	}
	t.nudges.mu.Lock()
	select {
	case <-n.abandon:
	default:
		close(n.abandon)
	}
	t.nudges.mu.Unlock()
	<-n.over
}

// show shows a hidden service directory to s6-svscan until it has a supervisor.
// What goes wrong is made up for by the next nudge.
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

// hide takes services that s6-svscan was nudged with away again.
func (t *SystemTree) hide(n *nudge, hidden ...string) {
	for _, dir := range hidden {
		_ = os.Rename(unhidden(dir), dir) // it may be hidden already
	}
	if t.Prune() == nil {
		// One that s6-svscan has just started holds no lock yet.
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

// wait polls until done, no longer than for a time or until ended is closed,
// and reports whether it was done.
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

// sweepNudges ends, beside the caller, what a program that was killed had
// nudged s6-svscan with.
func (t *SystemTree) sweepNudges() {
	var left []string
	entries, _ := os.ReadDir(t.layout.ScanDir)
	for _, e := range entries {
		if name := strings.TrimPrefix(e.Name(), "."); e.IsDir() && strings.HasPrefix(name, t.nudgePrefix()) {
			left = append(left, path.Join(t.layout.ScanDir, "."+name))
		}
	}
	if left == nil {
		return
	}
	t.nudges.mu.Lock()
	defer t.nudges.mu.Unlock()
	t.begin(func(n *nudge) { t.hide(n, left...) })
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
