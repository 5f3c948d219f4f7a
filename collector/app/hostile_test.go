package app

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"vigia/collector/internal/web"
	"vigia/internal/inventory"
	vigiav1 "vigia/proto/vigia/v1"
)

// evil are names that a machine may tell of itself, of its users and of its programs.
var evil = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(2)>`, `' autofocus onfocus=alert(3) x='`, `javascript:alert(4)`,
	`{{.Page}} ${7*7} {{7*7}}`, `=HYPERLINK("https://evil.example","x")`, `+1+cmd|' /C calc'!A0`, `-2+3`, "@SUM(1)", "\t=1+1", "\r=1+1",
	"</textarea></title></style><svg onload=alert(5)>", `\"};alert(6);//`, "\u202egnp.exe", "a\u0000b", "\xff\xfe", "../../../etc/passwd", "%3Cscript%3E",
	"Content-Type: text/html\r\n\r\n<b>", strings.Repeat("W", 300), "", "null", "ñandú Ω 漢字 🎉",
}

// hostile is a collector with a machine that lies about everything, in a company with
// names to match.
func hostile(t *testing.T, where string) *collector {
	t.Helper()
	c := start(t, where)
	people := filepath.Join(t.TempDir(), "people.csv")
	var b strings.Builder
	w := csv.NewWriter(&b)
	rows := [][]string{{"email", "name", "area", "site", "remote", "manager_email", "primary_machine", "role"}}
	for i, name := range []string{evil[0], evil[1], evil[5], evil[6], evil[11]} {
		rows = append(rows, []string{fmt.Sprintf("p%d@example.com", i), name, "Área " + evil[1], "Sitio " + evil[0], "no", "p1@example.com", "", []string{"administrator", "area-manager", "employee", "hr", "auditor"}[i]})
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(people, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	c.cli("org", "import", people)
	c.cli("allowlist", "import", allowlistFile(t, "mode: enforce\nbaseline: true\nrules: []\n"), "--yes")
	s := snapshot(evil[1])
	for i, name := range evil {
		s.Software = append(s.Software, inventory.Program{Name: name, Version: evil[(i+1)%len(evil)], Publisher: evil[(i+2)%len(evil)], Origin: evil[(i+3)%len(evil)],
			Source: []string{"file", "registry", "deb", "<b>x</b>"}[i%4], Scope: "user", User: evil[(i+4)%len(evil)], Path: evil[(i+5)%len(evil)], Arch: evil[(i+6)%len(evil)], Signer: evil[(i+7)%len(evil)], Requested: true})
	}
	s.System.Name, s.System.Kernel, s.System.Timezone = evil[0], evil[1], evil[2]
	s.Hardware.Vendor, s.Hardware.Model = evil[11], evil[0]
	s.Hardware.CPUs[0].Model = evil[11]
	s.Sources = append(s.Sources, inventory.Source{Source: evil[1], Outcome: "<b>broken</b>", Error: evil[0]})
	s.Normalize()
	a := c.enroll(c.token("--site", "Sitio "+evil[0], "--area", "Área "+evil[1]), &vigiav1.MachineFacts{Hostname: evil[1], Serial: evil[0], Os: evil[11], Uuid: evil[1], MachineId: evil[0]})
	c.cli("machine", "assign", a.id, "--person", "p2@example.com")
	l, _ := a.connect(c)
	l.submit(s)
	return c
}

// enter signs a person in by a link.
func (c *collector) enter(email string) *http.Client {
	c.t.Helper()
	b := browser(c.t)
	resp, err := b.PostForm(strings.TrimSpace(c.cli("signin-link", "--person", email)), url.Values{})
	if err != nil {
		c.t.Fatal(err)
	}
	resp.Body.Close()
	return b
}

// read gets an address and returns its status, kind and content.
func (c *collector) read(b *http.Client, at string) (status int, kind, body string) {
	c.t.Helper()
	resp, err := b.Get("https://" + c.Addrs().Web + at)
	if err != nil {
		c.t.Fatalf("%s: %v", at, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(raw)
}

var anyLink = regexp.MustCompile(`<a [^>]*?href="([^"#]+)"`)

// pagesOf follows every link from / and calls see for each answer.
func (c *collector) pagesOf(b *http.Client, see func(at string, status int, kind, body string)) int {
	seen, todo, kinds := map[string]bool{"/": true}, []string{"/"}, map[string]int{}
	for len(todo) > 0 && len(seen) < 2000 {
		at := todo[0]
		todo = todo[1:]
		if kinds[pathKind(at)]++; kinds[pathKind(at)] > 30 {
			continue
		}
		status, kind, body := c.read(b, at)
		see(at, status, kind, body)
		if !strings.HasPrefix(kind, "text/html") {
			continue
		}
		for _, m := range anyLink.FindAllStringSubmatch(body, -1) {
			base, _ := url.Parse(at)
			u, err := base.Parse(html.UnescapeString(m[1]))
			if err == nil && u.Host == "" && !seen[u.EscapedPath()] {
				seen[u.EscapedPath()] = true
				todo = append(todo, u.EscapedPath())
			}
		}
	}
	return len(kinds)
}

// pathKind is the route of a path, roughly: its first parts.
func pathKind(at string) string {
	parts := strings.Split(at, "/")
	return strings.Join(parts[:min(2, len(parts))], "/") + fmt.Sprint(len(parts)) + filepath.Ext(parts[len(parts)-1])
}

// TestWhatMachinesTellIsNeverMarkup looks at every page and file that shows what a
// hostile machine told, as those who would open them.
func TestWhatMachinesTellIsNeverMarkup(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := hostile(t, where)
		shown := 0
		for _, person := range []string{"p0@example.com", "p1@example.com", "p2@example.com", "p3@example.com", "p4@example.com"} {
			kinds := c.pagesOf(c.enter(person), func(at string, status int, kind, body string) {
				switch {
				case status != http.StatusOK:
					t.Errorf("%s: %s: status %d", person, at, status)
				case strings.HasPrefix(kind, "text/html"):
					shown += strings.Count(body, "&lt;script&gt;alert(1)")
					for _, w := range active(body) {
						t.Errorf("%s: %s holds %s", person, at, w)
					}
				case strings.HasPrefix(kind, "text/csv"):
					for _, w := range formulas(t, body) {
						t.Errorf("%s: %s holds the formula %q", person, at, w)
					}
				}
			})
			if kinds < 6 {
				t.Errorf("%s reached %d kinds of pages: nothing was tried", person, kinds)
			}
		}
		if shown < 20 {
			t.Errorf("the hostile names were shown %d times: nothing was tried", shown)
		}
	})
}

// active lists what of a page could run that is not the console's own.
func active(body string) (found []string) {
	for z := html.NewTokenizer(strings.NewReader(body)); ; {
		if z.Next() == html.ErrorToken {
			return found
		}
		tok := z.Token()
		if tok.Type != html.StartTagToken && tok.Type != html.SelfClosingTagToken {
			continue
		}
		for _, a := range tok.Attr {
			val := strings.ToLower(strings.TrimSpace(a.Val))
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" || a.Key != "value" && strings.HasPrefix(val, "javascript:") ||
				tok.Data == "script" && !strings.HasPrefix(val, "/static/") || a.Key == "href" && strings.Contains(val, "evil.example") && !strings.HasPrefix(val, "/") && !strings.HasPrefix(val, "?") {
				found = append(found, tok.String())
			}
		}
		if tok.Data == "iframe" || tok.Data == "object" || tok.Data == "base" || tok.Data == "b" || tok.Data == "script" && len(tok.Attr) == 0 {
			found = append(found, tok.String())
		}
	}
}

// formulas lists the cells of a file that a spreadsheet would run.
func formulas(t *testing.T, body string) (found []string) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff")))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Errorf("no CSV: %v", err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) && !regexp.MustCompile(`^-?[0-9.,]+$`).MatchString(cell) {
				found = append(found, cell)
			}
		}
	}
	return found
}

