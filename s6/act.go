package s6

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Do implements fsm.Driver.
func (d *driver) Do(_ context.Context, action fsm.Action, desired fsm.Desired[*Spec]) error {
	switch action {
	case actCreate:
		return d.create(desired)
	case actNudge:
		return d.tree.Nudge()
	case actWrite:
		return d.write(desired.Spec)
	case actUp:
		return d.up()
	case actDown:
		return d.down(desired.Spec)
	case actRestart:
		return d.restart(desired.Spec)
	case actEndStray:
		return d.endStray(desired.Spec)
	case actFreshLogger:
		return d.tree.Control(d.paths.logger, supervise.CommandExit)
	case actRemove:
		if desired.State != fsm.StateRemoved {
			// What is asked for is the next of its name.
			return d.remove(nil)
		}
		return d.remove(desired.Spec)
	}
	return fsm.Permanent(fmt.Errorf("no action %q", action))
}

// The names under which directories are built and taken apart.
const (
	asideNew  = "new"
	asideGone = "gone"
)

// aside returns the name beside a service directory under which one is built
// or taken apart. No instance and no service can have it, for it begins with a
// dot.
func (d *driver) aside(what string) string {
	return path.Join(d.tree.Layout().ServicesDir, "."+what+"-"+d.name)
}

// create puts in place what is missing of the directory, the watch and the
// link.
func (d *driver) create(desired fsm.Desired[*Spec]) error {
	_, err := d.fs.Lstat(d.service)
	exists, err := found(err)
	if err != nil {
		return err
	}
	scan := d.tree.Rescan
	if !exists {
		if err := d.build(desired); err != nil {
			return err
		}
		// What supervised a directory that somebody took away has to end.
		scan = d.tree.Prune
	}
	// A directory that exists but was left without them gets these too.
	for _, dir := range []string{d.service, logger(d.service)} {
		if err := d.fs.MkdirAll(path.Join(dir, "event"), 0o700); err != nil {
			return err
		}
	}
	if err := d.listen(); err != nil {
		return err
	}
	link := d.tree.Layout().Link(d.name)
	if err := d.fs.Symlink(d.service, link); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return scan()
}

// build makes the service directory under another name and renames it into
// place, so that nobody ever sees a part of it.
func (d *driver) build(desired fsm.Desired[*Spec]) error {
	files, err := d.render(desired.Spec)
	if err != nil {
		return err
	}
	problem, err := d.commandProblem(desired.Spec)
	if err != nil {
		return err
	}
	if desired.State != Running || problem != "" {
		files = append(files, file{fileDown, "", 0o644})
	}
	files = append(files, file{fileInstanceLock, "", 0o600}, file{fileStarted, "", 0o644})
	dir := d.aside(asideNew)
	if err := d.fs.RemoveAll(dir); err != nil {
		return err
	}
	if err := d.fs.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, sub := range []string{"event", "data", dirEnv, dirConfig, "log", "log/event"} {
		if err := d.fs.Mkdir(path.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := d.fs.WriteFile(path.Join(dir, f.name), []byte(f.data), f.mode); err != nil {
			return err
		}
	}
	if err := d.fs.Rename(dir, d.service); err != nil {
		return err
	}
	d.examined, d.intact = true, true
	return nil
}

// listen watches the service's events, anew where the old watch has lost its
// directory.
func (d *driver) listen() error {
	if d.watch != nil && d.watch.Linked() {
		return nil
	}
	if err := d.Close(); err != nil {
		return err
	}
	watch, err := d.tree.Watch(d.service, func(e supervise.Event) {
		switch e {
		case supervise.EventFailed:
			d.failed.Store(true)
		case supervise.EventUp:
			d.failed.Store(false)
		}
		d.wake()
	})
	if err != nil {
		return err
	}
	d.watch = watch
	return nil
}

// write brings the files of a service directory up to date. The hash goes
// first and comes back last, so that a half-written directory is known as one.
func (d *driver) write(spec *Spec) error {
	files, err := d.render(spec)
	if err != nil {
		return err
	}
	for _, dir := range []string{"data", dirEnv, dirConfig, "log"} {
		if err := d.fs.MkdirAll(path.Join(d.service, dir), 0o700); err != nil {
			return err
		}
	}
	if err := d.disown(); err != nil {
		return err
	}
	err = d.fs.Remove(path.Join(d.service, fileHash))
	whole, err := found(err)
	if err != nil {
		return err
	}
	if err := d.mark(spec, files); err != nil {
		return err
	}
	if err := d.clear(files); err != nil {
		return err
	}
	// Where an earlier write was cut short it is not known how far it came.
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
		// s6-log ends at the end of a line; what comes meanwhile waits in the
		// pipe, which s6-svscan holds.
		if err := d.tree.Control(logger(d.service), supervise.CommandTerm); err != nil && !errors.Is(err, supervise.ErrNotSupervised) {
			return err
		}
	}
	if _, err := d.replace(files[hash]); err != nil {
		return err
	}
	d.examined, d.intact = true, true
	return nil
}

