//go:build !linux

package ports

import (
	"errors"

	"github.com/evenkeel/evenkeel/internal/proc"
)

func diagListeners(uint16) ([]proc.Socket, error) {
	return nil, errors.ErrUnsupported
}
