package web_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"vigia/collector/internal/audit"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/collector/internal/web"
)

// fire sends a request of one's own making and returns the answer.
func fire(t *testing.T, c *http.Client, method, url string, body []byte, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	once := *c
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := once.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	res.Body.Close()
	return res
}

// forms are the routes that change something.
func forms(d web.Deps) []web.Route {
	var list []web.Route
	for _, r := range web.Routes(d) {
		if r.Method != http.MethodGet && r.Method != "" {
			list = append(list, r)
		}
	}
	return list
}

// written is how much the audit log says of anything but entering.
func written(t *testing.T, s *store.Store) int {
	t.Helper()
	list, err := s.AuditList(t.Context(), audit.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range list {
		if !strings.HasPrefix(e.Action, "signin.") && !strings.HasPrefix(e.Action, "account.signin") {
			n++
		}
	}
	return n
}

// TestNoFormOfAnotherSiteIsTaken sends every form as a page of another site would make
// an administrator's browser send it.
func TestNoFormOfAnotherSiteIsTaken(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	c := client(t, srv, f, "sofia@example.com")
	before, list := written(t, s), forms(d)
	if len(list) < 40 {
		t.Fatalf("%d forms: nothing was tried", len(list))
	}
	for _, r := range list {
		for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			header := append([]string{"Content-Type", "application/x-www-form-urlencoded"}, from...)
			if res := fire(t, c, r.Method, srv.URL+placeOf(t, s, r.Path), []byte("name=x&email=x%40example.com"), header...); res.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s with %v: %d", r.Method, r.Path, from, res.StatusCode)
			}
		}
	}
	if after := written(t, s); after != before {
		t.Errorf("%d changes were made", after-before)
	}
	if res := fire(t, c, http.MethodPost, srv.URL+"/account/preferences", []byte("language=es&theme=dark"), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the console's own form: %d", res.StatusCode)
	}
}

// TestEveryAnswerHasSafeHeaders looks at pages, files, refusals and failures alike.
func TestEveryAnswerHasSafeHeaders(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	inside, outside := client(t, srv, f, "sofia@example.com"), client(t, srv, f, "nobody")
	looked := 0
	for _, r := range web.Routes(d) {
		if r.Method != http.MethodGet {
			continue
		}
		for _, c := range []*http.Client{inside, outside} {
			looked++
			h := fire(t, c, http.MethodGet, srv.URL+placeOf(t, s, r.Path), nil).Header
			for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Permissions-Policy": "camera=()"} {
				if !strings.Contains(h.Get(name), want) {
					t.Errorf("%s: %s is %q", r.Path, name, h.Get(name))
				}
			}
			if csp := h.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "form-action 'self'") {
				t.Errorf("%s: %s", r.Path, csp)
			}
			if h.Get("Server") != "" || h.Get("X-Powered-By") != "" || h.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s tells too much: %v", r.Path, h)
			}
			for _, k := range h.Values("Set-Cookie") {
				if !strings.Contains(k, "Secure") || !strings.Contains(k, "HttpOnly") || !strings.Contains(k, "SameSite=") {
					t.Errorf("%s: cookie %s", r.Path, k)
				}
			}
		}
	}
	if looked < 100 {
		t.Errorf("%d answers: nothing was tried", looked)
	}
}

// TestFormsAreBounded sends every form more than it may hold, and what is no form.
func TestFormsAreBounded(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	c := client(t, srv, f, "sofia@example.com")
	large := []byte("name=" + strings.Repeat("x", 2<<20))
	many := []byte(strings.Repeat("a=1&", 200_000))
	broken := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../../x\"\r\n\r\n"
	before := written(t, s)
	for _, r := range forms(d) {
		if strings.HasSuffix(r.Path, "/end") || strings.Contains(r.Path, "end-") || r.Path == "/signout" || r.Path == "/signin/{secret}" {
			continue // take nothing from the form
		}
		for what, res := range map[string]*http.Response{
			"2 MiB":           fire(t, c, r.Method, srv.URL+placeOf(t, s, r.Path), large, "Content-Type", "application/x-www-form-urlencoded"),
			"200,000 fields":  fire(t, c, r.Method, srv.URL+placeOf(t, s, r.Path), many, "Content-Type", "application/x-www-form-urlencoded"),
			"a cut upload":    fire(t, c, r.Method, srv.URL+placeOf(t, s, r.Path), []byte(broken), "Content-Type", "multipart/form-data; boundary=b"),
			"a wrong charset": fire(t, c, r.Method, srv.URL+placeOf(t, s, r.Path), []byte("name=%ff%fe%00&q=%zz"), "Content-Type", "application/x-www-form-urlencoded"),
		} {
			if res.StatusCode >= 500 {
				t.Errorf("%s %s with %s: %d", r.Method, r.Path, what, res.StatusCode)
			}
		}
		if c = again(t, c, srv.URL, f); c == nil {
			t.Fatalf("%s ended the session", r.Path)
		}
	}
	t.Logf("%d changes of %d forms", written(t, s)-before, len(forms(d)))
}

// again is c while its session lasts.
func again(t *testing.T, c *http.Client, base string, f *fake) *http.Client {
	t.Helper()
	if res := fire(t, c, http.MethodGet, base+"/account", nil); res.StatusCode != http.StatusOK {
		return nil
	}
	return c
}

// TestMethodsThatNoRouteHas are refused, and nothing is listed or traced.
func TestMethodsThatNoRouteHas(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "ana@example.com")
	for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"} {
		for _, path := range []string{"/machines", "/machines/" + laptop, "/account/password"} {
			if res := fire(t, c, method, srv.URL+path, nil, "X-HTTP-Method-Override", "POST"); res.StatusCode < 400 || res.StatusCode >= 500 {
				t.Errorf("%s %s: %d", method, path, res.StatusCode)
			}
		}
	}
	for _, path := range []string{"/static/../routes.go", "/static/..%2f..%2fweb.go", "/static/", "/help/..%2f..%2fgo.mod", "/.git/config", "/backups/..%2f..%2fvigia.db/file"} {
		if res := fire(t, c, http.MethodGet, srv.URL+path, nil); res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusForbidden && res.Header.Get("Location") != "/routes.go" {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}
