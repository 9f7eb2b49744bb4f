package main

import (
	"time"

	"github.com/evenkeel/evenkeel/benthos"
)

// The stop budget: when each part of a stop is given up or killed, counted from
// the beginning of the stop. Each sum leaves the parts within it their time, so
// that nothing is killed while it still ends others, and Docker has nothing to
// kill.
//
// The files of the container hold some of these numbers, too. A test compares
// them with these.
const (
	// engineTime is what an engine has to finish the requests it has accepted:
	// its shutdown_timeout.
	engineTime = 4 * time.Second
	// killTime is when s6 kills an engine that has not ended: the timeout-kill
	// of its service.
	killTime = engineTime + benthos.StopGrace
	// haltTime is how long fivebenthos waits for its instances, if -stop-timeout
	// says nothing else. On a busy machine the five are told, reaped and observed
	// with some delay.
	haltTime = killTime + 1300*time.Millisecond
	// programTime is when s6 kills fivebenthos: its timeout-kill. By then it
	// has ended its loop, closed manager and tree, and printed what it had to
	// say.
	programTime = haltTime + 300*time.Millisecond + flushTime
	// containerTime is when container/end kills all that is left. By then the
	// tree of s6-svscan, which is told to end after fivebenthos has ended, has
	// ended its loggers.
	containerTime = programTime + 600*time.Millisecond
	// dockerTime is when Docker kills the container, by default.
	dockerTime = 10 * time.Second
)

// What else takes time in the container.
const (
	// flushTime is how long fivebenthos waits at its end for a reader of what it
	// prints.
	flushTime = 200 * time.Millisecond
	// scanTime is how long container/end waits for a scan to be over, before it
	// tells s6-svscan to end.
	scanTime = 250 * time.Millisecond
	// orderTime is how long container/end gives s6-svscan to end the tree in its
	// own order before it tells the supervisors one by one.
	orderTime = 500 * time.Millisecond
	// overlayTime is how long a stop of s6-overlay takes after fivebenthos has
	// ended: its S6_KILL_GRACETIME.
	overlayTime = 500 * time.Millisecond
)
