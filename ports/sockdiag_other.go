//go:build !linux

package ports

import "errors"

func diagListeners(uint16) ([]listenSocket, error) {
	return nil, errors.ErrUnsupported
}
