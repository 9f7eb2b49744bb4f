package main

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestTroublesAreToldOnceWhenTheyLast(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	about := func(kind, name string, after time.Duration) fsm.Subject {
		return fsm.Subject{At: start.Add(after), Kind: kind, Instance: name}
	}
	failed := func(name string, after time.Duration, why string) fsm.Notice {
		return fsm.PassFailed{Subject: about("benthos", name, after), Err: errors.New(why)}
	}
	owned := func(name string, after time.Duration, n fsm.Notice) fsm.Notice {
		return fsm.Owned{Subject: about("benthos", name, after), Notice: n}
	}
	var ts troubles
	due := func(after time.Duration) (told []string) {
		ts.due(start.Add(after), func(name, why string) { told = append(told, name+": "+why) })
		return told
	}
	ts.hear(failed("b", 0, "fog"))
	ts.hear(failed("moment", 0, "fog"))
	ts.hear(owned("a", 500*time.Millisecond, fsm.PassFailed{Subject: about("s6", "a", 0), Err: errors.New("no room")}))
	ts.hear(fsm.Transition{Subject: about("benthos", "b", 600*time.Millisecond)})
	ts.hear(fsm.PassRecovered{Subject: about("benthos", "moment", 700*time.Millisecond)})
	assert.Empty(t, due(900*time.Millisecond))
	assert.Equal(t, []string{"b: fog"}, due(time.Second))
	assert.Equal(t, []string{"a: no room"}, due(2*time.Second), "a service speaks through its instance")
	assert.Empty(t, due(time.Hour))

	ts.hear(failed("a", time.Hour, "fog"))
	assert.Equal(t, []string{"a: fog"}, due(time.Hour), "another problem, while there is one")
	ts.hear(fsm.PassRecovered{Subject: about("benthos", "a", time.Hour)})
	assert.Equal(t, []string{"a: no room"}, due(time.Hour), "the other is there still")
	ts.hear(owned("a", time.Hour, fsm.PassRecovered{Subject: about("s6", "a", 0)}))
	ts.hear(fsm.Closed{Subject: about("benthos", "b", time.Hour)})
	assert.Empty(t, ts.all)
}
