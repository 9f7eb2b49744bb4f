package s6

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// explain implements fsm.Kind.Explain.
func explain(s *fsm.Snapshot[*Spec, Observed]) (links []fsm.Link) {
	o := &s.Observed
	see := func(at time.Time, format string, args ...any) {
		links = append(links, fsm.Link{Part: fsm.PartSeen, At: at, Text: fmt.Sprintf(format, args...)})
	}
	switch {
	case s.ObservedAt.IsZero():
		return nil
	case o.Up() && o.Status.Paused:
		see(o.Status.Stamp, "process %d is stopped by a signal (SIGSTOP)", o.Status.PID)
	case o.Up() && !o.Waits.IsZero():
		see(o.Waits, "process %d pauses, and begins when that is over", o.Status.PID)
	case o.Up():
		see(o.Status.Stamp, "process %d runs", o.Status.PID)
	case o.Supervised && o.Status.Finishing:
		see(o.Status.Stamp, "its process has ended, and its finish script runs")
	case o.Exists:
		see(time.Time{}, "no process of it runs")
	}
	if o.Up() && o.ReadyRequired && !o.Status.Ready {
		see(time.Time{}, "its process has not said that it is ready")
	}
	if how := o.lastDeath(); how != "" && how != s.Reason.Evidence {
		asked := ""
		if !o.Unasked {
			asked = ", as it was asked to"
		}
		see(time.Time{}, "its last process that ended %s%s", how, asked)
	}
	if o.Deaths > 0 {
		see(time.Time{}, "in the last %v its process ended %s without being asked to", CrashWindow, times(o.Deaths))
	}
	if o.Failures > 0 {
		see(time.Time{}, "it has failed %s in a row", times(o.Failures))
	}
	if c := &o.Check; c.What != "" && !c.At.IsZero() {
		verdict := "passes its check"
		if c.Problem != "" {
			verdict = "does not pass its check"
		}
		see(c.At, "it %s: %s", verdict, c.evidence())
	}
	for _, problem := range []string{o.CommandProblem, o.Complaint, o.StatusProblem, o.Damage} {
		if problem != "" {
			see(time.Time{}, "%s", problem)
		}
	}
	if o.LoggerProblem != "" {
		see(time.Time{}, "its logger does not run: %s", o.LoggerProblem)
	}
	if help := helps(s); help != "" {
		links = append(links, fsm.Link{Part: fsm.PartHelp, Text: help})
	}
	return links
}

// helps says what would change the state of a service that is to run.
func helps(s *fsm.Snapshot[*Spec, Observed]) string {
	o := &s.Observed
	switch {
	case s.State == StateDone:
		return "it has come to its end, and runs again only if it is restarted or its declaration changes"
	case s.State == StateFailed:
		return "it is not run again: mend what ends it, and then restart it or change what is declared of it"
	case s.State == StateBackingOff:
		return "mend what ends it; its next try is made when the pause is over, or at once if it is restarted"
	case s.Desired.State != Running || s.Phase == fsm.PhaseRunning:
		return ""
	case o.CommandProblem != "" || o.Unstarted:
		return "mend the command, or the file that it names: it is started again by itself"
	case o.Status.Paused && o.Up():
		return "let the process go on (SIGCONT), or restart it"
	case o.Check.failing() && o.Check.Restart:
		return "it is well again when it passes its check, and is restarted if it does not"
	case o.Check.failing():
		return "it is well again when it passes its check; nobody restarts it for that, unless it is asked for"
	case o.LoggerProblem != "":
		return "mend what keeps its logger from running, as the owner or the mode of its log directory"
	case o.crashes():
		return fmt.Sprintf("mend what ends it: it counts as well when it has ended fewer than %d times in %v", CrashLimit, CrashWindow)
	case o.Up() && o.ReadyRequired && !o.Status.Ready:
		return "it is well when its process says that it is ready"
	}
	return ""
}
