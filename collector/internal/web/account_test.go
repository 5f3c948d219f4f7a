package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

func errNoMail() error { return apperr.New(apperr.Conflict, "mail.not-configured", nil) }

func TestAccountPagesInBothLanguages(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	c := h.enter("ana@example.com")
	for lang, word := range map[string]string{"es": "Mi cuenta", "en": "My account"} {
		for _, path := range []string{"/account", "/account/password", "/account/totp"} {
			res, body := get(t, c, h.URL+path+"?lang="+lang, lang)
			h.want(res, body, http.StatusOK, path, word)
		}
	}
	for lang, word := range map[string]string{"es": "Entrar", "en": "Sign in"} {
		for _, path := range []string{"/signin", "/signin/link", "/signin/reset"} {
			res, body := get(t, client(t, h.Server, h.f, "nobody"), h.URL+path+"?lang="+lang, lang)
			h.want(res, body, http.StatusOK, path, `lang="`+lang+`"`)
			if path == "/signin" {
				h.want(res, body, http.StatusOK, path, word)
			}
		}
	}
}

func TestLanguageAndThemeStayWithThePerson(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	c := h.enter("ana@example.com")
	res, body := h.post(c, "/account/preferences", "language", "en", "theme", "dark")
	h.want(res, body, http.StatusOK, "/account", `<html lang="en" data-bs-theme="dark"`)
	elsewhere := h.enter("ana@example.com")
	for _, step := range []struct{ path, header, want string }{
		{"/machines", "es", "en"}, {"/machines?lang=es", "en", "es"}, {"/machines", "en", "es"}, // the link above is a choice too
	} {
		if _, body := get(t, elsewhere, h.URL+step.path, step.header); !strings.Contains(body, `<html lang="`+step.want+`" data-bs-theme="dark"`) {
			t.Errorf("%v: %.200s", step, body)
		}
	}
	for _, bad := range [][]string{{"language", "fr", "theme", "dark"}, {"language", "es", "theme", "pink"}, {}} {
		if res, _ := h.post(c, "/account/preferences", bad...); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%v: %d", bad, res.StatusCode)
		}
	}
}

func TestChangingThePasswordEndsOtherSessions(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	here, there := h.enter("ana@example.com"), h.enter("ana@example.com")
	res, body := h.post(here, "/account/password", "current", "no es esta", "password", "una frase muy otra", "again", "una frase muy otra")
	h.want(res, body, http.StatusUnprocessableEntity, "/account/password", "La contraseña actual no es correcta")
	res, body = h.post(here, "/account/password", "current", goodPassword, "password", "una frase muy otra", "again", "una frase muy otra")
	h.want(res, body, http.StatusOK, "/account", "La contraseña cambió")
	res, body = get(t, there, h.URL+"/account", "es")
	h.want(res, body, http.StatusUnauthorized, "/account", "Su sesión terminó")
}

func TestSessionsAreSeenAndEnded(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	h.password("luis@example.com")
	here, there, luis := h.enter("ana@example.com"), h.enter("ana@example.com"), h.enter("luis@example.com")
	_, body := get(t, here, h.URL+"/account", "es")
	ids := regexp.MustCompile(`/account/sessions/([0-9a-f-]{36})/end`).FindAllStringSubmatch(body, -1)
	if len(ids) != 1 || strings.Count(body, "vg-good") != 1 {
		t.Fatalf("sessions %v\n%s", ids, body)
	}
	res, body := h.post(luis, "/account/sessions/"+ids[0][1]+"/end") // somebody else's
	h.want(res, body, http.StatusNotFound, "/account/sessions/"+ids[0][1]+"/end", "Esa sesión ya no existe")
	if res, _ := get(t, there, h.URL+"/account", "es"); res.StatusCode != http.StatusOK {
		t.Fatalf("ended by a stranger: %d", res.StatusCode)
	}
	res, body = h.post(here, "/account/sessions/"+ids[0][1]+"/end")
	h.want(res, body, http.StatusOK, "/account", "La sesión terminó")
	if res, _ := get(t, there, h.URL+"/account", "es"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("an ended session: %d", res.StatusCode)
	}
	there = h.enter("ana@example.com")
	h.post(here, "/account/sessions/end-others")
	for c, want := range map[*http.Client]int{here: http.StatusOK, there: http.StatusUnauthorized, luis: http.StatusOK} {
		if res, _ := get(t, c, h.URL+"/account", "es"); res.StatusCode != want {
			t.Errorf("after ending others: %d, want %d", res.StatusCode, want)
		}
	}
}

