package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// setting returns what a unit of systemd has for a key that stands in it once.
func setting(t *testing.T, unit, key string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../systemd", unit))
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^`+key+`=(.*)$`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, found, 1, "%s in %s", key, unit)
	return found[0][1]
}

// understood returns the command that a command line is for, with its flags.
func understood(t *testing.T, line string) *cobra.Command {
	t.Helper()
	words := strings.Fields(line)
	require.Equal(t, "/usr/local/bin/evenkeel", words[0])
	c, flags, err := newRoot().Find(words[1:])
	require.NoError(t, err)
	require.NoError(t, c.ParseFlags(flags))
	require.NoError(t, c.ValidateRequiredFlags())
	require.Empty(t, c.Flags().Args())
	return c
}

// TestUnitsOfSystemdAreUnderstood: both are about the same services, and what is
// kept outlives the program.
func TestUnitsOfSystemdAreUnderstood(t *testing.T) {
	run := understood(t, setting(t, "evenkeel.service", "ExecStart"))
	stop := understood(t, setting(t, "evenkeel-tree.service", "ExecStop"))
	assert.Equal(t, "run", run.Name())
	assert.Equal(t, "stop", stop.Name())
	leave, err := run.Flags().GetBool("leave")
	require.NoError(t, err)
	assert.True(t, leave)
	for _, flag := range []string{"dir", "scan-dir"} {
		assert.Equal(t, run.Flag(flag).Value.String(), stop.Flag(flag).Value.String(), flag)
	}
	scan := run.Flag("scan-dir").Value.String()
	assert.Equal(t, "/usr/bin/s6-svscan "+scan, setting(t, "evenkeel-tree.service", "ExecStart"))
	assert.Contains(t, setting(t, "evenkeel-tree.service", "RuntimeDirectory"), strings.TrimPrefix(scan, "/run/"))
	assert.Equal(t, "/var/lib/"+setting(t, "evenkeel.service", "StateDirectory"), run.Flag("dir").Value.String())

	halt, err := stop.Flags().GetDuration("stop-timeout")
	require.NoError(t, err)
	limit, err := time.ParseDuration(setting(t, "evenkeel-tree.service", "TimeoutStopSec") + "s")
	require.NoError(t, err)
	assert.Greater(t, limit, halt)

	assert.Equal(t, "notify", setting(t, "evenkeel.service", "Type"))
	assert.Equal(t, "evenkeel-tree.service", setting(t, "evenkeel.service", "Requires"))
	assert.Contains(t, setting(t, "evenkeel.service", "After"), "evenkeel-tree.service")
	assert.Equal(t, "yes", setting(t, "evenkeel-tree.service", "StopWhenUnneeded"))
}
