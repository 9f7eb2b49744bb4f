package s6

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Unstartable implements Tree: a mount with noexec leaves no other trace than a
// complaint.
func (t *SystemTree) Unstartable(service string) (string, error) {
	run := path.Join(service, fileRun)
	if err := unix.Faccessat(unix.AT_FDCWD, run, unix.X_OK, unix.AT_EACCESS); !errors.Is(err, unix.EACCES) {
		return "", nil // what else is wrong with the file is seen elsewhere
	}
	var mount unix.Statfs_t
	err := unix.Statfs(run, &mount)
	if errors.Is(err, fs.ErrNotExist) || err == nil && mount.Flags&unix.ST_NOEXEC == 0 {
		return "", nil
	}
	if err != nil {
		return "", &os.PathError{Op: "statfs", Path: run, Err: err}
	}
	return run + " is on a mount with noexec: mount that with exec, or give a services directory elsewhere", nil
}

// Complaint implements Tree. What s6-supervise says is kept in a private tree
// only.
func (t *SystemTree) Complaint(service string) (string, error) {
	file, err := os.Open(t.layout.scanStderr())
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	const enough = 64 << 10
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	said, err := io.ReadAll(io.NewSectionReader(file, max(0, info.Size()-enough), enough))
	if err != nil {
		return "", err
	}
	return complaint(string(said), path.Base(service)), nil
}

// complaint returns the last line about a service that says what s6-supervise
// was unable to do. That it waits follows after the cause. It also says that it
// kills a finish script, or that another supervisor has the directory: those
// are no causes.
func complaint(said, service string) string {
	lines := strings.Split(strings.TrimSuffix(said, "\n"), "\n")
	for n := len(lines) - 1; n >= 0; n-- {
		for _, who := range []string{"s6-supervise %s: ", "s6-supervise %s (child): "} {
			what, ok := strings.CutPrefix(lines[n], fmt.Sprintf(who, service))
			if ok && strings.Contains(what, "unable to ") && !strings.Contains(what, " - waiting ") {
				return what
			}
		}
	}
	return ""
}
