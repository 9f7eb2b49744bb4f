package s6

import (
	"fmt"
	"path"
)

// Begun reports whether the named service has been started: its process runs or
// is about to be started again, whoever supervises it or is to, or it has come to
// its end with this spec. It is for those who start services one after the other,
// and find some that an earlier run of the program has left.
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
	} else if starts, err := startsByItself(tree, name); starts || err != nil {
		return starts, err
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

// startsByItself reports whether a service that has no supervisor starts with the
// next one.
func startsByItself(tree Tree, name string) (bool, error) {
	service := tree.Layout().Service(name)
	for _, there := range []string{service, tree.Layout().Link(name)} {
		_, err := tree.FS().Stat(there)
		if ok, err := found(err); !ok {
			return false, err
		}
	}
	_, err := tree.FS().Stat(path.Join(service, fileDown))
	down, err := found(err)
	return !down && err == nil, err
}
