//go:build integration

package benthos

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/metrics"
)

// The metrics of real engines on one page: one is stopped half-way, and costs the
// other nothing but the time that it is given.
func TestStreamsOnOnePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	w.run(streams{"a": flood(t), "b": flood(t)})
	s := metrics.NewStreams(metrics.StreamsConfig{Timeout: 5 * time.Second})
	defer s.Close()
	s.Add(w.Manager)
	scrape := func() string {
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics/streams", nil))
		return answer.Body.String()
	}
	says := func(part string) {
		t.Helper()
		harness.Eventually(t, part, func() error {
			if page := scrape(); !strings.Contains(page, part) {
				return fmt.Errorf("the page says %s", page)
			}
			return nil
		})
	}
	for _, name := range []string{"a", "b"} {
		says(`evenkeel_stream_scrape_up{name="` + name + `"} 1`)
		says(`input_received{label="",path="root.input",instance="` + name + `"} `)
	}
	assert.Equal(t, 1, strings.Count(scrape(), "# TYPE input_received counter"))

	require.NoError(t, syscall.Kill(w.pid("b"), syscall.SIGSTOP))
	says(`evenkeel_stream_scrape_up{name="b"} 0`)
	says(`input_received{label="",path="root.input",instance="a"} `)
	require.NoError(t, syscall.Kill(w.pid("b"), syscall.SIGCONT))
	says(`evenkeel_stream_scrape_up{name="b"} 1`)
}
