package runner

import (
	"errors"
	"fmt"
	"os"
)

// Announce tells s6-supervise that the instances are being kept, as it expects
// it: by a newline on an agreed descriptor, which is closed then. Descriptor 0
// means that nobody is told.
func Announce(fd int) error {
	if fd == 0 {
		return nil
	}
	ready := os.NewFile(uintptr(fd), "the descriptor for readiness")
	if ready == nil {
		return fmt.Errorf("cannot announce readiness: there is no descriptor %d", fd)
	}
	_, err := ready.Write([]byte{'\n'})
	if err = errors.Join(err, ready.Close()); err != nil {
		return fmt.Errorf("cannot announce readiness: %w", err)
	}
	return nil
}
