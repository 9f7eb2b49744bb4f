package benthos

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// FindEngine returns the absolute path of a Benthos executable: the one that is
// given, otherwise bin/benthos in the working directory, otherwise the benthos in
// PATH. A path that was given is not checked: if the file is missing, whatever
// is to be started with it says so. The error wraps ErrNoEngine.
func FindEngine(given string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	const built = "bin/benthos"
	if _, err := os.Stat(built); err == nil {
		return filepath.Abs(built)
	}
	found, err := exec.LookPath("benthos")
	if err != nil {
		return "", fmt.Errorf("%w: there is no %s here, and no benthos in PATH", ErrNoEngine, built)
	}
	return filepath.Abs(found)
}
