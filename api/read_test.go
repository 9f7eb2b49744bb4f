package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

func read[T any](t testing.TB, h http.Handler, target string) (body T) {
	t.Helper()
	code, text := ask(t, h, http.MethodGet, target)
	require.Equal(t, http.StatusOK, code, text)
	require.NoError(t, json.Unmarshal([]byte(text), &body), text)
	return body
}

func TestInstancesAreListed(t *testing.T) {
	s, _, _ := shown(t, nil)
	h := s.Handler(Access{Local: true})
	all := read[List](t, h, "/api/instances")
	require.Len(t, all.Instances, 3)
	assert.Equal(t, s.Feed.Last(), all.Last)
	north, south, west := all.Instances[0], all.Instances[1], all.Instances[2]
	assert.Equal(t, Summary{
		Kind: "gate", Name: "north", State: "open", Phase: fsm.PhaseRunning, Since: north.Since, Desired: "open", Runs: true,
		Settled: true, NextPass: north.NextPass, Figures: Figures{PID: 5},
	}, north)
	assert.WithinDuration(t, time.Now(), north.Since, time.Minute)
	assert.Equal(t, "south", south.Name)
	assert.Equal(t, fsm.PhaseStopped, south.Phase)
	assert.Equal(t, "cannot raise: its motor is stuck: password=***", south.Error)
	assert.Positive(t, south.Failures)
	assert.False(t, south.NextTry.IsZero() || south.Settled)
	assert.Equal(t, "it is down", south.Reason.Summary)
	assert.Equal(t, Summary{
		Kind: "gate", Name: "west", Phase: fsm.PhaseToBeCreated, Runs: true, Refused: "it has no code: token=***",
	}, west)

	assert.Len(t, read[List](t, h, "/api/instances?phase=running").Instances, 1)
	assert.Empty(t, read[List](t, h, "/api/instances?kind=door").Instances)
	code, text := ask(t, h, http.MethodGet, "/api/instances?phase=well")
	assert.Equal(t, http.StatusUnprocessableEntity, code, text)
}

func TestAnInstanceIsShown(t *testing.T) {
	s, _, _ := shown(t, nil)
	h := s.Handler(Access{Local: true})
	north := read[Instance](t, h, "/api/instances/north")
	assert.Equal(t, fsm.State("open"), north.State)
	assert.JSONEq(t, `{"code": "***"}`, string(north.Spec))
	assert.JSONEq(t, `true`, string(north.Observed))
	require.Len(t, north.History, 3)
	assert.Equal(t, fsm.State("open"), north.History[2].To)
	assert.Equal(t, north.History, read[History](t, h, "/api/instances/north/history").Transitions)
	assert.Empty(t, read[Files](t, h, "/api/instances/north/config").Files)
	older := append([]fsm.Transition{{Subject: fsm.Subject{Kind: "gate", Instance: "north"}, To: "open"}}, north.History...)
	var failed error
	s.History = func(string, string) ([]fsm.Transition, error) { return older, failed }
	assert.Equal(t, older, read[History](t, h, "/api/instances/north/history").Transitions)
	failed = errors.New("no journal")
	assert.Equal(t, north.History, read[History](t, h, "/api/instances/north/history").Transitions)

	why := read[fsm.Why](t, h, "/api/instances/south/why")
	parts := make(map[fsm.Part]string)
	for _, l := range why.Chain {
		parts[l.Part] = l.Text
	}
	assert.Equal(t, "it is asked to be open", parts[fsm.PartAsked])
	assert.Contains(t, parts[fsm.PartTrouble], "its motor is stuck: password=***")
	assert.Contains(t, read[fsm.Why](t, h, "/api/instances/west/why").Chain[0].Text, "it has no code")

	table := read[TableBody](t, h, "/api/tables/gate")
	assert.Equal(t, "gate", table.Kind)
	assert.Contains(t, table.Mermaid, "closed --> open")
	assert.Len(t, table.Targets, 3, "to be removed is one")

	for target, says := range map[string]string{
		"/api/instances/east":               "no instance has the name",
		"/api/instances/east/why":           "no instance has the name",
		"/api/instances/east/log":           "no instance has the name",
		"/api/instances/north?kind=door":    "no instance has the name",
		"/api/tables/door":                  "there are gate",
		"/api/instances/%1b%5b2J%e2%80%ae/": "",
	} {
		code, text := ask(t, h, http.MethodGet, target)
		assert.Equal(t, http.StatusNotFound, code, target)
		assert.Contains(t, text, says)
	}
}

