package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

// ReadPipes returns the descriptors of a process, apart from the standard ones,
// by which it reads pipes that it does not write itself: numbers to what they
// lead to. The error is as that of Holds.
func (f FS) ReadPipes(pid int) (map[int]string, error) {
	pipes, err := f.readPipes(pid)
	if err != nil {
		return nil, fmt.Errorf("cannot read the descriptors of process %d: %w", pid, err)
	}
	return pipes, nil
}

func (f FS) readPipes(pid int) (map[int]string, error) {
	path := filepath.Join(string(f), strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	pipes, written := make(map[int]string), make(map[string]bool)
	for _, e := range entries {
		link := filepath.Join(path, e.Name())
		target, err := os.Readlink(link)
		if err == nil && !strings.HasPrefix(target, "pipe:[") {
			continue
		}
		var info fs.FileInfo
		if err == nil {
			info, err = os.Lstat(link)
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue // closed meanwhile
		}
		if err != nil {
			return nil, err
		}
		// The link can be read where the descriptor can, and written likewise.
		if info.Mode()&0o200 != 0 {
			written[target] = true
		}
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 2 {
			pipes[n] = target
		}
	}
	maps.DeleteFunc(pipes, func(_ int, target string) bool { return written[target] })
	return pipes, nil
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
