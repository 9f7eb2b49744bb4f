package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memoryCgroups are where cgroups are mounted that limit memory, and the file in each
// cgroup that counts who was ended: of version 2, and of version 1.
var memoryCgroups = []struct{ controller, mount, file string }{
	{"", "/sys/fs/cgroup", "memory.events"},
	{"memory", "/sys/fs/cgroup/memory", "memory.oom_control"},
}

// OOMKills returns how many processes the kernel has ended for want of memory, since
// whoever counts has begun: in this process's own memory cgroup, that of its
// container for instance, or, where there is none, on the whole machine.
func (f FS) OOMKills() (n uint64, err error) {
	groups, err := os.ReadFile(filepath.Join(string(f), "self", "cgroup"))
	if err != nil {
		return 0, fmt.Errorf("cannot find out in which cgroup this is: %w", err)
	}
	files := append(memoryFiles(string(groups)), filepath.Join(string(f), "vmstat"))
	for _, file := range files {
		text, failed := os.ReadFile(file)
		if failed == nil {
			if n, failed = counted(string(text), "oom_kill"); failed == nil {
				return n, nil
			}
		}
		err = errors.Join(err, failed)
	}
	return 0, fmt.Errorf("cannot tell how many processes were ended for want of memory: %w", err)
}

// memoryFiles returns the files that may count for a process, by its lines in
// /proc/PID/cgroup: ID:CONTROLLERS:PATH, with no controllers for version 2. In a
// container its cgroup may be mounted as the root, whatever its path is.
func memoryFiles(groups string) (files []string) {
	for line := range strings.Lines(groups) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) < 3 {
			continue
		}
		for _, c := range memoryCgroups {
			if parts[1] == c.controller {
				files = append(files, filepath.Join(c.mount, parts[2], c.file), filepath.Join(c.mount, c.file))
			}
		}
	}
	return files
}

// counted returns the number behind a word at the beginning of a line.
func counted(text, word string) (uint64, error) {
	for line := range strings.Lines(text) {
		if value, is := strings.CutPrefix(line, word+" "); is {
			return strconv.ParseUint(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s is not counted", word)
}
