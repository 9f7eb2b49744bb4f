package proc

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Touch is a process that works in a directory or has files in it open.
type Touch struct {
	PID int
	// Dir is where it works, if that is in the directory, and Open what it has
	// open there, in the words of the links in /proc: what was deleted has
	// " (deleted)" after it.
	Dir  string
	Open []string
}

// Touching returns the processes that work below a directory or have something
// below it open, in no order. A process that may not be looked into is left out,
// and so is this one.
func (f FS) Touching(dir string) ([]Touch, error) {
	pids, err := f.PIDs()
	if err != nil {
		return nil, err
	}
	prefix := strings.TrimSuffix(dir, "/") + "/"
	var all []Touch
	for _, pid := range pids {
		if pid == os.Getpid() {
			continue
		}
		t := Touch{PID: pid}
		path := filepath.Join(string(f), strconv.Itoa(pid))
		if in, err := os.Readlink(filepath.Join(path, "cwd")); err == nil && strings.HasPrefix(in, prefix) {
			t.Dir = in
		}
		descriptors, _ := os.ReadDir(filepath.Join(path, "fd"))
		for _, d := range descriptors {
			if file, err := os.Readlink(filepath.Join(path, "fd", d.Name())); err == nil && strings.HasPrefix(file, prefix) {
				t.Open = append(t.Open, file)
			}
		}
		if t.Dir != "" || t.Open != nil {
			all = append(all, t)
		}
	}
	return all, nil
}
