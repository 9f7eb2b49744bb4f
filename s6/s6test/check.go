package s6test

import (
	"context"
	"fmt"
	"slices"
	"syscall"

	"github.com/evenkeel/evenkeel/s6"
)

// Check implements s6.Tree. A process passes, whatever is checked, unless its
// Program or Hang says otherwise.
func (t *Tree) Check(ctx context.Context, service string, _ *s6.Spec) error {
	hangs, err := t.check(service)
	if !hangs {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

func (t *Tree) check(service string) (hangs bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.working(service)
	switch {
	case p == nil:
		return false, syscall.ECONNREFUSED
	case p.hangs || p.program.Hangs || p.paused:
		return true, nil
	case p.program.NoCheck != "":
		return false, fmt.Errorf("%w: %s", s6.ErrNoCheck, p.program.NoCheck)
	}
	return false, p.program.CheckErr
}

// working returns the process of a service that has begun its work, nil for none.
func (t *Tree) working(service string) *process {
	n := slices.IndexFunc(t.processes, func(p *process) bool {
		return p.dir == service && p.role == roleRun && p.command != nil && !p.dead
	})
	if n < 0 {
		return nil
	}
	return t.processes[n]
}

// Hang has the process that the named service has now answer no check any more,
// or answer again. It fails if there is none.
func (t *Tree) Hang(service string, hangs bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.working(t.config.Layout.Service(service))
	if p == nil {
		return fmt.Errorf("cannot have %s hang: it has no process: %w", service, syscall.ESRCH)
	}
	p.hangs = hangs
	return nil
}
