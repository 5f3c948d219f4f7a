package web_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func administrationPages() []string {
	return []string{"/settings", "/mail", "/mail?state=bounced", "/mail?q=zzz", "/mail/4", "/mail/3", "/mail/2", "/mail/1", "/mail/server", "/backups", "/backups/live",
		"/received", "/calendar", "/calendar?year=2030", "/received?outcome=bounced", "/webhooks", "/webhooks/1", "/webhooks/2", "/deliveries", "/deliveries?state=failed", "/deliveries?q=zzz", "/deliveries/1", "/deliveries/3"}
}

func TestAdministrationInBothLanguages(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	for _, person := range []string{"sofia@example.com", "ivan@example.com"} {
		c := client(t, srv, f, person)
		for _, lang := range []string{"es", "en"} {
			for _, path := range append(administrationPages(), agentsAndAuditPages()...) {
				res, body := get(t, c, srv.URL+path, lang)
				if res.StatusCode != http.StatusOK {
					t.Errorf("%s %s: %d\n%s", lang, path, res.StatusCode, body)
				}
				sound(t, path, body)
				if strings.Contains(body, "oculto") {
					t.Errorf("%s shows a link that lets somebody in", path)
				}
				if !strings.HasSuffix(path, "/live") && strings.Contains(body, `<form method="post" action="/signout"`) && person == "ivan@example.com" && strings.Count(body, `method="post"`) > 1 && path != "/settings" {
					t.Errorf("%s offers the auditor to change something", path)
				}
			}
		}
	}
	f.empty = true
	for path, want := range map[string]string{"/mail": "Aquí aparecen", "/mail/server": "no está configurado", "/backups": "Todavía no hay respaldos", "/webhooks": "Ningún otro sistema", "/deliveries": "Aquí aparece cada aviso",
		"/tokens": "Todavía no hay claves", "/agents": "Todavía no hay equipos", "/certificates": "No hay ningún cambio en curso", "/audit": "Todavía no hay entradas", "/audit/proof": "Todavía no se ha comprobado", "/administration": "Autoridad y certificados"} {
		if _, body := get(t, client(t, srv, f, "sofia@example.com"), srv.URL+path, "es"); !strings.Contains(body, want) {
			t.Errorf("%s lacks %q", path, want)
		}
	}
}

func postForm(t *testing.T, c *http.Client, address string, form url.Values) (int, string) {
	t.Helper()
	res, err := c.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestSettingsTellWhatIsWrongBesideTheField(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "sofia@example.com")
	code, body := postForm(t, c, srv.URL+"/settings?lang=es", url.Values{"mail.port": {"99999"}, "mail.host": {"otro.example.com"}, "mail.password": {"hunter2hunter2"}, "signin.totp-roles": {"", "hr"}})
	if code != http.StatusUnprocessableEntity || !strings.Contains(body, `id="mail.port-problem"`) || !strings.Contains(body, "1 a 65535") || !strings.Contains(body, `value="otro.example.com"`) || !strings.Contains(body, `value="99999"`) {
		t.Errorf("%d\n%s", code, body)
	}
	if strings.Contains(body, "hunter2") {
		t.Error("the page gives the password back")
	}
	if code, body = postForm(t, c, srv.URL+"/settings?lang=es", url.Values{"mail.port": {"25"}}); code != http.StatusOK || !strings.Contains(body, "Los ajustes se guardaron") {
		t.Errorf("%d", code)
	}
	if code, _ = postForm(t, client(t, srv, f, "ivan@example.com"), srv.URL+"/settings", url.Values{"mail.port": {"25"}}); code != http.StatusForbidden {
		t.Errorf("the auditor: %d", code)
	}
}

func TestTestMessageAndRetryByForm(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "sofia@example.com")
	if code, body := postForm(t, c, srv.URL+"/mail/test?lang=es", url.Values{"to": {"a@example.com, b@example.com"}}); code != http.StatusUnprocessableEntity || !strings.Contains(body, "to-problem") {
		t.Errorf("%d", code)
	}
	if code, body := postForm(t, c, srv.URL+"/mail/test?lang=es", url.Values{"to": {"ana@example.com"}}); code != http.StatusOK || !strings.Contains(body, "en camino") {
		t.Errorf("%d", code)
	}
	if code, body := postForm(t, c, srv.URL+"/mail/3/retry?lang=es", nil); code != http.StatusOK || !strings.Contains(body, "se enviará") {
		t.Errorf("%d", code)
	}
	if code, _ := postForm(t, c, srv.URL+"/mail/99/retry", nil); code != http.StatusNotFound {
		t.Errorf("%d", code)
	}
}

func TestBackupsAreFetchedWholeByAdministratorsOnly(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "sofia@example.com")
	res, body := get(t, c, srv.URL+"/backups/4/file", "es")
	if res.StatusCode != http.StatusOK || len(body) != 5<<20 || !strings.Contains(res.Header.Get("Content-Disposition"), "vigia-4.db") || res.ContentLength != 5<<20 {
		t.Errorf("%d, %d bytes, %v", res.StatusCode, len(body), res.Header)
	}
	for path, want := range map[string]int{"/backups/2/file": http.StatusNotFound, "/backups/x/file": http.StatusNotFound} {
		if res, _ := get(t, c, srv.URL+path, "es"); res.StatusCode != want {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	for _, person := range []string{"ivan@example.com", "ana@example.com", "rosa@example.com"} {
		if res, body := get(t, client(t, srv, f, person), srv.URL+"/backups/4/file", "es"); res.StatusCode != http.StatusForbidden || strings.Contains(body, "copiacopia") {
			t.Errorf("%s: %d", person, res.StatusCode)
		}
	}
	if code, body := postForm(t, c, srv.URL+"/backups?lang=es", nil); code != http.StatusConflict || !strings.Contains(body, "Ya se está haciendo un respaldo") {
		t.Errorf("%d", code)
	}
}
