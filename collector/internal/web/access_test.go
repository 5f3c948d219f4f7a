package web_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestNobodySeesAPageWithoutASession(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "nobody")
	for _, url := range addresses() {
		res, body := get(t, c, srv.URL+url, "es")
		if res.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "vigia-collector signin-link") {
			t.Errorf("%s: %d", url, res.StatusCode)
		}
		for _, secret := range []string{"pc-017", "AnyDesk", "Querétaro"} {
			if strings.Contains(body, secret) && !strings.Contains(url, secret) { // what was asked stands in the links of languages
				t.Errorf("%s shows %q to nobody", url, secret)
			}
		}
	}
}

func TestARoleWithoutTheRightGetsAnExplanation(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "rosa@example.com")
	for _, url := range []string{"/people", "/administration", "/software"} {
		res, body := get(t, c, srv.URL+url, "es")
		if res.StatusCode != http.StatusForbidden || !strings.Contains(body, "Su puesto no permite") || strings.Contains(body, "AnyDesk") {
			t.Errorf("%s as HR: %d", url, res.StatusCode)
		}
	}
	for _, person := range []string{"", "ana@example.com", "ivan@example.com"} {
		if res, _ := get(t, client(t, srv, f, person), srv.URL+"/machines", "es"); res.StatusCode != http.StatusOK {
			t.Errorf("%q: %d", person, res.StatusCode)
		}
	}
}

func TestALinkWorksOnceAndOnlyByItsButton(t *testing.T) {
	f := newFake()
	f.links["abc"] = "ana@example.com"
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "nobody")
	for range 3 { // a mail scanner opens links
		if res, body := get(t, c, srv.URL+"/signin/abc", "es"); res.StatusCode != http.StatusOK || !strings.Contains(body, `method="post" action="/signin/abc"`) {
			t.Fatalf("opening the link: %d", res.StatusCode)
		}
	}
	res, err := c.Post(srv.URL+"/signin/abc", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Request.URL.Path != "/" {
		t.Fatalf("using the link: %d at %s", res.StatusCode, res.Request.URL)
	}
	other := client(t, srv, f, "nobody")
	if res, err = other.Post(srv.URL+"/signin/abc", "", nil); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusConflict {
		t.Errorf("using the link twice: %d", res.StatusCode)
	}
	f.links["old"] = "gone@example.com"
	if res, err = other.Post(srv.URL+"/signin/old", "", nil); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("an inactive person: %d", res.StatusCode)
	}
}

func TestSessionsEndAndTheirCookieIsStrict(t *testing.T) {
	f := newFake()
	f.links["abc"] = "ana@example.com"
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "nobody")
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := c.Post(srv.URL+"/signin/abc", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	cookie := res.Header.Get("Set-Cookie")
	for _, want := range []string{"__Host-vigia=", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %q", cookie, want)
		}
	}
	if res, err = c.Post(srv.URL+"/signout", "", nil); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	req, err := http.NewRequest(http.MethodGet, srv.URL+"/machines", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", strings.SplitN(cookie, ";", 2)[0]) // the old cookie, stolen
	if res, err = srv.Client().Do(req); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the old cookie after signing out: %d", res.StatusCode)
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	f := newFake()
	f.links["abc"] = ""
	srv := console(t, f.deps(t))
	for _, site := range []string{"cross-site", "same-site"} {
		req, err := http.NewRequest(http.MethodPost, srv.URL+"/signin/abc", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Sec-Fetch-Site", site)
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusForbidden || f.links["abc"] != "" {
			t.Errorf("%s: %d", site, res.StatusCode)
		}
	}
	if _, ok := f.links["abc"]; !ok {
		t.Error("the link was used up")
	}
}

func TestHeadersAndStaticFiles(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	res, body := get(t, client(t, srv, f, ""), srv.URL+"/", "es")
	csp := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("CSP %q lacks %q", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(body, "style=") || strings.Contains(body, "onclick") {
		t.Error("inline code or style")
	}
	if res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Referrer-Policy") != "same-origin" {
		t.Errorf("headers %v", res.Header)
	}
	_, rest, _ := strings.Cut(body, `<link rel="stylesheet" href="`)
	css, _, _ := strings.Cut(rest, `"`)
	res, body = get(t, srv.Client(), srv.URL+css, "es")
	if res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") || !strings.Contains(body, ".vg-shell") {
		t.Errorf("%s: %d %q", css, res.StatusCode, res.Header.Get("Cache-Control"))
	}
	if res, _ = get(t, srv.Client(), srv.URL+"/static/console.css", "es"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a name without its hash: %d", res.StatusCode)
	}
}

func TestLanguageByURLThenCookieThenBrowser(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "ana@example.com")
	for _, step := range []struct{ url, header, want string }{
		{"/machines", "fr,en;q=0.5", "en"}, {"/machines", "fr", "es"}, {"/machines?lang=en", "es", "en"}, {"/machines", "es", "en"}, {"/machines?lang=xx", "es", "en"}, {"/machines?lang=es", "en", "es"},
	} {
		if _, body := get(t, c, srv.URL+step.url, step.header); !strings.Contains(body, `<html lang="`+step.want+`"`) {
			t.Errorf("%v: not %s", step, step.want)
		}
	}
}
