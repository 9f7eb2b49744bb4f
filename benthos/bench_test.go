package benthos_test

import (
	"fmt"
	"testing"

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

func BenchmarkRender(b *testing.B) {
	c := bigConfig()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Render(); err != nil {
			b.Fatal(err)
		}
	}
}
