package runner

import (
	"bytes"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
)

// Expect returns the documents that a linter of streams will be asked about if files
// that declare this are kept now, as far as that can be foreseen: those of streams
// that were not declared like this the last time, with the ports that they would get
// and the default exporter. It is for benthos.AskAhead.
func Expect(d *config.Declaration, store Store) (documents [][]byte) {
	last, _, _ := store.before() // what is wrong with it is told by Files
	assign(d, last, free)
	for _, key := range streamsOf(d) {
		now := d.Entries[key].Stream
		if text, err := now.Render(); err == nil && !sameStream(last.Entries[key].Stream, now) {
			documents = append(documents, text)
		}
	}
	return documents
}

// sameStream reports whether a stream was declared like this before, whatever
// exporter it was given.
func sameStream(before, now *benthos.Config) bool {
	if before == nil {
		return false
	}
	was, is := *before, *now
	was.Metrics, is.Metrics = "", ""
	a, errA := was.Render()
	b, errB := is.Render()
	return errA == nil && errB == nil && bytes.Equal(a, b)
}
