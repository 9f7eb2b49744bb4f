package s6

import (
	"os"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// scan makes s6-svscan look at its scan directory, within longestScanPause, and
// with prune end what has no link any more. The error is that of an s6-svscan
// that does not serve the directory.
func (t *SystemTree) scan(prune bool) error {
	s := &t.scans
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prunes = s.prunes || prune
	early := time.Until(s.last.Add(s.pause))
	if s.next == nil && early <= 0 {
		return t.scanNow()
	}
	if s.next == nil {
		s.next = time.AfterFunc(early, t.scanNext)
	}
	return supervise.WriteControl[supervise.ScanCommand](t.layout.scanControl())
}

// scanNext asks for the scan that waits, if it still does.
func (t *SystemTree) scanNext() {
	s := &t.scans
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil {
		s.next.Stop()
		_ = t.scanNow() // An s6-svscan that begins looks by itself.
	}
}

// scanNow asks for a scan. The caller holds the lock.
func (t *SystemTree) scanNow() error {
	s := &t.scans
	commands := []supervise.ScanCommand{supervise.ScanCommandScan}
	if s.prunes {
		commands = append(commands, supervise.ScanCommandPrune)
	}
	s.last, s.prunes, s.next = time.Now(), false, nil
	s.pause = min(scanPausePerLink*time.Duration(t.links()), longestScanPause)
	return supervise.WriteControl(t.layout.scanControl(), commands...)
}

// forgetScan forgets the scan that waits, and returns when the last one was
// asked for, the zero time for never.
func (t *SystemTree) forgetScan() (last time.Time) {
	s := &t.scans
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil {
		s.next.Stop()
		s.next = nil
	}
	return s.last
}

// links returns how many entries a scan looks at.
func (t *SystemTree) links() int {
	dir, err := os.Open(t.layout.ScanDir)
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	return len(names)
}
