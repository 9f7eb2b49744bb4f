package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Holds reports whether process pid has a descriptor that leads to one of the
// targets, in the words of the links in /proc/PID/fd: "socket:[4242]",
// "pipe:[17]", a path. An error says that a descriptor could not be read before
// one was found. It satisfies fs.ErrNotExist where there is no such process,
// and fs.ErrPermission where its descriptors may not be read.
func (f FS) Holds(pid int, targets ...string) (bool, error) {
	held, err := f.holds(pid, targets)
	if err != nil {
		return false, fmt.Errorf("cannot read the descriptors of process %d: %w", pid, err)
	}
	return held, nil
}

func (f FS) holds(pid int, targets []string) (bool, error) {
	path := filepath.Join(string(f), strconv.Itoa(pid), "fd")
	dir, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		target, err := os.Readlink(filepath.Join(path, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // closed meanwhile
		}
		if err != nil {
			return false, err
		}
		if slices.Contains(targets, target) {
			return true, nil
		}
	}
	return false, nil
}

// Own returns the path by which a process opens one of its own descriptors
// again.
func (f FS) Own(descriptor int) string {
	return filepath.Join(string(f), "self", "fd", strconv.Itoa(descriptor))
}
