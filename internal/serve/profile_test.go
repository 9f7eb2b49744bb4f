package serve

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/api"
)

// TestProfilesAreForTheSocketAlone: who may open it gets them beside all else, and
// nobody gets them over an address.
func TestProfilesAreForTheSocketAlone(t *testing.T) {
	dir := t.TempDir()
	a := &api.Server{Feed: api.NewFeed()}
	defer Begin(dir, Address{}, a, func(problem error) { t.Error(problem) }).End()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, api.SocketName))
	}}}
	defer client.CloseIdleConnections()
	get := func(path string) (status int, body string) {
		t.Helper()
		resp, err := client.Get("http://localhost" + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(text)
	}
	for path, contains := range map[string]string{
		profilePath:                        "goroutine",
		profilePath + "cmdline":            "serve.test",
		profilePath + "heap?debug=1":       "heap profile:",
		profilePath + "goroutine?debug=1":  "goroutine profile:",
		profilePath + "trace?seconds=0.01": "go 1.",
		"/api/instances":                   `"instances":[]`,
		"/api/openapi.json":                `"openapi"`,
	} {
		status, body := get(path)
		assert.Equal(t, http.StatusOK, status, path)
		assert.Contains(t, body, contains, path)
	}

	reader := httptest.NewServer(a.Handler(api.Access{}))
	defer reader.Close()
	for _, path := range []string{profilePath, profilePath + "heap", profilePath + "cmdline"} {
		resp, err := reader.Client().Get(reader.URL + path)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, path)
	}
}
