package s6

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// write brings the files of a service directory up to date. The hash is removed
// first and written last, so that a half-written directory is recognised.
func (d *driver) write(spec *Spec) error {
	files, err := d.render(spec)
	if err != nil {
		return err
	}
	info, err := d.fs.Lstat(d.service)
	if err != nil {
		return err
	}
	if err := theirs(d.service, info); err != nil {
		return err
	}
	d.examined = false // if this is cut short
	if err := d.unlink(dirData, dirEnv, dirConfig, dirLog, fileStarted, fileInstanceLock, fileCourse, filePauses); err != nil {
		return err
	}
	if err := d.makeDirs(dirData, dirEnv, dirConfig, dirLog); err != nil {
		return err
	}
	if err := d.disown(spec); err != nil {
		return err
	}
	err = d.fs.Remove(path.Join(d.service, fileHash))
	whole, err := found(err)
	if err != nil {
		return err
	}
	if err := d.cover(spec, files); err != nil {
		return err
	}
	if err := d.clear(spec, files); err != nil {
		return err
	}
	// If an earlier write was cut short, it is not known how far it came.
	logChanged := !whole
	hash := len(files) - 1
	for _, f := range files[:hash] {
		changed, err := d.replace(f)
		if err != nil {
			return err
		}
		logChanged = logChanged || changed && f.name == fileLogRun
	}
	if logChanged {
		// s6-log ends at the end of a line. What comes meanwhile waits in the
		// pipe, which s6-svscan holds.
		if err := d.tree.Control(logger(d.service), supervise.CommandTerm); err != nil && !errors.Is(err, supervise.ErrNotSupervised) {
			return err
		}
	}
	if _, err := d.replace(files[hash]); err != nil {
		return err
	}
	d.examined, d.intact, d.damage, d.made = true, true, "", d.wantProcess
	d.keep(files)
	return nil
}

// cover makes a process that starts while the files change count as started from
// something else: it might get some of the old files and some of the new ones.
func (d *driver) cover(spec *Spec, files []file) error {
	run := files[slices.IndexFunc(files, func(f file) bool { return f.name == fileRun })]
	data, err := d.fs.ReadFile(path.Join(d.service, run.name))
	if err == nil && string(data) == run.data {
		return nil // nothing changes that reaches the process
	}
	run.data = strings.Replace(run.data, spec.processHash(), startedUnknown, 1)
	if _, err := d.replace(run); err != nil {
		return err
	}
	return d.disownWaiting()
}

// disownWaiting makes a copy that waits for the instance lock count as started
// from something else, whatever its start has said: it reads files once it has
// the lock.
func (d *driver) disownWaiting() error {
	status, err := d.tree.Status(d.service)
	if ok, err := written(err); err != nil || !ok || !status.Up() {
		return err
	}
	process, err := d.tree.Process(d.service)
	if err != nil || process.PID == status.PID {
		return err
	}
	return d.mark(startedWaiting, &status)
}

// makeDirs makes directories in the service directory that are missing, an outer one
// before those in it. A service directory that somebody has deleted meanwhile is not
// made again: its supervisor would start what is only half there.
func (d *driver) makeDirs(dirs ...string) error {
	for _, dir := range dirs {
		dir = path.Join(d.service, dir)
		_, err := d.fs.Lstat(dir)
		there, err := found(err)
		if err == nil && !there {
			err = d.fs.Mkdir(dir, 0o700)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// replace writes a file unless it is right already.
func (d *driver) replace(f file) (changed bool, err error) {
	name := path.Join(d.service, f.name)
	old, err := d.fs.ReadFile(name)
	if err == nil && string(old) == f.data {
		info, err := d.fs.Lstat(name)
		if err == nil && (f.mode&0o100 == 0 || info.Mode()&0o100 != 0) {
			return false, nil
		}
	}
	return true, d.fs.ReplaceFile(name, []byte(f.data), f.mode)
}

// disown makes a process whose start has not said what it was started from
// count as started from something else, before the files change. It does not where
// the files have one started from what is wanted already: then nothing changes for
// it.
func (d *driver) disown(spec *Spec) error {
	run, err := d.fs.ReadFile(path.Join(d.service, fileRun))
	if err == nil && strings.Contains(string(run), spec.processHash()) {
		return nil
	}
	status, err := d.tree.Status(d.service)
	if ok, err := written(err); err != nil || !ok || !status.Up() {
		return err
	}
	if started, err := d.readStarted(&status); err != nil || started != "" {
		return err
	}
	return d.mark(startedUnknown, &status)
}

// unlink removes links where files and directories of this package are to be:
// what is written there would be written elsewhere.
func (d *driver) unlink(names ...string) error {
	for _, name := range names {
		name = path.Join(d.service, name)
		info, err := d.fs.Lstat(name)
		there, err := found(err)
		if err == nil && there && info.Mode().Type() == fs.ModeSymlink {
			err = d.fs.Remove(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mark records what a running process counts as started from, whatever its start
// says. Where there is no room for that, what was recorded before stays.
func (d *driver) mark(as string, of *supervise.Status) error {
	d.marks = marks{} // if this fails half-way
	err := d.fs.ReplaceFile(d.paths.marked, []byte(as+" "+identity(of)+"\n"), 0o644)
	if err == nil {
		d.marks = marks{true, as, identity(of)}
	}
	return err
}

// clear removes the files that a spec can call for and this one does not, and
// those that a killed ReplaceFile has left. Other files in config/ belong to
// the process.
func (d *driver) clear(spec *Spec, files []file) error {
	optional := []string{fileNotificationFD, fileDownSignal, fileCheck}
	before, err := untorn(readManifest(d.fs, d.service))
	if err != nil {
		return err
	}
	if before != nil {
		if before.Spec.Check.Restart && !spec.Check.Restart {
			optional = append(optional, fileHung)
		}
		for _, name := range slices.Sorted(maps.Keys(before.Spec.ConfigFiles)) {
			optional = append(optional, path.Join(dirConfig, name))
		}
	}
	for _, dir := range []string{dirEnv, dirConfig, dirData, dirLog, "."} {
		entries, err := d.fs.ReadDir(path.Join(d.service, dir))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if dir == dirEnv || strings.HasPrefix(e.Name(), filesystem.TempPrefix) {
				optional = append(optional, path.Join(dir, e.Name()))
			}
		}
	}
	for _, name := range optional {
		if slices.ContainsFunc(files, func(f file) bool { return f.name == name }) {
			continue
		}
		if err := d.fs.Remove(path.Join(d.service, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return d.setCourse(spec)
}
