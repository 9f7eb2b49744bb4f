package s6

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

type input = fsm.Input[*Spec, Observed]

// shown is the reason for calling a service running.
func shown(o *Observed) fsm.Reason {
	return fsm.Because("its process runs").With(fmt.Sprintf("pid %d", o.Status.PID))
}

func waiting(o *Observed) fsm.Reason {
	if !o.Up() {
		return fsm.Because("waiting for its process to start").With(o.lastDeath())
	}
	return fsm.Because("waiting for its process to be ready")
}

// unrecorded is the reason for writing down which process runs.
func unrecorded(o *Observed) fsm.Reason {
	return fsm.Because("it was lost which process runs, and is written down").With(fmt.Sprintf("pid %d", o.Status.PID))
}

// toEnd says what a stop or a removal waits for.
func toEnd(o *Observed) fsm.Reason {
	r := fsm.Because("waiting for its process to end")
	switch {
	case len(o.Left) > 0:
		return leftRunning(o)
	case o.Supervised && o.Status.PID != 0:
		r.Evidence = fmt.Sprintf("pid %d", o.Status.PID)
	case o.Locked:
		r.Evidence = "its instance lock is held"
	}
	return r
}

// overdue says what becomes of a process that s6-supervise does not kill, as
// where the file is gone that says when.
func overdue(o *Observed) fsm.Reason {
	return fsm.Because("its process has not ended in its time and is killed").With(fmt.Sprintf("pid %d", o.Status.PID))
}

// leftRunning names what a process that has ended has left.
func leftRunning(o *Observed) fsm.Reason {
	return fsm.Because("its process has ended and what that has started has not").With("pid " + strings.Trim(fmt.Sprint(o.Left), "[]"))
}

func removalStage(o *Observed) string {
	switch {
	case o.Linked:
		return "the scan directory links to it"
	case o.Supervised || o.LoggerSupervised:
		return "its supervisors have not ended"
	}
	if !o.Exists {
		return "parts of its service directory are there"
	}
	return "its service directory is there"
}

// trouble says what is wrong with a service that should run, if anything is.
func trouble(in input) (r fsm.Reason, bad bool) {
	o := &in.Observed
	switch {
	case o.StrayPID != 0:
		return strays(o), true
	case o.deserted():
		return leftRunning(o), true
	case !o.whole():
		return fsm.Because("not in place").With(missing(o)), true
	case o.Lags:
		return lags(o), true
	case o.Unlocked:
		return unlocked(), true
	case o.CommandProblem != "":
		return fsm.Because("its command cannot be started").With(o.CommandProblem), true
	case o.Unstarted:
		return unstarted(o), true
	case !o.Up():
		return fsm.Because("its process does not run").With(o.lastDeath()), true
	case o.Status.Paused:
		return fsm.Because("its process is paused"), true
	case o.crashes():
		return crashing(o), true
	case !o.Ready():
		return fsm.Because("its process is not ready").With(o.lastDeath()), true
	case o.Check.failing():
		return unanswered(o), true
	case o.LogsDeleted:
		return logsDeleted(), true
	case o.LoggerProblem != "":
		return fsm.Because("its logger does not run").With(o.LoggerProblem), true
	}
	return in.Desired.Rejected, in.Desired.Rejected != (fsm.Reason{})
}

// unanswered is the reason for calling a service degraded whose process fails its
// check.
func unanswered(o *Observed) fsm.Reason {
	c := &o.Check
	if c.Unmade {
		return fsm.Because("its check cannot be made").With(c.evidence())
	}
	evidence := c.evidence()
	if c.Restart && c.Restarts > 0 {
		evidence += fmt.Sprintf("; it has been restarted for that %s in a row, and is again at %s", times(c.Restarts), c.Next.Format(time.RFC3339))
	}
	return fsm.Because("it does not answer its check").With(evidence)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// awaitsCheck says that the process has not passed its check yet.
func awaitsCheck(o *Observed) fsm.Reason {
	return fsm.Because("waiting for it to pass its check").With(o.Check.evidence())
}

func foreign(o *Observed) fsm.Reason {
	return fsm.Because("a service of another owner has its name").With("it belongs to " + o.Owner)
}

// rewritten says why the files are to be written.
func rewritten(o *Observed) fsm.Reason {
	if o.damaged() {
		return fsm.Because("its files are put back").With(o.Damage)
	}
	return fsm.Because("its configuration changed")
}

func logsDeleted() fsm.Reason {
	return fsm.Because("its log directory was deleted").With("what it prints was written into deleted files")
}

// strays says what has to end before another process may begin.
func strays(o *Observed) fsm.Reason {
	if o.Deleted {
		return fsm.Because("what was started from a deleted service directory has not ended").With(fmt.Sprintf("pid %d", o.StrayPID))
	}
	return fsm.Because("one of its processes has lost its supervisor").With(fmt.Sprintf("pid %d", o.StrayPID))
}

func unlocked() fsm.Reason {
	return fsm.Because("its instance lock was deleted").With("a second process would not wait for the running one, which has to restart")
}

// outdated says why another process has to take the place of the running one.
func outdated(o *Observed) fsm.Reason {
	if o.replaced() {
		return fsm.Because("a restart was asked for")
	}
	if o.hung() {
		return fsm.Because("it did not answer its check, and is restarted").With(o.Check.Why)
	}
	if o.Unlocked {
		return unlocked()
	}
	if o.Overslept {
		return fsm.Because("its process waits for a pause that is over")
	}
	return fsm.Because("its process is from before the change")
}

// justStarted says that a process has not run for long enough yet.
func justStarted(o *Observed) fsm.Reason {
	return fsm.Because("it has only just started").With(o.lastDeath())
}

// firstCrash says why another process is started without a pause.
func firstCrash(o *Observed) fsm.Reason {
	return fsm.Because(fmt.Sprintf("its process ended for the first time in %v, and another is started at once", CrashWindow)).With(o.lastDeath())
}

func crashing(o *Observed) fsm.Reason {
	return fsm.Because(fmt.Sprintf("its process ended %d times in %v", o.Deaths, CrashWindow)).With(o.lastDeath())
}

func lags(o *Observed) fsm.Reason {
	if o.StatusProblem != "" {
		return fsm.Because("its supervisor has to write its status anew").With(o.StatusProblem)
	}
	return fsm.Because("its supervisor cannot write its status").With("the process that it runs is not the one that the status names")
}

// missing says what a service lacks to be whole.
func missing(o *Observed) string {
	switch {
	case o.damaged():
		return o.Damage
	case o.LoggerRemains:
		return "the directory of its logger was deleted, and what was started from the old one has not ended"
	}
	if o.StatusProblem != "" && !o.Supervised {
		return o.lacks() + "; what the last one has left is passed by: " + o.StatusProblem
	}
	return o.lacks()
}

func unstarted(o *Observed) fsm.Reason {
	return fsm.Because("s6-supervise cannot start it").With(o.Complaint)
}

func gaveUp(o *Observed) fsm.Reason {
	return fsm.Because("its finish command said not to start it again").With(o.lastDeath())
}
