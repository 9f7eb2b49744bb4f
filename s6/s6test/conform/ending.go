package conform

import (
	"fmt"
	"path"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// visible is for how long a state that does not come back lasts, so that a busy
// machine has seen it.
const visible = 2 * time.Second

func finishScript(s *stage) {
	p := s6test.Program{ReadyAfter: s6test.Never, FinishFor: visible, FinishCode: 4}
	a := s.serve("a", p, map[string]string{"finish": finish}, "su", "up, wanted")
	a.runs()
	a.tell("d")
	a.shows("d", "finishing, after signal 15 (terminated)")
	assert.NotZero(s.t, a.status().PID)
	a.shows("D", "down, ready, after signal 15 (terminated)")
	a.tell("u")
	a.shows("u", "up, wanted, after signal 15 (terminated)")
	a.runs()
	a.tell("k")
	a.shows("d", "finishing, wanted, after signal 9 (killed)")
	a.shows("Du", "up, wanted, after signal 9 (killed)")
}

func whileFinishing(s *stage) {
	p := s6test.Program{ReadyAfter: s6test.Never, FinishFor: visible}
	a := s.serve("a", p, map[string]string{"finish": finish}, "su", "up, wanted")
	finishing := func(last string) {
		a.runs()
		a.tell("k")
		a.shows("d", "finishing, wanted, after "+last)
	}
	last := "signal 9 (killed)"
	finishing(last)
	a.tell("d")
	a.shows("", "finishing, after "+last)
	a.tell("tkpc") // these are for the process alone
	a.stays(20*time.Millisecond, "finishing, after "+last)
	a.shows("D", "down, ready, after "+last)
	a.tell("u")
	a.shows("u", "up, wanted, after "+last)
	finishing(last)
	a.tell("o")
	a.shows("", "finishing, after "+last)
	a.shows("D", "down, ready, after "+last)
	a.stays(1200*time.Millisecond, "down, ready, after "+last)
	a.tell("u")
	a.shows("u", "up, wanted, after "+last)
	finishing(last)
	a.tell("d")
	a.shows("", "finishing, after "+last)
	a.tell("u")
	a.shows("", "finishing, wanted, after "+last)
	a.shows("Du", "up, wanted, after "+last)
	finishing(last)
	a.tell("x")
	a.stays(20*time.Millisecond, "finishing, wanted, after "+last)
	a.shows("Dxsu", "up, wanted")
}

func finishForGood(s *stage) {
	p := s6test.Program{ReadyAfter: s6test.Never, RunFor: 10 * time.Millisecond, ExitCode: 5, FinishCode: 125}
	a := s.serve("a", p, map[string]string{"finish": finish}, "sudOD", "down, ready, after exit 5")
	a.stays(1200*time.Millisecond, "down, ready, after exit 5")
	a.Program("a", silent)
	a.tell("u")
	a.shows("u", "up, wanted, after exit 5")
}

func finishForEver(s *stage) {
	p := s6test.Program{ReadyAfter: s6test.Never, FinishFor: time.Hour}
	a := s.serve("a", p, map[string]string{"finish": finish, "timeout-finish": "2000\n"}, "su", "up, wanted")
	a.runs()
	a.tell("d")
	a.shows("d", "finishing, after signal 15 (terminated)")
	a.shows("D", "down, ready, after signal 15 (terminated)")
}

func deaf(s *stage) {
	a := s.serve("a", s6test.Program{ReadyAfter: s6test.Never, Deaf: true}, map[string]string{"timeout-kill": "2000\n"}, "su", "up, wanted")
	a.runs()
	a.tell("d")
	a.shows("", "up")
	a.shows("dD", "down, ready, after signal 9 (killed)")
	a.tell("u")
	a.shows("u", "up, wanted, after signal 9 (killed)")
	a.runs()
	a.tell("d")
	a.shows("", "up, after signal 9 (killed)")
	a.tell("u") // it is killed all the same
	a.shows("dDu", "up, wanted, after signal 9 (killed)")
}

func slow(s *stage) {
	a := s.serve("a", s6test.Program{ReadyAfter: s6test.Never, StopAfter: visible}, nil, "su", "up, wanted")
	a.runs()
	a.tell("d")
	a.shows("", "up")
	a.shows("dD", "down, ready, after signal 15 (terminated)")
	a.tell("u")
	a.shows("u", "up, wanted, after signal 15 (terminated)")
	a.runs()
	a.tell("r")
	a.shows("dDu", "up, wanted, after signal 15 (terminated)")
}

func deafForEver(s *stage) {
	a := s.serve("a", s6test.Program{ReadyAfter: s6test.Never, Deaf: true}, nil, "su", "up, wanted")
	a.runs()
	a.tell("d")
	a.stays(500*time.Millisecond, "up")
	a.tell("k")
	a.shows("dD", "down, ready, after signal 9 (killed)")
}

// lostTally: what s6-supervise cannot read of the deaths so far is forgotten.
func lostTally(s *stage) {
	a := s.serve("a", silent, nil, "su", "up, wanted")
	tally := path.Join(a.dir, "supervise/death_tally")
	dies := func(all string) {
		a.runs()
		before := a.status().PID
		a.tell("k")
		a.deaths(all)
		a.Eventually("another process is up", func() error {
			if status := a.status(); !status.Up() || status.PID == before {
				return fmt.Errorf("it is %s", words(status))
			}
			return nil
		})
	}
	dies("137/9")
	require.NoError(s.t, s.FS().Remove(tally))
	dies("137/9")
	dies("137/9 137/9")
	data, err := s.FS().ReadFile(tally)
	require.NoError(s.t, err)
	require.NoError(s.t, s.FS().WriteFile(tally, data[:supervise.TallySize+5], 0o644))
	dies("137/9")
	require.NoError(s.t, s.FS().WriteFile(tally, nil, 0o644))
	dies("137/9")
}
