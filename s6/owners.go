package s6

import (
	"errors"
	"fmt"
	"sync"

	"github.com/evenkeel/evenkeel/fsm"
)

// ErrClaimed is wrapped by the error of Tree.Claim for an owner that has a
// manager already.
var ErrClaimed = errors.New("it has a manager already")

// ErrOwned is wrapped by the refusal of a name that a service of another owner
// has.
var ErrOwned = errors.New("a service of another owner has its name")

// maxOwner is the longest name of an owner, in bytes: with the name of a
// service it is part of the names of directories.
const maxOwner = 40

// Owners gives out the names of owners in one tree, each to one manager at a
// time. The zero Owners has given out none. It is for implementations of Tree.
type Owners struct {
	mu      sync.Mutex // guards claimed
	claimed map[string]bool
}

// Claim implements Tree.
func (o *Owners) Claim(owner string) (release func(), err error) {
	if err := checkOwner(owner); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.claimed[owner] {
		return nil, fmt.Errorf("owner %q: %w: close that one before, or give one of the two an owner's name of its own", owner, ErrClaimed)
	}
	if o.claimed == nil {
		o.claimed = make(map[string]bool)
	}
	o.claimed[owner] = true
	return sync.OnceFunc(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.claimed, owner)
	}), nil
}

// checkOwner refuses what is not a name for an owner.
func checkOwner(owner string) error {
	if err := fsm.CheckName(owner); err != nil {
		return fmt.Errorf("owner: %w", err)
	}
	if len(owner) > maxOwner {
		return fmt.Errorf("owner %q: %w: it must not be longer than %d bytes", owner, fsm.ErrName, maxOwner)
	}
	return nil
}

// Owner returns the owner of the named service in the tree, "" if there is no
// such service or its directory does not say. The name must be valid. An error
// says that it cannot be found out; it wraps ErrVersion if the directory says
// it in words of another version.
func Owner(tree Tree, name string) (string, error) {
	m, err := untorn(readManifest(tree.FS(), tree.Layout().Service(name)))
	if err != nil {
		return "", unowned(err)
	}
	if m == nil {
		return "", nil
	}
	return m.Kind, nil
}

// unowned says that it cannot be found out whose a service is. What may be
// another owner's is not touched.
func unowned(err error) error { return fmt.Errorf("it cannot be found out whose it is: %w", err) }
