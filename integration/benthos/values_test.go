//go:build integration

package benthos

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
)

// teller is the YAML of a stream that answers what is posted to it with the
// value that the configuration has for it.
const teller = `
input:
  http_server: {address: %s, path: /, allowed_verbs: [POST]}
pipeline:
  threads: ${N}
  processors:
    - cache:
        resource: values
        operator: get
        key: ${! content() }
output:
  sync_response: {}
cache_resources:
  - label: values
    memory:
      init_values:
        double: "${PW}"
        single: '${PW}'
        within: "user:${PW}@host"
        default: "${NOBODY:none}"
        block: |-
          ${PW}
`

// tells returns what a teller has for a key.
func tells(addr, key string) (string, error) {
	answer, err := http.Post("http://"+addr+"/", "text/plain", strings.NewReader(key))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("status %d: %s", answer.StatusCode, body)
	}
	return string(body), err
}

// Text that the engine substitutes before it parses YAML is what it is with the
// engine alone.
func TestSubstitutedTextIsThatOfTheEngineAlone(t *testing.T) {
	t.Parallel()
	keys := []string{"double", "single", "within", "default", "block"}
	for engine, path := range map[string]func(testing.TB) string{"Bento": bento, "Redpanda": redpanda} {
		for _, pw := range []string{"abc #def", "null", "*abc", "4", "a: b", "- a"} {
			t.Run(engine+" "+pw, func(t *testing.T) {
				t.Parallel()
				env := map[string]string{"PW": pw, "N": "2"}
				addr := local(freePorts(t, 1))
				text := fmt.Sprintf(teller, addr)

				file := filepath.Join(t.TempDir(), "alone.yaml")
				require.NoError(t, os.WriteFile(file, []byte("http: {enabled: false}\n"+text), 0o600))
				cmd := exec.Command(path(t), "-c", file)
				cmd.Env = append(os.Environ(), "PW="+pw, "N=2")
				alone := harness.Start(t, cmd)
				want := make(map[string]string)
				for _, key := range keys {
					harness.Eventually(t, "the engine alone answers", func() (err error) {
						want[key], err = tells(addr, key)
						return err
					})
				}
				alone.Signal(syscall.SIGTERM)
				alone.End()

				w := newWorld(t, path(t), func(o *benthos.Options) { o.Env = env })
				var c benthos.Config
				require.NoError(t, yaml.Unmarshal([]byte(text), &c))
				c.MetricsPort, c.Metrics = uint16(freePorts(t, 1)), benthos.MetricsNone
				w.run(streams{"s": &c})
				for _, key := range keys {
					got, err := tells(addr, key)
					require.NoError(t, err, key)
					assert.Equal(t, want[key], got, key)
				}
				assert.Equal(t, pw, want["double"])
			})
		}
	}
}

// noise returns a text that has all that could be lost on its way.
func noise(r *rand.Rand, without string) string {
	parts := []string{
		"a", "Z", "0", " ", "  ", "\n", "\t", "\r", "'", `"`, `\`, "#", ": ", "- ", "*", "&", "!", "|", ">", "%", "@", "`", "{", "}", "[", "]", ",",
		"null", "true", "~", "1e3", "0x1", "---", "...", "$", "$(x)", "$x", "=", ";", "\x00", "\x01", "\x1b[1m", "\x7f", "\u0085", "\u00a0", "\u2028", "\ufeff", "é", "日", "😀",
	}
	var b strings.Builder
	for range r.IntN(12) {
		if part := parts[r.IntN(len(parts))]; !strings.Contains(without, part) {
			b.WriteString(part)
		}
	}
	return strings.ReplaceAll(b.String(), "${", "$") // that is substituted
}

// Invariant 8: what a configuration and an environment hold reaches the process
// byte for byte.
func TestValuesReachTheProcessByteForByte(t *testing.T) {
	t.Parallel()
	for engine, path := range map[string]func(testing.TB) string{"Bento": bento, "Redpanda": redpanda} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(8, 8))
			env, values := make(map[string]string), make(map[string]any)
			for i := range 300 {
				env[fmt.Sprintf("V%d", i)] = noise(r, "\x00")
				values[fmt.Sprintf("%d %s", i, noise(r, ""))] = noise(r, "")
			}
			w := newWorld(t, path(t), func(o *benthos.Options) { o.Env = env })
			addr := local(freePorts(t, 1))
			var c benthos.Config
			require.NoError(t, yaml.Unmarshal(fmt.Appendf(nil, teller, addr), &c))
			c.MetricsPort, c.Metrics = uint16(freePorts(t, 1)), benthos.MetricsNone
			c.Pipeline["threads"] = 1
			c.CacheResources[0]["memory"] = map[string]any{"init_values": values}
			w.Declare(active(streams{"s": &c}))
			w.Await(fsm.PhaseRunning, "s")
			for key, want := range values {
				got, err := tells(addr, key)
				require.NoError(t, err, "%q", key)
				require.Equal(t, want, got, "%q", key)
			}
			received := harness.Environ(w.pid("s"))
			for name, value := range env {
				require.True(t, slices.Contains(received, name+"="+value), "%s=%q", name, value)
			}
		})
	}
}

// TestAllSections of a configuration reach the engine, beside those that are set
// for it.
func TestAllSections(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	c := new(benthos.Config)
	require.NoError(t, yaml.Unmarshal([]byte(`
input: {resource: often}
pipeline: {processors: [{resource: marked}]}
output: {resource: printed}
input_resources: [{label: often, generate: {interval: 50ms, mapping: 'root = "hello"'}}]
processor_resources: [{label: marked, mapping: 'root = content() + " there"'}]
output_resources: [{label: printed, stdout: {codec: lines}}]
tracer: {none: {}}
http: {debug_endpoints: true}
logger: {level: debug, static_fields: {plant: north}}
metrics: {mapping: 'root = this.re_replace_all("^processor_error$", "processor_faults")'}
`), c))
	c.MetricsPort = uint16(freePorts(t, 1))
	w.run(streams{"s": c})
	harness.Eventually(t, "what the resources make of it is printed", func() bool { return w.logged("s", "hello there") > 0 })
	harness.Eventually(t, "the fields are in the log", func() bool { return w.logged("s", "plant=north") > 0 })
	for path, want := range map[string]string{"/metrics": "processor_faults", "/debug/config/yaml": "static_fields"} {
		answer, err := http.Get("http://" + c.EndpointAddr() + path)
		require.NoError(t, err)
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, errors.Join(err, answer.Body.Close()))
		assert.Contains(t, string(text), want, path)
	}
}
