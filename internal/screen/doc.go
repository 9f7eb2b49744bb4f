// Package screen says what a terminal shows of what was written to it, as text and as a
// picture: for tests and documents.
package screen
