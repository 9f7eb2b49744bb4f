package benthos_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
)

// bigConfig has the size of a real bridge: 20 processors of several settings.
func bigConfig() benthos.Config {
	c := httpToStdout()
	var processors []any
	for i := range 20 {
		processors = append(processors, m{
			"label":   fmt.Sprintf("step_%d", i),
			"mapping": "root = this\nroot.step = 1\nroot.at = now()\n",
			"switch":  []any{m{"check": "this.a == 1", "processors": []any{m{"log": m{"message": "one", "level": "INFO"}}}}},
			"threads": i,
		})
	}
	c.Pipeline = m{"processors": processors}
	return c
}

func TestComparingAConfigWithItselfAllocatesNothing(t *testing.T) {
	c := bigConfig()
	clone := c.Clone()
	assert.Zero(t, testing.AllocsPerRun(100, func() { c.Equal(c) }))
	assert.Zero(t, testing.AllocsPerRun(100, func() { c.Equal(clone) }))
}

func BenchmarkCompare(b *testing.B) {
	c := bigConfig()
	clone := c.Clone()
	hash := c.Hash()
	same := map[string]func() bool{
		"Equal/itself":               func() bool { return c.Equal(c) },
		"Equal/clone":                func() bool { return c.Equal(clone) },
		"Hash":                       func() bool { return c.Hash() == hash },
		"baseline/reflect.DeepEqual": func() bool { return reflect.DeepEqual(c, clone) },
		"baseline/yaml and bytes":    func() bool { return bytes.Equal(marshal(b, c), marshal(b, clone)) },
	}
	for name, equal := range same {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !equal() {
					b.Fatal("a configuration differs from itself")
				}
			}
		})
	}
}

func marshal(b *testing.B, c benthos.Config) []byte {
	text, err := yaml.Marshal(c)
	require.NoError(b, err)
	return text
}

func BenchmarkRender(b *testing.B) {
	c := bigConfig()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Render(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseMetrics(b *testing.B) {
	text := readMetrics(b, "bento-1.10.0-http.metrics")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := benthos.ParseMetrics(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClassifyLine(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for _, tt := range logLines {
			benthos.ClassifyLine(tt.line)
		}
	}
}
