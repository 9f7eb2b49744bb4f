package conform

import (
	"errors"
	"path"
	"sync/atomic"
	"syscall"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// attended: what happens to a service, and s6-supervise does not say, is told.
func attended(s *stage) {
	a, _ := s.serveLogged("a")
	h := a.attend("run", "log/run")
	file := func(name string) string { return path.Join(a.dir, name) }
	h.hears("a file goes", func() error { return s.FS().Remove(file("run")) })
	h.hears("it is put back", func() error { return s.FS().ReplaceFile(file("run"), []byte(locked), 0o755) })
	h.hears("it is cut short", func() error { return s.FS().WriteFile(file("run"), nil, 0o755) })
	h.hears("another process would not wait", func() error { return s.FS().Remove(file("data/lock")) })
	h.hears("there is a file down", func() error { return s.FS().WriteFile(file("down"), nil, 0o644) })
	h.hears("its link goes", func() error { return s.FS().Remove(s.Layout().Link("a")) })
	h.hears("and is there again", func() error { return s.FS().Symlink(a.dir, s.Layout().Link("a")) })
	h.hears("its status is another", func() error { return s.Control(a.dir, supervise.CommandOnce) })
	// Without s6-svscan nothing follows on an end.
	s.KillSvscan()
	h.hears("the supervisor of its logger ends", func() error { return s.KillSupervisor("a/log") })
	h.hears("its logger ends", func() error { return s.Kill("a/log", syscall.SIGKILL) })
	h.hears("its supervisor ends", func() error { return s.KillSupervisor("a") })
	h.hears("its process ends", func() error { return s.Kill("a", syscall.SIGKILL) })
	h.hears("its logs go", func() error { return s.FS().RemoveAll(s.Layout().Log("a")) })
	h.whole(false)
	h.hears("its directory goes", func() error { return s.FS().RemoveAll(a.dir) })
}

// hearing is a watch that attends to a service.
type hearing struct {
	*actor
	watch s6.Watch
	told  atomic.Int64
}

// attend attends to a service that is made up of these files.
func (a *actor) attend(files ...string) *hearing {
	a.t.Helper()
	h := &hearing{actor: a}
	var err error
	h.watch, err = a.Watch(a.dir, func(e supervise.Event) {
		if e == s6.EventTouched {
			h.told.Add(1)
		}
	})
	require.NoError(a.t, err)
	a.t.Cleanup(func() { require.NoError(a.t, h.watch.Close()) })
	require.False(a.t, h.watch.Attends())
	require.NoError(a.t, h.watch.Attend(files))
	h.whole(true)
	return h
}

// hears does something, and waits until that is told.
func (h *hearing) hears(what string, happens func() error) {
	h.t.Helper()
	h.told.Store(0)
	require.NoError(h.t, happens(), what)
	h.Eventually("it is told that "+what, func() error {
		if h.told.Load() == 0 {
			return errors.New("nothing is")
		}
		return nil
	})
}

// whole waits until all that happens is told, or is not.
func (h *hearing) whole(is bool) {
	h.t.Helper()
	h.Eventually("whether all is told", func() error {
		if h.watch.Attends() != is {
			return errors.New("it is not so")
		}
		return nil
	})
}
