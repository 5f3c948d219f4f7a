package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vigia/collector/internal/store/storetest"
	"vigia/collector/internal/web"
)

// parts are routes that no link leads to: parts of pages that the page itself fetches,
// where forms lead, what only who is asked has, and how one gets in.
var parts = []string{"GET /home/counts", "GET /search/quick", "GET /backups/live", "GET /certificates/live", "GET /audit/proof/live", "GET /machines/{id}/asked", "GET /accounts/find", "GET /import/{id}", "GET /questions/{n}", "GET /answer/{secret}", "GET /signin", "GET /signin/code", "GET /signin/link", "GET /signin/reset", "GET /signin/{secret}"}

var (
	hrefs = regexp.MustCompile(`<a [^>]*?href="([^"]*)"`)
	gets  = regexp.MustCompile(`<form [^>]*?method="get"[^>]*? action="([^"]*)"`)
)

// TestEveryPageIsReachedByLinks follows every link from / as each role: none leads to
// what the role may not open, and every page that it may open is found.
func TestEveryPageIsReachedByLinks(t *testing.T) {
	f, d := company(t, storetest.SQLite(t))
	srv := console(t, d)
	for _, x := range everyone {
		if strings.Contains("HPYGE", x.letter) { // who sees no machine but their own: have one
			f, d = companyOf(t, storetest.SQLite(t), x.person)
			srv = console(t, d)
		}
		c := client(t, srv, f, x.person)
		reached := map[string]bool{}
		todo, seen := []string{"/"}, map[string]bool{"/": true}
		for len(todo) > 0 && len(seen) < 3000 {
			at := todo[0]
			todo = todo[1:]
			res, body := get(t, c, srv.URL+at, "es")
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s: a link leads to %s: %d", x.person, at, res.StatusCode)
				continue
			}
			reached[routeOf(d, at)] = true
			if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
				continue
			}
			for _, m := range append(hrefs.FindAllStringSubmatch(body, -1), gets.FindAllStringSubmatch(body, -1)...) {
				to := follow(at, m[1])
				if to != "" && to != "/accounts/find" && !seen[to] { // which wants an address typed in
					seen[to] = true
					todo = append(todo, to)
				}
			}
		}
		for _, r := range web.Routes(d) {
			name := r.Method + " " + r.Path
			if x.letter == "U" && name == "GET /nonconformities/{number}/steps/{step}" {
				continue // an auditor has a step only in a record about themselves
			}
			if may := strings.Contains(matrix[name], x.letter); may && r.Method == http.MethodGet && !reached[name] && !slices.Contains(parts, name) {
				t.Errorf("%s may open %s, and no link leads there", x.person, r.Path)
			}
		}
	}
}

// follow is where a link of the page at leads within the console, without what only
// narrows, sorts or translates a list; "" for what is not followed.
func follow(at, href string) string {
	base, err := url.Parse(at)
	if err != nil {
		return ""
	}
	u, err := base.Parse(strings.ReplaceAll(href, "&amp;", "&"))
	if err != nil || u.Host != "" || strings.HasPrefix(href, "#") || strings.HasPrefix(u.Path, "/static/") {
		return ""
	}
	return u.Path
}

// routeOf names the route that a path belongs to: the one with the most parts that are
// not placeholders.
func routeOf(d web.Deps, path string) string {
	best, bestFixed := "", -1
	have := strings.Split(path, "/")
	for _, r := range web.Routes(d) {
		want := strings.Split(strings.ReplaceAll(r.Path, "{$}", ""), "/")
		if r.Method != http.MethodGet || len(want) != len(have) {
			continue
		}
		fixed := 0
		for i, w := range want {
			if strings.HasPrefix(w, "{") {
				continue
			}
			if w != have[i] {
				fixed = -1
				break
			}
			fixed++
		}
		if fixed > bestFixed {
			best, bestFixed = r.Method+" "+r.Path, fixed
		}
	}
	return best
}