// mark has a process that starts while the files change count as started from
// something else: it might be given some of before and some of after.
func (d *driver) mark(spec *Spec, files []file) error {
	run := files[slices.IndexFunc(files, func(f file) bool { return f.name == fileRun })]
	data, err := d.fs.ReadFile(path.Join(d.service, run.name))
	if err == nil && string(data) == run.data {
		return nil // nothing changes that reaches the process
	}
	run.data = strings.Replace(run.data, spec.processHash(), strings.Repeat("0", hashSize), 1)
	_, err = d.replace(run)
	return err
}

// replace writes a file unless it is as it is to be.
func (d *driver) replace(f file) (changed bool, err error) {
	name := path.Join(d.service, f.name)
	old, err := d.fs.ReadFile(name)
	if err == nil && string(old) == f.data {
		return false, nil
	}
	return true, d.fs.ReplaceFile(name, []byte(f.data), f.mode)
}

// disown has a process whose start could not say what it was started from
// count as started from something else, before the files change.
func (d *driver) disown() error {
	status, err := d.tree.Status(d.service)
	if ok, err := found(err); err != nil || !ok || !status.Up() {
		return err
	}
	if started, err := d.readStarted(status.PID); err != nil || started != "" {
		return err
	}
	unknown := fmt.Sprintf("%0*d %d\n", hashSize, 0, status.PID)
	return d.fs.WriteFile(path.Join(d.service, fileStarted), []byte(unknown), 0o644)
}

// clear removes the files that a spec can call for and this one does not, and
// what a ReplaceFile that was killed has left. What else the process has made in
// config/ is its own.
func (d *driver) clear(files []file) error {
	optional := []string{"notification-fd", "down-signal", "finish", "data/check"}
	before, err := readManifest(d.fs, d.service)
	if err != nil {
		return err
	}
	if before != nil {
		for name := range before.Spec.ConfigFiles {
			optional = append(optional, path.Join(dirConfig, name))
		}
	}
	for _, dir := range []string{dirEnv, dirConfig, "data", "log", "."} {
		entries, err := d.fs.ReadDir(path.Join(d.service, dir))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if dir == dirEnv || strings.HasPrefix(e.Name(), ".tmp-") {
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
	return nil
}

func (d *driver) up() error {
	if err := d.fs.Remove(path.Join(d.service, fileDown)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	d.failed.Store(false)
	return d.tree.Control(d.service, supervise.CommandUp)
}

// readManifest returns what a service directory says it was made from, nil if
// it has no manifest or none that can be understood.
func readManifest(fsys filesystem.FS, service string) (*manifest, error) {
	data, err := fsys.ReadFile(path.Join(service, fileManifest))
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, nil // a file has the name, or data: it is somebody else's
	}
	if ok, err := found(err); err != nil || !ok {
		return nil, err
	}
	var m manifest
	if json.Unmarshal(data, &m) != nil || m.Version != manifestVersion || m.Spec == nil || len(m.Spec.Command) == 0 {
		return nil, nil
	}
	return &m, nil
}
