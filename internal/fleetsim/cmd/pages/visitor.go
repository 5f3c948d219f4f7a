package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"vigia/collector/app"
)

// visitor is somebody who signed in.
type visitor struct {
	role, base string
	client     *http.Client
}

// signIn makes a link and uses it.
func signIn(ctx context.Context, f flags, where []string, role string) (*visitor, error) {
	out, err := exec.CommandContext(ctx, f.Collector, append([]string{"signin-link", "--person", role + "@example.com"}, where...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("a link for %s: %w: %s", role, err, stderr(err))
	}
	link, err := url.Parse(strings.TrimSpace(string(out)))
	if err != nil {
		return nil, err
	}
	if h := link.Hostname(); h != "127.0.0.1" && h != "localhost" {
		return nil, fmt.Errorf("the console is at %s; this measures on 127.0.0.1 only", link.Host)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	v := &visitor{role: role, base: "https://" + link.Host, client: &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}}
	resp, err := v.client.PostForm(link.String(), nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s does not get in: status %d", role, resp.StatusCode)
	}
	return v, nil
}

func stderr(err error) string {
	if e, ok := err.(*exec.ExitError); ok {
		return strings.TrimSpace(string(e.Stderr))
	}
	return ""
}

func (v *visitor) get(ctx context.Context, at string) (string, int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+at, nil)
	if err != nil {
		return "", 0, err
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), resp.StatusCode, err
}

// group is the pages of one kind.
type group struct {
	kind string
	at   []string
}

// atMost is how many pages of a kind are requested.
const atMost = 3

var links = regexp.MustCompile(`<a [^>]*?href="([^"#]+)"`)
var options = regexp.MustCompile(`(?s)<select [^>]*?name="([a-z]+)".*?</select>`)
var option = regexp.MustCompile(`<option value="([^"]+)"`)

// follow finds the pages that the visitor reaches, files of lists left out: those are
// as long as the list.
func (v *visitor) follow(ctx context.Context, only string) ([]group, error) {
	var found []group
	seen, todo := map[string]bool{"/": true}, []string{"/"}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		kind := kindOf(at)
		i := slices.IndexFunc(found, func(g group) bool { return g.kind == kind })
		if i < 0 {
			i, found = len(found), append(found, group{kind: kind})
		}
		if len(found[i].at) >= atMost {
			continue
		}
		body, status, err := v.get(ctx, at)
		if err != nil {
			return nil, err
		}
		if status != http.StatusOK {
			return nil, fmt.Errorf("%s: a link leads to %s: status %d", v.role, at, status)
		}
		found[i].at = append(found[i].at, at)
		for _, to := range leads(at, body) {
			if !seen[to] {
				seen[to], todo = true, append(todo, to)
			}
		}
	}
	return slices.DeleteFunc(found, func(g group) bool { return !strings.Contains(g.kind, only) }), nil
}

// leads lists where the links of a page lead, and the choices of its filters.
func leads(at, body string) []string {
	base, err := url.Parse(at)
	if err != nil {
		return nil
	}
	var list []string
	add := func(href string) {
		u, err := base.Parse(html.UnescapeString(href))
		if err != nil || u.Host != "" || strings.HasPrefix(u.Path, "/static/") || strings.HasSuffix(u.Path, ".csv") || strings.HasSuffix(u.Path, ".xlsx") || strings.HasSuffix(u.Path, "/file") {
			return
		}
		q := u.Query()
		q.Del("lang")
		if len(q) > 1 && base.RawQuery != "" { // one choice at a time is enough
			return
		}
		if u.RawQuery, u.Fragment = q.Encode(), ""; u.Path != "/accounts/find" {
			list = append(list, u.String())
		}
	}
	for _, m := range links.FindAllStringSubmatch(body, -1) {
		add(m[1])
	}
	for _, s := range options.FindAllStringSubmatch(body, -1) {
		for _, o := range option.FindAllStringSubmatch(s[0], -1) {
			add("?" + url.Values{s[1]: {html.UnescapeString(o[1])}}.Encode())
		}
	}
	return list
}

// kindOf is the route that an address belongs to, with what it asks for: by which
// column it sorts, and by what else it narrows.
func kindOf(at string) string {
	u, err := url.Parse(at)
	if err != nil {
		return at
	}
	kind, most := u.Path, -1
	have := strings.Split(u.Path, "/")
	for _, p := range app.Pages() {
		if n := fits(strings.Split(p, "/"), have); n > most {
			kind, most = p, n
		}
	}
	var asked []string
	for name, values := range u.Query() {
		if name == "sort" {
			name += "=" + values[0]
		}
		asked = append(asked, name)
	}
	if slices.Sort(asked); len(asked) > 0 {
		kind += "?" + strings.Join(asked, "&")
	}
	return kind
}

// fits counts the parts of a route that are no placeholders; -1 where have is not of it.
func fits(route, have []string) int {
	if len(route) != len(have) {
		return -1
	}
	n := 0
	for i, part := range route {
		if strings.HasPrefix(part, "{") {
			continue
		}
		if part != have[i] {
			return -1
		}
		n++
	}
	return n
}
