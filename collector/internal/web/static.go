package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed static/favicon.svg all:static/dist
var staticFiles embed.FS

// errNoBundle is what a program built without the bundle says at its start.
var errNoBundle = errors.New("the console's CSS and JS are not built into this program: run make assets, then build again")

// assets are the static files by the name in their URL, which holds a hash of their
// content.
type assets struct {
	files map[string]asset
	urls  map[string]string   // "console.css" → "/static/console.1a2b3c4d5e6f7a8b.css"
	icons map[string][]string // name → path data
}

type asset struct {
	mime        string
	plain, gzip []byte // gzip may be empty
}

// loadAssets reads what the bundler made.
func loadAssets(files fs.FS) (assets, error) {
	a := assets{files: map[string]asset{}, urls: map[string]string{}}
	for _, f := range []struct{ path, mime string }{
		{"static/dist/console.css", "text/css; charset=utf-8"},
		{"static/dist/console.js", "text/javascript; charset=utf-8"},
		{"static/favicon.svg", "image/svg+xml"},
	} {
		plain, err := fs.ReadFile(files, f.path)
		if errors.Is(err, fs.ErrNotExist) {
			return a, errNoBundle
		} else if err != nil {
			return a, fmt.Errorf("reading %s: %w", f.path, err)
		}
		gz, err := fs.ReadFile(files, f.path+".gz")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return a, fmt.Errorf("reading %s.gz: %w", f.path, err)
		}
		sum := sha256.Sum256(plain)
		base := f.path[strings.LastIndex(f.path, "/")+1:]
		stem, ext, _ := strings.Cut(base, ".")
		name := stem + "." + hex.EncodeToString(sum[:8]) + "." + ext
		a.files[name] = asset{mime: f.mime, plain: plain, gzip: gz}
		a.urls[base] = "/static/" + name
	}
	list, err := fs.ReadFile(files, "static/dist/icons.json")
	if err != nil {
		return a, errNoBundle
	}
	if err := json.Unmarshal(list, &a.icons); err != nil {
		return a, fmt.Errorf("reading icons.json: %w", err)
	}
	return a, nil
}

// staticFile answers GET /static/{file}: the URL changes with the content, so a browser
// may keep it for good.
func (c *console) staticFile(w http.ResponseWriter, r *http.Request) {
	a, ok := c.static.files[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", a.mime)
	h.Set("Vary", "Accept-Encoding")
	body := a.plain
	if len(a.gzip) > 0 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = a.gzip
	}
	w.Write(body)
}

// favicon answers browsers that ask for it without reading the page.
func (c *console) favicon(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, c.static.urls["favicon.svg"], http.StatusFound)
}
