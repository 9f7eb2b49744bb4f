package repo

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestServiceIsInTheBundleOfEachVersionOfS6Overlay: in the one that the version
// has, and in no other, for /init would write there.
func TestServiceIsInTheBundleOfEachVersionOfS6Overlay(t *testing.T) {
	const before, since = "etc/s6-overlay/s6-rc.d", "etc/s6-overlay/user-bundles.d"
	for name, c := range map[string]struct {
		bundles []string
		kind    string
		want    string // the place of the service, empty if refused
		says    string
	}{
		"3.2.1.0":      {[]string{before}, "bundle\n", before, ""},
		"3.2.3.2":      {[]string{since}, "bundle\n", since, ""},
		"both":         {[]string{before, since}, "bundle\n", "", "both " + before + "/user and " + since + "/user are there"},
		"neither":      {nil, "", "", "neither " + before + "/user nor " + since + "/user is there"},
		"not a bundle": {[]string{since}, "oneshot\n", "", since + "/user is no bundle"},
	} {
		t.Run(name, func(t *testing.T) {
			base, image := t.TempDir(), t.TempDir()
			for _, dir := range c.bundles {
				for _, bundle := range []string{"user", "user2"} {
					at := filepath.Join(base, dir, bundle)
					require.NoError(t, os.MkdirAll(filepath.Join(at, "contents.d"), 0o755))
					require.NoError(t, os.WriteFile(filepath.Join(at, "type"), []byte(c.kind), 0o644))
				}
			}
			out, err := exec.Command("sh", root+"/container/overlay/enable.sh", base, root+"/container/s6-rc.d", image, "evenkeel").CombinedOutput()
			found, globErr := filepath.Glob(filepath.Join(image, "etc/s6-overlay/*/*/contents.d/*"))
			require.NoError(t, globErr)
			if c.want == "" {
				assert.Error(t, err)
				assert.Contains(t, string(out), c.says)
				assert.Contains(t, string(out), "this version has another layout than those from 3.2.1.0 to 3.2.3.2")
				assert.Empty(t, found)
				return
			}
			require.NoError(t, err, string(out))
			assert.Equal(t, []string{filepath.Join(image, c.want, "user/contents.d/evenkeel-pipeline")}, found)
			assertServicesOf(t, "evenkeel", filepath.Join(image, "etc/s6-overlay/s6-rc.d"))
		})
	}
}

// assertServicesOf checks that a program has a service and a logger by its name.
func assertServicesOf(t *testing.T, program, dir string) {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(text)
	}
	assert.Equal(t, program+"-log\n", read(program+"/producer-for"))
	assert.Equal(t, program+"\n", read(program+"-log/consumer-for"))
	assert.Equal(t, program+"-pipeline\n", read(program+"-log/pipeline-name"))
	for _, name := range []string{program + "/run", program + "/finish", program + "-log/run", program + "-log/finish"} {
		assert.True(t, strings.Contains(read(name), program) && !strings.Contains(read(name), "PROGRAM"), name)
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.NotZero(t, info.Mode()&0o111, "%s is executable", name)
	}
	assert.FileExists(t, filepath.Join(dir, program, "dependencies.d/base"))
}
