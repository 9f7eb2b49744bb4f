package filesystem

import (
	"io"
	"io/fs"

	"github.com/evenkeel/evenkeel/filesystem/internal/contract"
)

// TempPrefix begins the names of temporary files: those that ReplaceFile
// renames over others, and those of other packages that publish files in the
// same way. A process that is killed may leave one.
const TempPrefix = contract.TempPrefix

// FS is a filesystem named by slash-separated paths, absolute or relative to
// the process.
//
// Every method may be called by any number of goroutines at once. Errors are
// *fs.PathError or *os.LinkError with the names as the caller wrote them. They
// satisfy errors.Is for fs.ErrNotExist, fs.ErrExist, fs.ErrPermission and
// fs.ErrInvalid. A full disk is syscall.ENOSPC, a path through a file
// syscall.ENOTDIR, a directory in place of a file syscall.EISDIR, and a
// directory that should be empty and is not is syscall.ENOTEMPTY or
// fs.ErrExist. A method follows symbolic links in every element of the path,
// the last one included, unless it says otherwise; a chain of more than forty
// links fails with syscall.ELOOP.
//
// An empty path and one with a NUL byte are refused with fs.ErrInvalid.
// ReplaceFile, Rename, Remove and RemoveAll also refuse the root, and a path
// whose last element is "." or "..". A FIFO, a socket or a device is never
// opened as a file or waited for: that fails with fs.ErrInvalid.
//
// Permissions may carry fs.ModeSetuid, fs.ModeSetgid and fs.ModeSticky.
type FS interface {
	// ReadFile returns the whole content of a regular file.
	ReadFile(name string) ([]byte, error)

	// ReadRange reads len(p) bytes from byte offset off of a regular file,
	// as io.ReaderAt does: n < len(p) comes with an error, io.EOF at the end
	// of the file. It is the cheap way to read a small file of known size.
	ReadRange(name string, p []byte, off int64) (n int, err error)

	// Open opens a regular file for reading. The caller closes it. The file
	// stays readable when it is renamed, replaced or removed.
	Open(name string) (File, error)

	// WriteFile creates the file with the permission bits of perm, whatever the
	// umask, or truncates it and keeps its permissions, and writes data. A
	// failure or a crash can leave part of it: WriteFile is for files that
	// nobody reads yet. It does not follow a symbolic link in the last element:
	// that fails with syscall.ELOOP, and what the link leads to stays.
	WriteFile(name string, data []byte, perm fs.FileMode) error

	// ReplaceFile makes name hold data with the permission bits of perm,
	// atomically and durably: a reader, or a machine that lost power, sees
	// either the old content or the new. A symbolic link is replaced, not
	// followed. On failure the old content stays and no temporary file is left;
	// after a kill one may be left, with a name that begins with TempPrefix.
	// One failure comes late: where the directory cannot be synced, the new
	// content is there but may not survive a loss of power.
	ReplaceFile(name string, data []byte, perm fs.FileMode) error

	// SyncAll makes a file, or a directory with all that is in it, survive a loss of
	// power as it is now: names, content and permissions, but not its own name. It
	// is for trees that are built from files of WriteFile under a name that nobody
	// reads, and costs much less than to have each file on disk before the next.
	// Links in it are not followed, and what is neither file nor directory is passed
	// by.
	SyncAll(name string) error

	// Mkdir creates one directory with the permission bits of perm, whatever
	// the umask; fs.ErrExist if the name is taken.
	Mkdir(name string, perm fs.FileMode) error

	// MkdirAll creates a directory and its parents, each as Mkdir does. A
	// directory that exists is no error; a file in its place is.
	MkdirAll(name string, perm fs.FileMode) error

	// Symlink makes link a symbolic link to target, which need not exist;
	// fs.ErrExist if link is taken. A filesystem without links fails with
	// errors.ErrUnsupported.
	Symlink(target, link string) error

	// Readlink returns what a symbolic link points to, as it was written;
	// fs.ErrInvalid where name is no link. A filesystem without links may
	// fail with errors.ErrUnsupported.
	Readlink(name string) (string, error)

	// Rename moves oldName to newName as rename(2) does: atomically, a file
	// over a file, a directory over an empty one, links not followed. A
	// directory into itself is fs.ErrInvalid.
	Rename(oldName, newName string) error

	// Remove removes a file, a link (not what it points to) or an empty
	// directory.
	Remove(name string) error

	// RemoveAll removes a tree, links not followed; what is not there is no
	// error. On failure part of the tree may be gone.
	RemoveAll(name string) error

	// Stat describes what the name leads to.
	Stat(name string) (fs.FileInfo, error)

	// Lstat describes the name itself, a link as a link.
	Lstat(name string) (fs.FileInfo, error)

	// ReadDir lists a directory, sorted by name. Entries are as Lstat sees
	// them.
	ReadDir(name string) ([]fs.DirEntry, error)

	// SameFile reports whether two descriptions from Stat, Lstat or File.Stat
	// of this filesystem are of one file.
	SameFile(a, b fs.FileInfo) bool
}

// Appender is an [FS] that can add to files, as a journal needs it.
type Appender interface {
	FS

	// AppendFile adds data to the end of a regular file. A file that is missing is
	// created with the permission bits of perm, whatever the umask; one that exists
	// keeps its own. A failure or a crash can leave part of data at its end, and
	// nothing that was in it is touched. What several callers add at once is not
	// mixed. It does not follow a symbolic link in the
	// last element: that fails with syscall.ELOOP.
	AppendFile(name string, data []byte, perm fs.FileMode) error
}

// File is an open file. ReadAt and Stat may be called by any number of
// goroutines at once. Once it is closed they fail with fs.ErrClosed, as does
// closing it again.
type File interface {
	io.ReaderAt
	io.Closer
	// Stat describes the open file, whatever its name is now.
	Stat() (fs.FileInfo, error)
}
