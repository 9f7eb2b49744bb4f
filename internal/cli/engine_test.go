package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
)

// withoutExporter is an engine that has none, and counts how often it was asked.
type withoutExporter struct {
	benthos.ConfigLinter
	asked int
}

func (e *withoutExporter) HasPrometheus(context.Context) (bool, error) {
	e.asked++
	return false, nil
}

// TestNobodyWaitsForWhatAnEngineSaysOfItself: of one that is built from the Prometheus
// client it is found out later, unless streams run already.
func TestNobodyWaitsForWhatAnEngineSaysOfItself(t *testing.T) {
	built := filepath.Join(t.TempDir(), "evenkeel") // which is built from the client, too
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", built, "../../cmd/evenkeel").CombinedOutput()
	require.NoError(t, err, "%s", out)
	script := filepath.Join(t.TempDir(), "benthos")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n"), 0o700))
	kept := &config.Declaration{Entries: map[config.Key]config.Entry{{Kind: config.KindStream, Name: "s"}: {Stream: new(benthos.Config)}}}
	for name, c := range map[string]struct {
		path   string
		before *config.Declaration
		waits  bool
	}{
		"built from the client":       {built, nil, false},
		"with services before":        {built, new(config.Declaration), false},
		"with streams before":         {built, kept, true},
		"a script":                    {script, nil, true},
		"an engine that is not there": {script + "2", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			engine := new(withoutExporter)
			answer := exporterSoon(c.path, engine, c.before)
			_, known := answer(t.Context())
			assert.Equal(t, c.waits, known)
			assert.Equal(t, c.waits, engine.asked == 1)
			for range 2 {
				name, known := answer(t.Context())
				assert.Equal(t, benthos.MetricsNone, name)
				assert.True(t, known)
			}
			assert.Equal(t, 1, engine.asked)
		})
	}
}
