package memfs

import (
	"sync"

	"github.com/spf13/afero/mem"
)

// known is what a filesystem of its own has at paths that were looked up before:
// a nil where there is nothing. The paths begin at the root and lead through no
// link. What changes an entry forgets it, under the lock of the filesystem. The
// zero known knows nothing.
type known struct {
	mu    sync.Mutex // guards files
	files map[string]*mem.FileData
}

// mostKnown bounds what is remembered of names that nobody asks for again.
const mostKnown = 10_000

func (k *known) get(path string) (file *mem.FileData, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	file, ok = k.files[path]
	return file, ok
}

func (k *known) put(path string, file *mem.FileData) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.files == nil || len(k.files) >= mostKnown {
		k.files = make(map[string]*mem.FileData)
	}
	k.files[path] = file
}

// forget forgets one entry, and forgetAll all: a directory that goes takes
// along what is below it.
func (k *known) forget(path string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.files, path)
}

func (k *known) forgetAll() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.files)
}
