package contract

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// Settable are the bits of a mode that a caller may ask for.
const Settable = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// ErrNotRegular is what reading or writing a FIFO, a socket or a device gives.
var ErrNotRegular = fmt.Errorf("not a regular file: %w", fs.ErrInvalid)

// CheckName refuses the names that no filesystem can have.
func CheckName(name string) error {
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		return fs.ErrInvalid
	}
	return nil
}

// CheckFile is CheckName for what makes files: a name that ends in a slash is
// a directory's.
func CheckFile(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if strings.HasSuffix(name, "/") {
		return syscall.EISDIR
	}
	return nil
}

// CheckEntry is CheckName for what changes an entry of a directory: the root
// is none, and a name that ends in "." or ".." names none.
func CheckEntry(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	switch path.Base(name) {
	case "/", ".", "..":
		return fs.ErrInvalid
	}
	return nil
}

// PathError says that op failed on name, as the caller wrote it. Wrapping by
// the layers below is removed; nil stays nil.
func PathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: Cause(err)}
}

// LinkError is PathError for operations on two names.
func LinkError(op, oldName, newName string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: oldName, New: newName, Err: Cause(err)}
}

// Cause returns what lies under errors that name an operation and a path.
// syscall.EINVAL becomes fs.ErrInvalid, for errors.Is does not take it for
// that.
func Cause(err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		return Cause(e.Err)
	case *os.LinkError:
		return Cause(e.Err)
	case *os.SyscallError:
		return Cause(e.Err)
	}
	if err == syscall.EINVAL {
		return fs.ErrInvalid
	}
	return err
}
