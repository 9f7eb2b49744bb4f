package fsm_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestNoticeJSON(t *testing.T) {
	about := fsm.Subject{At: time.Unix(0, 0).UTC(), Kind: "lamp", Instance: "a"}
	err := errors.New("cannot ask http://u:" + planted + "@h")
	const subject = `"at": "1970-01-01T00:00:00Z", "kind": "lamp", "instance": "a"`
	const text = `"error": "cannot ask http://u:***@h"`
	for want, notice := range map[string]fsm.Notice{
		`{` + subject + `, ` + text + `, "failures": 3}`: fsm.PassFailed{Subject: about, Err: err, Failures: 3},
		`{` + subject + `, ` + text + `}`:                fsm.PassRecovered{Subject: about, Err: err},
		`{` + subject + `, ` + text + `, "failures": 10, "since": "1970-01-01T00:00:00Z"}`: fsm.PassRecovered{
			Subject: about, Err: err, Failures: 10, Since: about.At,
		},
		`{` + subject + `, ` + text + `   }`:     fsm.RefusalEnded{Subject: about, Err: err},
		`{` + subject + `, ` + text + ` }`:       fsm.Refused{Subject: about, Err: err},
		`{` + subject + `,  ` + text + `}`:       fsm.Warned{Subject: about, Err: err},
		`{` + subject + `, ` + text + `  }`:      fsm.Closed{Subject: about, Err: err},
		`{` + subject + `}`:                      fsm.Closed{Subject: about},
		`{` + subject + `, "after": 1000000000}`: fsm.Overran{Subject: about, After: time.Second},
		`{` + subject + `, "notice": {` + subject + `, "from": "off", "to": "lit", "event": "light", "phase": "running", "reason": {"evidence": "token=***"}}}`: fsm.Owned{
			Subject: about,
			Notice: fsm.Transition{
				Subject: about, From: "off", To: "lit", Event: "light", ToPhase: fsm.PhaseRunning,
				Reason: fsm.Reason{Evidence: "token=" + planted},
			},
		},
	} {
		got, err := json.Marshal(notice)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(got))
	}
}
