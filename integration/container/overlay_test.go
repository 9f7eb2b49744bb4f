//go:build container

package container

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

const (
	root     = "../.."
	tarballs = "container/overlay"
)

func text(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return strings.TrimSpace(string(data))
}

// TestOverlayServicesAreWellFormed checks what s6-rc-compile demands of a
// source.
func TestOverlayServicesAreWellFormed(t *testing.T) {
	dir := filepath.Join(root, "container/s6-rc.d")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	known := map[string]bool{"base": true} // s6-overlay's own
	for _, e := range entries {
		known[e.Name()] = true
		if pipeline, err := os.ReadFile(filepath.Join(dir, e.Name(), "pipeline-name")); err == nil {
			known[strings.TrimSpace(string(pipeline))] = true
		}
	}
	for _, e := range entries {
		service := filepath.Join(dir, e.Name())
		names := func(sub string) []os.DirEntry {
			list, err := os.ReadDir(filepath.Join(service, sub))
			if !os.IsNotExist(err) {
				require.NoError(t, err)
			}
			return list
		}
		for _, other := range append(names("dependencies.d"), names("contents.d")...) {
			assert.True(t, known[other.Name()], "%s names %s", e.Name(), other.Name())
		}
		switch kind := text(t, filepath.Join(service, "type")); kind {
		case "bundle":
			assert.NotEmpty(t, names("contents.d"), e.Name())
		case "longrun":
			run, err := os.Stat(filepath.Join(service, "run"))
			require.NoError(t, err)
			assert.NotZero(t, run.Mode()&0o111, "%s/run is executable", e.Name())
		default:
			assert.Fail(t, "a type that is not used here", "%s: %s", e.Name(), kind)
		}
		if to, err := os.ReadFile(filepath.Join(service, "producer-for")); err == nil {
			consumer := filepath.Join(dir, strings.TrimSpace(string(to)))
			assert.Equal(t, e.Name(), text(t, filepath.Join(consumer, "consumer-for")))
		}
	}
}

// TestOverlayImagesBuild builds the images with stand-ins for s6-overlay's
// tarballs, which show that they build but not that they run.
func TestOverlayImagesBuild(t *testing.T) {
	t.Parallel()
	for version, bundle := range map[string]string{"3.2.1.0": oldBundle, "3.2.3.2": newBundle} {
		context, arguments := standIns(t, bundle)
		for program, knows := range map[string]string{"fivebenthos": "-healthcheck", "evenkeel": "health"} {
			what := program + " on " + version
			tag := buildOverlay(t, context, append(arguments, "--target", program))
			assert.Equal(t, "1000:1000 [/init]", mustDocker(t, "image", "inspect", "-f", "{{.Config.User}} {{.Config.Entrypoint}}", tag), what)
			assert.Contains(t, mustDocker(t, "run", "--rm", tag, program, "--help"), knows, what)
			// A version that finds the other place, too, writes there when it starts.
			assert.Equal(t, "/"+bundle+"/contents.d/"+program+"-pipeline", mustDocker(t, "run", "--rm", tag, "find", "/etc/s6-overlay", "-path", "*/user*/contents.d/*"), what)
		}
	}
}

// A layout that is not known is an error while the image is built.
func TestOverlayOfAnUnknownLayoutIsRefused(t *testing.T) {
	t.Parallel()
	context, arguments := standIns(t, "")
	out, err := exec.Command("docker", append(overlayBuild("--force-rm"), append(arguments, context)...)...).CombinedOutput()
	assert.Error(t, err)
	assert.Contains(t, string(out), "this version has another layout than those from 3.2.1.0 to 3.2.3.2")
}

func buildOverlay(t *testing.T, context string, arguments []string) (tag string) {
	t.Helper()
	tag = unique()
	t.Cleanup(func() { _, _ = docker("rmi", "-f", tag) })
	mustDocker(t, append(overlayBuild("-q", "-t", tag), append(arguments, context)...)...)
	return tag
}

// overlayBuild begins a docker build of the image. The settings of Go are those
// of docker-compose.yml, so that the layers are the same.
func overlayBuild(options ...string) []string {
	args := append([]string{"build", "--build-arg", "INIT=s6-overlay"}, options...)
	for _, name := range []string{"GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE"} {
		args = append(args, "--build-arg", name+"="+os.Getenv(name))
	}
	return args
}

