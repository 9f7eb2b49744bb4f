package s6

import (
	"os"
	"path"
	"strings"

	"github.com/evenkeel/evenkeel/filesystem"
)

// sweep removes what a program that was killed has left half done: directories
// being built or deleted (Layout.aside), files being replaced
// (filesystem.FS.ReplaceFile), subscriptions (supervise.Subscribe). The lock
// says that nobody is doing that now. What cannot be removed does no harm.
func (t *SystemTree) sweep() {
	entries, _ := os.ReadDir(t.layout.ServicesDir)
	for _, e := range entries {
		name := path.Join(t.layout.ServicesDir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), asideNew), strings.HasPrefix(e.Name(), asideGone):
			_ = os.RemoveAll(name)
		case e.IsDir() && e.Name()[0] != '.':
			for _, dir := range []string{"", dirData, dirEnv, dirConfig, dirLog, dirEvent, dirLogEvent} {
				sweepFiles(path.Join(name, dir))
			}
		}
	}
}

func sweepFiles(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filesystem.TempPrefix) {
			_ = os.Remove(path.Join(dir, e.Name()))
		}
	}
}

// sweepNudges removes, beside the caller, the nudges that a killed program has
// left.
func (t *SystemTree) sweepNudges() {
	var left []string
	entries, _ := os.ReadDir(t.layout.ScanDir)
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(unhidden(e.Name()), t.layout.nudgePrefix()) {
			left = append(left, path.Join(t.layout.ScanDir, hidden(e.Name())))
		}
	}
	if left == nil {
		return
	}
	_ = t.nudges.begin(func() (func(*nudge), error) {
		return func(n *nudge) { t.hide(n, left...) }, nil
	})
}
