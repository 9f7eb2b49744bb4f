package runner

import (
	"time"

	"github.com/evenkeel/evenkeel/benthos"
)

// The stop budget of a container: when each part of a stop is given up or killed,
// counted from the beginning of the stop. Each sum leaves the parts within it
// their time, so that nothing is killed while it still ends others, and Docker has
// nothing to kill.
//
// The files of the container hold some of these numbers, too. A test compares
// them with these.
const (
	// EngineTime is what an engine has to finish the requests it has accepted:
	// the shutdown_timeout of a stream that is to end within the budget.
	EngineTime = 4 * time.Second
	// killTime is when s6 kills such an engine that has not ended: the
	// timeout-kill of its service.
	killTime = EngineTime + benthos.StopGrace
	// HaltTime is how long the program waits for its instances. On a busy machine
	// they are told, reaped and observed with some delay.
	HaltTime = killTime + 1300*time.Millisecond
	// programTime is when s6 kills the program: its timeout-kill. By then it has
	// ended its loop, closed managers and tree, and printed what it had to say.
	programTime = HaltTime + 300*time.Millisecond + FlushTime
	// containerTime is when container/end kills all that is left. By then the
	// tree of s6-svscan, which is told to end after the program has ended, has
	// ended its loggers.
	containerTime = programTime + 600*time.Millisecond
	// dockerTime is when Docker kills the container, by default.
	dockerTime = 10 * time.Second
)

// What else takes time in the container.
const (
	// FlushTime is how long the program waits at its end for a reader of what it
	// prints.
	FlushTime = 200 * time.Millisecond
	// scanTime is how long container/end waits for a scan to be over, before it
	// tells s6-svscan to end.
	scanTime = 250 * time.Millisecond
	// orderTime is how long container/end gives s6-svscan to end the tree in its
	// own order before it tells the supervisors one by one.
	orderTime = 500 * time.Millisecond
	// overlayTime is how long a stop of s6-overlay takes after the program has
	// ended: its S6_KILL_GRACETIME.
	overlayTime = 500 * time.Millisecond
)
