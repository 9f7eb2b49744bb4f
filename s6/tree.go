package s6

import (
	"context"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Tree is everything that touches a live supervision tree. Service directories
// are named by path. All methods may be called from any goroutine; none but Check
// forks, and none blocks on a supervisor that does not answer.
//
// SystemTree is the real tree; package s6test has one in memory.
type Tree interface {
	// Layout says where things are, FS on which filesystem, and Tools where
	// scripts find s6's programs.
	Layout() Layout
	FS() filesystem.FS
	Tools() Tools
	// OnHost reports whether the tree's processes are processes of this host:
	// whether the commands of its services can be executed here, and what runs
	// can be found in /proc and asked over the network. For a tree in memory
	// they cannot.
	OnHost() bool
	// Uptime is for how long the machine has run on which the tree's processes
	// run, as they read it in /proc/uptime.
	Uptime() (time.Duration, error)
	// Claim gives an owner's name to one manager at a time, until release is
	// called. The error wraps ErrClaimed if the name has been given out, and
	// fsm.ErrName if it is not a valid name.
	Claim(owner string) (release func(), err error)

	// Served returns nil if an s6-svscan serves the scan directory, and
	// otherwise an error that says so.
	Served() error
	// Limits says how many services the s6-svscan takes; none where that is not
	// known.
	Limits() ([]Limit, error)
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
	// Record returns what the finish script has to know of a process that the
	// service's s6-supervise has started, as data/started has it after what the
	// process was started from: its id, its supervisor, and until when it is known
	// to have lived. It is "" where the process is none such, or has ended.
	Record(service string, pid int) (string, error)
	// Shortage returns how many processes the kernel has ended for want of memory
	// since a time, which is that of an earlier call or of the first: on the machine
	// of the tree's processes, or in their container. Calls within seconds have the
	// same answer, for one shortage may end several.
	Shortage() (ended int, since time.Time, err error)
	// Unstartable says what keeps s6-supervise from executing the service's run
	// script, as far as that can be seen without trying; "" for nothing.
	Unstartable(service string) (string, error)
	// Complaint is what the service's s6-supervise has complained of last, "" for
	// nothing, or where that is not kept.
	Complaint(service string) (string, error)
	// Status reads supervise/status. It is what the last supervisor left,
	// whether one lives or not. The error satisfies errors.Is(err,
	// fs.ErrNotExist) if there never was one.
	Status(service string) (supervise.Status, error)

	// Control sends commands to the service's s6-supervise. The error is
	// supervise.ErrNotSupervised if there is none.
	Control(service string, commands ...supervise.Command) error
	// AnnounceReady tells the service's s6-supervise that the process with this
	// id is ready, on behalf of that process. It fails if the service has
	// another process by now.
	AnnounceReady(service string, pid int) error
	// Signal sends a signal to the process that holds a service's instance
	// lock, and to what it has started: to the others of its process group
	// first. It fails if that is not the process with this id any more. It is
	// for a process that has lost its supervisor.
	Signal(service string, pid int, signal syscall.Signal) error
	// Group returns the processes of the process group that a process of the
	// service, the leader, leads or has led: itself, and what it has started,
	// without those that have ended. seen is when the leader was known to be
	// alive, zero where that is not known. Of a group that may be another one,
	// to which the id has been given since, nothing is returned.
	Group(service string, leader int, seen time.Time) (pids []int, err error)
	// SignalGroup sends a signal to all that Group returns.
	SignalGroup(service string, leader int, seen time.Time, signal syscall.Signal) error

	// Remains returns what lives of a service directory that was deleted, or
	// moved away from this place, whatever is there now: the processes of the
	// service first, then its supervisor, then what is of the logger. What was
	// seen before since does not count. known is a process of the service that
	// may have left no other trace, the zero Sighting for none.
	Remains(service string, known Sighting, since time.Time) ([]Remnant, error)
	// EndRemnant sends signals to a process that is one of those now. It fails,
	// with syscall.ESRCH, if it is none any more.
	EndRemnant(service string, known Sighting, pid int, signals ...syscall.Signal) error

	// Check makes the check of a spec once, and returns nil if the process of the
	// service has passed it. It takes until ctx ends at most, and a second longer
	// where a command does not end for KILL. The error says what was seen, without
	// what is checked; it is that of ctx if nothing was; it wraps ErrNoCheck if the
	// check could not be made, and then says nothing about the process.
	Check(ctx context.Context, service string, spec *Spec) error

	// Rescan makes s6-svscan start supervisors for new links. Prune also makes
	// it end those whose links are gone.
	Rescan() error
	Prune() error
	// Nudge is for a supervisor that s6-svscan has owed for longer than it can
	// need. It clears away what keeps some versions from starting one, and
	// makes s6-svscan look again. The rest of the work goes on after Nudge has
	// returned, until the tree is closed at the latest.
	Nudge() error

	// Watch calls fn for each event of a service, as supervise.Subscribe does, and
	// with EventTouched where the watch attends to it.
	Watch(service string, fn func(supervise.Event)) (Watch, error)
}

// Watch is a subscription to events of a service.
type Watch interface {
	// Linked reports whether events can still come. After the service directory
	// was removed they cannot, whatever takes its place.
	Linked() bool
	// Attend has fn called as well when something happens to the service that
	// s6-supervise does not say: one of its files, its status, its link or its
	// directories is changed, and a supervisor, the process or the logger ends
	// whatever ends it: see Layout.Attended. files are those that make up the service,
	// in its directory.
	// What happened before Attend was called is not told. The error says why
	// something would not be told; what was attended to before still is then.
	Attend(files []string) error
	// Attends reports whether all that is told.
	Attends() bool
	// Close ends the watch; fn is not called any more once it has returned. It
	// must not be called from fn.
	Close() error
}