// TestActiveFindsWhatCouldRun shows that the test above can fail.
func TestActiveFindsWhatCouldRun(t *testing.T) {
	for _, bad := range []string{`<script>x</script>`, `<script src="https://evil.example/x.js"></script>`, `<img src=x onerror=alert(1)>`, `<a href="javascript:alert(1)">`, `<p style="color:red">`, `<a href="https://evil.example">`, `<iframe>`} {
		if len(active(bad)) == 0 {
			t.Errorf("%s was taken for harmless", bad)
		}
	}
	if bad := active(`<script src="/static/console.js"></script><a href="/machines?q=%3Cscript%3E">&lt;script&gt;</a>`); len(bad) > 0 {
		t.Errorf("harmless: %v", bad)
	}
	if len(formulas(t, "a,\"=1+1\"\n")) != 1 || len(formulas(t, "a,'=1+1,-5\n")) != 0 {
		t.Error("formulas are not told from values")
	}
}

// TestHostileAddressesNeverFail asks every page for what it cannot mean: the answer is
// an explanation, never a failure of the server, on both engines.
func TestHostileAddressesNeverFail(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := hostile(t, where)
		b := c.enter("p0@example.com")
		values := []string{"\x00", "\xff\xfe", "' OR 1=1 --", "%", "_%_", "\\", "9223372036854775808", "-1", strings.Repeat("x", 5000), "<script>", "\r\nSet-Cookie: a=b", "../../etc/passwd", "2026-13-45", "=1+1", "\u202e"}
		asked := 0
		ask := func(at string) {
			asked++
			status, _, body := c.read(b, at)
			if status >= 500 || strings.Contains(body, "SQL") || strings.Contains(body, "goroutine ") {
				t.Errorf("%s: status %d", at, status)
			}
		}
		for _, page := range web.Pages() {
			if strings.HasSuffix(page, ".xlsx") || page == "/signin/{secret}" {
				continue
			}
			for i, v := range values {
				parts := strings.Split(page, "/")
				holds := false
				for j := range parts {
					if strings.HasPrefix(parts[j], "{") {
						parts[j], holds = url.PathEscape(v), true
					}
				}
				if path := strings.Join(parts, "/"); holds {
					ask(path)
				} else { // all that pages read, and that they do not
					q := url.Values{}
					for _, name := range []string{"q", "sort", "after", "cols", "state", "site", "area", "person", "machine", "group", "from", "to", "show", "page", "with", "source", "verdict", "seen", "name", "lang", "next", "v", "done", "number", "kind", "row", "show"} {
						q.Set(name, values[(i+len(name))%len(values)])
					}
					ask(path + "?" + q.Encode())
					ask(path + "?q=" + url.QueryEscape(v))
					ask(path + "?after=" + url.QueryEscape(v))
				}
			}
		}
		if asked < 500 {
			t.Errorf("%d addresses: nothing was tried", asked)
		}
	})
}
