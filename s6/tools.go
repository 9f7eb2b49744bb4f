package s6

import (
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Tools says where s6's programs are. An empty Dir leaves it to PATH.
type Tools struct {
	// Dir is a directory with all of them, such as /usr/bin or /command.
	Dir string
}

func (t Tools) path(program string) string { return path.Join(t.Dir, program) }

// toolDirs are where s6 may be if it is not in PATH: under s6-overlay, built
// with slashpackage, from a distribution's package.
var toolDirs = []string{"/command", "/usr/bin", "/bin", "/usr/local/bin"}

// neededTools are the programs that services and private trees need.
var neededTools = []string{"s6-svscan", "s6-supervise", "s6-log", "s6-setlock", "s6-envdir", "s6-softlimit", "s6-setuidgid", "s6-notifyoncheck", "s6-svstat", "s6-svc"}

// FindTools returns where s6 is installed: the directory that PATH leads to for
// s6-svscan, else the directories of s6-overlay and of packages. The error says
// which program is missing and what to install.
func FindTools() (Tools, error) {
	dirs := toolDirs
	if found, err := exec.LookPath("s6-svscan"); err == nil {
		dirs = append([]string{filepath.Dir(found)}, dirs...)
	}
	return findTools(dirs...)
}

// findTools returns the first directory that has all programs.
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
