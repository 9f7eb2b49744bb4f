package s6

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"syscall"
	"time"
)

// bury ends what lives of service directories that were deleted while no program
// held the tree, and removes their links, until there is nothing of the sort. A
// service of which a manager asks what is left (Remains) is that manager's: it
// knows what becomes of it, and by which signal it is to end. Managers ask when
// they begin, which is soon after the tree was opened.
func (t *SystemTree) bury(ctx context.Context) {
	defer t.remains.asked.end()
	nobodys := undertaker{spares: t.remains.asked.has}
	unlinked := false
	for wait := buryPatience; ; wait = scanTime {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		unlinked = t.unlinkDeleted() || unlinked
		nobodys.end(time.Now(), t, true) // There is no pass.
		if !nobodys.none() {
			continue
		}
		if unlinked {
			_ = t.Prune() // No s6-svscan has nothing to forget.
		}
		return
	}
}

// unlinkDeleted removes the links to services that were deleted and are nobody's,
// and reports whether there was one. Their supervisors live on: whoever told
// s6-svscan to end them would have it signal processes that the undertaker signals.
func (t *SystemTree) unlinkDeleted() (any bool) {
	entries, _ := os.ReadDir(t.layout.ScanDir)
	for _, e := range entries {
		service, link := t.layout.Service(e.Name()), t.layout.Link(e.Name())
		if target, err := os.Readlink(link); err != nil || target != service || t.remains.asked.has(service) {
			continue
		}
		if _, err := os.Lstat(service); errors.Is(err, fs.ErrNotExist) {
			any = os.Remove(link) == nil || any
		}
	}
	if any {
		_ = t.Rescan() // No s6-svscan starts no supervisor.
	}
	return any
}

// undertaker ends what is left of deleted directories.
type undertaker struct {
	spares func(service string) bool // whose remains are left alone, nil for nobody's
	told   endings
	found  map[string][]Remnant
	looked time.Time
	alone  bool // nothing else lives, and it has been looked since
}

// none reports whether nothing is left.
func (u *undertaker) none() bool { return u.alone && len(u.found) == 0 }

// end does what is due for what is left. It looks at once, from time to time as
// long as something is left, and when nothing else that it waits for lives any
// more. Where the process table cannot be read, nothing is known to be left.
func (u *undertaker) end(now time.Time, t *SystemTree, alone bool) {
	switch {
	case u.looked.IsZero(), alone && !u.alone, len(u.found) > 0 && now.Sub(u.looked) >= scanTime:
	default:
		return
	}
	u.looked, u.alone = now, alone
	found, _ := t.lookSince(now)
	u.found = maps.Clone(found)
	maps.DeleteFunc(u.found, func(service string, _ []Remnant) bool { return u.spares != nil && u.spares(service) })
	for service, of := range u.found {
		due := func(r Remnant) []syscall.Signal {
			return r.ends(now, u.told, (*Spec)(nil).manner())
		}
		_ = endRemnants(next(of), &u.told, due, func(pid int, signals ...syscall.Signal) error {
			return t.endRemnant(service, Sighting{}, pid, signals...)
		}) // what is still there the next time is told then
	}
}
