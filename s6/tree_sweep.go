package s6

import (
	"os"
	"path"
	"strings"
)

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

// sweepNudges ends, beside the caller, what a program that was killed had
// nudged s6-svscan with.
func (t *SystemTree) sweepNudges() {
	var left []string
	entries, _ := os.ReadDir(t.layout.ScanDir)
	for _, e := range entries {
		if name := strings.TrimPrefix(e.Name(), "."); e.IsDir() && strings.HasPrefix(name, t.nudgePrefix()) {
			left = append(left, path.Join(t.layout.ScanDir, "."+name))
		}
	}
	if left == nil {
		return
	}
	t.nudges.mu.Lock()
	defer t.nudges.mu.Unlock()
	t.begin(func(n *nudge) { t.hide(n, left...) })
}
