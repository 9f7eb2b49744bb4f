package filesystemtest

import (
	"slices"
	"strings"
)

// LosePower makes the filesystem what a machine may find that has lost its power
// now: of the files that WriteFile wrote, ReplaceFile has not replaced and
// SyncAll has not synced, counted from 0, those that are lost have the first half
// of their content. What was renamed, linked or removed is so. What others have
// written into the filesystem below is not touched.
func (f *Faulty) LosePower(lost func(file int) bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, name := range f.unsynced {
		if !lost(i) {
			continue
		}
		data, err := f.inner.ReadFile(name)
		if err != nil {
			continue // it has been removed
		}
		if err := f.inner.WriteFile(name, data[:len(data)/2], 0); err != nil {
			return err
		}
	}
	f.unsynced = nil
	return nil
}

// written, synced, syncedBelow and renamed remember what is only in the memory of the
// machine.
func (f *Faulty) written(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Contains(f.unsynced, name) {
		f.unsynced = append(f.unsynced, name)
	}
}

func (f *Faulty) synced(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unsynced = slices.DeleteFunc(f.unsynced, func(other string) bool { return other == name })
}

func (f *Faulty) syncedBelow(dir string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unsynced = slices.DeleteFunc(f.unsynced, func(name string) bool { return strings.HasPrefix(name+"/", dir+"/") })
}

func (f *Faulty) renamed(oldName, newName string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, name := range f.unsynced {
		if rest, below := strings.CutPrefix(name+"/", oldName+"/"); below {
			f.unsynced[i] = strings.TrimSuffix(newName+"/"+rest, "/")
		}
	}
}
