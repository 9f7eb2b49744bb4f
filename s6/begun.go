package s6

import (
	"fmt"
	"path"
)

// Begun reports whether the named service has been started: its process runs or
// is about to be started again, whoever supervises it, or it has come to its end
// with this spec. It is for those who start services one after the other, and find
// some that an earlier run of the program has left.
func Begun(tree Tree, name string, spec *Spec) (begun bool, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot find out whether %s has been started: %w", name, err)
		}
	}()
	service := tree.Layout().Service(name)
	process, err := tree.Process(service)
	if err != nil || process.Held {
		return process.Held, err
	}
	supervisor, err := tree.Supervisor(service)
	if err != nil {
		return false, err
	}
	if supervisor.Held {
		status, err := tree.Status(service)
		if ok, err := written(err); err != nil || ok && (status.Up() || status.WantUp) {
			return err == nil, err
		}
	}
	if !spec.policed() {
		return false, nil
	}
	text, err := tree.FS().ReadFile(path.Join(service, fileCourse))
	if _, err := found(err); err != nil {
		return false, err
	}
	return parseCourse(string(text)).verdict(spec, spec.processHash()) != "", nil
}
