package benthos_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
)

const wantDocument = `http:
  address: "127.0.0.1:9080"
  enabled: true
logger:
  add_timestamp: false
  format: logfmt
  level: DEBUG
  static_fields:
    '@service': benthos
metrics:
  prometheus: {}
shutdown_timeout: 5s
input:
  http_server:
    address: "127.0.0.1:8080"
    path: /
    timeout: 5s
pipeline:
  processors:
    - mapping: |
        root = this
        root.at = now()
    - log:
        message: "yes"
output:
  stdout: {}
cache_resources:
  - label: c
    memory: {}
`

func TestRender(t *testing.T) {
	c := httpToStdout()
	c.DebugLevel = true
	c.Buffer = m{}
	c.Pipeline = m{"processors": []any{
		m{"mapping": "root = this\nroot.at = now()\n"},
		m{"log": m{"message": "yes"}},
	}}
	c.CacheResources = []map[string]any{{"memory": m{}, "label": "c"}}
	got, err := c.Render()
	require.NoError(t, err)
	assert.Equal(t, wantDocument, string(got))
}

// TestRenderAllSections of an engine's configuration, beside what this package
// sets.
func TestRenderAllSections(t *testing.T) {
	c := httpToStdout()
	c.Tracer = m{"none": m{}}
	c.HTTP = m{"cors": m{"enabled": true}, "debug_endpoints": true, "read_timeout": "3s"}
	c.Logger = m{"level": "warn", "static_fields": m{"plant": "a", "@service": "mine"}}
	c.MetricsMapping = `root = this.replace_all("a", "${B}")`
	c.InputResources = []map[string]any{{"label": "i", "stdin": m{}}}
	c.ProcessorResources = []map[string]any{{"label": "p", "log": m{}}}
	c.OutputResources = []map[string]any{{"label": "o", "drop": m{}}}
	got, err := c.Render()
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, yaml.Unmarshal(got, &doc))
	assert.Equal(t, m{
		"http": m{
			"address": "127.0.0.1:9080", "enabled": true,
			"cors": m{"enabled": true}, "debug_endpoints": true, "read_timeout": "3s",
		},
		"logger": m{
			"level": "WARN", "format": "logfmt", "add_timestamp": false,
			"static_fields": m{"plant": "a", "@service": "benthos"},
		},
		"metrics":             m{"prometheus": m{}, "mapping": `root = this.replace_all("a", "${B}")`},
		"shutdown_timeout":    "5s",
		"input":               c.Input,
		"output":              c.Output,
		"tracer":              m{"none": m{}},
		"input_resources":     []any{m{"label": "i", "stdin": m{}}},
		"processor_resources": []any{m{"label": "p", "log": m{}}},
		"output_resources":    []any{m{"label": "o", "drop": m{}}},
	}, doc)
	assert.Equal(t, m{"level": "warn", "static_fields": m{"plant": "a", "@service": "mine"}}, c.Logger, "it is not modified")
	c.DebugLevel = true
	got, err = c.Render()
	require.NoError(t, err)
	assert.Contains(t, string(got), "level: DEBUG")
}

func TestRenderWantsAPort(t *testing.T) {
	c := httpToStdout()
	c.MetricsPort = 0
	require.NoError(t, c.Validate())
	_, err := c.Render()
	assert.ErrorContains(t, err, "metrics_port is 0")
}

func TestRenderSettings(t *testing.T) {
	c := httpToStdout()
	c.Host, c.Metrics, c.LogLevel, c.ShutdownTimeout = "::", "none", "warn", 90*time.Second
	got, err := c.Render()
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, yaml.Unmarshal(got, &doc))
	assert.Equal(t, "[::]:9080", doc["http"].(m)["address"])
	assert.Equal(t, m{"none": m{}}, doc["metrics"])
	assert.Equal(t, "WARN", doc["logger"].(m)["level"])
	assert.Equal(t, "1m30s", doc["shutdown_timeout"])
}

