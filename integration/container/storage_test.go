//go:build container

package container

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

func TestAnyUserAndReadOnly(t *testing.T) {
	t.Parallel()
	readOnly := []string{"--read-only", "--tmpfs", "/run", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"}
	for name, options := range map[string][]string{
		"read-only":                   readOnly,
		"read-only, an arbitrary uid": append([]string{"--user", "54321:54321"}, readOnly...),
		"an arbitrary uid":            {"--user", "54321:0"},
		"root":                        {"--user", "0:0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			volume := newVolume(t)
			c := start(t, append([]string{"-v", volume + ":/data"}, options...))
			c.serving()
			require.NoError(t, c.post(4, `{"test":"message"}`, 0))
			harness.Eventually(t, "it is healthy", func() bool { return c.health() == "healthy" })
			c.stop()
			assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"))
			c.allLogged([]string{`{"test":"message"}`})
		})
	}
}

// newVolume makes a volume that is removed with the test.
func newVolume(t testing.TB) string {
	t.Helper()
	name := unique()
	mustDocker(t, "volume", "create", name)
	t.Cleanup(func() { _, _ = docker("volume", "rm", "-f", name) })
	return name
}

func TestWhatCannotWorkIsSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options []string
		says    string
	}{
		"nowhere to run":   {[]string{"--read-only"}, "give the container --tmpfs /run"},
		"nothing executes": {[]string{"--tmpfs", "/data"}, "mount it with exec"},
		"not its volume":   {[]string{"-v", t.TempDir() + ":/data"}, "cannot write in /data as user 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			begun := start(t, c.options)
			assert.Equal(t, "1", begun.ended())
			assert.Contains(t, begun.output(), c.says)
		})
	}
}

func TestSecondContainerOnTheSameVolumeIsRefused(t *testing.T) {
	t.Parallel()
	volume := newVolume(t)
	first := start(t, []string{"-v", volume + ":/data"})
	before := first.serving()
	second := start(t, []string{"-v", volume + ":/data"})
	assert.Equal(t, "1", second.ended())
	assert.Contains(t, second.output(), "cannot manage the services in /data/services")
	assert.Contains(t, second.output(), "holds it")
	assert.Equal(t, before, first.serving())
}
