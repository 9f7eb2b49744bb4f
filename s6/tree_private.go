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

	"golang.org/x/sys/unix"
)

// begin starts an s6-svscan that does not start some of the services.
func (t *SystemTree) begin(ctx context.Context, later []string) error {
	if err := t.holdDown(later); err != nil {
		return err
	}
	return t.start(ctx)
}

// holdDown keeps services from being started by the s6-svscan that is about to
// begin: until they are asked to run. One that cannot be told so, as on a full disk,
// is taken out of the scan directory. Its manager puts it back, or says why not.
func (t *SystemTree) holdDown(names []string) error {
	for _, name := range names {
		err := t.keepDown(name)
		if err == nil {
			continue
		}
		if unlinked := t.FS().Remove(t.layout.Link(name)); unlinked != nil && !errors.Is(unlinked, fs.ErrNotExist) {
			return fmt.Errorf("cannot keep %s from being started with the tree: %w", name, errors.Join(err, unlinked))
		}
	}
	return nil
}

// keepDown tells a service to stay down, unless it runs, whatever its supervisor
// does, or is not there.
func (t *SystemTree) keepDown(name string) error {
	service := t.layout.Service(name)
	if process, err := t.Process(service); err != nil || process.Held {
		return err
	}
	_, err := found(t.FS().WriteFile(path.Join(service, fileDown), nil, 0o644))
	return err
}

// start starts an s6-svscan, and waits until it serves the scan directory.
func (t *SystemTree) start(ctx context.Context) error {
	if err := makeWritable(t.layout.ScanDir); err != nil {
		return err
	}
	if err := errors.Join(checkTrust(t.layout.ScanDir), checkEntries(t.layout.ScanDir)); err != nil {
		return err
	}
	stderr, err := os.OpenFile(t.layout.scanStderr(), os.O_CREATE|os.O_APPEND|os.O_WRONLY|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	defer stderr.Close()
	// In some versions a link that leads nowhere aborts every scan.
	if err := t.unlinkDangling(true); err != nil {
		return err
	}
	command := t.scanCommand()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // how it ended does not matter
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

// makeWritable makes a directory if it is missing, and refuses one that cannot
// be written.
func makeWritable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot make the directory %s: %w: give one that this user can write", dir, err)
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("cannot write in %s: %w: give one that this user can write", dir, err)
	}
	return nil
}

// maxStderr is how much of the diagnostics of s6-svscan and s6-supervise is
// kept.
const maxStderr = 1 << 20

// trimStderr empties the file of diagnostics when it is too long: it gets a
// line every second about a supervisor that cannot hand over yet. All who write
// to the file append.
func (t *SystemTree) trimStderr() {
	file, err := os.OpenFile(t.layout.scanStderr(), os.O_WRONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > maxStderr {
		_ = file.Truncate(0)
	}
}
