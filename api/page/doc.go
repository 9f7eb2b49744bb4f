// Package page is instances in a browser: a list of all, and for each why it is
// where it is, its state machine, its history, its log and its configuration.
//
// [Handler] serves it, for api.Server.Page. Everything is embedded, and nothing is
// fetched from elsewhere; the browser is told to run and to show nothing that comes
// from another place, or from within texts. The page asks what an api.Server serves
// beside it, below /api/.
//
// State machines of services and streams are drawn; those of kinds of one's own are
// listed. "go generate ./api/page" lays them out again.
package page

//go:generate go run ./internal/draw ../../tools static/machines
