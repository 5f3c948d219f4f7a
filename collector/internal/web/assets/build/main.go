// Command build makes the console's bundle: one CSS, one JS and the icons in use, from
// the packages that `npm ci` brought, into static/dist where the program embeds them.
// It refuses to fetch anything.
//
//	npm ci --prefix collector/internal/web/assets
//	go run ./collector/internal/web/assets/build
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// limits of what a browser loads, in gzipped bytes: a bundle that grew by accident fails.
const (
	maxCSS = 92_000
	maxJS  = 20_000
)

func main() {
	dir := flag.String("dir", "collector/internal/web", "folder of the package web")
	flag.Parse()
	if err := build(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "building the console's bundle:", err)
		os.Exit(1)
	}
}

func build(dir string) error {
	assets, dist := filepath.Join(dir, "assets"), filepath.Join(dir, "static", "dist")
	if _, err := os.Stat(filepath.Join(assets, "node_modules", "@tabler", "core")); err != nil {
		return fmt.Errorf("%w; run npm ci --prefix %s first", err, assets)
	}
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	for name, limit := range map[string]int{"console.css": maxCSS, "console.js": maxJS} {
		out, err := bundle(filepath.Join(assets, name))
		if err != nil {
			return err
		}
		if err := write(dist, name, out, limit); err != nil {
			return err
		}
	}
	icons, err := icons(assets)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dist, "icons.json"), icons, 0o644)
}

// bundle runs esbuild on one entry and returns what it made.
func bundle(entry string) ([]byte, error) {
	abs, err := filepath.Abs(entry)
	if err != nil {
		return nil, err
	}
	res := api.Build(api.BuildOptions{
		EntryPoints: []string{abs}, Bundle: true, Outdir: filepath.Dir(abs),
		MinifyWhitespace: true, MinifySyntax: true, MinifyIdentifiers: true,
		Target: api.ES2022, Format: api.FormatIIFE, LegalComments: api.LegalCommentsInline,
	})
	var errs []error
	for _, m := range res.Errors {
		errs = append(errs, fmt.Errorf("%s: %s", filepath.Base(entry), m.Text))
	}
	if len(errs) == 0 && len(res.OutputFiles) != 1 {
		errs = append(errs, fmt.Errorf("%s: %d files came out, want one", filepath.Base(entry), len(res.OutputFiles)))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return res.OutputFiles[0].Contents, nil
}

// write stores body and, beside it, body gzipped.
func write(dist, name string, body []byte, limit int) error {
	var gz bytes.Buffer
	w, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if gz.Len() > limit {
		return fmt.Errorf("%s is %d bytes gzipped, more than %d", name, gz.Len(), limit)
	}
	fmt.Printf("%s: %d bytes, %d gzipped\n", name, len(body), gz.Len())
	if err := os.WriteFile(filepath.Join(dist, name), body, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dist, name+".gz"), gz.Bytes(), 0o644)
}

// icons returns a JSON object from an icon's name to its path data, for the names in
// icons.txt.
func icons(assets string) ([]byte, error) {
	list, err := os.ReadFile(filepath.Join(assets, "icons.txt"))
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for _, name := range strings.Fields(string(list)) {
		f, err := os.Open(filepath.Join(assets, "node_modules", "@tabler", "icons", "icons", "outline", name+".svg"))
		if err != nil {
			return nil, err
		}
		all[name], err = paths(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("icon %s: %w", name, err)
		}
	}
	return json.Marshal(all)
}

// paths returns the d attributes of an SVG's paths, without the invisible frame.
func paths(r io.Reader) ([]string, error) {
	var found []string
	for dec := xml.NewDecoder(r); ; {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		el, ok := tok.(xml.StartElement)
		if !ok || el.Name.Local == "svg" {
			continue
		}
		if el.Name.Local != "path" {
			return nil, fmt.Errorf("has a <%s>; only paths are known", el.Name.Local)
		}
		for _, a := range el.Attr {
			if a.Name.Local == "d" && a.Value != "M0 0h24v24H0z" {
				found = append(found, a.Value)
			}
		}
	}
	if len(found) == 0 {
		return nil, errors.New("has no path")
	}
	return found, nil
}