func TestHealthIsThatOfThePassesAndOfTheInstances(t *testing.T) {
	s, m, y := shown(t, nil)
	late := ""
	s.Late = func(time.Time) []string {
		if late == "" {
			return nil
		}
		return []string{late}
	}
	h := s.Handler(Access{Local: true})
	health := func(path string, code int) Health {
		got, text := ask(t, h, http.MethodGet, path)
		assert.Equal(t, code, got, text)
		var body Health
		require.NoError(t, json.Unmarshal([]byte(text), &body))
		return body
	}
	assert.Equal(t, Health{OK: true}, health("/healthz", http.StatusOK))
	wrong := health("/readyz", http.StatusServiceUnavailable).Wrong
	require.Len(t, wrong, 2)
	assert.Contains(t, wrong[0], "south is closed: cannot raise: its motor is stuck")
	assert.Equal(t, "west is refused: it has no code: token=***", wrong[1])

	y.mu.Lock()
	clear(y.broken)
	y.mu.Unlock()
	require.NoError(t, m.Retry("south"))
	require.NoError(t, m.Remove(t.Context(), "west"))
	passes(t, m)
	assert.Equal(t, Health{OK: true}, health("/readyz", http.StatusOK))
	begins := []string{"it has just begun"}
	s.NotReady = func() []string { return begins }
	assert.Equal(t, begins, health("/readyz", http.StatusServiceUnavailable).Wrong)
	assert.Equal(t, Health{OK: true}, health("/healthz", http.StatusOK))
	begins = nil
	late = "north is not looked at"
	assert.Equal(t, []string{late}, health("/healthz", http.StatusServiceUnavailable).Wrong)
	assert.Equal(t, []string{late}, health("/readyz", http.StatusServiceUnavailable).Wrong)
}

// Nothing that is shown holds a secret, or does something to a terminal.
func TestWhatIsShownIsMaskedAndEscaped(t *testing.T) {
	s, _, _ := shown(t, nil)
	h := s.Handler(Access{Local: true})
	for _, target := range []string{
		"/api/instances", "/api/instances/south", "/api/instances/south/why", "/api/instances/south/history", "/readyz",
		"/api/instances/%1b%5b2J", "/api/tables/%1b%5b2J",
	} {
		_, text := ask(t, h, http.MethodGet, target)
		assert.NotContains(t, text, "hunter2", target)
		hidden := func(r rune) bool { return !unicode.IsGraphic(r) && r != '\n' }
		assert.False(t, strings.ContainsFunc(text, hidden), "%s: %q", target, text)
	}
}

// Who asks for the document that describes all this gets one, in which each path
// stands.
func TestTheDocumentDescribesEveryPath(t *testing.T) {
	s, _, _ := shown(t, nil)
	document := read[struct {
		OpenAPI    string                    `json:"openapi"`
		Info       struct{ Version string }  `json:"info"`
		Paths      map[string]map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]struct{ Properties map[string]map[string]any }
		}
	}](t, s.Handler(Access{Local: true}), "/api/openapi.json")
	assert.Equal(t, "3.1.0", document.OpenAPI)
	assert.Equal(t, "1.2.3", document.Info.Version)
	assert.Equal(t, "string", document.Components.Schemas["Summary"].Properties["phase"]["type"], "it is its name")
	methods := make(map[string]string)
	for path, operations := range document.Paths {
		for method := range operations {
			methods[path] += method
		}
	}
	assert.Equal(t, map[string]string{
		"/api/instances": "get", "/api/instances/{name}": "get", "/api/instances/{name}/why": "get",
		"/api/instances/{name}/history": "get", "/api/instances/{name}/config": "get", "/api/instances/{name}/log": "get",
		"/api/instances/{name}/stop": "post", "/api/instances/{name}/start": "post",
		"/api/instances/{name}/restart": "post", "/api/instances/{name}/retry": "post",
		"/api/changes": "get", "/api/rights": "get", "/api/events": "get", "/api/tables/{kind}": "get", "/healthz": "get", "/readyz": "get",
	}, methods)
}
