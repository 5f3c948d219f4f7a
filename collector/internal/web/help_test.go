package web_test

import (
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// manualSlugs are the pages of the manual in one language, in order.
func manualSlugs(t *testing.T, lang string) []string {
	t.Helper()
	names, err := fs.Glob(os.DirFS("help/"+lang), "*.md")
	if err != nil || len(names) < 10 {
		t.Fatalf("%d pages in %s: %v", len(names), lang, err)
	}
	slices.Sort(names)
	return names
}

func TestManualSaysTheSameInBothLanguages(t *testing.T) {
	if es, en := manualSlugs(t, "es"), manualSlugs(t, "en"); !slices.Equal(es, en) {
		t.Fatalf("Spanish %q, English %q", es, en)
	}
	shape := func(lang, name string) []string { // headings by level, rows of tables, items, blocks of code
		b, err := os.ReadFile("help/" + lang + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, line := range strings.Split(string(b), "\n") {
			if m := regexp.MustCompile("^(#+ |- |[0-9]+\\. |\\||```)").FindString(line); m != "" {
				list = append(list, m)
			}
		}
		return list
	}
	for _, name := range manualSlugs(t, "es") {
		if es, en := shape("es", name), shape("en", name); !slices.Equal(es, en) && !strings.Contains(name, "glossary") {
			t.Errorf("%s is built differently: %d parts in Spanish, %d in English", name, len(es), len(en))
		}
	}
}

func TestManualPagesLinksAndSearch(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "luis@example.com") // an employee: help is for everybody
	seen := map[string]bool{}
	for lang, want := range map[string][]string{"es": {"cuarentena", "sha-256"}, "en": {"quarantine", "sha-256"}} {
		for _, name := range manualSlugs(t, lang) {
			_, slug, _ := strings.Cut(strings.TrimSuffix(name, ".md"), "-")
			res, body := get(t, c, srv.URL+"/help/"+slug, lang)
			if res.StatusCode != http.StatusOK || !strings.Contains(body, `aria-current="page"`) {
				t.Errorf("%s %s: %d", lang, slug, res.StatusCode)
			}
			sound(t, slug, body)
			if slug != "allowlist" && strings.Contains(body, "<p>|") {
				t.Errorf("%s %s: a table was not understood", lang, slug)
			}
			_, article, _ := strings.Cut(body, "<article")
			for _, m := range regexp.MustCompile(`href="(/[^"#]*)`).FindAllStringSubmatch(article, -1) {
				seen[m[1]] = true
			}
		}
		for _, word := range want {
			_, body := get(t, c, srv.URL+"/help?q="+strings.ToUpper(word), lang)
			if !regexp.MustCompile(`<li><a href="/help/[a-z]+(#[^"]*)?">[^<]+</a><br>`).MatchString(body) || !strings.Contains(strings.ToLower(body), "<strong>") {
				t.Errorf("%s: searching %q finds nothing", lang, word)
			}
		}
	}
	if len(seen) < 5 {
		t.Errorf("%d links in the manual", len(seen))
	}
	for path := range seen {
		if res, _ := get(t, c, srv.URL+path, "es"); res.StatusCode != http.StatusOK {
			t.Errorf("the manual leads to %s: %d", path, res.StatusCode)
		}
	}
	if _, body := get(t, c, srv.URL+"/help?q=xyzzy", "es"); !strings.Contains(body, "Nada coincide") {
		t.Error("a search without hits does not say so")
	}
	if res, _ := get(t, c, srv.URL+"/help/nada", "es"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a page that is not there: %d", res.StatusCode)
	}
}

// Every section of the rail has its page, and each page of the console leads to it.
func TestEveryPageLeadsToItsHelp(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "")
	for path, want := range map[string]string{"/": "home", "/machines": "machines", "/machines/" + laptop: "machines", "/software": "software", "/findings": "findings", "/nonconformities": "nonconformities"} {
		_, body := get(t, c, srv.URL+path, "es")
		if !strings.Contains(body, `<a href="/help/`+want+`" class="vg-help">`) {
			t.Errorf("%s does not lead to its help", path)
		}
	}
	_, body := get(t, c, srv.URL+"/", "es")
	for _, m := range regexp.MustCompile(`<li><a href="(/[a-z-]*)"[^>]*><svg`).FindAllStringSubmatch(body, -1) {
		_, page := get(t, c, srv.URL+m[1], "es")
		if !regexp.MustCompile(`href="/help/[a-z]+" class="vg-help"`).MatchString(page) {
			t.Errorf("the section at %s has no help", m[1])
		}
	}
}
