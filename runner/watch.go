package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watchAgain is how often files are looked at that no event tells of: behind
// symbolic links, on filesystems that tell nothing, or where the kernel grants no
// more watches.
const watchAgain = 2 * time.Second

// Watch calls changed, from one goroutine, each time that something may have
// changed in files or in directories of files, until ctx ends, however it changes:
// by writing, by renaming, or through symbolic links, as a Kubernetes ConfigMap
// does. more returns further files that matter, as they are known at the moment.
// Most changes are seen at once, all of them within two seconds.
func Watch(ctx context.Context, paths []string, more func() []string, changed func()) {
	dirs := directories(paths)
	w, err := fsnotify.NewWatcher()
	if err != nil {
		w = &fsnotify.Watcher{} // without events: what changes is seen later
	}
	seen := signature(append(slices.Clone(paths), more()...))
	if err == nil {
		add(w, dirs) // what changes from now on is seen
	}
	go func() {
		if err == nil {
			defer w.Close()
		}
		watch(ctx, w, err == nil, dirs, func() bool {
			now := signature(append(slices.Clone(paths), more()...))
			differs := now != seen
			seen = now
			return differs
		}, changed)
	}()
}

// signature returns what can be seen of files, and of the *.yaml in directories,
// without reading them.
func signature(paths []string) string {
	var b strings.Builder
	note := func(name string) {
		info, err := os.Stat(name)
		if err != nil {
			fmt.Fprintln(&b, name, err)
			return
		}
		fmt.Fprintln(&b, name, info.Size(), info.ModTime().UnixNano(), info.Mode())
	}
	for _, p := range paths {
		entries, err := os.ReadDir(p)
		if err != nil {
			note(p)
			continue
		}
		for _, e := range entries {
			if filepath.Ext(e.Name()) == ".yaml" {
				note(filepath.Join(p, e.Name()))
			}
		}
	}
	return b.String()
}

// directories returns the directories whose entries say what becomes of paths: a
// directory is one itself, and it may be replaced in the one above.
func directories(paths []string) (dirs []string) {
	for _, p := range paths {
		p = filepath.Clean(p)
		if info, err := os.Stat(p); err != nil || info.IsDir() {
			dirs = append(dirs, p)
		}
		dirs = append(dirs, filepath.Dir(p))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

func watch(ctx context.Context, w *fsnotify.Watcher, watching bool, dirs []string, differs func() bool, changed func()) {
	tick := time.NewTicker(watchAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if watching {
				add(w, dirs)
			}
			if differs() {
				changed()
			}
		case e := <-w.Events:
			if slices.Contains(dirs, filepath.Clean(e.Name)) && !e.Has(fsnotify.Write|fsnotify.Chmod) {
				_ = w.Remove(e.Name) // another one may have its place
				add(w, dirs)
			}
			differs()
			changed()
		case <-w.Errors: // some events were lost
			changed()
		}
	}
}

// add watches the directories that are there and not watched yet.
func add(w *fsnotify.Watcher, dirs []string) {
	for _, dir := range dirs {
		if !slices.Contains(w.WatchList(), dir) {
			_ = w.Add(dir) // or it is looked at from time to time
		}
	}
}
