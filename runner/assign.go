package runner

import (
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/ports"
)

// Ports that are given to streams that name none.
const (
	FirstPort = 20000
	LastPort  = 32767
)

// assign gives a port of its own to each stream that names no metrics_port: the
// one that it had last, or one that nobody has and that check, asked for a port,
// finds free. What was declared last has its ports still: a stream that names one
// of them is refused later, and not the one that has it. Streams for which there
// is none are refused.
func assign(d, last *config.Declaration, check func(port uint16) error) {
	book := ports.Allocator{First: FirstPort, Last: LastPort, Check: check}
	for _, key := range streamsOf(last) {
		if now, there := d.Entries[key]; !there || now.Stream.MetricsPort == 0 {
			_ = book.Reserve(key.Name, last.Entries[key].Stream.MetricsPort)
		}
	}
	keys := streamsOf(d)
	for _, key := range keys {
		for _, l := range benthos.Ports(*d.Entries[key].Stream) {
			_ = book.Reserve(key.Name+" "+l.Path, l.Port) // two that have one port are refused later
		}
	}
	for _, key := range keys {
		e := d.Entries[key]
		if e.Stream.MetricsPort != 0 {
			continue
		}
		port, err := book.Allocate(key.Name)
		if err != nil {
			d.Refuse(key, e.Locate("metrics_port"), "it has no port for its endpoint: "+err.Error())
			continue
		}
		c := *e.Stream
		c.MetricsPort = port
		e.Stream = &c
		d.Entries[key] = e
	}
}

// streamsOf returns the streams of a declaration by their names.
func streamsOf(d *config.Declaration) []config.Key {
	keys := slices.SortedFunc(maps.Keys(d.Entries), config.Key.Compare)
	return slices.DeleteFunc(keys, func(k config.Key) bool { return k.Kind != config.KindStream })
}

// free reports whether a port can be listened on by a stream that says nothing of
// its host.
func free(port uint16) error {
	return ports.Check(net.JoinHostPort(benthos.DefaultHost, strconv.Itoa(int(port))))
}
