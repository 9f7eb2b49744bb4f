package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// TreeConfig says which tree to open.
type TreeConfig struct {
	// ScanDir, ServicesDir and LogsDir as in Layout. Relative paths are taken
	// from the working directory. They must be three directories, and none in
	// another unless its name there begins with a dot.
	ScanDir, ServicesDir, LogsDir string
	// Tools; where Dir is empty they are looked up as FindTools does.
	Tools Tools
}

// SystemTree is the supervision tree of an s6-svscan process.
type SystemTree struct {
	layout Layout
	tools  Tools
	lock   *supervise.Lock

	lastScan atomic.Pointer[time.Time]
	keeper   *keeper // of a private tree
	nudges   nudges
}

var _ Tree = (*SystemTree)(nil)

// toolDirs are where s6 is where it is not in PATH: under s6-overlay, built
// with slashpackage, from a distribution's package.
var toolDirs = []string{"/command", "/usr/bin", "/bin", "/usr/local/bin"}

// neededTools are the programs that services and private trees are run with.
var neededTools = []string{"s6-svscan", "s6-supervise", "s6-log", "s6-setlock", "s6-envdir", "s6-softlimit", "s6-setuidgid", "s6-notifyoncheck"}

// FindTools returns where s6 is installed: where PATH leads to s6-svscan, or
// else under s6-overlay, or where packages put it. The error says which program is
// missing and what to install.
func FindTools() (Tools, error) {
	dirs := toolDirs
	if found, err := exec.LookPath("s6-svscan"); err == nil {
		dirs = append([]string{filepath.Dir(found)}, dirs...)
	}
	return findTools(dirs...)
}

// findTools returns the first directory that has all that is needed.
func findTools(dirs ...string) (Tools, error) {
	var missing []string
	for _, dir := range dirs {
		lacks := slices.IndexFunc(neededTools, func(program string) bool {
			_, err := exec.LookPath(filepath.Join(dir, program))
			return err != nil
		})
		if lacks < 0 {
			return Tools{Dir: dir}, nil
		}
		missing = append(missing, filepath.Join(dir, neededTools[lacks]))
	}
	return Tools{}, fmt.Errorf("s6 is not installed (there is no %s): install the package s6, on Debian and Ubuntu with \"apt-get install s6 execline\"",
		strings.Join(missing, ", no "))
}

// Attach opens the tree of an s6-svscan that runs already, makes the services
// and logs directories where they are missing, and takes the lock that keeps a
// second program from managing the same services. The caller closes the tree.
//
// The error says in one sentence what is wrong and what to do: s6 is not
// installed, nobody serves the scan directory (supervise.ErrNotSupervised), a
// directory cannot be written, another program holds the lock
// (*supervise.LockHeldError).
func Attach(config TreeConfig) (*SystemTree, error) {
	t, err := openTree(config)
	if err != nil {
		return nil, err
	}
	if err := t.Served(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	t.sweepNudges()
	return t, nil
}

func openTree(config TreeConfig) (t *SystemTree, err error) {
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
	for _, dir := range []string{t.layout.ServicesDir, t.layout.LogsDir} {
		if err := makeWritable(dir); err != nil {
			return nil, err
		}
	}
	if t.lock, err = supervise.AcquireLock(path.Join(t.layout.ServicesDir, ".lock")); err != nil {
		return nil, fmt.Errorf("cannot manage the services in %s: %w", t.layout.ServicesDir, err)
	}
	t.sweep()
	return t, nil
}

// sweep removes what an earlier run was building or taking apart (driver.aside),
// replacing (filesystem.FS.ReplaceFile) or subscribing (supervise.Subscribe)
// when it was killed. The lock says that nobody does now. What cannot be removed
// does no harm.
func (t *SystemTree) sweep() {
	entries, _ := os.ReadDir(t.layout.ServicesDir)
	for _, e := range entries {
		name := path.Join(t.layout.ServicesDir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), ".new-"), strings.HasPrefix(e.Name(), ".gone-"):
			_ = os.RemoveAll(name)
		case e.IsDir() && e.Name()[0] != '.':
			for _, dir := range []string{"", "data", dirEnv, dirConfig, "log", "event", "log/event"} {
				sweepFiles(path.Join(name, dir))
			}
		}
	}
}

func sweepFiles(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".tmp-") {
			_ = os.Remove(path.Join(dir, e.Name()))
		}
	}
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

// makeWritable makes a directory where it is missing, and refuses one that
// cannot be written.
func makeWritable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot make the directory %s: %w: give one that this user can write", dir, err)
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("cannot write in %s: %w: give one that this user can write", dir, err)
	}
	return nil
}

// Close gives up the tree's lock. All services go on.
func (t *SystemTree) Close() error {
	t.keeper.end()
	ctx, cancel := context.WithTimeout(context.Background(), nudgePatience)
	defer cancel()
	t.endNudges(ctx)
	return t.lock.Close()
}

// Layout implements Tree.
func (t *SystemTree) Layout() Layout { return t.layout }

// FS implements Tree: it is the real filesystem.
func (t *SystemTree) FS() filesystem.FS { return filesystem.OS{} }

// Tools implements Tree.
func (t *SystemTree) Tools() Tools { return t.tools }

func (t *SystemTree) scanControl() string {
	return path.Join(t.layout.ScanDir, ".s6-svscan", "control")
}

// Served implements Tree.
func (t *SystemTree) Served() error {
	if err := unix.Access(t.layout.ScanDir, unix.W_OK|unix.X_OK); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot write in the scan directory %s: %w: run as the user of s6-svscan", t.layout.ScanDir, err)
	}
	if err := supervise.WriteControl[supervise.ScanCommand](t.scanControl()); err != nil {
		return fmt.Errorf("no s6-svscan serves %s: start one with \"s6-svscan %[1]s\", or give the directory of one that runs: %w", t.layout.ScanDir, err)
	}
	return nil
}

