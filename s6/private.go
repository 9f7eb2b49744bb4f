package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// poll is how often a supervisor that gives no notice is looked at.
const poll = 5 * time.Millisecond

// StartPrivate opens the tree of the scan directory as Attach does, starting
// an s6-svscan of its own if none serves it; started tells which it was. It
// needs no privileges. The s6-svscan has a session of its own and goes on when
// the caller ends, so that a later call finds it. It writes its diagnostics to
// the file .stderr in the scan directory, which is emptied when it is longer
// than 1 MiB. ctx bounds the start alone; the tree is the caller's to Close.
//
// An s6-svscan that was killed is replaced: by the next StartPrivate, or while
// a tree is open within a second. Its supervisors, services and loggers were
// not touched by its death and go on. Each hands over to the new s6-svscan
// when its service's process next ends, and only then: the pipe between a
// service and its logger is one that the dead s6-svscan made, and lives as long
// as the process that writes to it.
func StartPrivate(ctx context.Context, config TreeConfig) (t *SystemTree, started bool, err error) {
	t, err = openTree(config)
	if err != nil {
		return nil, false, err
	}
	if t.Served() != nil {
		if err := t.start(ctx); err != nil {
			return nil, false, errors.Join(fmt.Errorf("cannot start s6-svscan on %s: %w", t.layout.ScanDir, err), t.Close())
		}
		started = true
	}
	t.sweepNudges()
	t.keeper = startKeeper(t)
	return t, started, nil
}

// stderr returns the file that takes the diagnostics of s6-svscan.
func (t *SystemTree) stderr() string { return path.Join(t.layout.ScanDir, ".stderr") }

func (t *SystemTree) start(ctx context.Context) error {
	if err := makeWritable(t.layout.ScanDir); err != nil {
		return err
	}
	stderr, err := os.OpenFile(t.stderr(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer stderr.Close()
	// A link that leads nowhere aborts every scan of some versions.
	if err := t.unlinkDangling(true); err != nil {
		return err
	}
	cmd := exec.Command(t.tools.path("s6-svscan"), t.layout.ScanDir)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // how it ended is of no use to anybody
	}()
	for {
		if t.Served() == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("it ended at once; what it said is in %s", stderr.Name())
		case <-ctx.Done():
			_ = cmd.Process.Kill()
			return fmt.Errorf("it does not serve the directory: %w", context.Cause(ctx))
		case <-time.After(poll):
		}
	}
}

// scanner says who serves the scan directory.
func (t *SystemTree) scanner() (supervise.LockState, error) {
	return holder(path.Join(t.layout.ScanDir, ".s6-svscan", "lock"))
}

// pair is a service that the scan directory leads to, with the supervisors of
// itself and of its logger, and the process that has lost the former.
type pair struct {
	service               string
	supervisor, logSupers supervise.LockState
	stray                 supervise.LockState
	quiet                 time.Time // since when only its logger's side is left
}

func (p pair) ended() bool { return !p.supervisor.Held && !p.logSupers.Held && !p.stray.Held }

// pairs lists the services that the scan directory leads to.
func (t *SystemTree) pairs() (all []pair, err error) {
	entries, err := os.ReadDir(t.layout.ScanDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name()[0] == '.' {
			continue
		}
		p := pair{service: path.Join(t.layout.ScanDir, e.Name())}
		if err := t.look(&p); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func (t *SystemTree) look(p *pair) (err error) {
	if p.supervisor, err = t.Supervisor(p.service); errors.Is(err, syscall.ENOTDIR) {
		return nil // a file in the scan directory, which s6-svscan passes over
	} else if err != nil {
		return err
	}
	if p.logSupers, err = t.Supervisor(logger(p.service)); err != nil {
		return err
	}
	p.stray = supervise.LockState{}
	if !p.supervisor.Held {
		p.stray, err = t.Process(p.service)
	}
	switch {
	case p.supervisor.Held || p.stray.Held:
		p.quiet = time.Time{}
	case p.quiet.IsZero():
		p.quiet = time.Now()
	}
	return err
}
