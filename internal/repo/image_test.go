package repo

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestImagesAreMadeOfWhatTheirProgramsImport holds that a package which one of the
// programs comes to import reaches the build of the images.
func TestImagesAreMadeOfWhatTheirProgramsImport(t *testing.T) {
	copied := matches(t, "Dockerfile", `(?m)^COPY (\S+) \S+/$`)
	sent := matches(t, ".dockerignore", `(?m)^!(.+)$`)
	for _, name := range append(dependencies(t, "examples/fivebenthos"), dependencies(t, "cmd/evenkeel")...) {
		dir, own := strings.CutPrefix(name, module+"/")
		if !own {
			continue
		}
		above := func(top string) bool { return under(dir, top) }
		assert.True(t, slices.ContainsFunc(copied, above), "the Dockerfile copies no %s into its build: add a COPY", dir)
		assert.True(t, slices.ContainsFunc(sent, above), ".dockerignore keeps %s from Docker: add a line", dir)
	}
}

// matches returns the first group of each match in a file of the repository.
func matches(t *testing.T, name, expression string) (found []string) {
	t.Helper()
	text, err := os.ReadFile(root + "/" + name)
	require.NoError(t, err)
	for _, match := range regexp.MustCompile(expression).FindAllStringSubmatch(string(text), -1) {
		found = append(found, match[1])
	}
	require.NotEmpty(t, found)
	return found
}
