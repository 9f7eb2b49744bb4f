package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watchAgain is how often a directory that is not there is looked for.
const watchAgain = time.Second

// Watch calls changed, from one goroutine, each time that something may have
// changed in files or in directories of files, until ctx ends: also when a file is
// replaced by renaming, or through a symbolic link of its directory, as a
// Kubernetes ConfigMap is. What is not there yet is waited for. The error says why
// nothing can be watched.
func Watch(ctx context.Context, paths []string, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("cannot watch files: %w", err)
	}
	dirs := directories(paths)
	// What changes from now on is seen.
	add(w, dirs)
	go func() {
		defer w.Close()
		watch(ctx, w, dirs, changed)
	}()
	return nil
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

func watch(ctx context.Context, w *fsnotify.Watcher, dirs []string, changed func()) {
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			if add(w, dirs) {
				changed()
			}
			if len(w.WatchList()) < len(dirs) {
				again.Reset(watchAgain)
			}
		case e := <-w.Events:
			if e.Has(fsnotify.Remove|fsnotify.Rename) && slices.Contains(dirs, filepath.Clean(e.Name)) {
				_ = w.Remove(e.Name) // another one may take its place
				again.Reset(0)
			} else if e.Has(fsnotify.Create) && slices.Contains(dirs, filepath.Clean(e.Name)) {
				again.Reset(0)
			}
			changed()
		case <-w.Errors: // some events were lost
			changed()
		}
	}
}

// add watches the directories that are not watched yet, and reports whether there
// was one.
func add(w *fsnotify.Watcher, dirs []string) (added bool) {
	for _, dir := range dirs {
		if !slices.Contains(w.WatchList(), dir) && w.Add(dir) == nil {
			added = true
		}
	}
	return added
}
