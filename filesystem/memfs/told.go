package memfs

import "path"

// Change is something that has happened to an entry of a directory.
type Change struct {
	// Dir is the directory, without links in it, and Name the entry.
	Dir, Name string
	// Gone: it is there no more, with all that was in it. It was removed or moved away.
	// Otherwise it was made, written to or replaced.
	Gone bool
}

// OnChange has fn told of each change from here on, in their order; nil is for nobody.
// Somebody else may be told no more. fn must not call the filesystem. What is told of
// may not be done yet when fn is called, but is when the call that does it returns.
func (m *FS) OnChange(fn func(Change)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = fn
}

func (a *adapted) tell(name string, gone bool) {
	if a.told != nil {
		a.told(Change{Dir: parentOf(name), Name: path.Base(name), Gone: gone})
	}
}
