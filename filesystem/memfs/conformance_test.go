package memfs_test

import (
	"testing"

	"github.com/spf13/afero"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (filesystem.FS, string){
		"FS": func(t *testing.T) (filesystem.FS, string) {
			return in(t, memfs.New(), "/some/root")
		},
		"FS, cloned": func(t *testing.T) (filesystem.FS, string) {
			fsys := memfs.New()
			_, root := in(t, fsys, "/some/root")
			return fsys.Clone(), root
		},
		"adapted OsFs": func(t *testing.T) (filesystem.FS, string) {
			return memfs.Adapt(afero.NewOsFs()), t.TempDir()
		},
		"adapted MemMapFs": func(t *testing.T) (filesystem.FS, string) {
			return in(t, memfs.Adapt(afero.NewMemMapFs()), "/some/root")
		},
		"adapted BasePathFs": func(t *testing.T) (filesystem.FS, string) {
			return in(t, memfs.Adapt(afero.NewBasePathFs(afero.NewOsFs(), t.TempDir())), "/root")
		},
	} {
		t.Run(name, func(t *testing.T) { filesystemtest.TestFS(t, open) })
	}
}

// in makes the directory that a filesystem is tested in.
func in(t *testing.T, fsys filesystem.FS, root string) (filesystem.FS, string) {
	t.Helper()
	if err := fsys.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return fsys, root
}
