package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Served implements Tree.
func (t *SystemTree) Served() error {
	if err := unix.Access(t.layout.ScanDir, unix.W_OK|unix.X_OK); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot write in the scan directory %s: %w: run as the user of s6-svscan", t.layout.ScanDir, err)
	}
	if err := supervise.WriteControl[supervise.ScanCommand](t.layout.scanControl()); err != nil {
		return t.unserved(err)
	}
	return nil
}

func (t *SystemTree) unserved(err error) error {
	return fmt.Errorf("no s6-svscan serves %s: start one with \"s6-svscan %[1]s\", or give the directory of one that runs: %w", t.layout.ScanDir, err)
}

// scanned is Served for who may not write: it asks for the lock that an s6-svscan
// holds.
func (t *SystemTree) scanned() error {
	scanner, err := t.scanner()
	if err == nil && !scanner.Held {
		err = t.unserved(supervise.ErrNotSupervised)
	}
	return err
}

// scanner returns who serves the scan directory.
func (t *SystemTree) scanner() (supervise.LockState, error) {
	return holder(t.layout.scanLock())
}

// Rescan implements Tree.
func (t *SystemTree) Rescan() error { return t.scan(false) }

// Prune implements Tree.
func (t *SystemTree) Prune() error { return t.scan(true) }

// calm waits until the last scan that this tree asked for is certainly over. One
// that was to follow is not asked for.
func (t *SystemTree) calm(ctx context.Context) error {
	last := t.forgetScan()
	if last.IsZero() {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Until(last.Add(scanTime))):
		return nil
	}
}

// unlinkDangling removes links in the scan directory that lead nowhere: all of
// them, or only those into this tree's services. The error names a link of
// somebody else.
func (t *SystemTree) unlinkDangling(all bool) error {
	entries, err := os.ReadDir(t.layout.ScanDir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if e.Type() == os.ModeSymlink && !strings.HasPrefix(e.Name(), ".") {
			errs = append(errs, t.unlinkIfDangling(path.Join(t.layout.ScanDir, e.Name()), all))
		}
	}
	return errors.Join(errs...)
}

func (t *SystemTree) unlinkIfDangling(link string, all bool) error {
	if _, err := os.Stat(link); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	target, err := os.Readlink(link)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !all && path.Dir(target) != t.layout.ServicesDir {
		return fmt.Errorf("%s leads nowhere, which keeps some versions of s6-svscan from starting anything: remove it", link)
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
