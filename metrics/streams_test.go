package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/metrics"
)

// engines are what answers at addresses.
type engines struct {
	mu    sync.Mutex // guards the three below
	texts map[string]string
	slow  map[string]time.Duration // until an answer
	asked map[string]int
}

func newEngines() *engines {
	return &engines{texts: make(map[string]string), slow: make(map[string]time.Duration), asked: make(map[string]int)}
}

func (e *engines) MetricsText(ctx context.Context, addr string) ([]byte, error) {
	e.mu.Lock()
	e.asked[addr]++
	text, there := e.texts[addr]
	wait := e.slow[addr]
	e.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(wait):
	}
	if !there {
		return nil, syscall.ECONNREFUSED
	}
	return []byte(text), nil
}

// says has the named address say something.
func (e *engines) says(port int, text string, after time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	e.texts[addr], e.slow[addr] = text, after
}

func (e *engines) askedOf(port int) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked[fmt.Sprintf("127.0.0.1:%d", port)]
}

// ran is a world with streams a, b, … from port 9080 on that run, and engines for
// them that say nothing yet.
func (w *world) ran(t *testing.T, config metrics.StreamsConfig, names ...string) (*engines, *metrics.Streams) {
	t.Helper()
	all := make(streams)
	for n, name := range names {
		port := uint16(9080 + n)
		w.prober.Set(fmt.Sprintf("127.0.0.1:%d", port), benthostest.Endpoint{})
		all[name] = active(port)
	}
	require.NoError(t, w.streams.Apply(t.Context(), all))
	pass(30 * time.Second)
	e := newEngines()
	config.Source = e
	s := metrics.NewStreams(config)
	s.Add(w.streams)
	return e, s
}

func TestStreamsOnOnePage(t *testing.T) {
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		e, s := w.ran(t, metrics.StreamsConfig{}, "a", "b", "c")
		e.says(9080, `# HELP input_received What comes in.
# TYPE input_received counter
input_received{label="",path="root.input"} 5
# TYPE latency summary
latency{quantile="0.5"} 1
latency_sum 3
latency_count 2
# TYPE up gauge
up 1
`, 0)
		e.says(9081, `# TYPE input_received counter
input_received{label="x\"\n",path="root.input",instance="mine"} 7
input_received{label="y",instance="mine",exported_instance="theirs"} 8
# TYPE latency counter
latency 9
# TYPE up counter
up 2
# TYPE latency_sum counter
latency_sum 9
# TYPE evenkeel_stream_scrape_up gauge
evenkeel_stream_scrape_up{name="a"} 0
own 3 1700000000000
`, 0)
		golden(t, "streams.golden", untimed(scraped(t, s)))
	})
}

// What was seen of an engine says whether it is asked, and which have to answer.
func TestWhichEnginesAreAsked(t *testing.T) {
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		e, s := w.ran(t, metrics.StreamsConfig{}, "a", "b")
		for port := 9080; port < 9083; port++ {
			e.says(port, "x 1\n", 0)
		}
		up := func() []string { t.Helper(); return beginning(scraped(t, s), "evenkeel_stream_scrape_up") }
		assert.Equal(t, []string{`evenkeel_stream_scrape_up{name="a"} 1`, `evenkeel_stream_scrape_up{name="b"} 1`}, up())

		stopped := active(9081)
		stopped.State = benthos.Stopped
		all := streams{"a": active(9080), "b": stopped, "c": active(9082)}
		require.NoError(t, w.streams.Apply(t.Context(), all)) // nobody answers at c's address
		pass(30 * time.Second)
		before := e.askedOf(9082)
		assert.Equal(t, []string{`evenkeel_stream_scrape_up{name="a"} 1`, `evenkeel_stream_scrape_up{name="c"} 0`}, up())
		assert.Equal(t, before, e.askedOf(9082), "its process was never seen to answer")

		w.prober.Set(endpoint, benthostest.Endpoint{Err: errors.New("it hangs")})
		pass(10 * time.Second)
		before = e.askedOf(9080)
		assert.Equal(t, []string{`evenkeel_stream_scrape_up{name="a"} 0`, `evenkeel_stream_scrape_up{name="c"} 0`}, up())
		assert.Equal(t, before, e.askedOf(9080))

		require.NoError(t, w.streams.Apply(t.Context(), streams{}))
		pass(30 * time.Second)
		assert.Empty(t, scraped(t, s))
	})
}

// An engine is asked if what was seen last is that its own process answers there.
func TestEngineOf(t *testing.T) {
	type snapshot = fsm.Snapshot[*benthos.Config, benthos.Observed]
	cases := map[string]struct {
		change func(*snapshot)
		addr   string
		is     bool
	}{
		"it answers":                 {func(*snapshot) {}, endpoint, true},
		"it does not":                {func(s *snapshot) { s.Observed.Health.Alive = false }, "", true},
		"one before did":             {func(s *snapshot) { s.Observed.Health.PID = 6 }, "", true},
		"it is to be another one":    {func(s *snapshot) { s.Observed.Current = false }, "", true},
		"it is not there":            {func(s *snapshot) { s.Observed.Service = nil }, "", true},
		"it is asked to stop":        {func(s *snapshot) { s.Desired.State = benthos.Stopped }, endpoint, true},
		"it has stopped":             {func(s *snapshot) { s.Desired.State, s.Observed.Service = benthos.Stopped, nil }, "", false},
		"it is done":                 {func(s *snapshot) { s.Phase, s.Observed.Service = fsm.PhaseDone, nil }, "", false},
		"there is no spec of it":     {func(s *snapshot) { s.Desired.Spec = nil }, "", true},
		"nobody has looked at it":    {func(s *snapshot) { s.Observed = benthos.Observed{} }, "", true},
		"it was never asked to run":  {func(s *snapshot) { *s = snapshot{Name: "a"} }, "", false},
		"it runs and nobody said so": {func(s *snapshot) { s.Desired = stream{} }, "", true},
	}
	for name, c := range cases {
		o, err := flows("a")
		require.NoError(t, err)
		s := &snapshot{Kind: benthos.KindName, Name: "a", Desired: active(9080), Phase: fsm.PhaseRunning, Observed: o}
		c.change(s)
		addr, is := metrics.EngineOf(s)
		assert.Equal(t, c.addr, addr, name)
		assert.Equal(t, c.is, is, name)
	}
}

