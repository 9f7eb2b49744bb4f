package words_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/words"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                             "0s",
		59*time.Second + 900*1e6:      "59s",
		-90 * time.Second:             "1m30s",
		time.Hour:                     "1h00m",
		47*time.Hour + 59*time.Minute: "47h59m",
		49 * time.Hour:                "2d01h",
	} {
		assert.Equal(t, want, words.Ago(now.Add(-d), now), "%v", d)
	}
	assert.Equal(t, "-", words.Ago(time.Time{}, now))
}

func TestReason(t *testing.T) {
	for want, s := range map[string]api.Summary{
		"":                                    {},
		"it runs: up for 3s":                  {Reason: fsm.Because("it runs").With("up for 3s")},
		"it waits":                            {Reason: fsm.Because("it runs"), Waits: fsm.Because("it waits")},
		"no such file (next try in 3s)":       {Reason: fsm.Because("it runs"), Error: "no such file", NextTry: now.Add(3 * time.Second)},
		"its declaration is refused: no name": {Refused: "no name"},
		"no such file (held: it is not tried again until something changes); its declaration is refused: no name": {
			Error: "no such file", Held: true, NextTry: now, Refused: "no name",
		},
	} {
		assert.Equal(t, want, words.Reason(&s, now))
	}
}

func TestLink(t *testing.T) {
	for want, l := range map[string]fsm.Link{
		"it runs":                     {Text: "it runs"},
		"it is to run (declared)":     {Text: "it is to run", By: "declared"},
		"it is tried again, in 1m00s": {Text: "it is tried again", At: now.Add(time.Minute)},
		"it is to run (by hand), since 2026-03-01 11:59:00 (1m00s)": {Text: "it is to run", By: "by hand", At: now.Add(-time.Minute)},
	} {
		assert.Equal(t, want, words.Link(l, now))
	}
}
