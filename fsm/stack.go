package fsm

import "runtime"

// passStack is more than half of the stack that a pass takes, in bytes.
const passStack = 8 << 10

// growStack gives a goroutine the stack that a pass takes, in one step while
// nothing is on it. A goroutine begins with a small one, and all that is on it is
// copied each time it is outgrown: a good part of the time that a pass takes over
// what did not change.
//
//go:noinline
func growStack() {
	var room [passStack]byte
	runtime.KeepAlive(&room)
}
