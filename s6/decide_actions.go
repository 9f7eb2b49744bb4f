package s6

import "github.com/evenkeel/evenkeel/fsm"

// The actions of a service's driver.
const (
	// actCreate writes the service directory if it is not whole, links it into
	// the scan directory and makes s6-svscan look.
	actCreate fsm.Action = "create"
	// actNudge makes s6-svscan start what it owes.
	actNudge fsm.Action = "nudge s6-svscan"
	// actWrite brings the files of a directory that is in use up to date.
	actWrite fsm.Action = "write"
	// actUp and actDown make s6-supervise want the service up or down, now and
	// after a restart of the tree.
	actUp   fsm.Action = "bring up"
	actDown fsm.Action = "bring down"
	// actResume has s6-supervise start the next process without the pause that it
	// makes after a crash, if it is about to start one.
	actResume fsm.Action = "start at once"
	// actRestart ends the process so that s6-supervise starts another.
	actRestart fsm.Action = "restart"
	// actHung is actRestart for a process that does not answer its check, and
	// counts that.
	actHung fsm.Action = "restart for its check"
	// actEndStray ends a process that lost its supervisor.
	actEndStray fsm.Action = "end stray process"
	// actEndLeft ends what a process that has ended has left running.
	actEndLeft fsm.Action = "end what was left running"
	// actFreshLogger ends the logger's supervisor so that s6-svscan starts
	// another: a supervisor that an earlier s6-svscan left reads a pipe that
	// nobody writes to.
	actFreshLogger fsm.Action = "restart the logger"
	// actStatus has s6-supervise write its status anew, and do nothing else.
	actStatus fsm.Action = "have the status written"
	// actRecord writes down which process runs, where that was lost.
	actRecord fsm.Action = "write down which process runs"
	// actRelog ends s6-log: the next one builds its directory anew. What comes
	// meanwhile waits in the pipe.
	actRelog fsm.Action = "restart s6-log"
	// actRemove unlinks, waits for the supervisors, and deletes: one step a
	// pass.
	actRemove fsm.Action = "remove"
)

// Lists of actions are never modified.
var (
	createActions  = []fsm.Action{actCreate}
	nudgeActions   = []fsm.Action{actNudge}
	writeActions   = []fsm.Action{actWrite}
	writeUpActions = []fsm.Action{actWrite, actUp}
	upActions      = []fsm.Action{actUp}
	resumeActions  = []fsm.Action{actResume}

	writeRestartActions = []fsm.Action{actWrite, actRestart}
	downActions         = []fsm.Action{actDown}
	restartActions      = []fsm.Action{actRestart}
	hungActions         = []fsm.Action{actHung}
	endStrayActions     = []fsm.Action{actEndStray}
	endLeftActions      = []fsm.Action{actEndLeft}
	loggerActions       = []fsm.Action{actFreshLogger}
	relogActions        = []fsm.Action{actRelog}
	statusActions       = []fsm.Action{actStatus}
	recordActions       = []fsm.Action{actRecord}
	removeActions       = []fsm.Action{actRemove}
)
