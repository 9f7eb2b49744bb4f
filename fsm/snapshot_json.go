package fsm

import (
	"encoding/json"
	"errors"
)

// MarshalJSON returns what is to be shown of the snapshot: Masked, with Err as
// its text. Times are RFC 3339, durations nanoseconds, phases their names; what
// is zero and says nothing is left out.
func (s Snapshot[D, O]) MarshalJSON() ([]byte, error) {
	type plain Snapshot[D, O]
	var shown struct {
		plain
		Err string `json:"error,omitempty"`
	}
	shown.plain = plain(*s.Masked())
	if shown.plain.Err != nil {
		shown.Err = shown.plain.Err.Error()
	}
	return json.Marshal(shown)
}

// UnmarshalJSON reads what MarshalJSON returned. Err is then an error of the
// same text and nothing else.
func (s *Snapshot[D, O]) UnmarshalJSON(data []byte) error {
	type plain Snapshot[D, O]
	var shown struct {
		plain
		Err string `json:"error"`
	}
	if err := json.Unmarshal(data, &shown); err != nil {
		return err
	}
	*s = Snapshot[D, O](shown.plain)
	if shown.Err != "" {
		s.Err = errors.New(shown.Err)
	}
	return nil
}

// MarshalJSON returns the reason as it is to be shown, with MaskText.
func (r Reason) MarshalJSON() ([]byte, error) {
	type plain Reason
	return json.Marshal(plain(r.masked()))
}
