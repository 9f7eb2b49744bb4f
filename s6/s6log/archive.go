package s6log

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// The files of an s6-log directory that hold lines. A rotation renames
// current to previous, creates a new current, links previous under its
// archive name and unlinks it; one that is empty is only unlinked.
const (
	fileCurrent  = "current"
	filePrevious = "previous"
)

// wasKilled reports whether a file has the name of one whose logger was killed.
func wasKilled(name string) bool { return strings.HasSuffix(name, ".u") }

// isArchive reports whether name is one that s6-log gives to an archived file:
// a TAI64N label with .s, or with .u where the logger that wrote it was killed.
func isArchive(name string) bool {
	if len(name) != supervise.TAI64NTextSize+2 || (name[supervise.TAI64NTextSize:] != ".s" && name[supervise.TAI64NTextSize:] != ".u") {
		return false
	}
	_, err := supervise.ParseTAI64N(name[:supervise.TAI64NTextSize])
	return err == nil
}

// lookAgain is how often a directory is read again because a rotation came
// between the steps. Several in a row are unlikely.
const lookAgain = 4

// directory is an s6-log directory as a reader sees it.
type directory struct {
	fsys filesystem.FS
	path string
}

func (d directory) file(name string) string { return d.path + "/" + name }

// archives lists the archived files, oldest first. A directory that is not
// there has none.
func (d directory) archives() ([]string, error) {
	entries, err := d.fsys.ReadDir(d.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if isArchive(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// openFile is an open file of a log directory.
type openFile struct {
	filesystem.File
	info fs.FileInfo
}

// open opens one file; nil without an error where it does not exist.
func (d directory) open(name string) (*openFile, error) {
	file, err := d.fsys.Open(d.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	return &openFile{file, info}, nil
}

// stat describes one file; nil without an error where it does not exist.
func (d directory) stat(name string) (fs.FileInfo, error) {
	info, err := d.fsys.Stat(d.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return info, err
}

// is reports whether info, which may be nil, describes f.
func (d directory) is(f *openFile, info fs.FileInfo) bool {
	return info != nil && d.fsys.SameFile(info, f.info)
}

// snapshot opens current and lists the archives that are older than it, which
// are all archives there are. It returns nil without an error if there was no
// such moment: current does not exist, or a rotation is under way. s6-log
// writes nothing while it rotates.
func (d directory) snapshot() (*openFile, []string, error) {
	for range lookAgain {
		current, err := d.open(fileCurrent)
		if current == nil {
			return nil, nil, err
		}
		names, ok, err := d.listBeside(current)
		if ok && err == nil {
			return current, names, nil
		}
		current.Close()
		if err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, nil
}

// listBeside lists the archives; ok means that current was current, and no
// rotation under way, throughout.
func (d directory) listBeside(current *openFile) (names []string, ok bool, err error) {
	previous, err := d.stat(filePrevious)
	if previous != nil || err != nil {
		return nil, false, err
	}
	names, err = d.archives()
	if err != nil {
		return nil, false, err
	}
	info, err := d.stat(fileCurrent)
	return names, err == nil && d.is(current, info), err
}

// snapshotWithoutCurrent is snapshot where current does not exist or a rotation
// is under way. It opens previous, which then has the newest lines, or returns
// nil if that does not exist either, and lists the archives that are older.
// settled means that this did not change meanwhile.
func (d directory) snapshotWithoutCurrent() (previous *openFile, names []string, settled bool, err error) {
	previous, err = d.open(filePrevious)
	if err != nil {
		return nil, nil, false, err
	}
	names, settled, err = d.listBehind(previous)
	if previous != nil && (!settled || err != nil) {
		previous.Close()
		previous = nil
	}
	return previous, names, settled, err
}

// listBehind lists the archives. ok means that previous was previous throughout
// or, if it is nil, that nothing was written.
func (d directory) listBehind(previous *openFile) (names []string, ok bool, err error) {
	names, err = d.archives()
	if err != nil {
		return nil, false, err
	}
	info, err := d.stat(filePrevious)
	if previous != nil || info != nil || err != nil {
		return names, err == nil && previous != nil && d.is(previous, info), err
	}
	info, err = d.stat(fileCurrent)
	return names, info == nil, err
}

// without returns the names that are neither among known nor name the file f,
// and under which of the names f was found, "" for none.
func (d directory) without(names, known []string, f *openFile) (fresh []string, found string, err error) {
	for _, name := range names {
		if _, ok := slices.BinarySearch(known, name); ok {
			continue
		}
		if f != nil && found == "" {
			info, err := d.stat(name)
			if err != nil {
				return nil, "", err
			}
			if d.is(f, info) {
				found = name
				continue
			}
		}
		fresh = append(fresh, name)
	}
	return fresh, found, nil
}
