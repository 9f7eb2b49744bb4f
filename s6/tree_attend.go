package s6

import (
	"errors"
	"path"
	"sync"

	"github.com/evenkeel/evenkeel/internal/inotify"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// errDeaf is why a tree hears of nothing but events of s6-supervise.
var errDeaf = errors.New("what happens to the files of services is not told here")

// EventTouched is told by a Watch that attends to a service: something has happened
// to its files, or one of its locks was let go. It is none of s6-supervise.
const EventTouched supervise.Event = 0

// attend has the tree hear what happens to the files of services, where each of its
// directories is on a filesystem on which all of that is told.
func (t *SystemTree) attend() {
	for _, dir := range []string{t.layout.ScanDir, t.layout.ServicesDir, t.layout.LogsDir} {
		if local, err := inotify.Local(dir); err != nil || !local {
			return
		}
	}
	t.notifier, _ = inotify.New() // without it all is looked at more often
}

// systemWatch is a subscription to what s6-supervise says of a service, and to what
// the kernel does.
type systemWatch struct {
	*supervise.Subscription
	tree    *SystemTree
	service string
	touched func()

	mu   sync.Mutex     // guards it
	rest *inotify.Watch // nil for none
}

// Watch implements Tree.
func (t *SystemTree) Watch(service string, fn func(supervise.Event)) (Watch, error) {
	s, err := supervise.Subscribe(events(service), fn)
	if err != nil {
		return nil, err
	}
	return &systemWatch{Subscription: s, tree: t, service: service, touched: func() { fn(EventTouched) }}, nil
}

// Attend implements Watch.
func (w *systemWatch) Attend(files []string) error {
	if w.tree.notifier == nil {
		return errDeaf
	}
	rest, err := w.tree.notifier.Watch(w.dirs(files), w.touched)
	if err != nil {
		return err
	}
	w.replace(rest)
	return nil
}

// Attends implements Watch.
func (w *systemWatch) Attends() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rest != nil && w.rest.Whole()
}

// Close implements Watch.
func (w *systemWatch) Close() error {
	w.replace(nil)
	return w.Subscription.Close()
}

func (w *systemWatch) replace(rest *inotify.Watch) {
	w.mu.Lock()
	before := w.rest
	w.rest = rest
	w.mu.Unlock()
	if before != nil {
		before.Close()
	}
}

// dirs returns where something happens that a pass may see.
func (w *systemWatch) dirs(files []string) (dirs []inotify.Dir) {
	for _, a := range w.tree.layout.Attended(path.Base(w.service), files) {
		dirs = append(dirs, inotify.Dir(a))
	}
	return append(dirs, inotify.Dir{Path: events(w.service), Names: []string{path.Base(w.Path())}, Gone: true})
}
