package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"vigia/collector/internal/locale"
	"vigia/internal/policy"
)

// The manual: one Markdown file per page and language, "20-machines.md"; the number
// gives the order, the first heading the title.
//
//go:embed help/*/*.md
var manualFiles embed.FS

// manual is the user's manual by language, in order.
type manual map[string][]manualPage

type manualPage struct {
	Slug, Title string
	Body        template.HTML
	sections    []manualSection
}

// manualSection is what one heading stands above.
type manualSection struct {
	ID, Heading string
	text        string // as it is read
}

// loadManual reads the manual that is part of the program.
func loadManual(files fs.FS) (manual, error) {
	m := manual{}
	for _, lang := range locale.Languages() {
		names, err := fs.Glob(files, "help/"+lang+"/*.md")
		if err != nil {
			return nil, err
		}
		slices.Sort(names)
		for _, name := range names {
			source, err := fs.ReadFile(files, name)
			if err != nil {
				return nil, fmt.Errorf("reading the manual: %w", err)
			}
			p, err := manualPageOf(source)
			if err != nil {
				return nil, fmt.Errorf("reading the manual's %s: %w", name, err)
			}
			_, slug, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".md"), "-")
			p.Slug = slug
			m[lang] = append(m[lang], p)
		}
	}
	return m, nil
}

// manualPageOf renders one page. Raw HTML in it is left out, as goldmark does.
func manualPageOf(source []byte) (manualPage, error) {
	title, rest, found := bytes.Cut(source, []byte("\n"))
	name, isTitle := strings.CutPrefix(string(title), "# ")
	if !found || !isTitle {
		return manualPage{}, fmt.Errorf("begins with %q, want its title as a heading", title)
	}
	md := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	doc := md.Parser().Parse(text.NewReader(rest))
	var body bytes.Buffer
	if err := md.Renderer().Render(&body, rest, doc); err != nil {
		return manualPage{}, err
	}
	return manualPage{Title: strings.TrimSpace(name), Body: template.HTML(body.String()), sections: sectionsOf(doc, rest, name)}, nil
}

// sectionsOf splits a page at its headings; what comes first stands under the title.
func sectionsOf(doc ast.Node, source []byte, title string) []manualSection {
	list := []manualSection{{Heading: title}}
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		words := plainText(n, source)
		if h, ok := n.(*ast.Heading); ok {
			id, _ := h.AttributeString("id")
			b, _ := id.([]byte)
			list = append(list, manualSection{ID: string(b), Heading: words})
			continue
		}
		last := &list[len(list)-1]
		last.text = strings.TrimSpace(last.text + " " + words)
	}
	return list
}

// plainText is a block as it is read.
func plainText(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function returns no error
		switch {
		case !entering:
		case n.Kind() == ast.KindText:
			b.Write(n.(*ast.Text).Segment.Value(source))
			if n.(*ast.Text).SoftLineBreak() {
				b.WriteByte(' ')
			}
		case n.Type() == ast.TypeBlock:
			b.WriteByte(' ')
			if n.Kind() == ast.KindFencedCodeBlock || n.Kind() == ast.KindCodeBlock {
				b.Write(n.Lines().Value(source))
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

// page returns the page of that slug, or nil.
func (m manual) page(lang, slug string) *manualPage {
	for i := range m[lang] {
		if m[lang][i].Slug == slug {
			return &m[lang][i]
		}
	}
	return nil
}

// manualHit is one section that a search found.
type manualHit struct {
	Page, Heading, URL string
	Before, Match      string // what stands around the first word found …
	After              string
}

// search returns the sections that hold every word of query, those with it in a heading
// first.
func (m manual) search(lang, query string) []manualHit {
	words := strings.Fields(policy.Fold(query))
	if len(words) == 0 {
		return nil
	}
	var inHeading, inText []manualHit
	for _, p := range m[lang] {
		for _, s := range p.sections {
			heading := policy.Fold(p.Title + " " + s.Heading)
			all := heading + " " + policy.Fold(s.text)
			if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, w) }) {
				continue
			}
			hit := manualHit{Page: p.Title, Heading: s.Heading, URL: "/help/" + p.Slug}
			if s.ID != "" {
				hit.URL += "#" + s.ID
			}
			hit.Before, hit.Match, hit.After = around(s.text, words[0])
			if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(heading, w) }) {
				inText = append(inText, hit)
			} else {
				inHeading = append(inHeading, hit)
			}
		}
	}
	return append(inHeading, inText...)
}

// around cuts what stands around the first place of word in s, some words each side.
func around(s, word string) (before, match, after string) {
	const beside = 12
	list := strings.Fields(s)
	at := slices.IndexFunc(list, func(w string) bool { return strings.Contains(policy.Fold(w), word) })
	if at < 0 {
		return "", "", strings.Join(list[:min(2*beside, len(list))], " ")
	}
	return strings.Join(list[max(0, at-beside):at], " "), list[at], strings.Join(list[at+1:min(len(list), at+1+beside)], " ")
}
