//go:build integration

package benthos

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/internal/cli"
)

// twoFlows are a flow that is right, and one with keys of its input beside the
// input.
const twoFlows = `dataFlow:
  - name: right
    desiredState: active
    dataFlowComponentConfig:
      benthos:
        input:
          generate:
            mapping: root = "hello"
            interval: 1s
        output:
          stdout: {}
  - name: wrong
    desiredState: active
    dataFlowComponentConfig:
      benthos:
        input:
          generate:
            mapping: root = "hello"
          interval: 1s
        pipeline:
          processors:
            - mapping: root = this
            - mapping: |
                root = this
                root.x = y()
                root.z = 1
        output:
          stdout: {}
`

// TestCheck puts what engines object to where it stands in the file.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]string{"bento": bento(t), "redpanda": redpanda(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "flows.yaml")
			require.NoError(t, os.WriteFile(file, []byte(twoFlows), 0o600))
			var stdout, stderr bytes.Buffer
			code := cli.Main([]string{"check", "-f", file, "--benthos", engine}, &stdout, &stderr)
			assert.Equal(t, 1, code)
			assert.Empty(t, stdout.String())
			assert.Regexp(t, `^\Q`+file+`:19:21: dataFlowComponentConfig.benthos.input.interval: \E.*interval.*\n\Q`+
				file+`:23:24: dataFlowComponentConfig.benthos.pipeline.processors.1.mapping: \E.*\n$`, stderr.String())
		})
	}
}
