package s6test

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6"
)

// How long an s6.SystemTree waits for managers to ask, how often it looks, and how
// long what it tells to end has.
const (
	buryPatience   = 5 * time.Second
	buryEvery      = 250 * time.Millisecond
	buriedPatience = 10 * time.Second
)

// burial is what a program does that has opened the tree.
type burial struct {
	tree  *Tree
	lives func() bool
	asked map[string]bool // the services of which a manager asks what is left
	told  map[int]time.Time
}

// Opened is what opening an s6.SystemTree does beside its managers, as long as lives
// says that the program does which has opened it: what lives of service directories
// that were deleted ends, unless somebody asks for it (Remains) in the first
// seconds, and their links go.
func (t *Tree) Opened(lives func() bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := &burial{tree: t, lives: lives, asked: make(map[string]bool), told: make(map[int]time.Time)}
	t.burial = b
	t.after(buryPatience, b.bury)
}

func (b *burial) bury() {
	t := b.tree
	if t.burial != b || !b.lives() {
		return
	}
	left := false
	for _, service := range t.deleted() {
		if b.asked[service] {
			continue
		}
		if link := t.config.Layout.Link(path.Base(service)); t.isLink(link) {
			t.note(t.mem.Remove(link))
			if t.svscan != nil {
				t.svscan.request(true, false)
			}
		}
		all := t.remains(service, s6.Sighting{})
		left = left || len(all) > 0
		b.end(all)
	}
	if left {
		t.after(buryEvery, b.bury)
		return
	}
	t.burial = nil
	if t.svscan != nil {
		t.svscan.request(true, true)
	}
}

// end tells what is left to end: the service's before the logger's, and supervisors
// before their processes.
func (b *burial) end(all []s6.Remnant) {
	if n := slices.IndexFunc(all, func(r s6.Remnant) bool { return r.Logger }); n > 0 {
		all = all[:n]
	}
	for _, supervisors := range []bool{true, false} {
		for _, r := range all {
			told, is := b.told[r.PID]
			switch {
			case r.Supervisor != supervisors:
			case is && time.Since(told) >= buriedPatience:
				b.tree.signal(r.PID, syscall.SIGKILL)
			case is:
			case r.Supervisor:
				b.tree.signal(r.PID, syscall.SIGHUP)
			case !r.Logger:
				b.tree.signal(r.PID, syscall.SIGTERM, syscall.SIGCONT)
			}
			if !is && r.Supervisor == supervisors {
				b.told[r.PID] = time.Now()
			}
		}
	}
}

// deleted returns the service directories that are not there, of which a link is, or
// something that lives.
func (t *Tree) deleted() (all []string) {
	add := func(dir string) {
		service := strings.TrimSuffix(dir, "/log")
		if path.Dir(service) == t.config.Layout.ServicesDir && !slices.Contains(all, service) && t.stat(service) == nil {
			all = append(all, service)
		}
	}
	entries, err := t.mem.ReadDir(t.config.Layout.ScanDir)
	t.note(err)
	for _, e := range entries {
		if target, err := t.mem.Readlink(path.Join(t.config.Layout.ScanDir, e.Name())); err == nil {
			add(target)
		}
	}
	for _, s := range t.live {
		add(s.dir)
	}
	for _, p := range t.processes {
		add(p.dir)
	}
	return all
}

func (t *Tree) isLink(name string) bool {
	info, err := t.mem.Lstat(name)
	return err == nil && info.Mode().Type() == fs.ModeSymlink
}
