package s6

import (
	"encoding/json"
	"errors"
	"fmt"
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

// ErrVersion is wrapped by the refusal of a name whose service directory was
// written by a version of this package that this one does not know.
var ErrVersion = errors.New("its manifest is of another version")

// errTorn is wrapped by the error of readManifest for a manifest that says
// nothing, as a loss of power leaves it.
var errTorn = errors.New("its manifest cannot be understood")

// readManifest returns the manifest of a service directory, nil if there is
// none. The error wraps errTorn or ErrVersion if there is one that says nothing
// to this package.
func readManifest(fsys filesystem.FS, service string) (*manifest, error) {
	text, there, err := manifestText(fsys, service)
	if err != nil || !there {
		return nil, err
	}
	return parseManifest(text, service)
}

// manifestText returns what is in the manifest of a service directory, if there is
// one.
func manifestText(fsys filesystem.FS, service string) (text []byte, there bool, err error) {
	text, err = fsys.ReadFile(path.Join(service, fileManifest))
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, false, nil // the name, or data, is a file of somebody else's
	}
	there, err = found(err)
	return text, there, err
}

// parseManifest is readManifest for a text that was read.
func parseManifest(data []byte, service string) (*manifest, error) {
	var m manifest
	err := json.Unmarshal(data, &m)
	if err == nil && m.Version == manifestVersion && m.Spec != nil && len(m.Spec.Command) > 0 {
		return &m, nil
	}
	file := path.Join(service, fileManifest)
	var of struct {
		Version int `json:"version"`
	}
	// Beside its version, what another version writes may be anything.
	if json.Unmarshal(data, &of) == nil && of.Version > manifestVersion {
		return nil, fmt.Errorf("%w: %s has version %d, this program knows up to %d: use the program that wrote it, or remove the service with that",
			ErrVersion, file, of.Version, manifestVersion)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errTorn, file, err)
	}
	return nil, fmt.Errorf("%w: %s has no spec", errTorn, file)
}

// untorn is for those who write the manifest anew: to them a torn one is none.
func untorn(m *manifest, err error) (*manifest, error) {
	if errors.Is(err, errTorn) {
		return nil, nil
	}
	return m, err
}

// found turns the absence of a file into a value; every other error stays one.
func found(err error) (bool, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
