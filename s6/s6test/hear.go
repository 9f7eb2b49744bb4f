package s6test

import (
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/s6"
)

// ear hears what happens to the files of a tree, and tells it a moment later: who
// changes files may have the tree locked. The zero ear is deaf.
type ear struct {
	timer *time.Timer

	mu    sync.Mutex // guards all below; nothing else is locked under it
	heard []memfs.Change
	due   time.Time // when they are told
}

// listen has the tree hear, if it is one that does.
func (t *Tree) listen() {
	t.ear.timer = time.AfterFunc(time.Hour, t.happen)
	if t.config.Hears {
		t.mem.OnChange(t.hear)
	}
}

// hear notes a change.
func (t *Tree) hear(c memfs.Change) {
	e := &t.ear
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.heard) == 0 {
		e.due = moment(t.config.Latency)
		e.timer.Reset(time.Until(e.due))
	}
	e.heard = append(e.heard, c)
}

// closes notes that a process has ended that had a file open to write to it.
func (t *Tree) closes(file string) {
	if t.config.Hears {
		t.hear(memfs.Change{Dir: path.Dir(file), Name: path.Base(file)})
	}
}

// told returns what is to be told now.
func (e *ear) told() (all []memfs.Change) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.heard) > 0 && !e.due.After(time.Now()) {
		all, e.heard = e.heard, nil
	}
	return all
}

// tellHeard tells those who attend to it what was heard.
func (t *Tree) tellHeard() {
	all := t.ear.told()
	if len(all) == 0 {
		return
	}
	for _, w := range t.watches {
		concerned := false
		for _, c := range all {
			concerned = w.concerns(c) || concerned
		}
		if concerned {
			w.tell(s6.EventTouched)
		}
	}
}

// concerns reports whether something is to be told, and notes each directory that is
// lost.
func (w *watch) concerns(c memfs.Change) (told bool) {
	entry := path.Join(c.Dir, c.Name)
	for _, dir := range w.attended {
		switch {
		case c.Gone && (dir.Path == entry || strings.HasPrefix(dir.Path, entry+"/")):
			w.lost, told = true, true
		case dir.Path == c.Dir && (dir.Names == nil || slices.Contains(dir.Names, c.Name)) && (c.Gone || !dir.Gone):
			told = true
		}
	}
	return told
}
