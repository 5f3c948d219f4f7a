package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestWebhookForms walks the forms of addresses without JavaScript: the secret is shown
// once, problems stand beside their field, the auditor changes nothing.
func TestWebhookForms(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "sofia@example.com")
	code, body := postForm(t, c, srv.URL+"/webhooks?lang=es", url.Values{"name": {"Chat"}, "url": {"ftp://x"}, "format": {"chat"}, "kinds": {"token.*"}})
	if code != http.StatusUnprocessableEntity || !strings.Contains(body, `id="url-problem"`) || !strings.Contains(body, `value="ftp://x"`) || !strings.Contains(body, `value="token.*"`) {
		t.Errorf("%d\n%s", code, body)
	}
	form := url.Values{"name": {"Chat"}, "url": {"https://chat.example.com/x"}, "format": {"chat"}, "kind-finding": {"yes"}, "active": {"yes"}}
	if code, body = postForm(t, c, srv.URL+"/webhooks?lang=es", form); code != http.StatusOK || !strings.Contains(body, "whsec_muestra") {
		t.Errorf("%d\n%s", code, body)
	}
	if _, body = get(t, c, srv.URL+"/webhooks/1", "es"); strings.Contains(body, "whsec_muestra") {
		t.Error("the secret is shown a second time")
	}
	for path, want := range map[string]string{"/webhooks/1/secret": "whsec_renovado", "/webhooks/1/test": "La prueba está en camino", "/webhooks/1": "Se guardó", "/deliveries/3/replay": "se repetirá", "/webhooks/1/delete": "Se eliminó"} {
		if code, body = postForm(t, c, srv.URL+path+"?lang=es", form); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d lacks %q\n%s", path, code, want, body)
		}
	}
	for _, path := range []string{"/webhooks/9", "/webhooks/x", "/deliveries/9"} {
		if res, _ := get(t, c, srv.URL+path, "es"); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	auditor := client(t, srv, f, "ivan@example.com")
	for _, path := range []string{"/webhooks/1", "/deliveries/3", "/webhooks"} {
		if _, body := get(t, auditor, srv.URL+path, "es"); strings.Count(body, `method="post"`) > 1 || strings.Contains(body, "/edit") {
			t.Errorf("%s offers the auditor to change something", path)
		}
	}
}
