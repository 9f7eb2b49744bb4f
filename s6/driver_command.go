package s6

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
)

// commandProblem says why the command cannot be started, "" if there is no
// reason.
func (d *driver) commandProblem(spec *Spec) (string, error) {
	program := spec.Command[0]
	switch {
	case path.IsAbs(program):
		return d.executable(program)
	case path.Base(program) != program:
		return d.executable(path.Join(spec.workingDir(d.service), program))
	}
	search, ok := spec.Env["PATH"]
	if !ok {
		search = os.Getenv("PATH")
	}
	for _, dir := range filepath.SplitList(search) {
		if !path.IsAbs(dir) {
			dir = path.Join(spec.workingDir(d.service), dir)
		}
		problem, err := d.executable(path.Join(dir, program))
		if problem == "" || err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s is not in PATH (%s)", program, search), nil
}

// executable says why a path does not lead to a program.
func (d *driver) executable(program string) (problem string, err error) {
	info, err := d.fs.Stat(program)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return program + " does not exist", nil
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOTDIR),
		errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ENAMETOOLONG):
		return fmt.Sprintf("%s cannot be looked at: %v", program, errors.Unwrap(err)), nil
	case err != nil:
		return "", err
	case info.IsDir():
		return program + " is a directory", nil
	case info.Mode().Perm()&0o111 == 0:
		return program + " is not executable", nil
	}
	return "", nil
}
