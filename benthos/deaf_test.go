package benthos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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
