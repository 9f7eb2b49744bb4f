package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed static
var static embed.FS

// policy is the Content-Security-Policy: nothing but what is served here, no script and
// no style within a document, and no text that becomes a part of one.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Handler serves the page at /, and what belongs to it below /page/. It keeps no state
// and may be used by any number of servers. What is served is made ready when somebody
// asks: a program that starts does not wait for it.
func Handler() http.Handler {
	ready := sync.OnceValue(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f, there := ready()[r.URL.Path]; there {
			f.serve(w, r)
			return
		}
		http.NotFound(w, r)
	})
}

// files returns what is served, by its paths.
func files() map[string]file {
	all := make(map[string]file)
	// The files are part of the program, and reading them does not fail.
	_ = fs.WalkDir(static, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := static.ReadFile(name)
		at := strings.Replace(name, "static", "/page", 1)
		if name == "static/index.html" {
			at = "/"
		}
		all[at] = newFile(name, text)
		return err
	})
	return all
}

// file is what is served at a path.
type file struct {
	mime    string
	plain   []byte
	zipped  []byte
	version string // changes with what is in it
}

func newFile(name string, text []byte) file {
	sum := sha256.Sum256(text)
	f := file{mime: mime.TypeByExtension(path.Ext(name)), plain: text, version: hex.EncodeToString(sum[:8])}
	switch path.Ext(name) { // whatever this machine takes them for
	case ".js":
		f.mime = "text/javascript; charset=utf-8"
	case ".svg":
		f.mime = "image/svg+xml"
	}
	var zipped bytes.Buffer
	to := gzip.NewWriter(&zipped) // into memory, which takes all
	_, _ = to.Write(text)
	_ = to.Close()
	f.zipped = zipped.Bytes()
	return f
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.mime)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache") // it may be kept, and is asked for again
	h.Set("Vary", "Accept-Encoding")
	text, version := f.plain, f.version
	if takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		text, version = f.zipped, version+"-gzip"
	}
	h.Set("ETag", fmt.Sprintf("%q", version))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// takesGzip reports whether whoever asks can read gzip.
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if name == "gzip" && strings.TrimSpace(weight) != "q=0" {
			return true
		}
	}
	return false
}
