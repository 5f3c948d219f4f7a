package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pages are the parsed templates, by the name of their file.
type pages map[string]*template.Template

// shared are the files that every page is built with.
func shared() []string {
	return []string{"templates/layout.html", "templates/parts.html", "templates/account_parts.html", "templates/people_parts.html", "templates/machine_parts.html", "templates/nonconformity_parts.html", "templates/request_parts.html", "templates/rule_parts.html"}
}

func loadPages(icons map[string][]string) (pages, error) {
	funcs := template.FuncMap{
		"icon": func(name string) (template.HTML, error) { return iconSVG(icons, name) },
		"list": func(v ...any) []any { return v },
		"fit":  fit,
	}
	base, err := template.New("layout.html").Funcs(funcs).Option("missingkey=error").ParseFS(templateFiles, shared()...)
	if err != nil {
		return nil, fmt.Errorf("reading templates: %w", err)
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	all := pages{}
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(f, "templates/"), ".html")
		if name == "layout" || strings.HasSuffix(name, "parts") {
			continue
		}
		t, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if all[name], err = t.ParseFS(templateFiles, f); err != nil {
			return nil, fmt.Errorf("reading %s: %w", f, err)
		}
	}
	return all, nil
}

// render shows the page of that name in the layout.
func (c *console) render(w http.ResponseWriter, r *http.Request, name string, data any) error {
	return c.execute(w, http.StatusOK, name, "layout", data)
}

// fragment shows one block of a page alone, for htmx.
func (c *console) fragment(w http.ResponseWriter, name, block string, data any) error {
	return c.execute(w, http.StatusOK, name, block, data)
}

// block renders one block of a page.
func (c *console) block(name, block string, data any) ([]byte, error) {
	t, ok := c.pages[name]
	if !ok {
		return nil, fmt.Errorf("no template %q", name)
	}
	var buf bytes.Buffer
	if err := t.ExecuteTemplate(&buf, block, data); err != nil {
		return nil, fmt.Errorf("rendering %s: %w", name, err)
	}
	return buf.Bytes(), nil
}

// execute writes the whole page to a buffer first: a page that fails half-way is never
// sent as if it were good.
func (c *console) execute(w http.ResponseWriter, status int, name, block string, data any) error {
	body, err := c.block(name, block, data)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(body)
	return nil
}

// renderStatus is for the page of failures, which has nothing to fall back to but text.
func (c *console) renderStatus(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	if err := c.execute(w, status, name, "layout", data); err != nil {
		c.Log.Error("the page of failures failed", "error", err)
		http.Error(w, "500", http.StatusInternalServerError)
	}
}