func TestEngineThatHangsCostsTheOthersNothing(t *testing.T) {
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		e, s := w.ran(t, metrics.StreamsConfig{Timeout: 2 * time.Second}, "a", "b", "c", "d", "e")
		e.says(9080, "x 1\n", time.Hour)
		e.says(9081, "x 1\n", 1900*time.Millisecond)
		e.says(9082, "{no metrics", 0)
		e.says(9083, "x 1\n", time.Hour)
		began := time.Now()
		page := scraped(t, s)
		assert.Equal(t, 2*time.Second, time.Since(began))
		assert.Equal(t, []string{
			`evenkeel_stream_scrape_up{name="a"} 0`, `evenkeel_stream_scrape_up{name="b"} 1`, `evenkeel_stream_scrape_up{name="c"} 0`,
			`evenkeel_stream_scrape_up{name="d"} 0`, `evenkeel_stream_scrape_up{name="e"} 0`,
		}, beginning(page, "evenkeel_stream_scrape_up"))
		assert.Equal(t, []string{`x{instance="b"} 1`}, beginning(page, "x"))
		assert.Contains(t, page, `evenkeel_stream_scrape_duration_seconds{name="a"} 2`+"\n")
		assert.Contains(t, page, `evenkeel_stream_scrape_duration_seconds{name="b"} 1.9`+"\n")
	})
}

func TestAnswersAreBounded(t *testing.T) {
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		e, s := w.ran(t, metrics.StreamsConfig{MaxStream: 200, MaxStreams: 550}, "a", "b", "c", "d", "e")
		long := func(n int) string { return "x 1\n#" + strings.Repeat("y", n-6) + "\n" }
		e.says(9080, long(200), 0)
		e.says(9081, long(201), 0)
		e.says(9082, long(200), time.Millisecond)
		e.says(9083, long(200), 2*time.Millisecond)
		e.says(9084, long(150), 3*time.Millisecond)
		assert.Equal(t, []string{
			`evenkeel_stream_scrape_up{name="a"} 1`, `evenkeel_stream_scrape_up{name="b"} 0`,
			`evenkeel_stream_scrape_up{name="c"} 1`, `evenkeel_stream_scrape_up{name="d"} 0`, `evenkeel_stream_scrape_up{name="e"} 1`,
		}, beginning(scraped(t, s), "evenkeel_stream_scrape_up"), "what is not read takes nothing from the next")
		e.says(9084, long(201), 0)
		e.says(9080, long(150), 0)
		assert.Len(t, beginning(scraped(t, s), "x{"), 3, "each scrape begins anew")
		e.says(9080, "x 1\nx 2\nx 3\nx 4\n", 0)
		assert.Len(t, beginning(scraped(t, s), "x{"), 2, "samples take memory however short they are")
	})
}

// Scrapes at one time ask once, also where the one that has asked goes away.
func TestScrapesAtOnceAskOnce(t *testing.T) {
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		e, s := w.ran(t, metrics.StreamsConfig{}, "a")
		e.says(9080, "x 1\n", time.Second)
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, "GET", "/", nil))
			assert.Empty(t, answer.Body.String())
		})
		synctest.Wait()
		for range 5 {
			all.Go(func() { assert.Contains(t, scraped(t, s), `x{instance="a"} 1`) })
		}
		synctest.Wait()
		leave()
		all.Wait()
		assert.Equal(t, 1, e.askedOf(9080))
		e.says(9080, "x 2\n", 0)
		assert.Contains(t, scraped(t, s), `x{instance="a"} 2`, "nothing is kept")
		assert.Equal(t, 2, e.askedOf(9080))
	})
}

// The client, and what an engine has really said.
func TestStreamsOverHTTP(t *testing.T) {
	text, err := os.ReadFile("../benthos/testdata/bento-1.10.0-http.metrics")
	require.NoError(t, err)
	at := make(map[string]string)
	var servers []*benthostest.Server
	for _, name := range []string{"a", "b"} {
		server := benthostest.NewServer()
		defer server.Close()
		server.Set(benthostest.Metrics, benthostest.Answer{Body: string(text)})
		servers, at[name] = append(servers, server), server.Addr()
	}
	s := metrics.NewStreams(metrics.StreamsConfig{})
	defer s.Close()
	page := metrics.Page(s, at)
	for _, name := range []string{"a", "b"} {
		assert.Contains(t, page, `input_received{label="",path="root.input",instance="`+name+`"} 2`)
	}
	samples := func(text string) int { return strings.Count(text, "\n") - len(beginning(text, "#")) }
	assert.Equal(t, 2*samples(string(text))+2*3, samples(page))
	servers[0].Set(benthostest.Metrics, benthostest.Answer{Body: strings.Repeat("#", metrics.DefaultMaxStream+1)})
	servers[1].SetNoMetrics()
	assert.NotContains(t, metrics.Page(s, at), "input_received")
}
