package memfs

import (
	"os"

	"github.com/spf13/afero"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/internal/contract"
)

// FS is a filesystem in memory that keeps the whole contract of
// [filesystem.FS], symbolic links included. [New] makes one.
//
// Relative names begin at the root. Permissions are kept but not enforced.
// Times are those of time.Now, so that testing/synctest rules them.
type FS struct{ adapted }

var _ filesystem.Appender = (*FS)(nil)

// New returns a filesystem that holds an empty root directory.
func New() *FS {
	return &FS{adapted{fsys: afero.NewMemMapFs(), ownLinks: true}}
}

// Append adds data to the end of a regular file, and creates it with
// permissions 0644 where it is missing. It follows links. Readers that have the file open can
// read the new bytes.
func (m *FS) Append(name string, data []byte) error {
	return contract.PathError("append", name, m.write(name, data, 0o644, os.O_APPEND, true))
}

// Clone returns a copy of the whole filesystem that shares nothing with it: the
// state that a machine would find after a crash now. A description from one is
// never of the same file as one from the other.
func (m *FS) Clone() *FS {
	m.mu.RLock()
	defer m.mu.RUnlock()
	clone := New()
	m.copyDir(clone, "/")
	if root, err := m.stat("/"); err == nil {
		_ = clone.fsys.Chtimes("/", root.ModTime(), root.ModTime())
	}
	return clone
}

// copyDir copies what is in a directory. None of these calls can fail in
// afero.MemMapFs under m's lock.
func (m *FS) copyDir(clone *FS, dir string) {
	entries, _ := m.entries(dir)
	for _, entry := range entries {
		info, name := snapshot(entry), join(dir, entry.Name())
		if info.IsDir() {
			_ = clone.fsys.Mkdir(name, info.Mode())
			m.copyDir(clone, name)
		} else {
			content, _ := afero.ReadFile(m.fsys, name)
			_ = clone.put(name, content, os.O_WRONLY|os.O_CREATE, info.Mode(), clone.setMode)
		}
		_ = clone.fsys.Chtimes(name, info.ModTime(), info.ModTime())
	}
}
