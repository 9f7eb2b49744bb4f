package s6

import (
	"errors"
	"io/fs"
	"path"

	"github.com/evenkeel/evenkeel/fsm"
)

// create puts in place what is missing of the directory, the watch and the
// link.
func (d *driver) create(desired fsm.Desired[*Spec]) error {
	info, err := d.fs.Lstat(d.service)
	exists, err := found(err)
	if err != nil {
		return err
	}
	if exists {
		if err := theirs(d.service, info); err != nil {
			return err
		}
	}
	scan := d.tree.Rescan
	if !exists {
		if err := d.build(desired); err != nil {
			return err
		}
		// A supervisor of a directory that somebody removed has to end.
		scan = d.tree.Prune
	}
	// A directory that exists without them gets these too.
	if err := d.makeDirs(dirEvent, dirLog, dirLogEvent); err != nil {
		return err
	}
	if err := d.listen(); err != nil {
		return err
	}
	if exists && desired.State != Running {
		if err := d.stayDown(); err != nil {
			return err
		}
	}
	if err := d.fs.Symlink(d.service, d.paths.link); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return scan()
}

// stayDown keeps a service from being started by the next supervisor.
func (d *driver) stayDown() error {
	_, err := d.fs.Lstat(d.paths.down)
	if down, err := found(err); down || err != nil {
		return err
	}
	return d.fs.WriteFile(d.paths.down, nil, 0o644)
}

// nudge makes s6-svscan start what it owes, of which nothing begins that is not to
// run: it may have been put in place when it was.
func (d *driver) nudge(desired fsm.Desired[*Spec]) error {
	if desired.State != Running {
		if err := d.stayDown(); err != nil {
			return err
		}
	}
	return d.tree.Nudge()
}

// build makes the service directory under another name and renames it into
// place, so that nobody ever sees an incomplete one. All files are on disk before
// that: after a loss of power s6 starts the service from what is there, before
// any program looks. What is left of a directory before it goes first.
func (d *driver) build(desired fsm.Desired[*Spec]) error {
	files, err := d.render(desired.Spec)
	if err != nil {
		return err
	}
	rendered := len(files)
	problem, err := d.commandProblem(desired.Spec)
	if err != nil {
		return err
	}
	if desired.State != Running || problem != "" {
		files = append(files, file{fileDown, "", 0o644})
	}
	files = append(files, file{fileInstanceLock, "", 0o600}, file{fileStarted, "", 0o644}, file{fileUnfinished, "", 0o644}, file{fileBorder, "1\n", 0o644})
	if desired.Spec.policed() {
		files = append(files, file{fileCourse, freshCourse, 0o644})
	}
	dir := d.aside(asideNew)
	for _, left := range []string{dir, d.aside(asideGone)} {
		if err := d.fs.RemoveAll(left); err != nil {
			return err
		}
	}
	if err := d.fs.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, sub := range []string{dirEvent, dirData, dirEnv, dirConfig, dirLog, dirLogEvent} {
		if err := d.fs.Mkdir(path.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := d.fs.WriteFile(path.Join(dir, f.name), []byte(f.data), f.mode); err != nil {
			return err
		}
	}
	if err := d.fs.SyncAll(dir); err != nil {
		return err
	}
	if err := d.fs.Rename(dir, d.service); err != nil {
		return err
	}
	d.examined, d.intact, d.foreign, d.damage, d.made = true, true, "", "", d.wantProcess
	d.keep(files[:rendered])
	return nil
}
