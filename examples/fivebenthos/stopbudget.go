package main

import (
	"time"

	"github.com/evenkeel/evenkeel/benthos"
)

// The stop budget: when each of those that take part in a stop is given up, or
// killed, counted from the beginning of the stop. Each sum leaves those within
// it their time, so that nobody is killed while it still ends others, and Docker
// has nothing to kill.
//
// The files of the container have some of these numbers, too. A test compares
// them with these.
const (
	// engineTime is what an engine has to finish the requests it has accepted:
	// its shutdown_timeout.
	engineTime = 4 * time.Second
	// killTime is when s6 kills an engine that has not ended: the timeout-kill of
	// its service.
	killTime = engineTime + benthos.StopGrace
	// haltTime is how long fivebenthos waits for its instances: on a machine with
	// other work the five are told, reaped and seen with some delay.
	haltTime = killTime + 1300*time.Millisecond
	// programTime is when s6 kills fivebenthos, which has ended its loop by then
	// and closed manager and tree: its timeout-kill.
	programTime = haltTime + 300*time.Millisecond
	// containerTime is when container/end kills all that is left: the tree of
	// s6-svscan, told to end once fivebenthos had, has ended its loggers by then.
	containerTime = programTime + 600*time.Millisecond
	// dockerTime is when Docker kills the container, if not told otherwise.
	dockerTime = 10 * time.Second
)

// What else takes its part of the container's time.
const (
	// scanTime is how long container/end waits before it tells s6-svscan to end,
	// for a scan to be over.
	scanTime = 250 * time.Millisecond
	// orderTime is how long container/end gives s6-svscan to end the tree in its
	// own order before it tells the supervisors one by one.
	orderTime = 500 * time.Millisecond
	// overlayTime is how long a stop of s6-overlay takes after fivebenthos has
	// ended: its S6_KILL_GRACETIME.
	overlayTime = 500 * time.Millisecond
)

// endTime is how long a private tree may take to end after its instances. It is
// no part of the budget: in the container the tree is not the program's.
const endTime = 20 * time.Second
