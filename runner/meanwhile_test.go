package runner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
)

// hasty is a filesystem on which somebody saves a file just after it was read.
type hasty struct {
	filesystem.FS
	save string // what, empty for nothing
}

func (f *hasty) ReadFile(name string) ([]byte, error) {
	text, err := f.FS.ReadFile(name)
	if save := f.save; save != "" && err == nil {
		f.save = ""
		err = f.FS.WriteFile(name, []byte(save), 0o600)
		time.Sleep(2 * lookAgain) // it is not being written any more when that is looked at
	}
	return text, err
}

// TestFileThatChangesWhileItIsRead takes effect as it is then: what was read may
// have been half of it.
func TestFileThatChangesWhileItIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		h.write(file, services("a", "b"))
		h.load()
		fsys := &hasty{FS: h.Reader.FS, save: services("a", "b", "d")}
		h.Reader.FS = fsys
		h.write(file, services("a", "b", "c"))
		time.Sleep(time.Hour)
		applies := h.applies
		again, err := h.Load(t.Context(), true)
		require.NoError(t, err)
		assert.Equal(t, lookAgain, again)
		assert.Equal(t, applies, h.applies)
		h.load()
		assert.Equal(t, []string{"a", "b", "d"}, h.names())
		assert.Equal(t, applies+1, h.applies)
	})
}

// fleeting is a filesystem on which a file vanishes just before it is read.
type fleeting struct {
	filesystem.FS
	gone string // which, empty for none
}

func (f *fleeting) ReadFile(name string) ([]byte, error) {
	if name == f.gone {
		f.gone = ""
		if err := f.FS.Remove(name); err != nil {
			return nil, err
		}
	}
	return f.FS.ReadFile(name)
}

// TestFileThatVanishesWhileItIsRead removes nothing, whoever says that what is
// missing was meant: it was there.
func TestFileThatVanishesWhileItIsRead(t *testing.T) {
	for name, paths := range map[string][]string{"of a directory": {"/etc/evenkeel"}, "by its name": {file, "/etc/evenkeel/g.yaml"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHome(t, paths...)
				h.write(file, services("a"))
				h.write("/etc/evenkeel/g.yaml", services("b"))
				h.load()
				time.Sleep(time.Hour)
				h.Reader.FS = &fleeting{h.Reader.FS, "/etc/evenkeel/g.yaml"}
				applies := h.applies
				_, err := h.Load(t.Context(), true)
				require.NoError(t, err)
				assert.Equal(t, []string{"a", "b"}, h.names())
				h.write("/etc/evenkeel/g.yaml", services("b"))
				h.load()
				assert.Equal(t, []string{"a", "b"}, h.names())
				assert.Equal(t, applies, h.applies, "nothing has changed")
				assert.Empty(t, h.told)
			})
		})
	}
}
