package repo

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCoreIsLight holds what importing the core brings into a program: nothing
// that only tests and single kinds need, through no package.
func TestCoreIsLight(t *testing.T) {
	heavy := []string{"github.com/spf13/afero", "net/http"}
	for _, core := range []string{"fsm", "filesystem", "s6", "s6/logs"} {
		for _, dependency := range heavy {
			assert.NotContains(t, dependencies(t, core), dependency,
				"importing %s brings in %s: \"go list -deps\" shows the way; move what needs it out", core, dependency)
		}
	}
	assert.Subset(t, dependencies(t, "filesystem/memfs"), heavy, "the list of dependencies is not complete")
}

// TestMetricsAreApart holds that who does not serve metrics does not import what
// serves them.
func TestMetricsAreApart(t *testing.T) {
	const client = "github.com/prometheus/client_golang/prometheus"
	for _, core := range []string{"fsm", "fsm/order", "filesystem", "s6", "benthos", "config"} {
		assert.NotContains(t, dependencies(t, core), client,
			"importing %s brings in %s: \"go list -deps\" shows the way; move what needs it to metrics", core, client)
	}
	assert.Contains(t, dependencies(t, "metrics"), client, "the list of dependencies is not complete")
}

// dependencies are the packages that a package of this module needs outside
// tests, directly and through others.
func dependencies(t *testing.T, dir string) []string {
	t.Helper()
	list := exec.Command("go", "list", "-deps", module+"/"+dir)
	list.Dir = root
	out, err := list.Output()
	require.NoError(t, err)
	packages := strings.Fields(string(out))
	require.True(t, slices.Contains(packages, module+"/"+dir))
	return packages
}
