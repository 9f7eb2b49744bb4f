// Package screen says what a terminal shows of what was written to it: for tests.
package screen
