package config_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
)

// lines is a linter that objects to lines of documents with a word in them.
type lines struct{ err error }

func (l lines) Lint(_ context.Context, docs map[string][]byte) (map[string]error, error) {
	verdicts := make(map[string]error)
	for name, doc := range docs {
		var all []benthos.LintError
		for n, line := range strings.Split(string(doc), "\n") {
			if strings.Contains(line, "wrong") || strings.Contains(line, "old") {
				all = append(all, benthos.LintError{Line: n + 1, Column: 1, Message: "no " + strings.TrimSpace(line), Warning: strings.Contains(line, "old")})
			}
		}
		if len(all) > 0 {
			all[0].More = all[1:]
			verdicts[name] = &all[0]
		}
		if strings.Contains(string(doc), "hopeless") {
			verdicts[name] = errors.New("it is hopeless")
		}
	}
	return verdicts, l.err
}

const linted = `benthos:
  - name: good
    benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}
  - name: old
    benthosServiceConfig:
      input: {stdin: {}}
      output:
        old: {}
  - name: hopeless
    benthosServiceConfig: {input: {hopeless: {}}, output: {drop: {}}}
dataFlow:
  - name: bad
    dataFlowComponentConfig:
      benthos:
        output: {drop: {}}
        input:
          generate: {}
          wrong: 5
        pipeline:
          processors:
            - log: {message: fine}
            - mapping: |
                root = this
                root.wrong = 1
            - log: {message: [1, wrong]}
services:
  - name: plain
    s6ServiceConfig: {command: [wrong]}
`

// TestLint puts what the engine says of the document that it would get where
// that comes from.
func TestLint(t *testing.T) {
	d := readText(t, linted)
	require.Empty(t, problems(d))
	warnings, err := d.Lint(t.Context(), lines{})
	require.NoError(t, err)
	assert.Equal(t, `f.yaml:10:27: benthosServiceConfig: it is hopeless
f.yaml:18:18: dataFlowComponentConfig.benthos.input.wrong: no wrong: 5
f.yaml:22:24: dataFlowComponentConfig.benthos.pipeline.processors.1.mapping: no root.wrong = 1
f.yaml:25:34: dataFlowComponentConfig.benthos.pipeline.processors.2.log.message.1: no - wrong`, problems(d))
	require.Len(t, warnings, 1)
	assert.Equal(t, "f.yaml:8:14: benthosServiceConfig.output.old: no old: {}", warnings[0].Error())
	assert.Len(t, d.Entries, 3)
	assert.Contains(t, d.Streams(), "benthos-old")

	_, err = readText(t, linted).Lint(t.Context(), lines{err: benthos.ErrNoEngine})
	assert.ErrorIs(t, err, benthos.ErrNoEngine)
	d = readText(t, one("a"))
	_, err = d.Lint(t.Context(), lines{err: benthos.ErrNoEngine})
	assert.NoError(t, err, "there is nothing to ask about")
	assert.Len(t, d.Entries, 1)
}

// TestDefaultMetrics is for those that say nothing of metrics.
func TestDefaultMetrics(t *testing.T) {
	d := readText(t, `benthos:
  - {name: a, benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}}
  - {name: b, benthosServiceConfig: {metrics: prometheus, input: {stdin: {}}, output: {drop: {}}}}
services: [{name: c, s6ServiceConfig: {command: [c]}}]
`)
	before := d.Streams()["benthos-a"].Spec
	d.DefaultMetrics(benthos.MetricsNone)
	assert.Equal(t, benthos.MetricsNone, d.Streams()["benthos-a"].Spec.Metrics)
	assert.Equal(t, benthos.MetricsPrometheus, d.Streams()["benthos-b"].Spec.Metrics)
	assert.Empty(t, before.Metrics, "a configuration that was handed out is not modified")
}

// TestPortsOfSeveral streams: the later one by its name is refused.
func TestPortsOfSeveral(t *testing.T) {
	d := readText(t, `benthos:
  - name: b
    benthosServiceConfig: {metrics_port: 5000, input: {stdin: {}}, output: {drop: {}}}
  - name: a
    benthosServiceConfig:
      metrics_port: 5001
      input: {http_server: {address: "localhost:5000"}}
      output: {drop: {}}
  - {name: c, benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}}
  - {name: d, benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}}
`)
	d.RefusePorts()
	assert.Equal(t, `f.yaml:3:42: benthosServiceConfig.metrics_port: port 5000 is that of benthos-a already, at f.yaml:7:38: give one of them another port`, problems(d))
	assert.Len(t, d.Entries, 3)
	assert.NotContains(t, d.Streams(), "benthos-b")
}