func TestWhatMakesNoDifference(t *testing.T) {
	base := httpToStdout()
	base.Pipeline = m{"processors": []any{}, "threads": 4}
	tests := map[string]func(c *benthos.Config){
		"nothing":        func(*benthos.Config) {},
		"empty sections": func(c *benthos.Config) { c.Buffer, c.CacheResources = m{}, []map[string]any{} },
		"int64":          func(c *benthos.Config) { c.Pipeline["threads"] = int64(4) },
		"whole float64":  func(c *benthos.Config) { c.Pipeline["threads"] = 4.0 },
		"defined type":   func(c *benthos.Config) { c.Pipeline["threads"] = time.Month(4) },
		"nil list":       func(c *benthos.Config) { c.Pipeline["processors"] = []string(nil) },
		"nil map":        func(c *benthos.Config) { c.Output["stdout"] = map[string]string(nil) },
		"other map type": func(c *benthos.Config) { c.Pipeline = m{"threads": 4, "processors": []map[string]any{}} },
		"defaults said out": func(c *benthos.Config) {
			c.LogLevel, c.Host, c.Metrics, c.ShutdownTimeout = "info", "127.0.0.1", "prometheus", 5e9
		},
	}
	want, err := base.Render()
	require.NoError(t, err)
	for name, change := range tests {
		c := base.Clone()
		change(&c)
		got, err := c.Render()
		require.NoError(t, err, name)
		assert.Equal(t, string(want), string(got), name)
	}
}

func TestWhatMakesADifference(t *testing.T) {
	base := httpToStdout()
	base.Pipeline = m{"threads": 4, "x": m{"a": "1"}, "y": m{"a": m{}, "b": 1}}
	base.CacheResources = []map[string]any{{"label": "a"}, {"label": "b"}}
	tests := map[string]func(c *benthos.Config){
		"port":      func(c *benthos.Config) { c.MetricsPort++ },
		"host":      func(c *benthos.Config) { c.Host = "0.0.0.0" },
		"level":     func(c *benthos.Config) { c.DebugLevel = true },
		"metrics":   func(c *benthos.Config) { c.Metrics = "none" },
		"time-out":  func(c *benthos.Config) { c.ShutdownTimeout = time.Second },
		"number":    func(c *benthos.Config) { c.Pipeline["threads"] = 5 },
		"text":      func(c *benthos.Config) { c.Pipeline["threads"] = "4" },
		"fraction":  func(c *benthos.Config) { c.Pipeline["threads"] = 4.5 },
		"null":      func(c *benthos.Config) { c.Output["stdout"] = nil },
		"key":       func(c *benthos.Config) { c.Pipeline["x"] = m{"b": "1"} },
		"more keys": func(c *benthos.Config) { c.Pipeline["x"] = m{"a": "1", "b": "1"} },
		"nesting":   func(c *benthos.Config) { c.Pipeline["y"] = m{"a": m{"b": 1}} },
		"section":   func(c *benthos.Config) { c.Buffer = m{"none": m{}} },
		"order":     func(c *benthos.Config) { slices.Reverse(c.CacheResources) },
		"tracer":    func(c *benthos.Config) { c.Tracer = m{"none": m{}} },
		"http":      func(c *benthos.Config) { c.HTTP = m{"debug_endpoints": true} },
		"logger":    func(c *benthos.Config) { c.Logger = m{"static_fields": m{"a": "b"}} },
		"mapping":   func(c *benthos.Config) { c.MetricsMapping = "root = this" },
		"inputs":    func(c *benthos.Config) { c.InputResources = []map[string]any{{"label": "i"}} },
		"kind": func(c *benthos.Config) {
			c.RateLimitResources, c.CacheResources = c.CacheResources, nil
		},
	}
	want, err := base.Render()
	require.NoError(t, err)
	for name, change := range tests {
		c := base.Clone()
		change(&c)
		got, err := c.Render()
		require.NoError(t, err, name)
		assert.NotEqual(t, string(want), string(got), name)
	}
}

// TestRenderProperties holds, for random configurations: rendering is stable,
// the same for what means the same, and reads back as what went in.
func TestRenderProperties(t *testing.T) {
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := httpToStdout()
		c.Pipeline = m{"v": randomValue(r, 0)}
		same := benthos.Config{Input: c.Input, Output: c.Output, MetricsPort: c.MetricsPort}
		same.Pipeline = disguise(r, c.Pipeline).(m)

		first, err := c.Render()
		require.NoError(t, err, "seed %d", seed)
		second, err := same.Render()
		require.NoError(t, err, "seed %d", seed)
		require.Equal(t, string(first), string(second), "seed %d", seed)

		var doc map[string]any
		require.NoError(t, yaml.Unmarshal(first, &doc), "seed %d:\n%s", seed, first)
		read := c
		read.Pipeline = doc["pipeline"].(m)
		require.Equal(t, string(first), rendered(t, read), "seed %d", seed)

	}
}

