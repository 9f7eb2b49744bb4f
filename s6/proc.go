package s6

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
)

// parentOf returns the parent of a process, from the fourth field of
// /proc/PID/stat; the second, in parentheses, may hold anything.
func parentOf(pid int) (int, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0, fmt.Errorf("cannot read /proc/%d/stat: it ends early", pid)
	}
	return strconv.Atoi(string(fields[1]))
}

// holdsPipe reports whether a process has a pipe open, by its name in /proc.
func holdsPipe(pid int, pipe string) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	entries, err := os.ReadDir(dir)
	if err != nil || !strings.HasPrefix(pipe, "pipe:[") {
		return false
	}
	for _, e := range entries {
		if link, err := os.Readlink(path.Join(dir, e.Name())); err == nil && link == pipe {
			return true
		}
	}
	return false
}
