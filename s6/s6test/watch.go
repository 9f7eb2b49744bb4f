package s6test

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"

	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// watch is a subscription. Its goroutine stands for the FIFO and its reader.
type watch struct {
	tree *Tree
	dir  string // the event directory
	id   fs.FileInfo

	queue    []supervise.Event // guarded by tree.mu, as the two below
	attended []s6.Attended     // nil for nothing
	lost     bool              // one of these is not there any more

	more chan struct{}
	stop chan struct{}
	done chan struct{}
	once sync.Once
}

// Watch implements s6.Tree.
func (t *Tree) Watch(service string, fn func(supervise.Event)) (s6.Watch, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	dir := path.Join(service, "event")
	id, err := t.mem.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot subscribe to events in %s: %w", dir, err)
	}
	w := &watch{
		tree: t, dir: dir, id: id,
		more: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	t.watches = append(t.watches, w)
	go w.read(fn)
	return w, nil
}

// emit sends events to those that watch an event directory.
func (t *Tree) emit(id fs.FileInfo, events ...supervise.Event) {
	for _, w := range t.watches {
		if !t.same(w.id, id) {
			continue
		}
		w.tell(events...)
	}
}

func (s *supervisor) emit(events ...supervise.Event) {
	if s.in() {
		s.tree.emit(s.tree.stat(path.Join(s.dir, "event")), events...)
	}
}

// tell sends events to one.
func (w *watch) tell(events ...supervise.Event) {
	w.queue = append(w.queue, events...)
	select {
	case w.more <- struct{}{}:
	default:
	}
}

func (w *watch) read(fn func(supervise.Event)) {
	defer close(w.done)
	for {
		select {
		case <-w.stop:
			return
		case <-w.more:
		}
		w.tree.mu.Lock()
		events := w.queue
		w.queue = nil
		w.tree.mu.Unlock()
		for _, e := range events {
			fn(e)
		}
	}
}

// Linked implements s6.Watch.
func (w *watch) Linked() bool {
	w.tree.mu.Lock()
	defer w.tree.mu.Unlock()
	return w.tree.same(w.id, w.tree.stat(w.dir))
}

// Attend implements s6.Watch.
func (w *watch) Attend(files []string) error {
	t := w.tree
	if !t.config.Hears {
		return errors.New("what happens to the files of services is not told")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	dirs := t.config.Layout.Attended(path.Base(path.Dir(w.dir)), files)
	for _, dir := range dirs {
		if _, err := t.mem.Stat(dir.Path); err != nil {
			return fmt.Errorf("cannot attend to what happens in a directory: %w", err)
		}
	}
	w.attended, w.lost = dirs, false
	return nil
}

// Attends implements s6.Watch.
func (w *watch) Attends() bool {
	w.tree.mu.Lock()
	defer w.tree.mu.Unlock()
	return w.attended != nil && !w.lost
}

// Close implements s6.Watch.
func (w *watch) Close() error {
	w.tree.mu.Lock()
	w.tree.watches = slices.DeleteFunc(w.tree.watches, func(other *watch) bool { return other == w })
	w.tree.mu.Unlock()
	w.end()
	return nil
}

func (w *watch) end() {
	w.once.Do(func() { close(w.stop) })
	<-w.done
}
