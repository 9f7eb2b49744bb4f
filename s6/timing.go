package s6

import "time"

// Times of this package are of four sorts: how often something is looked at,
// how long s6 may take, how long a death is remembered, and defaults of a Spec.
// They are made for the times of s6 itself: s6-supervise waits a second before
// it restarts a process that had not been ready, s6-svscan leaves a second
// between two starts of one supervisor, and a scan takes milliseconds.

// How often things are looked at that send no notice.
const (
	// poll is for callers that wait: the start of an s6-svscan, a shutdown, a
	// nudge. Each poll looks at locks alone.
	poll = 5 * time.Millisecond
	// lookShare is how many times as long as processors work for a look a shutdown waits
	// before the next one: looks at thousands of services take time from those that end.
	lookShare = 4
	// soonest is for a pass over what happens in milliseconds.
	soonest = 10 * time.Millisecond
	// later is for a pass over what may take seconds, or may never happen.
	later = time.Second
	// keepEvery is for the keeper: an s6-svscan that was killed is replaced
	// within it.
	keepEvery = time.Second
	// keepRest is for the keeper of an s6-svscan whose end is heard.
	keepRest = 10 * time.Second
	// loggerEvery is for a logger that runs; no decision depends on it.
	loggerEvery = 2 * time.Second
	// filesEvery is for the files of a service directory: whether each is there.
	filesEvery = 2 * time.Second
	// scanPausePerLink is between two scans, for each link that a scan looks at: several
	// times what s6-svscan needs for it. longestScanPause is the longest pause.
	scanPausePerLink = 30 * time.Microsecond
	longestScanPause = 100 * time.Millisecond
	// past is added to the time at which something will be so, for the pass
	// that is to find it so.
	past = time.Millisecond
)

// How long s6 may take, from the shortest. What is seen for less time may be
// the moment between two steps of a supervisor, and does not count as a state.
const (
	// eventPatience is for an event that comes with a status. s6-supervise
	// writes one after the other.
	eventPatience = 100 * time.Millisecond
	// strayPatience is for the instance lock to be held by another process than
	// the status names: a process locks before its supervisor writes.
	strayPatience = 100 * time.Millisecond
	// killedPatience is for processes that were left running to end for KILL,
	// before another start.
	killedPatience = 200 * time.Millisecond
	// scanTime is for a scan that has nothing to start. s6 2.13 and 2.15 hang
	// if the end follows a scan sooner than that.
	scanTime = 250 * time.Millisecond
	// endedPatience is for a status to tell that a process has ended: its
	// supervisor has to reap it, and to run its finish command.
	endedPatience = 500 * time.Millisecond
	// loggerLag is for a logger to write what a process has printed, with the stamp
	// of that moment.
	loggerLag = 500 * time.Millisecond
	// crashPause is how long s6-supervise takes before it starts another process,
	// unless the last one was ready for as long or it is told.
	crashPause = time.Second
	// statusPatience is for a supervisor to write its first status. A
	// supervisor that cannot, on a full disk, serves its service all the same.
	statusPatience = time.Second
	// startedPatience is for a process that has just started to say what it was
	// started from, which is the first thing that its run script does.
	startedPatience = time.Second
	// beginPatience is for a process that has waited to write down that it begins.
	// One that has not by then cannot, as on some full disks.
	beginPatience = 5 * time.Second
	// unstartedPatience is for s6-supervise to start a process that is wanted up.
	// It is longer than the second before a start. A supervisor that could not
	// start one tries again after 10 or 60 s.
	unstartedPatience = 1500 * time.Millisecond
	// quietPatience is for the same where s6-supervise has not said, or nowhere
	// that can be read, that it cannot: a busy machine is late, too.
	quietPatience = 5 * time.Second
	// buryPatience is for managers to begin after a tree was opened, before what no
	// manager asks for is taken to be nobody's.
	buryPatience = 5 * time.Second
	// nudgePatience is for a nudge to be over while a tree is closed. A nudge
	// that is not over is left to the next program.
	nudgePatience = time.Second
	// scanPatience is for s6-svscan to start or end a supervisor before it is
	// told again, and for a supervisor to end before it is told directly. It is
	// longer than the second between two starts of a supervisor.
	scanPatience = 2 * time.Second
	// overduePatience is for s6-supervise to kill a process that has had its time:
	// it counts from when it has read that the process is to end.
	overduePatience = 2 * time.Second
	// flushPatience is for a logger that was told to end to get a step further.
	// It is as long as s6-log pauses after a write that failed.
	flushPatience = 2 * time.Second
	// loggerPatience is for a logger to restart. It is longer than the second
	// before a start.
	loggerPatience = 2 * time.Second
	// startPatience is for an s6-svscan to serve its directory, if no caller
	// says how long.
	startPatience = 10 * time.Second
)

// How long a death is remembered.
const (
	// CrashWindow is how far back deaths are counted: CrashLimit of them make a
	// service degraded although its process may run at the moment.
	CrashWindow = 30 * time.Second
	// askedWindow is how long it is remembered that a process was asked to end:
	// as long as its death counts, and as long again for it to die.
	askedWindow = 2 * CrashWindow
)

// Defaults of a Spec, and the limits of what it may say.
const (
	defaultStays         = time.Second // as long as s6-supervise pauses after less
	defaultStartTimeout  = 30 * time.Second
	defaultStopTimeout   = 10 * time.Second
	defaultFinishTimeout = 5 * time.Second
	longestPause         = 5 * time.Minute  // between two processes that fail
	shortestTimeout      = time.Millisecond // s6 counts in these
	longestTimeout       = 24 * time.Hour
)

// A command that checks whether a process is ready is tried every checkEvery,
// and given checkTimeout.
const (
	checkEvery   = 100 * time.Millisecond
	checkTimeout = 5 * time.Second
)

// What a Check is by default, and how often a process is checked that has not
// passed one yet.
const (
	defaultCheckEvery    = 10 * time.Second
	defaultCheckTimeout  = time.Second
	defaultCheckFailures = 3
	shortestCheckEvery   = 100 * time.Millisecond
	firstCheckEvery      = time.Second
	// shortestCheckPause is the first pause between two restarts for a check; it
	// doubles up to longestPause.
	shortestCheckPause = 30 * time.Second
	// unkilledPatience is for the command of a check to end for KILL.
	unkilledPatience = time.Second
)

// centisecond is the unit of /proc/uptime, in which scripts count.
const centisecond = 10 * time.Millisecond

func centiseconds(d time.Duration) int { return int(d / centisecond) }
