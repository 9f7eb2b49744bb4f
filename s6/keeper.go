package s6

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// keepEvery is how often a keeper looks.
const keepEvery = time.Second

// startPatience is how long an s6-svscan may take to serve its directory.
const startPatience = 10 * time.Second

// keeper replaces the s6-svscan of a private tree when it was killed, and sees
// to it that the supervisors which that one left hand over to the new one.
type keeper struct {
	once   sync.Once
	cancel context.CancelFunc
	ended  chan struct{}
}

func startKeeper(t *SystemTree) *keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &keeper{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(k.ended)
		t.keep(ctx)
	}()
	return k
}

// end ends the keeper, nil if there is none, and waits for it.
func (k *keeper) end() {
	if k == nil {
		return
	}
	k.once.Do(k.cancel)
	<-k.ended
}

func (t *SystemTree) keep(ctx context.Context) {
	// Those of before may be there from the beginning.
	for orphans := true; ; {
		if orphans {
			orphans = t.releaseOrphans()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(keepEvery):
		}
		t.trimStderr()
		if t.Served() == nil {
			continue
		}
		// A scan directory that was taken away is not made anew.
		if _, err := os.Stat(t.layout.ScanDir); err != nil {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, startPatience)
		// What keeps it from starting is said by whatever next needs it.
		orphans = t.start(limited) == nil || orphans
		cancel()
	}
}

// maxStderr is how much is kept of what s6-svscan and s6-supervise say.
const maxStderr = 1 << 20

// trimStderr empties the file of diagnostics when it is too long: a supervisor
// that cannot hand over yet is announced in it every second. All who write to
// it append.
func (t *SystemTree) trimStderr() {
	name := t.stderr()
	if info, err := os.Stat(name); err == nil && info.Size() > maxStderr {
		_ = os.Truncate(name, 0)
	}
}

// releaseOrphans tells supervisors whose s6-svscan is gone to exit after their
// process, and reports whether there are any. s6-svscan tries every second to
// start others in their place. A logger's supervisor is told when its
// service's has exited: until then it starts s6-log anew when that dies, on the
// pipe that the service writes to, which nobody else has any more.
func (t *SystemTree) releaseOrphans() (any bool) {
	services, err := t.pairs()
	if err != nil {
		return true // to be looked at again
	}
	scanner, err := t.scanner()
	if err != nil || scanner.PID == 0 {
		return err != nil || !scanner.Held
	}
	for _, p := range services {
		switch {
		case orphaned(p.supervisor, scanner):
			_ = t.Control(p.service, supervise.CommandExit) // if it is gone by now, so much the better
			any = true
		case orphaned(p.logSupers, scanner):
			_ = t.Control(logger(p.service), supervise.CommandExit)
			any = true
		}
	}
	return any
}

// tellOrphans tells supervisors to end that no s6-svscan will tell.
func (t *SystemTree) tellOrphans(services []pair) {
	scanner, err := t.scanner()
	if err != nil {
		return
	}
	for _, p := range services {
		if orphaned(p.supervisor, scanner) {
			_ = t.Control(p.service, supervise.CommandDown, supervise.CommandExit)
		}
	}
}

// orphaned reports whether a supervisor is known to be another's child than
// the s6-svscan's.
func orphaned(supervisor, scanner supervise.LockState) bool {
	if supervisor.PID == 0 {
		return false
	}
	parent, err := parentOf(supervisor.PID)
	return err == nil && parent != scanner.PID
}

// parentOf returns the parent of a process, from the fourth field of
// /proc/PID/stat; the second, in parentheses, may hold anything.
func parentOf(pid int) (int, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0, fmt.Errorf("cannot read /proc/%d/stat: it ends early", pid)
	}
	return strconv.Atoi(string(fields[1]))
}