// Supervisor implements Tree.
func (t *SystemTree) Supervisor(service string) (supervise.LockState, error) {
	return holder(service + "/supervise/lock")
}

// Process implements Tree.
func (t *SystemTree) Process(service string) (supervise.LockState, error) {
	return holder(lockOf(service))
}

// holder is supervise.LockHolder for a lock that nobody may have made yet.
func holder(lock string) (supervise.LockState, error) {
	state, err := supervise.LockHolder(lock)
	if errors.Is(err, fs.ErrNotExist) {
		return supervise.LockState{}, nil
	}
	return state, err
}

// Logger implements Tree.
func (t *SystemTree) Logger(name string) (supervise.LockState, error) {
	return holder(path.Join(t.layout.Log(name), "lock"))
}

// Child implements Tree.
func (t *SystemTree) Child(service string, pid int) (bool, error) {
	supervisor, err := t.Supervisor(service)
	if err != nil || supervisor.PID == 0 {
		return false, err
	}
	parent, err := parentOf(pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return false, nil
	}
	return parent == supervisor.PID, err
}

// Status implements Tree.
func (t *SystemTree) Status(service string) (supervise.Status, error) {
	return supervise.ReadStatus(filesystem.OS{}, service)
}

// Control implements Tree.
func (t *SystemTree) Control(service string, commands ...supervise.Command) error {
	return supervise.WriteControl(path.Join(service, "supervise", "control"), commands...)
}

// Rescan implements Tree.
func (t *SystemTree) Rescan() error { return t.scan(supervise.ScanCommandScan) }

// Prune implements Tree.
func (t *SystemTree) Prune() error {
	return t.scan(supervise.ScanCommandScan, supervise.ScanCommandPrune)
}

func (t *SystemTree) scan(commands ...supervise.ScanCommand) error {
	now := time.Now()
	t.lastScan.Store(&now)
	return supervise.WriteControl(t.scanControl(), commands...)
}

// Watch implements Tree.
func (t *SystemTree) Watch(service string, fn func(supervise.Event)) (Watch, error) {
	s, err := supervise.Subscribe(path.Join(service, "event"), fn)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Signal implements Tree.
func (t *SystemTree) Signal(service string, pid int, signal syscall.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("cannot signal process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	// The id is now bound to one process; is it the one that was meant?
	if now, err := t.Process(service); err != nil || now.PID != pid {
		return fmt.Errorf("cannot signal process %d: it does not hold %s any more: %w", pid, lockOf(service), errors.Join(err, unix.ESRCH))
	}
	// One that s6-supervise has just started may not be in the status yet.
	supervisor, err := t.Supervisor(service)
	if err != nil {
		return fmt.Errorf("cannot signal process %d: %w", pid, err)
	}
	if parent, err := parentOf(pid); supervisor.PID != 0 && (err != nil || parent == supervisor.PID) {
		return fmt.Errorf("cannot signal process %d: it is supervised, by process %d: %w", pid, supervisor.PID, errors.Join(err, unix.EPERM))
	}
	if err := unix.PidfdSendSignal(fd, signal, nil, 0); err != nil {
		return fmt.Errorf("cannot signal process %d: %w", pid, err)
	}
	return nil
}

// AnnounceReady implements Tree. It writes the newline that s6-supervise waits
// for into the process's own end of the notification pipe, which it inherited,
// through /proc.
func (t *SystemTree) AnnounceReady(service string, pid int) error {
	err := t.announceReady(service, pid)
	if err != nil {
		return fmt.Errorf("cannot announce that process %d is ready: %w", pid, err)
	}
	return nil
}

func (t *SystemTree) announceReady(service string, pid int) error {
	proc, err := unix.Open(fmt.Sprintf("/proc/%d", pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(proc)
	// The directory stays that of one process even if the id is used again.
	status, err := t.Status(service)
	if err != nil {
		return err
	}
	supervisor, err := t.Supervisor(service)
	switch {
	case err != nil:
		return err
	case !supervisor.Held:
		return supervise.ErrNotSupervised
	case status.PID != pid || !status.Up():
		return fmt.Errorf("the service's process is %d by now", status.PID)
	case status.Ready:
		return nil
	}
	number, err := os.ReadFile(path.Join(service, "notification-fd"))
	if err != nil {
		return err
	}
	fd := "fd/" + strings.TrimSpace(string(number))
	var link [64]byte
	n, err := unix.Readlinkat(proc, fd, link[:])
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return fmt.Errorf("its descriptors may not be looked into, it is another user's or has capabilities of its own: %w", err)
	}
	if err != nil {
		return fmt.Errorf("it has closed its descriptor for readiness: %w", err)
	}
	if pipe := string(link[:n]); !holdsPipe(supervisor.PID, pipe) {
		return fmt.Errorf("its descriptor for readiness is %s, which its supervisor does not read", pipe)
	}
	w, err := unix.Openat(proc, fd, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(w)
	_, err = unix.Write(w, []byte{'\n'})
	return err
}

// holdsPipe reports whether a process has a pipe open, by its name in /proc.
func holdsPipe(pid int, pipe string) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	entries, err := os.ReadDir(dir)
	if err != nil || !strings.HasPrefix(pipe, "pipe:[") {
		return false
	}
	for _, e := range entries {
		if link, err := os.Readlink(path.Join(dir, e.Name())); err == nil && link == pipe {
			return true
		}
	}
	return false
}
