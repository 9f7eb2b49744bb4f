package benthos

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6"
)

func TestDocumentOfAConfigurationIsMadeOnce(t *testing.T) {
	all := documents{service: (&Options{Engine: "/opt/benthos"}).serviceSpec}
	c := &Config{Input: map[string]any{"stdin": map[string]any{}}, Output: map[string]any{"drop": map[string]any{}}, MetricsPort: 9080}
	first, err := all.of(c)
	require.NoError(t, err)
	again, err := all.of(c)
	require.NoError(t, err)
	assert.Same(t, first, again)
	assert.Equal(t, string(first.text), first.service.ConfigFiles[configFile])
	text, err := c.Render()
	require.NoError(t, err)
	assert.Equal(t, string(text), string(first.text))
	assert.Equal(t, Ports(*c), first.listens)

	same := c.Clone()
	other, err := all.of(&same)
	require.NoError(t, err)
	assert.Equal(t, first.hash, other.hash)
	_, err = all.of(&Config{})
	require.Error(t, err)

	all.keep(map[*Config]bool{&same: true})
	assert.Len(t, all.made, 1)
	again, err = all.of(c)
	require.NoError(t, err)
	assert.NotSame(t, first, again)
}

// What is on disk of a service is compared with what would be written: where
// that became different, a new version would restart every process.
func TestServiceOfAConfigurationIsWhatItWas(t *testing.T) {
	text, err := os.ReadFile("testdata/config.yaml")
	require.NoError(t, err)
	c, err := readNote(string(text))
	require.NoError(t, err)
	var want *s6.Spec
	text, err = os.ReadFile("testdata/service.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &want))

	doc, err := newDocument(&c)
	require.NoError(t, err)
	o, err := Options{
		Engine: "/usr/bin/benthos", Env: map[string]string{"A": "1"}, Limits: s6.Limits{OpenFiles: 4096}, User: "nobody",
	}.defaults(true)
	require.NoError(t, err)
	got, err := o.serviceSpec(doc)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, "8e233539e3fcbfd3a8ae3cd1e1d224de50366dae0ed41a1814a82a5e9c2785d9", got.Hash())
}
