package fsm

import "encoding/json"

// MarshalJSON returns the notice with Err as its text, as MaskText shows it.
func (n PassFailed) MarshalJSON() ([]byte, error) {
	type plain PassFailed
	return json.Marshal(struct {
		plain
		Err string `json:"error,omitempty"`
	}{plain(n), maskedText(n.Err)})
}

// MarshalJSON returns the notice with Err as its text, as MaskText shows it.
func (n PassRecovered) MarshalJSON() ([]byte, error) {
	type plain PassRecovered
	return json.Marshal(struct {
		plain
		Err string `json:"error,omitempty"`
	}{plain(n), maskedText(n.Err)})
}

// MarshalJSON returns the notice with Err as its text, as MaskText shows it.
func (n Refused) MarshalJSON() ([]byte, error) {
	type plain Refused
	return json.Marshal(struct {
		plain
		Err string `json:"error,omitempty"`
	}{plain(n), maskedText(n.Err)})
}

// MarshalJSON returns the notice with Err as its text, as MaskText shows it.
func (n RefusalEnded) MarshalJSON() ([]byte, error) {
	type plain RefusalEnded
	return json.Marshal(struct {
		plain
		Err string `json:"error,omitempty"`
	}{plain(n), maskedText(n.Err)})
}

// MarshalJSON returns the notice with Err as its text, as MaskText shows it.
func (n Warned) MarshalJSON() ([]byte, error) {
	type plain Warned
	return json.Marshal(struct {
		plain
		Err string `json:"error,omitempty"`
	}{plain(n), maskedText(n.Err)})
}

// MarshalJSON returns the notice with Err as its text, as MaskText shows it.
func (n Closed) MarshalJSON() ([]byte, error) {
	type plain Closed
	return json.Marshal(struct {
		plain
		Err string `json:"error,omitempty"`
	}{plain(n), maskedText(n.Err)})
}

// maskedText returns the text of an error to be shown, "" for none.
func maskedText(err error) string {
	if err == nil {
		return ""
	}
	return MaskText(err.Error())
}
