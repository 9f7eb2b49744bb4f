package ports

import (
	"errors"
	"fmt"
	"sync"
)

// The range of an Allocator that is given none.
const (
	DefaultFirst = 9000
	DefaultLast  = 9999
)

// ErrNoneFree is wrapped by Allocator.Allocate when its range is used up.
var ErrNoneFree = errors.New("no free port")

// ConflictError says that a port asked for by name belongs to another.
type ConflictError struct {
	Port uint16
	// Name is who asked, Owner who has the port.
	Name, Owner string
}

// Error names the port and both sides.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("cannot reserve port %d for %s: it belongs to %s", e.Port, e.Name, e.Owner)
}

// Allocator is UMH Core's port manager: it gives every instance name a TCP port
// of its own. A name has one port at a time; an instance that needs more uses
// several names. It only keeps books: nothing is bound.
//
// The zero value allocates from DefaultFirst to DefaultLast. All methods may be
// called concurrently. Do not copy it after first use, and do not change its
// fields then.
type Allocator struct {
	// First and Last bound the ports that Allocate chooses from, both included.
	// Both zero mean the default range. Reserve takes any port.
	First, Last uint16
	// Check, where given, is asked about a port before it is allocated; a port
	// for which it returns an error is skipped. It is called with the allocator
	// locked. The function Check of this package fits, given an address with
	// that port.
	Check func(port uint16) error

	mu     sync.Mutex
	ports  map[string]uint16 // guarded by mu: name to port
	owners map[uint16]string // guarded by mu: the inverse of ports
}

// Allocate returns the port of name, choosing the lowest free one of the range
// where it has none. An error wraps ErrNoneFree, and what Check said of the
// last port it refused.
func (a *Allocator) Allocate(name string) (uint16, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if port, ok := a.ports[name]; ok {
		return port, nil
	}
	first, last := a.First, a.Last
	if first == 0 && last == 0 {
		first, last = DefaultFirst, DefaultLast
	}
	var refused error
	for port := int(first); port <= int(last); port++ {
		if port == 0 {
			continue
		}
		if _, taken := a.owners[uint16(port)]; taken {
			continue
		}
		if a.Check != nil {
			if err := a.Check(uint16(port)); err != nil {
				refused = err
				continue
			}
		}
		a.assign(name, uint16(port))
		return uint16(port), nil
	}
	if refused != nil {
		return 0, fmt.Errorf("cannot allocate a port for %s: %w in %d-%d: %w", name, ErrNoneFree, first, last, refused)
	}
	return 0, fmt.Errorf("cannot allocate a port for %s: %w in %d-%d", name, ErrNoneFree, first, last)
}

// Reserve gives port to name, which releases the port it had before. If port
// belongs to another name, it changes nothing and returns a *ConflictError.
// Port 0 is refused.
func (a *Allocator) Reserve(name string, port uint16) error {
	if port == 0 {
		return fmt.Errorf("cannot reserve port 0 for %s: use Allocate to have one chosen", name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if owner, taken := a.owners[port]; taken && owner != name {
		return &ConflictError{Port: port, Name: name, Owner: owner}
	}
	a.assign(name, port)
	return nil
}

// Release gives up the port of name. A name without one is no error.
func (a *Allocator) Release(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if port, ok := a.ports[name]; ok {
		delete(a.owners, port)
		delete(a.ports, name)
	}
}

// Port returns the port of name, and whether it has one.
func (a *Allocator) Port(name string) (uint16, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	port, ok := a.ports[name]
	return port, ok
}

// Owner returns the name that owns port, and whether one does.
func (a *Allocator) Owner(port uint16) (string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name, ok := a.owners[port]
	return name, ok
}

// assign needs mu held, and port free or owned by name.
func (a *Allocator) assign(name string, port uint16) {
	if a.ports == nil {
		a.ports, a.owners = map[string]uint16{}, map[uint16]string{}
	}
	if old, had := a.ports[name]; had {
		delete(a.owners, old)
	}
	a.ports[name], a.owners[port] = port, name
}
