package benthos

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/ports"
)

// What counts is how long a process was seen not to listen, on one address.
func TestDeafness(t *testing.T) {
	endpoint, input := Listen{Port: 9080, Path: "metrics_port"}, Listen{Port: 8080, Path: "input.http_server.address"}
	refused, unclear, heard := hearing{deaf: endpoint}, hearing{}, hearing{all: true}
	const every = time.Second
	type look struct {
		times int
		pid   int
		l     hearing
	}
	for name, c := range map[string]struct {
		looks []look
		after int // the look, counted from 1, at which it has lasted for too long; 0 for none
	}{
		"30 seconds":              {[]look{{40, 7, refused}}, 31},
		"it listens in time":      {[]look{{29, 7, refused}, {1, 7, heard}, {30, 7, refused}}, 0},
		"what is unclear":         {[]look{{20, 7, refused}, {60, 7, unclear}, {11, 7, refused}}, 91},
		"another process":         {[]look{{29, 7, refused}, {30, 8, refused}}, 0},
		"another address":         {[]look{{29, 7, refused}, {30, 7, hearing{deaf: input}}}, 0},
		"it is heard elsewhere":   {[]look{{20, 7, hearing{deaf: input}}, {5, 7, hearing{heard: endpoint.Addr()}}, {11, 7, hearing{deaf: input}}}, 36},
		"it is heard there again": {[]look{{29, 7, refused}, {1, 7, hearing{heard: endpoint.Addr()}}, {30, 7, refused}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var d deafness
			now, n, after := time.Unix(0, 0), 0, 0
			for _, look := range c.looks {
				for range look.times {
					n++
					if d.note(now, look.pid, look.l) && after == 0 {
						after = n
					}
					now = now.Add(every)
				}
			}
			assert.Equal(t, c.after, after)
		})
	}
}

// A process that is looked at again after an hour may have been frozen with the
// program.
func TestDeafnessIsNotCountedWhileNobodyLooks(t *testing.T) {
	var d deafness
	now := time.Unix(0, 0)
	l := hearing{deaf: Listen{Port: 9080}}
	for range 14 {
		assert.False(t, d.note(now, 7, l))
		now = now.Add(time.Hour)
	}
}

// Who was slow once may be slow again.
func TestDeafnessOfOneThatWasSlow(t *testing.T) {
	var d deafness
	now := time.Unix(0, 0)
	for second := range 60 { // the second in a row has a minute
		d.count = 1
		assert.False(t, d.note(now.Add(time.Duration(second)*time.Second), 7, hearing{deaf: Listen{Port: 9080}}))
	}
	now = now.Add(time.Minute)
	assert.False(t, d.note(now, 7, hearing{all: true}))
	d.forget()
	for range 118 {
		now = now.Add(time.Second)
		assert.False(t, d.note(now, 8, hearing{deaf: Listen{Port: 9080}}))
	}
	assert.True(t, d.note(now.Add(time.Second), 8, hearing{deaf: Listen{Port: 9080}}))
}

// listening is a Prober of an engine that is ready, by what is known of its
// addresses: nil where it listens, an error where that cannot be told.
type listening struct {
	Prober
	addrs map[string]error
}

func (listening) Ping(context.Context, string) error { return nil }
func (listening) Ready(context.Context, string) (ReadyState, error) {
	return ReadyState{Ready: true}, nil
}
func (listening) Version(context.Context, string) (VersionInfo, error) {
	return VersionInfo{Version: "fake"}, nil
}
func (listening) Holder(string) (ports.Holder, bool, error) { return ports.Holder{}, false, nil }
func (l listening) Listens(_ int, addr string) (bool, error) {
	err, known := l.addrs[addr]
	return known && err == nil, err
}

// What could not be looked at is taken to be well, and looked at again.
func TestHearingOfAnInputThatCannotBeLookedAt(t *testing.T) {
	doc, err := newDocument(&Config{
		Input:  map[string]any{"http_server": map[string]any{"address": "127.0.0.1:8080"}},
		Output: map[string]any{"drop": map[string]any{}}, MetricsPort: 9080,
	})
	require.NoError(t, err)
	own := func() []int { return []int{7} }
	look := func(p Prober, before Health, heard bool) (Health, hearing) {
		return health(t.Context(), time.Unix(0, 0), p, doc, 7, own, before, heard)
	}
	at := func(input error) Prober {
		return listening{addrs: map[string]error{"127.0.0.1:9080": nil, "127.0.0.1:8080": input}}
	}
	h, l := look(at(syscall.EMFILE), Health{}, false)
	assert.True(t, h.Ready)
	assert.Equal(t, hearing{}, l, "it cannot be told")

	deaf := listening{addrs: map[string]error{"127.0.0.1:9080": nil}}
	h, l = look(deaf, h, l.all)
	assert.False(t, h.Ready, "it is looked at again")
	assert.Equal(t, hearing{deaf: doc.listens[1]}, l)

	h, l = look(at(nil), h, l.all)
	assert.True(t, h.Ready)
	assert.Equal(t, hearing{all: true}, l)
	h, l = look(deaf, h, l.all)
	assert.True(t, h.Ready, "it is not looked at again")
	assert.Equal(t, hearing{all: true}, l)
}
