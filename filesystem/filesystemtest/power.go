package filesystemtest

import (
	"slices"
	"strings"
)

// unsynced is a file of which the machine has something only in its memory.
type unsynced struct {
	name string
	kept int64 // bytes at its beginning that are on disk
}

// LosePower makes the filesystem what a machine may find that has lost its power
// now: of the files that WriteFile or AppendFile wrote, ReplaceFile has not replaced
// and SyncAll has not synced, counted from 0, those that are lost have the first half
// of what has not been synced. What was renamed, linked or removed is so. What
// others have written into the filesystem below is not touched.
func (f *Faulty) LosePower(lost func(file int) bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, file := range f.unsynced {
		if !lost(i) {
			continue
		}
		data, err := f.inner.ReadFile(file.name)
		if err != nil {
			continue // it has been removed
		}
		kept := min(int(file.kept), len(data))
		if err := f.inner.WriteFile(file.name, data[:kept+(len(data)-kept)/2], 0); err != nil {
			return err
		}
	}
	f.unsynced = nil
	return nil
}

// written, appended, synced, syncedBelow and renamed remember what is only in the
// memory of the machine.
func (f *Faulty) written(name string, kept int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := slices.IndexFunc(f.unsynced, func(file unsynced) bool { return file.name == name })
	if at < 0 {
		f.unsynced = append(f.unsynced, unsynced{name, kept})
	} else {
		f.unsynced[at].kept = min(kept, f.unsynced[at].kept)
	}
}

func (f *Faulty) appended(name string) {
	info, err := f.inner.Lstat(name)
	if err != nil {
		f.written(name, 0) // it is new
		return
	}
	f.written(name, info.Size())
}

func (f *Faulty) synced(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unsynced = slices.DeleteFunc(f.unsynced, func(file unsynced) bool { return file.name == name })
}

func (f *Faulty) syncedBelow(dir string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unsynced = slices.DeleteFunc(f.unsynced, func(file unsynced) bool { return strings.HasPrefix(file.name+"/", dir+"/") })
}

func (f *Faulty) renamed(oldName, newName string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, file := range f.unsynced {
		if rest, below := strings.CutPrefix(file.name+"/", oldName+"/"); below {
			f.unsynced[i].name = strings.TrimSuffix(newName+"/"+rest, "/")
		}
	}
}
