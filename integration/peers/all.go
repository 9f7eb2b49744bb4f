//go:build integration

package peers

import (
	"os"
	"path/filepath"
)

// Entry is a peer with its name in the tables.
type Entry struct {
	Name string
	Peer Peer
	// Once: what has ended stays so.
	Once bool
}

// All returns the peers of a job of sleepers. Programs are built into a directory, or
// are in bin/peers.
func All(dir string) []Entry {
	checkout, _ := os.Getwd() // a program that is not found is not measured
	programs := filepath.Join(checkout, "../../bin/peers")
	return []Entry{
		{Name: "evenkeel", Peer: &evenkeel{built: filepath.Join(dir, "evenkeel")}},
		{Name: "s6", Peer: &bareS6{loggers: true}},
		{Name: "s6-without-loggers", Peer: &bareS6{}},
		{Name: "s6-asked-by-forks", Peer: &forking{bareS6: bareS6{loggers: true}}},
		{Name: "runit", Peer: &runit{}},
		{Name: "supervisord", Peer: &supervisord{}},
		{Name: "pebble", Peer: &pebble{path: filepath.Join(programs, "pebble")}},
	}
}

// OfStreams returns the peers of a job of streams: the same, and the engine alone.
func OfStreams(dir, engine string) []Entry {
	return append(All(dir), Entry{Name: "streams-mode", Peer: &streamsMode{engine: engine}, Once: true})
}

// Unmeasured are peers that are not measured, with why.
func Unmeasured() map[string]string {
	return map[string]string{
		"process-compose": "a module that it is built from could not be had where this was measured",
	}
}