// FuzzRenderText holds that any text and key comes back as it went in.
func FuzzRenderText(f *testing.F) {
	for _, s := range awkward() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := httpToStdout()
		c.Pipeline = m{"v": s, "list": []any{s, m{"k" + s: s}}}
		if s != "v" && s != "list" {
			c.Pipeline[s] = m{s: 1}
		}
		text, err := c.Render()
		if err != nil {
			require.NotEqual(t, s, string([]rune(s)), "valid text was refused: %v", err)
			return
		}
		var doc struct{ Pipeline map[string]any }
		require.NoError(t, yaml.Unmarshal(text, &doc), "%s", text)
		require.Equal(t, c.Pipeline, doc.Pipeline, "%s", text)
	})
}

func awkward() []string {
	return []string{
		"", " ", "a b", "yes", "No", "on", "null", "~", "1", "01", "1.5", "1e3", "0x1F", "0o17", "1:30", "12:30:45", "1_000",
		".inf", ".nan", "2001-01-01", "2001-01-01T10:00:00Z", "=", "<<", "-", "- a", "---", "...", "a: b", "a:", ": a", "#c",
		"a #c", "{", "}", "[x]", "*a", "&a", "!t", "%d", "@a", "`a", "'q'", `"d"`, `\n`, "${FOO}", "${FOO:a b}", "|", ">",
		"a\nb", "a\nb\n", "a\n\n", "\n", "\na", " a\nb", "a\n  b\n c\n", "a \nb", "a\n b", "a\n\tb", "a\r\nb", "a\tb", "\x00", "\x7f",
		"\u0085", "\u2028a", "a\u2029", "\ufeffa", "é\nü", "日本\n語", "\U0001F600", "\ufffd", "\u00a0a", "a\u00a0\nb", "a\n# b", "a\n---\nb",
	}
}

func randomValue(r *rand.Rand, depth int) any {
	n := r.IntN(10)
	if depth > 3 {
		n %= 7
	}
	switch n {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return int(r.Uint64()) >> r.IntN(64)
	case 3:
		return (r.Float64() - 0.5) * math.Pow(10, float64(r.IntN(40)))
	case 4:
		return r.Uint64()
	case 5, 6:
		words := awkward()
		return words[r.IntN(len(words))]
	case 7:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = randomValue(r, depth+1)
		}
		return list
	default:
		words := awkward()
		out := m{}
		for range r.IntN(5) {
			out[words[r.IntN(len(words))]] = randomValue(r, depth+1)
		}
		return out
	}
}

// disguise returns an equal value of other Go types, with keys added in another
// order.
func disguise(r *rand.Rand, v any) any {
	switch v := v.(type) {
	case int:
		if f := float64(v); v < 1<<50 && v > -(1<<50) && r.IntN(2) == 0 {
			return f
		}
		return int64(v)
	case []any:
		if len(v) == 0 {
			return []string(nil)
		}
		out := make([]any, len(v))
		for i := range v {
			out[i] = disguise(r, v[i])
		}
		return out
	case m:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		out := make(m, len(v)*2)
		for _, k := range keys {
			out[k] = disguise(r, v[k])
		}
		return out
	default:
		return v
	}
}

func TestTextThatABlockCouldLoseIsQuoted(t *testing.T) {
	for text, want := range map[string]string{
		" a\nb": `" a\nb"`, "a\n\n": `"a\n\n"`, "\na": `"\na"`, "a \nb": `"a \nb"`, "a\nb ": `"a\nb "`, "a\n\tb": `"a\n\tb"`,
	} {
		c := httpToStdout()
		c.Pipeline = m{"x": text}
		got, err := c.Render()
		require.NoError(t, err)
		assert.Contains(t, string(got), "  x: "+want+"\n")
	}
}

func TestTimesKeepTheirForm(t *testing.T) {
	for _, text := range []string{"2001-02-03", "2001-02-03T04:05:06Z", "2001-02-03T04:05:06.7+02:00"} {
		var decoded m
		require.NoError(t, yaml.Unmarshal(fmt.Appendf(nil, "at: %s", text), &decoded))
		require.IsType(t, time.Time{}, decoded["at"])
		c := httpToStdout()
		c.Pipeline = decoded
		got, err := c.Render()
		require.NoError(t, err)
		assert.Contains(t, string(got), "at: "+text+"\n")
	}
}
