package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// TreeConfig says which tree to open.
type TreeConfig struct {
	// ScanDir, ServicesDir and LogsDir are as in Layout. Relative paths begin
	// at the working directory. They must be three directories, none inside
	// another unless its name there begins with a dot.
	ScanDir, ServicesDir, LogsDir string
	// Tools are looked up as by FindTools if Dir is empty.
	Tools Tools
	// Later are services that do not start with the tree, though they were asked to
	// run before, but when they are asked again. It is for StartPrivate where no
	// s6-svscan runs.
	Later []string
}

func (c TreeConfig) layout() (l Layout, err error) {
	for _, d := range []struct {
		to   *string
		from string
	}{{&l.ScanDir, c.ScanDir}, {&l.ServicesDir, c.ServicesDir}, {&l.LogsDir, c.LogsDir}} {
		if d.from == "" {
			return l, errors.New("ScanDir, ServicesDir and LogsDir must all be given")
		}
		if *d.to, err = filepath.Abs(d.from); err != nil {
			return l, err
		}
	}
	dirs := []string{l.ScanDir, l.ServicesDir, l.LogsDir}
	for a, outer := range dirs {
		for b, inner := range dirs {
			if a != b && (inner == outer || strings.HasPrefix(inner, outer+"/") && inner[len(outer)+1] != '.') {
				return l, errors.New("ScanDir, ServicesDir and LogsDir must be three directories, none in another where a service could have its name")
			}
		}
	}
	return l, nil
}

// Attach opens the tree of an s6-svscan that runs already. It makes the
// services and logs directories if they are missing, and takes the lock that
// keeps a second program from managing the same services. The caller closes the
// tree.
//
// What lives of service directories that were deleted before ends some seconds
// later, unless a manager of the tree has asked for it by then.
//
// The error says in one sentence what is wrong and what to do: s6 is not
// installed, nobody serves the scan directory (supervise.ErrNotSupervised), a
// directory cannot be written, or can be written by others, another program
// holds the lock (*supervise.LockHeldError).
func Attach(config TreeConfig) (*SystemTree, error) {
	t, err := openTree(config)
	if err != nil {
		return nil, err
	}
	if err := t.Served(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	t.sweepNudges()
	t.attend()
	return t, nil
}

// StartPrivate opens the tree of the scan directory as Attach does, and starts
// an s6-svscan of its own if none serves it; started tells whether it did. It
// needs no privileges. The s6-svscan has a session of its own and goes on when
// the caller ends, so that a later call finds it. It writes its diagnostics to
// the file .stderr in the scan directory, which is emptied when it is longer
// than 1 MiB. It takes 10,000 services, and its limit on open files is raised for
// them as far as may be. ctx bounds the start alone. The caller closes the tree.
//
// An s6-svscan that was killed is replaced: by the next StartPrivate, or within
// a second while a tree is open. Its supervisors, services and loggers are not
// touched by its death and go on. Each of them hands over to the new s6-svscan
// when its service's process next ends, and no sooner: the pipe between a
// service and its logger was made by the dead s6-svscan, and lives as long as
// the process that writes to it and its supervisor.
func StartPrivate(ctx context.Context, config TreeConfig) (t *SystemTree, started bool, err error) {
	t, err = openTree(config)
	if err != nil {
		return nil, false, err
	}
	if t.Served() != nil {
		if err := t.begin(ctx, config.Later); err != nil {
			return nil, false, errors.Join(fmt.Errorf("cannot start s6-svscan on %s: %w", t.layout.ScanDir, err), t.Close())
		}
		started = true
	}
	t.sweepNudges()
	t.attend()
	t.keeper = startBackground(t.keep)
	return t, started, nil
}

// newTree returns a tree that nothing has been done for.
func newTree(config TreeConfig) (t *SystemTree, err error) {
	t = &SystemTree{}
	if config.Tools.Dir == "" {
		t.tools, err = FindTools()
	} else {
		t.tools, err = findTools(config.Tools.Dir)
	}
	if err != nil {
		return nil, err
	}
	if t.layout, err = config.layout(); err != nil {
		return nil, fmt.Errorf("cannot open a tree: %w", err)
	}
	return t, nil
}

func openTree(config TreeConfig) (t *SystemTree, err error) {
	if t, err = newTree(config); err != nil {
		return nil, err
	}
	_, _, _ = t.Shortage() // from now on it is counted, where that can be
	for _, dir := range []string{t.layout.ServicesDir, t.layout.LogsDir} {
		if err := makeWritable(dir); err != nil {
			return nil, err
		}
	}
	if err := t.checkTrust(); err != nil {
		return nil, err
	}
	if t.lock, err = supervise.AcquireLock(t.layout.managerLock()); err != nil {
		return nil, fmt.Errorf("cannot manage the services in %s: %w", t.layout.ServicesDir, err)
	}
	t.sweep()
	t.remains.asked.begin()
	t.burial = startBackground(t.bury)
	return t, nil
}

// checkTrust refuses a tree in which others may write.
func (t *SystemTree) checkTrust() error {
	for _, dir := range []string{t.layout.ScanDir, t.layout.ServicesDir, t.layout.LogsDir} {
		if err := checkTrust(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot open a tree: %w", err)
		}
	}
	return nil
}

// Close releases the tree's lock. All services go on.
func (t *SystemTree) Close() error {
	t.keeper.end()
	t.burial.end()
	ctx, cancel := context.WithTimeout(context.Background(), nudgePatience)
	defer cancel()
	t.nudges.end(ctx)
	t.scanNext()
	t.checkers.end(ctx)
	var err error
	if t.notifier != nil {
		err = t.notifier.Close()
	}
	return errors.Join(err, t.lock.Close())
}
