// Package logs reads what instances print, several at once.
//
// A [Reader] reads the log directories of a tree (s6.Layout.LogsDir) through their
// rotations, and delivers the lines of all in the order in which they were printed.
// It needs nothing that runs, neither a manager nor s6.
//
// # How it follows
//
// It looks at each log five times a second. A look at a log to which nothing was
// written is one Stat, one look at the directory of all logs finds new ones. Events
// of the kernel would cost more where much is printed, for each line that is
// written is one, are limited in number, and are not told on every filesystem.
//
// A log is read no further than its next line is needed. So a Reader keeps one line
// of each log and what was read of the file behind it, 64 KiB where lines are
// shorter, however much there is in the logs and however slowly it is taken.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - line.go: a line, and what is told beside lines
//   - source.go: the log of one instance
//   - reader.go: the logs of several instances
package logs