// TestOverlayRuns runs the image with the tarballs that were put into
// container/overlay, whichever these are.
func TestOverlayRuns(t *testing.T) {
	var arguments []string
	for name, argument := range map[string]string{"noarch": "NOARCH", "x86_64": "ARCH"} {
		data, err := os.ReadFile(filepath.Join(root, tarballs, "s6-overlay-"+name+".tar.xz"))
		if os.IsNotExist(err) {
			t.Skip("there is no s6-overlay-" + name + ".tar.xz in " + tarballs)
		}
		require.NoError(t, err)
		sum := sha256.Sum256(data)
		arguments = append(arguments, "--build-arg", "S6_OVERLAY_"+argument+"_SHA256="+hex.EncodeToString(sum[:]))
	}
	tag := buildOverlay(t, root, arguments)
	for name, options := range map[string][]string{
		"as it is":  nil,
		"read-only": {"--read-only", "--tmpfs", "/run:exec", "--tmpfs", "/tmp", "-e", "S6_READ_ONLY_ROOT=1", "--user", "54321:54321"},
	} {
		t.Run(name, func(t *testing.T) {
			c := startImage(t, tag, options)
			before := c.serving()
			harness.Eventually(t, "it is healthy", func() bool { return c.health() == "healthy" })
			old := c.pid("fivebenthos")
			c.signal("KILL", old)
			harness.Eventually(t, "fivebenthos is back", func() bool { pid := c.pid("fivebenthos"); return pid > 0 && pid != old })
			assert.Equal(t, before, c.serving())
			second := startImage(t, tag, []string{"--volumes-from", c.name})
			assert.Equal(t, "1", second.ended(), "another has the volume")

			l := c.load()
			c.stop()
			accepted := c.accepted(l)
			assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"))
			logged := mustDocker(t, "run", "--rm", "--user", "0", "--entrypoint", "sh", "--volumes-from", c.name, tag, "-c",
				"cat /data/logs/benthos-*/@* /data/logs/benthos-*/current 2>/dev/null || true")
			for _, message := range accepted {
				assert.Contains(t, logged, message)
			}
		})
	}
	t.Run("exit code", func(t *testing.T) {
		c := startImage(t, tag, nil)
		c.serving()
		c.signal("QUIT", c.pid("fivebenthos")) // a Go program prints its stacks and exits with 2
		assert.Equal(t, "2", c.ended())
	})
}

func TestOverlayRefusesATarballThatIsNotTheRightOne(t *testing.T) {
	t.Parallel()
	context, arguments := standIns(t, oldBundle)
	name := filepath.Join(context, tarballs, "s6-overlay-noarch.tar.xz")
	require.NoError(t, os.WriteFile(name, []byte("not the right one"), 0o644))
	args := append(overlayBuild("--force-rm"), append(arguments, context)...)
	out, err := exec.Command("docker", args...).CombinedOutput()
	assert.Error(t, err)
	assert.Contains(t, string(out), "the checksum of s6-overlay-noarch.tar.xz is not")
}

// Where s6-overlay has the bundle of what it starts.
const (
	oldBundle = "etc/s6-overlay/s6-rc.d/user"
	newBundle = "etc/s6-overlay/user-bundles.d/user"
)

// standIns copies what the image is made from and adds tarballs whose /init
// only runs what it is given, and whose bundle is in that place. It returns the
// copy and the build arguments for it.
func standIns(t testing.TB, bundle string) (context string, arguments []string) {
	t.Helper()
	context = t.TempDir()
	names := []string{"Dockerfile", ".dockerignore"}
	for line := range strings.Lines(text(t, filepath.Join(root, ".dockerignore"))) {
		if name, taken := strings.CutPrefix(strings.TrimSpace(line), "!"); taken {
			names = append(names, name)
		}
	}
	for _, name := range names {
		to := filepath.Join(context, filepath.Dir(name))
		require.NoError(t, os.MkdirAll(to, 0o755))
		out, err := exec.Command("cp", "-a", filepath.Join(root, name), to).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	for name, argument := range map[string]string{"noarch": "NOARCH", "x86_64": "ARCH"} {
		var packed bytes.Buffer
		w := tar.NewWriter(&packed)
		files := map[string]string{"init": "#!/bin/sh\nexec \"$@\"\n"}
		if bundle != "" {
			files[bundle+"/type"] = "bundle\n"
		}
		for file, text := range files {
			if name == "noarch" {
				require.NoError(t, w.WriteHeader(&tar.Header{Name: file, Mode: 0o755, Size: int64(len(text))}))
				_, err := w.Write([]byte(text))
				require.NoError(t, err)
			}
		}
		require.NoError(t, w.Close())
		compress := exec.Command("xz", "-c")
		compress.Stdin = &packed
		data, err := compress.Output()
		require.NoError(t, err)
		sum := sha256.Sum256(data)
		require.NoError(t, os.WriteFile(filepath.Join(context, tarballs, "s6-overlay-"+name+".tar.xz"), data, 0o644))
		arguments = append(arguments, "--build-arg", "S6_OVERLAY_"+argument+"_SHA256="+hex.EncodeToString(sum[:]))
	}
	return context, arguments
}
