// Package fsmtest tests kinds of instances for package fsm.
//
// A [Check] walks through every state of a kind's table, with everything that
// can be asked for, in every simulated world it is given, and fails with the
// path taken where an instance gets stuck, hides why, or decides impurely. It
// needs neither goroutines nor real time. Real drivers, on what is in memory
// below them, have a world in a testing/synctest bubble: [Live].
//
// A [Story] steps one instance through a script in fake time and writes down
// what it did, a line for each pass that did something, to be read as a story
// and compared with a golden file.
package fsmtest
