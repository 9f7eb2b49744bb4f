//go:build integration

package metrics

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/metrics"
	"github.com/evenkeel/evenkeel/s6"
)

// world is one of plain services that are measured.
type world struct {
	*harness.World[*s6.Spec, s6.Observed]
	page http.Handler
}

// manage runs a manager, as a program does that has just begun.
func (w *world) manage() {
	c := metrics.New(metrics.Config{})
	w.Settings = fsm.Config{Listeners: []fsm.Listener{c.Listen}, OnPass: c.OnPass}
	w.Manage(func(config fsm.Config) (*fsm.Manager[*s6.Spec, s6.Observed], error) {
		return s6.NewManager(w.Tree, config)
	})
	metrics.Add(c, w.Manager)
	w.page = c.Handler()
}

// scrape returns the page.
func (w *world) scrape() string {
	answer := httptest.NewRecorder()
	w.page.ServeHTTP(answer, httptest.NewRequestWithContext(w.T.Context(), http.MethodGet, "/metrics", nil))
	require.Equal(w.T, http.StatusOK, answer.Code, answer.Body)
	return answer.Body.String()
}

// says waits until the page has a line.
func (w *world) says(line string) {
	w.T.Helper()
	harness.Eventually(w.T, line, func() error {
		if page := w.scrape(); !strings.Contains(page, "\n"+line+"\n") {
			return fmt.Errorf("the page says %s", page)
		}
		return nil
	})
}

// A process is killed, the program ends, and the next one knows how often it was
// started. The page is what Prometheus' rules ask for.
func TestPageOfRealServices(t *testing.T) {
	w := &world{World: harness.NewWorld[*s6.Spec, s6.Observed](t)}
	w.Open()
	w.manage()
	all := map[string]fsm.Desired[*s6.Spec]{"web": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1000"}}}}
	w.Run(all)
	w.says(`evenkeel_instance_phase{kind="s6",name="web",phase="running"} 1`)
	w.says(`evenkeel_process_starts_total{kind="s6",name="web"} 1`)
	require.NoError(t, syscall.Kill(w.Snapshot("web").Observed.PID(), syscall.SIGKILL))
	w.says(`evenkeel_process_starts_total{kind="s6",name="web"} 2`)
	w.says(`evenkeel_process_ends_total{kind="s6",name="web"} 1`)

	said, err := promtool(t, w.scrape(), "check", "metrics")
	assert.NoError(t, err, said)
	assert.Empty(t, said)

	w.Unmanage()
	assert.NotContains(t, w.scrape(), `name="web"`)
	w.manage()
	w.Run(all)
	w.says(`evenkeel_process_starts_total{kind="s6",name="web"} 2`)
}
