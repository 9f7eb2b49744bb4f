package serve

import (
	"path/filepath"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/runner"
)

// JournalIn is where a program with this directory keeps its journal.
func JournalIn(dir string) string { return filepath.Join(dir, "journal") }

// LogsIn is where the logs of its instances are.
func LogsIn(dir string) string { return filepath.Join(dir, "logs") }

// StoreIn is where it keeps the declarations that were taken, and what was stopped by
// hand.
func StoreIn(dir string) runner.Store {
	return runner.Store{FS: filesystem.OS{}, Dir: filepath.Join(dir, "declarations")}
}
