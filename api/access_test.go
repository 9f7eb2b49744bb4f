package api

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/fsm"
)

// hands write down what they are asked for.
type hands struct {
	asked []string
	err   error
}

func (h *hands) note(verb, kind, name, by string) error {
	h.asked = append(h.asked, fmt.Sprintf("%s %s %s by %s", verb, kind, name, by))
	return h.err
}

func (h *hands) Stop(_ context.Context, kind, name, by string) error {
	return h.note("stop", kind, name, by)
}
func (h *hands) Start(_ context.Context, kind, name, by string) error {
	return h.note("start", kind, name, by)
}
func (h *hands) Restart(_ context.Context, kind, name, by string) error {
	return h.note("restart", kind, name, by)
}
func (h *hands) Retry(_ context.Context, kind, name, by string) error {
	return h.note("retry", kind, name, by)
}

func TestWhatIsAskedForByHand(t *testing.T) {
	did := &hands{}
	s, _, _ := shown(t, did)
	h := s.Handler(Access{Local: true})
	for _, verb := range []string{"stop", "start", "restart", "retry"} {
		code, text := ask(t, h, http.MethodPost, "/api/instances/north/"+verb)
		assert.Equal(t, http.StatusAccepted, code, text)
		code, _ = ask(t, h, http.MethodGet, "/api/instances/north/"+verb)
		assert.Contains(t, []int{http.StatusMethodNotAllowed, http.StatusNotFound}, code, "no GET changes anything")
	}
	assert.Equal(t, []string{
		"stop gate north by somebody", "start gate north by somebody", "restart gate north by somebody", "retry gate north by somebody",
	}, did.asked)
	code, _ := ask(t, h, http.MethodPost, "/api/instances/east/stop")
	assert.Equal(t, http.StatusNotFound, code)
	for err, code := range map[error]int{
		fmt.Errorf("cannot: %w", fsm.ErrUnknown):   http.StatusNotFound,
		fmt.Errorf("cannot: %w", fsm.ErrNoRestart): http.StatusConflict,
		fmt.Errorf("cannot: %w", fsm.ErrInPass):    http.StatusConflict,
		fmt.Errorf("no room: password=hunter2"):    http.StatusInternalServerError,
	} {
		did.err = err
		got, text := ask(t, h, http.MethodPost, "/api/instances/north/stop")
		assert.Equal(t, code, got)
		assert.NotContains(t, text, "hunter2")
	}
	s.Hands = nil
	code, _ = ask(t, s.Handler(Access{Local: true}), http.MethodPost, "/api/instances/north/stop")
	assert.Equal(t, http.StatusNotImplemented, code)
}

func TestWhoMayAsk(t *testing.T) {
	for name, tt := range map[string]struct {
		access Access
		method string
		target string // with the host
		header []string
		code   int
	}{
		"reads":                        {Access{}, "GET", "http://127.0.0.1:8080/api/instances", nil, 200},
		"reads by another address":     {Access{}, "GET", "http://192.0.2.7/api/instances", nil, 200},
		"reads by IPv6":                {Access{}, "GET", "http://[::1]:8080/api/instances", nil, 200},
		"reads at localhost":           {Access{}, "GET", "http://localhost:8080/api/instances", nil, 200},
		"reads by a name":              {Access{}, "GET", "http://evil.example/api/instances", nil, 421},
		"reads by a name that is told": {Access{Hosts: []string{"plant.example"}}, "GET", "http://Plant.example:80/api/instances", nil, 200},
		"a page of another origin reads": {Access{}, "GET", "http://127.0.0.1:8080/api/instances",
			[]string{"Origin", "http://evil.example"}, 403},
		"another site reads": {Access{}, "GET", "http://127.0.0.1:8080/api/instances", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"its own page reads": {Access{}, "GET", "http://127.0.0.1:8080/api/instances",
			[]string{"Origin", "http://127.0.0.1:8080", "Sec-Fetch-Site", "same-origin"}, 200},
		"writes":                 {Access{}, "POST", "http://127.0.0.1:8080/api/instances/north/stop", nil, 403},
		"writes without a token": {Access{Token: "t"}, "POST", "http://127.0.0.1:8080/api/instances/north/stop", nil, 401},
		"writes with another": {Access{Token: "t"}, "POST", "http://127.0.0.1:8080/api/instances/north/stop",
			[]string{"Authorization", "Bearer u"}, 401},
		"writes with an empty one": {Access{}, "POST", "http://127.0.0.1:8080/api/instances/north/stop",
			[]string{"Authorization", "Bearer "}, 403},
		"writes with the token": {Access{Token: "t"}, "POST", "http://127.0.0.1:8080/api/instances/north/stop",
			[]string{"Authorization", "Bearer t"}, 202},
		"another page writes with the token": {Access{Token: "t"}, "POST", "http://127.0.0.1:8080/api/instances/north/stop",
			[]string{"Authorization", "Bearer t", "Origin", "http://evil.example"}, 403},
	} {
		did := &hands{}
		s, _, _ := shown(t, did)
		code, text := ask(t, s.Handler(tt.access), tt.method, tt.target, tt.header...)
		assert.Equal(t, tt.code, code, "%s: %s", name, text)
		if code == http.StatusAccepted {
			assert.Equal(t, []string{"stop gate north by the holder of the token, from 192.0.2.1:1234"}, did.asked)
		} else {
			assert.Empty(t, did.asked, name)
		}
	}
}