func TestSessionsEndByThemselves(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	c := h.enter("ana@example.com")
	for range 10 { // used, it holds for twelve hours
		h.a.ahead += 70 * time.Minute
		if res, _ := get(t, c, h.URL+"/account", "es"); res.StatusCode != http.StatusOK {
			t.Fatalf("in use after %s: %d", h.a.ahead, res.StatusCode)
		}
	}
	h.a.ahead += 70 * time.Minute
	if res, _ := get(t, c, h.URL+"/account", "es"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("after %s: %d", h.a.ahead, res.StatusCode)
	}
	c = h.enter("ana@example.com")
	for range 5 { // what refreshes by itself is no use
		h.a.ahead += 30 * time.Minute
		req, _ := http.NewRequest(http.MethodGet, h.URL+"/account", nil)
		req.Header.Set("HX-Request", "true")
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	if res, _ := get(t, c, h.URL+"/account", "es"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("idle for hours: %d", res.StatusCode)
	}
}

func TestAdministratorsHelp(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	secret := h.totp("ana@example.com")
	if secret == "" {
		t.Fatal("no secret")
	}
	ana := client(t, h.Server, h.f, "nobody")
	h.post(ana, "/signin", "email", "ana@example.com", "password", goodPassword)
	h.post(ana, "/signin/code", "code", h.code(secret))
	boss := client(t, h.Server, h.f, "") // the operator
	res, body := get(t, boss, h.URL+"/accounts?lang=es", "es")
	h.want(res, body, http.StatusOK, "/accounts", `href="/accounts/ana@example.com"`)
	res, body = get(t, boss, h.URL+"/accounts/find?email=ana@example.com", "es")
	h.want(res, body, http.StatusOK, "/accounts/ana@example.com", "Restablecer")
	res, body = h.post(boss, "/accounts/ana@example.com/totp-reset")
	h.want(res, body, http.StatusOK, "/accounts/ana@example.com", "se restableció")
	if res, _ := get(t, ana, h.URL+"/account", "es"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a session after the reset: %d", res.StatusCode)
	}
	res, body = h.post(boss, "/accounts/luis@example.com/invite")
	h.want(res, body, http.StatusOK, "/accounts/luis@example.com", "va en camino")
	luis := client(t, h.Server, h.f, "nobody")
	link := "/signin/" + h.a.mails[0].Secret
	res, body = get(t, luis, h.URL+link+"?lang=es", "es")
	h.want(res, body, http.StatusOK, link, "Bienvenido a Vigía")
	res, body = h.post(luis, link, "password", "caminos de tierra roja", "again", "caminos de tierra roja")
	h.want(res, body, http.StatusOK, "/", "luis@example.com")
	res, body = h.post(boss, "/accounts/luis@example.com/end-sessions")
	h.want(res, body, http.StatusOK, "/accounts/luis@example.com", "Las demás sesiones terminaron")
	res, body = get(t, boss, h.URL+"/accounts/nadie@example.com", "es")
	h.want(res, body, http.StatusNotFound, "/accounts/nadie@example.com", "No se encontró")
	res, body = get(t, boss, h.URL+"/account", "es")
	h.want(res, body, http.StatusOK, "/accounts", "Acceso de las personas")
	res, body = get(t, boss, h.URL+"/account/password", "es")
	h.want(res, body, http.StatusForbidden, "/account/password", "administrador del servidor")
	// Nobody else.
	ana = h.enter("ana@example.com")
	for _, path := range []string{"/accounts", "/accounts/luis@example.com"} {
		if res, _ := get(t, ana, h.URL+path, "es"); res.StatusCode != http.StatusForbidden {
			t.Errorf("%s as a technician: %d", path, res.StatusCode)
		}
	}
	for _, path := range []string{"/accounts/luis@example.com/invite", "/accounts/luis@example.com/totp-reset", "/accounts/luis@example.com/end-sessions"} {
		if res, _ := h.post(ana, path); res.StatusCode != http.StatusForbidden {
			t.Errorf("%s as a technician: %d", path, res.StatusCode)
		}
	}
}

// Every form of sign-in and accounts refuses what another site's page sends.
func TestAccountFormsOfOtherSitesAreRefused(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	c := h.enter("ana@example.com")
	for _, path := range []string{"/signin", "/signin/code", "/signin/link", "/signin/reset", "/signout", "/account/preferences", "/account/password", "/account/totp",
		"/account/totp/codes", "/account/totp/remove", "/account/sessions/end-others", "/accounts/ana@example.com/invite"} {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			req, _ := http.NewRequest(http.MethodPost, h.URL+path, nil)
			req.Header.Set(name, value)
			res, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %s: %d", path, name, res.StatusCode)
			}
		}
	}
	ctx := actor.With(t.Context(), actor.Actor{Kind: actor.CLI, ID: "root", Role: actor.Administrator})
	if list, err := h.a.ListSessions(ctx, ""); err != nil || len(list) != 1 {
		t.Errorf("sessions %+v, %v", list, err)
	}
}
