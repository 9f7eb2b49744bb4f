// Package order has instances start after what they need, and stop before it: of
// one manager or of several, of whatever kinds.
//
// An [Order] is told what is declared, by Declare, and keeps instances waiting by
// the [fsm.Gate] of each manager. What waits is asked to be stopped meanwhile, with
// a reason that says for what. Only what does not run waits: what has been started
// goes on whatever becomes of what it needs. What is to stop goes on until what
// needs it, and is to stop as well, has stopped or has had its time.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - view.go: what is declared of an instance, and what is seen of it
//   - order.go: what an order keeps
//   - hold.go: what has to wait, and for what
//   - declare.go: what is declared, and the gates of managers
package order
