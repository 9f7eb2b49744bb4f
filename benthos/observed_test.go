package benthos

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// What is started after a stream starts after the one that is declared.
func TestProcessOfAnotherConfigurationDoesNotWork(t *testing.T) {
	up := &Service{Observed: s6.Observed{Supervised: true, Status: supervise.Status{PID: 7, WantUp: true}}}
	for name, tt := range map[string]struct {
		observed     Observed
		there, works bool
	}{
		"nothing is known":     {Observed{}, false, false},
		"as declared":          {Observed{Service: up, Current: true}, true, true},
		"of a change":          {Observed{Service: up}, true, false},
		"of another note":      {Observed{Service: up, Renoted: true}, true, true},
		"not seen since asked": {Observed{Service: up, Current: true, Unseen: true}, true, false},
	} {
		there, works := tt.observed.Process()
		assert.Equal(t, tt.there, there, name)
		assert.Equal(t, tt.works, works, name)
	}
}
