package page

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ask(h http.Handler, target string, header ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// all calls look with each file of the page.
func all(t *testing.T, look func(name, text string)) {
	t.Helper()
	require.NoError(t, fs.WalkDir(static, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := static.ReadFile(name)
		look(strings.TrimPrefix(name, "static/"), string(text))
		return err
	}))
}

// TestAllThatHappensIsHeard: the page listens to each type of event by its name.
func TestAllThatHappensIsHeard(t *testing.T) {
	script, err := static.ReadFile("static/store.js")
	require.NoError(t, err)
	field, found := reflect.TypeFor[api.Event]().FieldByName("Type")
	require.True(t, found)
	for _, event := range strings.Split(field.Tag.Get("enum"), ",") {
		assert.Contains(t, string(script), `"`+event+`"`)
	}
}

func TestFilesAreServedAsWhatTheyAre(t *testing.T) {
	h := Handler()
	all(t, func(name, text string) {
		at := "/page/" + name
		if name == "index.html" {
			at = "/"
		}
		response := ask(h, at)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, response.StatusCode, name)
		assert.True(t, string(body) == text, name)
		want := map[string]string{"html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml", "json": "application/json"}
		_, kind, _ := strings.Cut(name, ".")
		assert.Equal(t, want[kind], response.Header.Get("Content-Type"), name)
	})
	for _, path := range []string{"/page/", "/page/index.html", "/page/../page.go", "/other"} {
		assert.Equal(t, http.StatusNotFound, ask(h, path).StatusCode, path)
	}
}

// The browser is told to run nothing and to show nothing that is not of the page.
func TestHeadersForbidWhatThePageDoesNotDo(t *testing.T) {
	h := Handler()
	for _, path := range []string{"/", "/page/main.js"} {
		header := ask(h, path).Header
		says := header.Get("Content-Security-Policy")
		assert.True(t, strings.HasPrefix(says, "default-src 'none'; "), says)
		for _, never := range []string{"unsafe", "data:", "http", "*"} {
			assert.NotContains(t, says, never)
		}
		for _, always := range []string{"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'"} {
			assert.Contains(t, says, always)
		}
		assert.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
		assert.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
		assert.Equal(t, "DENY", header.Get("X-Frame-Options"))
	}
}

func TestWhatABrowserHasIsNotSentAgain(t *testing.T) {
	h := Handler()
	plain, zipped := ask(h, "/"), ask(h, "/", "Accept-Encoding", "br, gzip;q=0.8")
	assert.Empty(t, plain.Header.Get("Content-Encoding"))
	assert.Equal(t, "gzip", zipped.Header.Get("Content-Encoding"))
	unzipped, err := gzip.NewReader(zipped.Body)
	require.NoError(t, err)
	got, err := io.ReadAll(unzipped)
	require.NoError(t, err)
	want, err := io.ReadAll(plain.Body)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
	assert.NotEqual(t, plain.Header.Get("ETag"), zipped.Header.Get("ETag"))
	assert.Empty(t, ask(h, "/", "Accept-Encoding", "gzip;q=0").Header.Get("Content-Encoding"))

	assert.Equal(t, http.StatusNotModified, ask(h, "/", "If-None-Match", plain.Header.Get("ETag")).StatusCode)
	assert.Equal(t, http.StatusOK, ask(h, "/", "If-None-Match", ask(h, "/page/main.js").Header.Get("ETag")).StatusCode)
	assert.Equal(t, "no-cache", plain.Header.Get("Cache-Control"))
}

// What the page names is there, and nothing of it is elsewhere.
func TestNothingIsFetchedFromElsewhere(t *testing.T) {
	h := Handler()
	named := regexp.MustCompile(`(?:from "\./|(?:href|src)="page/)([\w./-]+)"`)
	count := 0
	all(t, func(name, text string) {
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			count++
			assert.Equal(t, http.StatusOK, ask(h, "/page/"+m[1]).StatusCode, "%s names %s", name, m[1])
		}
		assert.NotRegexp(t, `(?i)(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//`, text, name)
		assert.NotContains(t, text, "@import", name)
	})
	assert.Greater(t, count, 20)
}

// Texts of others are never parsed as markup or as a program.
func TestNoTextBecomesMarkup(t *testing.T) {
	all(t, func(name, text string) {
		if strings.HasSuffix(name, ".js") {
			assert.NotRegexp(t, `innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|\.style\b|srcdoc`, text, name)
		}
		if strings.HasSuffix(name, ".html") {
			assert.NotRegexp(t, `<style|\sstyle=|\son\w+=|<script(?: type="module")? *>`, text, name)
		}
	})
}

// Every module is fetched with the page, and not only once another one names it.
func TestModulesAreFetchedAhead(t *testing.T) {
	page, err := static.ReadFile("static/index.html")
	require.NoError(t, err)
	all(t, func(name, _ string) {
		if strings.HasSuffix(name, ".js") {
			assert.Contains(t, string(page), `"page/`+name+`"`)
		}
	})
}

// Files that people write stay as short as those of Go.
func TestFilesAreShort(t *testing.T) {
	all(t, func(name, text string) {
		if !strings.HasPrefix(name, "machines/") {
			assert.Less(t, strings.Count(text, "\n"), 400, name)
		}
	})
}
