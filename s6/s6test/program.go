package s6test

import "time"

// Never as Program.ReadyAfter means that the program does not announce
// readiness, for instance because it is left to s6.Tree.AnnounceReady.
const Never time.Duration = -1

// Program is what a service's command does once it has begun. The zero Program
// is ready at once, runs until a signal ends it, and says nothing.
type Program struct {
	// ReadyAfter is when it announces that it is ready, if s6 listens for
	// that (notification-fd); Never for never.
	ReadyAfter time.Duration
	// RunFor ends the program after that time, with ExitCode; zero means that
	// it runs until a signal ends it.
	RunFor   time.Duration
	ExitCode int
	// StopAfter is how long it goes on after a signal that ends it.
	StopAfter time.Duration
	// Deaf: of all signals only KILL ends it.
	Deaf bool
	// Hangs: it answers no check. CheckErr is how it fails each, NoCheck why none can
	// be made.
	Hangs    bool
	CheckErr error
	NoCheck  string
	// Prints are lines that it prints when it begins.
	Prints []string
	// LastWords are what it prints when it ends, without a newline.
	LastWords string
	// Children are what it starts itself when it begins. They do not end with
	// it. Of their programs, RunFor, ExitCode, StopAfter and Deaf count.
	Children []Program
	// FinishFor is how long the service's finish command takes, if it has
	// one, and FinishCode what that exits with.
	FinishFor  time.Duration
	FinishCode int
}

// Version is a version of s6 to behave as.
type Version int

// The versions that Debian has had. They differ in the layout of status files,
// in how long s6 waits before it tries again a run script that cannot be
// started, in what a dangling link does to a scan, and in whether a scan
// followed at once by Terminate hangs.
const (
	V213 Version = iota // 2.13.1, Debian 13
	V211                // 2.11.3, Debian 12
	V215                // 2.15.1
)

func (v Version) unstartable() time.Duration {
	if v == V211 {
		return 10 * time.Second
	}
	return time.Minute
}
