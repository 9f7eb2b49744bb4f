//go:build !linux

package benthos

import "errors"

func diagListeners(uint16) ([]listenSocket, error) {
	return nil, errors.ErrUnsupported
}
