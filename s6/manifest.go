package s6

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"syscall"

	"github.com/evenkeel/evenkeel/filesystem"
)

// manifest is what a service directory says about itself, so that a later run
// knows what it was made from.
type manifest struct {
	Version int    `json:"version"`
	Kind    string `json:"kind"`
	Hash    string `json:"hash"`
	Spec    *Spec  `json:"spec"`
}

const manifestVersion = 1

// readManifest returns the manifest of a service directory, nil if there is
// none or none that can be understood.
func readManifest(fsys filesystem.FS, service string) (*manifest, error) {
	data, err := fsys.ReadFile(path.Join(service, fileManifest))
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, nil // the name, or data, is a file of somebody else's
	}
	if ok, err := found(err); err != nil || !ok {
		return nil, err
	}
	var m manifest
	if json.Unmarshal(data, &m) != nil || m.Version != manifestVersion || m.Spec == nil || len(m.Spec.Command) == 0 {
		return nil, nil
	}
	return &m, nil
}

// found turns the absence of a file into a value; every other error stays one.
func found(err error) (bool, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
