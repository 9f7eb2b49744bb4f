package main

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
	text, err := os.ReadFile("../../container/s6-rc.d/fivebenthos-log/pipeline-name")
	require.NoError(t, err)
	service := strings.TrimSpace(string(text))
	dockerfile, err := os.ReadFile("../../Dockerfile")
	require.NoError(t, err)
	require.Contains(t, string(dockerfile), "enable.sh /overlay "+service+";")

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
			root := t.TempDir()
			for _, dir := range c.bundles {
				for _, bundle := range []string{"user", "user2"} {
					at := filepath.Join(root, dir, bundle)
					require.NoError(t, os.MkdirAll(filepath.Join(at, "contents.d"), 0o755))
					require.NoError(t, os.WriteFile(filepath.Join(at, "type"), []byte(c.kind), 0o644))
				}
			}
			out, err := exec.Command("sh", "../../container/overlay/enable.sh", root, service).CombinedOutput()
			found, globErr := filepath.Glob(filepath.Join(root, "etc/s6-overlay/*/*/contents.d/*"))
			require.NoError(t, globErr)
			if c.want == "" {
				assert.Error(t, err)
				assert.Contains(t, string(out), c.says)
				assert.Contains(t, string(out), "this version has another layout than those from 3.2.1.0 to 3.2.3.2")
				assert.Empty(t, found)
				return
			}
			require.NoError(t, err, string(out))
			assert.Equal(t, []string{filepath.Join(root, c.want, "user/contents.d", service)}, found)
		})
	}
}
