// Package top is a live table of instances in a terminal, in which they are stopped,
// started, restarted and retried.
//
// [Run] draws it until somebody quits. What it shows comes through a [Source], which
// an api.Client is, and which a program can be for itself. A [Model] is the table
// without a terminal: messages in, a view out. It knows the time from its messages
// alone, so that the same messages give the same view.
//
// Each text of others is escaped before it is drawn. What is drawn depends on nothing
// but what is visible: a thousand instances cost hardly more than ten.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - source.go: where what is shown comes from
//   - series.go: the rates of the last minute, and how they are drawn
//   - look.go: the marks and colours of phases
//   - row.go: an instance, and how it is compared with others
//   - column.go: what a table has of an instance
//   - layout.go: which columns a width has room for
//   - message.go: what a model is told
//   - calls.go: what a model asks for
//   - verb.go: what can be asked for by hand
//   - pane.go: all about one instance
//   - model.go: the table without a terminal
//   - listed.go: what is shown, in which order
//   - status.go: the line below the table
//   - frame.go: what has how much room
//   - table.go: what is drawn of all instances
//   - detail.go: what is drawn of one
//   - key.go: what the keys do
//   - help.go: what is said of the keys
//   - view.go: all that is drawn
//   - update.go: what each message does
//   - terminal.go: what a table is drawn on
//   - outlet.go: how long that takes nothing
//   - run.go: the table on a terminal
package top
