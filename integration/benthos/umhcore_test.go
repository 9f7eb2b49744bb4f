//go:build integration

package benthos

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// beforeUMHCore and afterUMHCore are what a file of UMH Core has for components
// that evenkeel does not run.
const (
	beforeUMHCore = `agent:
  metricsPort: 8080
  communicator: {apiUrl: https://api.example, authToken: ""}
  graphql: {enabled: true, port: 8090}
  releaseChannel: stable
  location: {0: plant, 1: line}
  simulator: false
templates: {}
payloadShapes: {timeseries: {fields: {value: {_type: number}}}}
dataModels: [{name: pump, version: {v1: {structure: {pressure: {_payloadshape: timeseries}}}}}]
dataContracts: [{name: _pump_v1, model: {name: pump, version: v1}}]
protocolConverter: [{name: opcua, desiredState: stopped}]
streamProcessor: []
internal:
  redpanda: {name: redpanda, desiredState: stopped}
  nmap: []
  services:
`
	afterUMHCore = `  topicbrowser: {desiredState: stopped}
`
)

// hundred and ten are how many services and streams there are.
const hundred, ten = 100, 10

// fileOfUMHCore is a file with the examples of UMH Core in it: services that run
// a file of their own, where it is found through the scan directory; one whose
// file has another name; streams that print; and a flow that the engine's linter
// refuses beside one that it takes. Edited is how long one of the services sleeps.
func fileOfUMHCore(root string, port, edited int) string {
	var b strings.Builder
	service := func(name, file string, sleeps int) {
		fmt.Fprintf(&b, `    - name: %s
      desiredState: running
      s6ServiceConfig:
        command: [/bin/sh, %s]
        env: {LOG: debug}
        configFiles:
          %s: |
            exec sleep %d
        memoryLimit: 0
        logFilesize: 0
`, name, filepath.Join(root, "scan", name, "config", "hello-world.sh"), file, sleeps)
	}
	b.WriteString(beforeUMHCore)
	for n := range hundred {
		sleeps := 1000000
		if n == 42 {
			sleeps = edited
		}
		service(fmt.Sprintf("hello-%d", n), "hello-world.sh", sleeps)
	}
	service("misnamed", "hello.sh", 1000000)
	b.WriteString("  benthos:\n")
	for n := range ten {
		fmt.Fprintf(&b, `    - name: hello-%d
      desiredState: active
      benthosServiceConfig:
        input: {generate: {mapping: 'root = "hello world"', interval: 10s, count: 0}}
        pipeline: {processors: []}
        output: {stdout: {}}
        metrics_port: %d
        debug_level: false
`, n, port+n)
	}
	b.WriteString(afterUMHCore)
	b.WriteString(twoFlows)
	return strings.Replace(b.String(), "      benthos:\n        input:\n", fmt.Sprintf("      benthos:\n        metrics_port: %d\n        input:\n", port+ten), 1)
}

// TestFileOfUMHCore: all of it runs that can, and is what the file says; what
// cannot is told, and touches nothing else; and of what runs, exactly that changes
// which is edited.
func TestFileOfUMHCore(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	port := freePorts(t, ten+1)
	p.write(fileOfUMHCore(p.root, port, 1000000))
	program := p.start()
	names := []string{"benthos-dataflow-right"}
	for n := range hundred {
		names = append(names, fmt.Sprintf("hello-%d", n))
	}
	for n := range ten {
		names = append(names, fmt.Sprintf("benthos-hello-%d", n))
	}
	before := p.pids(names...)
	said := func(printed *harness.Output, what string) {
		t.Helper()
		line := regexp.MustCompile(`(?m)^` + what + `$`)
		harness.Eventually(t, "the program says: "+what, func() bool { return line.MatchString(printed.String()) })
	}
	said(program.Stderr, `\S+ benthos-dataflow-wrong declaration refused: not a valid Benthos configuration: the engine refuses the configuration: line \d+: field interval is invalid .*`)
	said(program.Stdout, `\S+ misnamed starting -> degraded \(start_failed\) its process ended \d+ times in .*: exited with \d+ at .*`)
	missing := filepath.Join(p.root, "scan", "misnamed", "config", "hello-world.sh")
	words := regexp.MustCompile(`misnamed is degraded: .*: exited with \d+ at \S+; its last words: .*` + regexp.QuoteMeta(missing))
	harness.Eventually(t, "its reason names the file", func() bool {
		out, err := exec.Command(evenkeel(t), "health", "--dir", p.root).CombinedOutput()
		return err != nil && words.Match(out)
	})
	nothingRuns := func() {
		t.Helper()
		assert.Empty(t, harness.Running(filepath.Join(p.root, "services", "misnamed"), "sleep"))
		assert.Empty(t, engines(filepath.Join(p.root, "services", "benthos-dataflow-wrong")))
		assert.Equal(t, 1, strings.Count(program.Stderr.String(), " declaration refused: "), "it is told once, and of no other")
	}
	nothingRuns()
	require.Empty(t, changedPIDs(before, p.pids(names...)))

	p.write(fileOfUMHCore(p.root, port, 1000001))
	edited := filepath.Join(p.root, "services", "hello-42")
	harness.Eventually(t, "the one that was edited runs what is new", func() bool {
		found := harness.Running(edited, "sleep")
		return len(found) == 1 && found[0].Args[1] == "1000001"
	})
	after := p.pids(names...)
	assert.Equal(t, []string{"hello-42"}, changedPIDs(before, after))
	nothingRuns()
	harness.Pause(t, removes, "what is missing would be removed by then")
	assert.Empty(t, changedPIDs(after, p.pids(names...)))
	p.ends(program)
}
