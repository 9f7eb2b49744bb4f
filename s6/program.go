package s6

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"github.com/evenkeel/evenkeel/filesystem"
)

// lookUp returns the file that a program of the service is, or says why it cannot
// be started.
func (s *Spec) lookUp(fsys filesystem.FS, service, program string) (file, problem string, err error) {
	dir := s.workingDir(service)
	if path.Base(program) != program {
		if !path.IsAbs(program) {
			program = path.Join(dir, program)
		}
		problem, err = executable(fsys, program)
		return program, problem, err
	}
	search, ok := s.Env["PATH"]
	if !ok {
		search = os.Getenv("PATH")
	}
	for _, in := range filepath.SplitList(search) {
		if !path.IsAbs(in) {
			in = path.Join(dir, in)
		}
		file = path.Join(in, program)
		problem, err = executable(fsys, file)
		if problem == "" || err != nil {
			return file, "", err
		}
	}
	return "", fmt.Sprintf("%s is not in PATH (%s)", program, search), nil
}

// executable says why a path does not lead to a program.
func executable(fsys filesystem.FS, program string) (problem string, err error) {
	info, err := fsys.Stat(program)
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
