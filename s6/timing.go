package s6

import "time"

// soonest is how often something is looked at that happens in milliseconds
// and gives no notice.
const soonest = 10 * time.Millisecond

// scanPatience is how long s6-svscan may take to start or end a supervisor
// before it is told again.
const scanPatience = 2 * time.Second

// scanTime is more than a scan takes that has nothing to start.
const scanTime = 250 * time.Millisecond

// poll is how often a supervisor that gives no notice is looked at.
const poll = 5 * time.Millisecond

// keepEvery is how often a keeper looks.
const keepEvery = time.Second

// startPatience is how long an s6-svscan may take to serve its directory.
const startPatience = 10 * time.Second

// nudgePatience is how long a tree that is closed waits for a nudge to be over.
const nudgePatience = time.Second

// statusPatience is how long a supervisor may take to write its first status.
const statusPatience = time.Second

// strayPatience is how long a lock may be held by another process than the
// status names: between the start of a process and its status there is some
// time.
const strayPatience = 100 * time.Millisecond

// endedPatience is how long a status may lag behind the end of a process: its
// supervisor has to reap it, and to run its finish command.
const endedPatience = 500 * time.Millisecond

const (
	// loggerEvery is how often a logger that runs is looked at.
	loggerEvery = 2 * time.Second
	// loggerPatience is how long one may take to be started anew.
	loggerPatience = 2 * time.Second
)

// settle is how long a process without readiness of its own must have run,
// after a death, to count as running again.
const settle = time.Second

// eventPatience is how long an event may take that comes with a status.
const eventPatience = 100 * time.Millisecond

// askedWindow is how long it is known that a process was asked to end: as long as
// a death counts, and that it may take to die.
const askedWindow = 2 * CrashWindow
