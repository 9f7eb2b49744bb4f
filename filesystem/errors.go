package filesystem

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/spf13/afero"
)

// settable are the bits of a mode that a caller may ask for.
const settable = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// errNotRegular is what reading or writing a FIFO, a socket or a device gives.
var errNotRegular = fmt.Errorf("not a regular file: %w", fs.ErrInvalid)

// checkName refuses the names that no filesystem can have.
func checkName(name string) error {
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		return fs.ErrInvalid
	}
	return nil
}

// checkFile is checkName for what makes files: a name that ends in a slash is
// a directory's.
func checkFile(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if strings.HasSuffix(name, "/") {
		return syscall.EISDIR
	}
	return nil
}

// checkEntry is checkName for what changes an entry of a directory: the root
// is none, and a name that ends in "." or ".." names none.
func checkEntry(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	switch path.Base(name) {
	case "/", ".", "..":
		return fs.ErrInvalid
	}
	return nil
}

// pathError says that op failed on name, as the caller wrote it. The wrapping
// of layers below is taken off; nil stays nil.
func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: cause(err)}
}

// linkError is pathError for operations on two names.
func linkError(op, oldName, newName string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: oldName, New: newName, Err: cause(err)}
}

// cause returns what lies under the errors that name an operation and a path.
// syscall.EINVAL becomes fs.ErrInvalid, which errors.Is does not take it for.
func cause(err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		return cause(e.Err)
	case *os.LinkError:
		return cause(e.Err)
	case *os.SyscallError:
		return cause(e.Err)
	}
	switch {
	case err == syscall.EINVAL:
		return fs.ErrInvalid
	case errors.Is(err, afero.ErrNoSymlink), errors.Is(err, afero.ErrNoReadlink):
		return errors.ErrUnsupported
	}
	return err
}
