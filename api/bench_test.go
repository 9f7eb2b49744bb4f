package api

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// BenchmarkList is the list of so many instances, from the request to the last byte.
func BenchmarkList(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			feed := NewFeed()
			m := newGates(b, &yard{open: make(map[string]bool)}, feed)
			all := make(map[string]fsm.Desired[*lock])
			for k := range n {
				all[fmt.Sprint("gate-", k)] = open("7")
			}
			require.NoError(b, m.Apply(b.Context(), all))
			passes(b, m)
			h := (&Server{Sources: []Source{Of(m, nil)}, Feed: feed}).Handler(Access{Local: true})
			b.ReportAllocs()
			for b.Loop() {
				code, _ := ask(b, h, http.MethodGet, "/api/instances")
				assert.Equal(b, http.StatusOK, code)
			}
		})
	}
}

// BenchmarkEvent is an event's way from what happens to a watcher on the socket.
func BenchmarkEvent(b *testing.B) {
	dir := b.TempDir()
	s := &Server{Feed: NewFeed()}
	stop := serve(b, dir, s)
	defer stop()
	c := NewClient(dir)
	defer c.Close()
	begun, came := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go func() {
		_ = c.Events(ctx, -1, func() { close(begun) }, func(Event) error { came <- struct{}{}; return nil })
	}()
	<-begun
	for b.Loop() {
		s.Feed.Hear(fsm.Transition{Subject: fsm.Subject{At: time.Now(), Kind: "gate", Instance: "a"}, To: "open"})
		<-came
	}
}
