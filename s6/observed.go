package s6

import (
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Observed is what was seen of a service in one pass.
type Observed struct {
	// Exists: the service directory is there. Linked: the scan directory
	// links to it. Watched: its events are listened to.
	Exists  bool `json:"exists"`
	Linked  bool `json:"linked"`
	Watched bool `json:"watched"`
	// Owner is the owner of the service directory, if that is another one.
	// Nothing is done to the service then.
	Owner string `json:"owner,omitempty"`
	// Leftover: parts of a service directory that was being built or deleted
	// are there. It is looked for only if the service is to be removed.
	Leftover bool `json:"leftover,omitempty"`
	// AskedDown: the service directory has a file named down, so that s6 does
	// not start the service by itself.
	AskedDown bool `json:"askedDown,omitempty"`

	// WantHash and WantProcess are the hashes of the desired spec. Hash and
	// Started are those on disk. Hash is of the spec that the directory was
	// written from, empty while the directory is incomplete. Started is of what
	// the running process was started from, empty until its start has said so.
	WantHash    string `json:"wantHash,omitempty"`
	Hash        string `json:"hash,omitempty"`
	WantProcess string `json:"wantProcess,omitempty"`
	Started     string `json:"started,omitempty"`
	// Unrecorded: it is not written down, or not any more, which process runs.
	Unrecorded bool `json:"unrecorded,omitempty"`
	// Intact: when the service was first looked at, its files were those that
	// its manifest calls for, and each has been there since. Damage says why
	// not.
	Intact bool   `json:"intact"`
	Damage string `json:"damage,omitempty"`
	// made is of what its files have a process started from, where they are intact.
	made string

	// Supervised and LoggerSupervised: an s6-supervise serves the service
	// and its logger.
	Supervised       bool `json:"supervised"`
	LoggerSupervised bool `json:"loggerSupervised"`
	// Owed is since when s6-svscan has owed a supervisor to a service that is
	// linked; zero while it owes none.
	Owed time.Time `json:"owed,omitzero"`
	// Status is what s6-supervise says; it means nothing unless Supervised. If
	// it lags, PID is the process that runs all the same.
	Status supervise.Status `json:"status,omitzero"`
	// StatusProblem says why the status cannot be read, where it was torn, as by
	// a loss of power. It then counts as none.
	StatusProblem string `json:"statusProblem,omitempty"`
	// Late is how long after the pass's clock reading the status was read.
	Late time.Duration `json:"late,omitempty"`
	// Lags: the status names another process than the one that its supervisor
	// runs, as on a full disk, where the supervisor cannot write another
	// status.
	Lags bool `json:"lags,omitempty"`
	// Told: this program has told the process to end. Overdue: the time that it
	// has for that has been over for a while, and s6-supervise has not killed it.
	// Ended: the process has ended, although the status does not say so.
	Told    bool `json:"told,omitempty"`
	Overdue bool `json:"overdue,omitempty"`
	Ended   bool `json:"ended,omitempty"`
	// Awaited: a process that was told to end for another to take its place has
	// ended, and s6-supervise pauses before it starts the other one, as after a
	// crash.
	Awaited bool `json:"awaited,omitempty"`
	// Unheard: this program has told s6-supervise a moment ago to start a process,
	// and s6-supervise has not said anything since.
	Unheard bool `json:"unheard,omitempty"`
	// Unstarted: s6-supervise could not start a process. Complaint is what it said,
	// where that is kept. StartDue: it is to be told to start one now, without the
	// wait that it makes.
	Unstarted bool   `json:"unstarted,omitempty"`
	StartDue  bool   `json:"startDue,omitempty"`
	Complaint string `json:"complaint,omitempty"`
	// LoggerProblem says for how long the logger has not run and how it ended
	// last; empty while it runs.
	LoggerProblem string `json:"loggerProblem,omitempty"`
	// LoggerRemains: of the logger something lives that was started from a
	// directory which has been deleted since. LogsDeleted: the logger writes
	// into a log directory that was deleted.
	LoggerRemains bool `json:"loggerRemains,omitempty"`
	LogsDeleted   bool `json:"logsDeleted,omitempty"`
	// ReadyRequired: readiness has to be announced; Status.Up is not enough.
	ReadyRequired bool `json:"readyRequired,omitempty"`
	// Locked: some process holds the service's instance lock, supervised or
	// not.
	Locked bool `json:"locked,omitempty"`
	// StrayPID is a process of the service that has lost its supervisor and
	// keeps the supervised one waiting; 0 for none.
	StrayPID int `json:"strayPID,omitempty"`
	// stranger is one that may be no more than the moment between two steps of a
	// supervisor.
	stranger int
	// Left are processes that one of the service's has started, and that run on
	// though it has ended itself: the rest of its process group.
	Left []int `json:"left,omitempty"`
	// Deleted: StrayPID, or others with it, was started from a service directory
	// that has been deleted or moved away since.
	Deleted bool `json:"deleted,omitempty"`
	// Unlocked: the file that the process has locked was deleted. A second
	// process would not wait for it.
	Unlocked bool `json:"unlocked,omitempty"`
	// Failed: the finish script said not to start the service again.
	Failed bool `json:"failed,omitempty"`
	// What the desired spec says about the end of a process, and what has followed.
	// Judged: something, so that what follows on it is counted. Ends: on one that
	// ended well, nothing. Once: on none. Pauses: it has a Backoff. Failures is how
	// many there have been in a row, Waits until when the process that is to run
	// pauses before it begins, zero once it has, and Verdict whether none is to run
	// any more.
	Judged   bool      `json:"judged,omitempty"`
	Ends     bool      `json:"ends,omitempty"`
	Once     bool      `json:"once,omitempty"`
	Pauses   bool      `json:"pauses,omitempty"`
	Failures int       `json:"failures,omitempty"`
	Waits    time.Time `json:"waits,omitzero"`
	Verdict  Verdict   `json:"verdict,omitempty"`
	// Overslept: the process waits for a pause that was forgotten just after it had
	// looked whether it has to.
	Overslept bool `json:"overslept,omitempty"`
	// Began is when the process began after such a pause, zero where that is not
	// known.
	Began time.Time `json:"began,omitzero"`

	// Check is what checks have said of the process.
	Check Checked `json:"check,omitzero"`

	// Deaths is how many times the process ended in the last CrashWindow, apart
	// from deaths that were asked for and those before the process was changed
	// for another. Restarts is how many times since the supervisor started.
	// Last is the newest death. Unasked: it is not one of those that Deaths leaves
	// out.
	Deaths   int             `json:"deaths"`
	Restarts int             `json:"restarts"`
	Last     supervise.Death `json:"last,omitzero"`
	Unasked  bool            `json:"unasked,omitempty"`
	// LastWords is what the process printed last whose death is Last, if that is
	// Unasked: one line, masked as by fsm.MaskText, escaped as by fsm.EscapeLine, and
	// cut after 200 bytes. It is empty where nothing is known to be its own.
	LastWords string `json:"lastWords,omitempty"`
	// OutOfMemory says how many processes the kernel has ended for want of memory,
	// where Last may be one of them; empty where it is not.
	OutOfMemory string `json:"outOfMemory,omitempty"`
	// CommandProblem says why the command cannot be started. It is looked for
	// only while nothing runs.
	CommandProblem string `json:"commandProblem,omitempty"`
	// StartTimeout of the desired spec, and Stays, zero where ReadyRequired.
	StartTimeout time.Duration `json:"startTimeout,omitempty"`
	Stays        time.Duration `json:"stays,omitempty"`
}

// Up reports whether the service's own, supervised process runs.
func (o *Observed) Up() bool { return o.Supervised && o.Status.Up() && o.StrayPID == 0 }

// Ready reports whether it runs and does its work, as far as one look can tell.
// Stays is for decisions.
func (o *Observed) Ready() bool {
	return o.Up() && !o.Status.Paused && o.Waits.IsZero() && (o.Status.Ready || !o.ReadyRequired)
}

// PID returns the process id of the service, 0 while it does not run.
func (o *Observed) PID() int {
	if !o.Up() {
		return 0
	}
	return o.Status.PID
}

// Down reports that nothing of the service runs any more, its finish command
// included, and nothing is about to.
func (o *Observed) Down() bool {
	return !o.Locked && len(o.Left) == 0 && (!o.Supervised || o.Ended || o.Status.PID == 0 && !o.Status.WantUp && !o.Unheard)
}

// deserted reports that something was left running and that nobody ends it: the
// finish script is not at it.
func (o *Observed) deserted() bool {
	return len(o.Left) > 0 && !(o.Supervised && o.Status.Finishing)
}

// awaitsStray reports that a stray process is left to come to its end: another one
// must not begin after it.
func (o *Observed) awaitsStray() bool {
	return o.StrayPID != 0 && o.Once && !o.Deleted && o.Started != startedReplaced
}

// unwritten reports that a supervisor serves the service, and that there is no
// status of its.
func (o *Observed) unwritten() bool { return o.Supervised && o.Status.Stamp.IsZero() }

// whole reports that everything is in place for the service to run.
func (o *Observed) whole() bool {
	return o.Exists && o.Linked && o.Watched && o.Supervised && o.LoggerSupervised
}

// damaged reports that files are not as they were written, though they are of
// the desired spec.
func (o *Observed) damaged() bool { return o.Damage != "" && o.Exists && !o.Intact }

// current reports that the files are those of the desired spec.
func (o *Observed) current() bool { return o.Hash == o.WantHash && o.Intact }

// Stale reports that the process was started from something else than what is
// desired. If that is not known, it is not stale.
func (o *Observed) Stale() bool {
	return o.Up() && o.Started != "" && o.Started != o.WantProcess
}

// outgoing reports that another process has to take the place of the running
// one: it is stale, it cannot keep a second one waiting, it waits for nothing, or it
// was told to end for one of these and the cause has gone since.
func (o *Observed) outgoing() bool {
	return o.Stale() || o.Up() && (o.Told || o.Unlocked || o.Overslept)
}

// Process reports whether the service's own, supervised process is there, and
// whether that has begun and no other one is to take its place, as far as its status
// tells what it is.
func (o *Observed) Process() (there, works bool) {
	return o.Up(), o.Up() && o.Waits.IsZero() && !o.outgoing() && !o.Lags
}

// beginning reports that the process was started so recently that it may not
// have said yet what it was started from.
func (o *Observed) beginning(now time.Time) bool {
	return o.Up() && o.Started == "" && within(now.Add(o.Late), o.Status.Stamp, startedPatience)
}

// fresh reports that the process has not run for long enough to count as ready,
// and how long it still has to run.
func (o *Observed) fresh(now time.Time) (left time.Duration, fresh bool) {
	now = now.Add(o.Late)
	since := o.Status.Stamp
	if o.Began.After(since) {
		since = o.Began
	}
	return o.Stays - now.Sub(since), within(now, since, o.Stays)
}

// Ending reports that the process has ended well, that nothing is to follow on
// that, and that its finish script has not said so yet.
func (o *Observed) Ending() bool {
	s := &o.Status
	return o.Ends && o.Supervised && !s.Up() && s.WantUp && !s.FinishDone() && s.WaitStatus == 0 && !o.Awaited
}

// replaced reports that a restart of the running process was asked for.
func (o *Observed) replaced() bool { return o.Up() && o.Started == startedReplaced }

// hung reports that another process is to take the place of the running one,
// because that did not answer its check.
func (o *Observed) hung() bool { return o.Up() && o.Started == startedHung }

// checkable reports that the process can be held to its check: it has begun, and
// nobody keeps it from its work or has told it to end.
func (o *Observed) checkable() bool {
	return o.Up() && o.Status.WantUp && !o.Status.Paused && o.Waits.IsZero() && !o.Lags && !o.outgoing()
}

// justDown reports that the process ended so recently that the event may be on
// its way that says not to start it again.
func (o *Observed) justDown(now time.Time) bool {
	return o.Status.PID == 0 && within(now.Add(o.Late), o.Status.ReadyStamp, eventPatience)
}

// within reports whether now is less than d after t, or before it: what was
// seen in a pass can be newer than the pass's clock reading. A time further in
// the future, which results from a clock that was set back, counts as long ago.
func within(now, t time.Time, d time.Duration) bool {
	return now.Sub(t).Abs() < d
}

// lacks names the first thing that keeps the service from being whole.
func (o *Observed) lacks() string {
	switch {
	case !o.Exists:
		return "its service directory is missing"
	case !o.Linked:
		return "the scan directory does not link to it"
	case !o.Supervised:
		return "s6-svscan has started no supervisor for it"
	case !o.LoggerSupervised:
		return "s6-svscan has started no supervisor for its logger"
	case !o.Watched:
		return "its events are not listened to"
	}
	return ""
}

// identity says which process a status speaks of, as an id may come again.
func identity(status *supervise.Status) string {
	return strconv.Itoa(status.PID) + " " + strconv.FormatInt(status.Stamp.UnixNano(), 10)
}
