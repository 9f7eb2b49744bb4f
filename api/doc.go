// Package api shows instances over HTTP, and has them stopped, started and
// restarted: for a command line, a page, and programs of others.
//
// A [Server] shows the instances of any number of managers of any kinds. [Of] makes a
// [Source] of a manager; a [Feed] is a listener of managers, and keeps what happened
// lately for those who watch. What is asked by hand goes to the [Hands] of the program.
// Everything that is shown is masked, as in fsm.Snapshot.Masked; what is written as
// JSON holds no character that does something to a terminal.
//
// [Server.Handler] serves it: with all rights where nobody else can connect, as on a
// socket that [ListenUnix] makes, and with less elsewhere ([Access]). Whoever asks
// gets an OpenAPI 3.1 document at /api/openapi.json, made from the same types.
// A [Client] asks over the socket.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - show.go: how instances are shown
//   - source.go: the instances of a manager
//   - event.go: what has happened to an instance
//   - feed.go: what happened lately, for those who watch
//   - access.go: who may ask
//   - server.go: what a program gives to be shown
//   - read.go: what can be asked
//   - changes.go: what of that has changed
//   - stream.go: what happens, as it happens
//   - write.go: what can be asked for
//   - handler.go: all of it, served
//   - listen.go: the socket, and the address
//   - client.go: asking over the socket
package api
