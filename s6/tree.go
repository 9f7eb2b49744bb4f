package s6

import (
	"syscall"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Tree is all that touches a live supervision tree. Service directories are
// named by path. All methods may be called from any goroutine; none forks, and
// none blocks on a supervisor that does not answer.
//
// SystemTree is the real one, package s6test has one in memory.
type Tree interface {
	// Layout says where things are, FS on which filesystem, and Tools where
	// scripts find s6's programs.
	Layout() Layout
	FS() filesystem.FS
	Tools() Tools
	// OnHost reports whether the tree's processes are processes of this host: the
	// commands of its services can be executed here, and what runs can be found in
	// /proc and asked over the network. Those of a tree in memory are not.
	OnHost() bool
	// Claim gives an owner's name out, to one manager at a time, until release is
	// called. The error wraps ErrClaimed where it has been given out, and
	// fsm.ErrName where it is no name.
	Claim(owner string) (release func(), err error)

	// Served returns nil if an s6-svscan serves the scan directory, and else
	// an error that says so.
	Served() error
	// Supervisor says whether an s6-supervise serves the service directory.
	Supervisor(service string) (supervise.LockState, error)
	// Process says who holds a service's instance lock: the process itself,
	// supervised or not.
	Process(service string) (supervise.LockState, error)
	// Logger says who holds a service's log directory: its s6-log, supervised
	// or not.
	Logger(name string) (supervise.LockState, error)
	// Child reports whether a process is one that the service's s6-supervise
	// has started and that has not ended, whatever Status says.
	Child(service string, pid int) (bool, error)
	// Status reads supervise/status. It is what the last supervisor left,
	// whether one lives or not; errors.Is(err, fs.ErrNotExist) if there never
	// was one.
	Status(service string) (supervise.Status, error)

	// Control sends commands to the service's s6-supervise;
	// supervise.ErrNotSupervised if there is none.
	Control(service string, commands ...supervise.Command) error
	// AnnounceReady tells the service's s6-supervise that the process with
	// this id is ready, on behalf of that process. It fails if the service's
	// process is another by now.
	AnnounceReady(service string, pid int) error
	// Signal sends a signal to the process that holds a service's instance
	// lock; it fails if that is not the process with this id any more. It is
	// for a process that has lost its supervisor.
	Signal(service string, pid int, signal syscall.Signal) error

	// Rescan has s6-svscan start supervisors for new links; Prune has it also
	// end those whose links are gone.
	Rescan() error
	Prune() error
	// Nudge is for a supervisor that s6-svscan owes for longer than it can
	// need. It has it look again, having cleared away what keeps some versions
	// from starting one. What it takes besides goes on after it has returned,
	// until the tree is closed at the latest.
	Nudge() error

	// Watch calls fn for each event of a service, as supervise.Subscribe does.
	Watch(service string, fn func(supervise.Event)) (Watch, error)
}

// Watch is a subscription to events of a service.
type Watch interface {
	// Linked reports whether events can still come. When the service
	// directory was removed they cannot, whatever takes its place.
	Linked() bool
	// Close ends the watch; fn is not called any more when it returns. It
	// must not be called from fn.
	Close() error
}
