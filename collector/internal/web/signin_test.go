package web_test

import (
	"encoding/base32"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"vigia/collector/internal/account"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/web"
)

const goodPassword = "el perro azul canta 7 veces"

// house is a console with its accounts, over TLS.
type house struct {
	*httptest.Server
	t *testing.T
	f *fake
	a *accounts
}

func newHouse(t *testing.T, change ...func(*web.Deps)) *house {
	t.Helper()
	f := newFake()
	d := f.deps(t)
	a := newAccounts(t, f, nil)
	d.Accounts = a
	for _, do := range change {
		do(&d)
	}
	return &house{Server: console(t, d), t: t, f: f, a: a}
}

// password gives somebody the good password.
func (h *house) password(email string) {
	h.t.Helper()
	ctx := actor.With(h.t.Context(), actor.Actor{Kind: actor.CLI, ID: "root", Role: actor.Administrator})
	if err := h.a.GivePassword(ctx, email, goodPassword); err != nil {
		h.t.Fatal(err)
	}
}

// post sends a form and returns the answer it ends at.
func (h *house) post(c *http.Client, path string, pairs ...string) (*http.Response, string) {
	h.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	res, err := c.PostForm(h.URL+path, form)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return res, string(b)
}

// enter signs in with the good password.
func (h *house) enter(email string) *http.Client {
	h.t.Helper()
	c := client(h.t, h.Server, h.f, "nobody")
	if res, body := h.post(c, "/signin", "email", email, "password", goodPassword); res.Request.URL.Path == "/signin" {
		h.t.Fatalf("signing in: %d\n%s", res.StatusCode, body)
	}
	return c
}

// want checks status, final path and text.
func (h *house) want(res *http.Response, body string, status int, path, text string) {
	h.t.Helper()
	if res.StatusCode != status || res.Request.URL.Path != path || !strings.Contains(body, text) {
		h.t.Errorf("%d at %s, want %d at %s with %q\n%.2500s", res.StatusCode, res.Request.URL.Path, status, path, text, body[max(0, strings.Index(body, "<main")):])
	}
	sound(h.t, path, body)
}

func TestSigningInWithAPassword(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	c := client(t, h.Server, h.f, "nobody")
	res, body := get(t, c, h.URL+"/findings?state=open", "es")
	h.want(res, body, http.StatusUnauthorized, "/findings", `name="next" value="/findings?state=open"`)
	for _, bad := range [][2]string{{"ana@example.com", "no es esta"}, {"luis@example.com", goodPassword}, {"nadie@example.com", goodPassword}, {"gone@example.com", goodPassword}} {
		res, body = h.post(c, "/signin", "email", bad[0], "password", bad[1])
		h.want(res, body, http.StatusUnauthorized, "/signin", "El correo o la contraseña no son correctos.")
		h.want(res, body, http.StatusUnauthorized, "/signin", `value="`+bad[0]+`"`)
		if strings.Contains(body, bad[1]) {
			t.Error("the page tells the password")
		}
	}
	res, body = h.post(c, "/signin", "email", "Ana@example.com", "password", goodPassword, "next", "/findings?state=open")
	h.want(res, body, http.StatusOK, "/findings", "AnyDesk")
	res, body = get(t, c, h.URL+"/signin?next=/machines", "es") // who is in goes on
	h.want(res, body, http.StatusOK, "/machines", "pc-017")
}

// Redirects after a sign-in stay on the console.
func TestNoOpenRedirect(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	for _, next := range []string{"https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/\t/evil.example", "http:evil.example",
		"/%2f/../../evil", "/signout", "/signin/abc", " //evil.example", "https:///evil.example", "/\r\nLocation: https://evil.example", "@evil.example", strings.Repeat("/x", 2000)} {
		c := client(t, h.Server, h.f, "nobody")
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		res, _ := h.post(c, "/signin", "email", "ana@example.com", "password", goodPassword, "next", next)
		to := res.Header.Get("Location")
		u, err := url.Parse(to)
		if res.StatusCode != http.StatusSeeOther || err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.HasPrefix(to, "/\\") || strings.Contains(to, "sign") {
			t.Errorf("next %q leads to %d %q", next, res.StatusCode, to)
		}
		_, body := get(t, client(t, h.Server, h.f, "nobody"), h.URL+"/signin?next="+url.QueryEscape(next), "es")
		_, rest, ok := strings.Cut(body, `name="next" value="`)
		carried := html.UnescapeString(rest[:max(0, strings.IndexByte(rest, '"'))])
		if u, err := url.Parse(carried); !ok || err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(carried, "/") || strings.HasPrefix(carried, "//") || strings.Contains(carried, "\\") {
			t.Errorf("the form carries %q on as %q", next, carried)
		}
	}
}

// A session's token that somebody planted is worth nothing after the sign-in, neither of
// its steps keeps one.
func TestNoSessionFixation(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	secret := h.totp("ana@example.com")
	token := func(c *http.Client) string {
		u, _ := url.Parse(h.URL)
		for _, k := range c.Jar.Cookies(u) {
			if k.Name == "__Host-vigia" {
				return k.Value
			}
		}
		return ""
	}
	c := client(t, h.Server, h.f, "nobody")
	u, _ := url.Parse(h.URL)
	c.Jar.SetCookies(u, []*http.Cookie{{Name: "__Host-vigia", Value: "planted", Path: "/", Secure: true}})
	h.post(c, "/signin", "email", "ana@example.com", "password", goodPassword)
	pending := token(c)
	res, body := get(t, c, h.URL+"/machines", "es") // half-way is not in
	h.want(res, body, http.StatusUnauthorized, "/machines", "Entrar a Vigía")
	res, body = h.post(c, "/signin/code", "code", h.code(secret))
	h.want(res, body, http.StatusOK, "/", "Inicio")
	in := token(c)
	if pending == "planted" || in == "planted" || in == pending || in == "" {
		t.Errorf("tokens planted, %q, %q", pending, in)
	}
	for _, old := range []string{"planted", pending} {
		req, _ := http.NewRequest(http.MethodGet, h.URL+"/machines", nil)
		req.Header.Set("Cookie", "__Host-vigia="+old)
		res, err := h.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("token %q opens: %d", old, res.StatusCode)
		}
	}
}

// totp turns the second factor on over the console.
func (h *house) totp(email string) (secret string) {
	h.t.Helper()
	c := h.enter(email)
	_, body := get(h.t, c, h.URL+"/account/totp", "es")
	found := regexp.MustCompile(`<code class="vg-code" tabindex="0">([A-Z2-7 ]+)</code>`).FindStringSubmatch(body)
	if found == nil || !strings.Contains(body, `<svg class="vg-qr"`) {
		h.t.Fatalf("no key on the page:\n%s", body)
	}
	secret = strings.ReplaceAll(found[1], " ", "")
	res, body := h.post(c, "/account/totp", "code", "000000")
	h.want(res, body, http.StatusUnprocessableEntity, "/account/totp", found[1])
	res, body = h.post(c, "/account/totp", "code", h.code(secret))
	h.want(res, body, http.StatusOK, "/account/totp", "No se vuelven a mostrar")
	if n := len(regexp.MustCompile(`<li class="vg-mono">[A-Z2-7]{4}(-[A-Z2-7]{4}){3}</li>`).FindAllString(body, -1)); n != 10 {
		h.t.Errorf("%d recovery codes", n)
	}
	if _, again := get(h.t, c, h.URL+"/account/totp", "es"); strings.Contains(again, secret[:4]) || strings.Contains(again, `class="vg-codes"`) {
		h.t.Error("the secret or the codes are shown again")
	}
	h.a.ahead += time.Minute
	return secret
}

func (h *house) code(secret string) string {
	h.t.Helper()
	if _, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret); err != nil {
		h.t.Fatal(err)
	}
	c, err := totp.GenerateCode(secret, h.a.now())
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func TestASecondFactorOverTheConsole(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	secret := h.totp("ana@example.com")
	c := client(t, h.Server, h.f, "nobody")
	res, body := h.post(c, "/signin/code", "code", "123456") // without a first step
	h.want(res, body, http.StatusUnauthorized, "/signin/code", "Escriba de nuevo su correo")
	res, body = h.post(c, "/signin", "email", "ana@example.com", "password", goodPassword, "next", "/machines")
	h.want(res, body, http.StatusOK, "/signin/code", "Segundo paso")
	code := h.code(secret)
	res, body = h.post(c, "/signin/code", "code", "12345")
	h.want(res, body, http.StatusUnauthorized, "/signin/code", "El código no es correcto o ya se usó")
	res, body = h.post(c, "/signin/code", "code", code)
	h.want(res, body, http.StatusOK, "/machines", "pc-017")

	other := client(t, h.Server, h.f, "nobody") // replayed by whoever looked over the shoulder
	h.post(other, "/signin", "email", "ana@example.com", "password", goodPassword)
	res, body = h.post(other, "/signin/code", "code", code)
	h.want(res, body, http.StatusUnauthorized, "/signin/code", "ya se usó")

	h.a.ahead += time.Hour
	c = client(t, h.Server, h.f, "nobody")
	h.post(c, "/signin", "email", "ana@example.com", "password", goodPassword)
	h.post(c, "/signin/code", "code", h.code(secret))
	h.a.ahead += time.Minute
	res, body = h.post(c, "/account/totp/codes", "code", h.code(secret))
	h.want(res, body, http.StatusOK, "/account/totp/codes", "Códigos de recuperación")
	recovery := regexp.MustCompile(`<li class="vg-mono">([A-Z2-7-]{19})</li>`).FindStringSubmatch(body)[1]
	for i, status := range []int{http.StatusOK, http.StatusUnauthorized} {
		c := client(t, h.Server, h.f, "nobody")
		h.post(c, "/signin", "email", "ana@example.com", "password", goodPassword)
		if res, _ := h.post(c, "/signin/code", "code", recovery); res.StatusCode != status {
			t.Errorf("recovery code, use %d: %d", i+1, res.StatusCode)
		}
	}
	h.a.ahead += time.Minute
	res, body = h.post(c, "/account/totp/remove", "code", h.code(secret))
	h.want(res, body, http.StatusOK, "/account", "quedó inactiva")
}

func TestARoleThatMustHaveASecondFactor(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	h.a.rules.TOTPRoles = []actor.Role{actor.Technician}
	c := h.enter("ana@example.com")
	for _, path := range []string{"/", "/machines", "/account"} {
		res, body := get(t, c, h.URL+path, "es")
		h.want(res, body, http.StatusOK, "/account/totp", "Su puesto requiere la verificación en dos pasos")
	}
	if res, _ := h.post(c, "/account/preferences", "language", "en", "theme", "dark"); res.Request.URL.Path != "/account/totp" {
		t.Errorf("a form went through: %s", res.Request.URL)
	}
	_, body := get(t, c, h.URL+"/account/totp", "es")
	secret := strings.ReplaceAll(regexp.MustCompile(`tabindex="0">([A-Z2-7 ]+)</code>`).FindStringSubmatch(body)[1], " ", "")
	h.post(c, "/account/totp", "code", h.code(secret))
	res, body := get(t, c, h.URL+"/machines", "es")
	h.want(res, body, http.StatusOK, "/machines", "pc-017")
}

// Whoever asks for a link learns nothing, and the link leads to this console whatever
// the request calls it.
func TestLinksByMail(t *testing.T) {
	h := newHouse(t)
	c := client(t, h.Server, h.f, "nobody")
	ask := func(path, email string) string {
		req, _ := http.NewRequest(http.MethodPost, h.URL+path, strings.NewReader(url.Values{"email": {email}}.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Host = "evil.example"
		req.Header.Set("X-Forwarded-Host", "evil.example")
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		if res.StatusCode != http.StatusOK || strings.Contains(string(b), "evil.example") {
			t.Errorf("%s for %s: %d\n%s", path, email, res.StatusCode, b)
		}
		return strings.ReplaceAll(string(b), email, "…")
	}
	some := ask("/signin/link", "luis@example.com")
	for _, email := range []string{"nadie@example.com", "gone@example.com"} {
		if got := ask("/signin/link", email); got != some {
			t.Errorf("the answer for %s differs:\n%s\n%s", email, got, some)
		}
	}
	if len(h.a.mails) != 1 || h.a.mails[0].To != "luis@example.com" || h.a.mails[0].Purpose != account.ForSignIn {
		t.Fatalf("mails %+v", h.a.mails)
	}
	for range 6 {
		ask("/signin/link", "luis@example.com")
		h.a.ahead += time.Second
	}
	if n := len(h.a.mails); n != 3 {
		t.Errorf("%d mails of 7 requests", n)
	}
	link := "/signin/" + h.a.mails[0].Secret
	for range 2 {
		res, body := get(t, c, h.URL+link, "es")
		h.want(res, body, http.StatusOK, link, `method="post" action="`+link+`"`)
	}
	res, body := h.post(c, link)
	h.want(res, body, http.StatusOK, "/", "luis@example.com")
	res, body = h.post(client(t, h.Server, h.f, "nobody"), link)
	h.want(res, body, http.StatusConflict, link, "ya se usó")
	h.a.ahead += 15 * time.Minute
	res, body = get(t, c, h.URL+"/signin/"+h.a.mails[1].Secret, "es")
	h.want(res, body, http.StatusUnauthorized, "/signin/"+h.a.mails[1].Secret, "venció")
}

func TestResetAndInvitation(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	inside := h.enter("ana@example.com")
	c := client(t, h.Server, h.f, "nobody")
	h.post(c, "/signin/reset", "email", "ana@example.com")
	link := "/signin/" + h.a.mails[0].Secret
	res, body := get(t, c, h.URL+link, "es")
	h.want(res, body, http.StatusOK, link, "Elija su contraseña")
	for bad, text := range map[string]string{
		"corta": "por lo menos 12 caracteres", "contraseña1234": "de las más usadas", "P@ssw0rd12345": "de las más usadas", "abababababab": "repite", "qwertyuiop[]": "teclado",
		"ana@example.com": "se parece", "Muñoz-Vigía-1": "se parece", "1234567890ab": "teclado",
	} {
		res, body = h.post(c, link, "password", bad, "again", bad)
		h.want(res, body, http.StatusUnprocessableEntity, link, text)
	}
	res, body = h.post(c, link, "password", "otra frase larga", "again", "otra frase largo")
	h.want(res, body, http.StatusUnprocessableEntity, link, "no son iguales")
	res, body = h.post(c, link, "password", " otra frase larga ", "again", " otra frase larga ")
	h.want(res, body, http.StatusOK, "/", "ana@example.com")
	res, body = get(t, inside, h.URL+"/machines", "es")
	h.want(res, body, http.StatusUnauthorized, "/machines", "Su sesión terminó")
	res, body = h.post(client(t, h.Server, h.f, "nobody"), "/signin", "email", "ana@example.com", "password", goodPassword)
	h.want(res, body, http.StatusUnauthorized, "/signin", "no son correctos")
	res, body = h.post(client(t, h.Server, h.f, "nobody"), "/signin", "email", "ana@example.com", "password", " otra frase larga ")
	h.want(res, body, http.StatusOK, "/", "ana@example.com")
}

func TestWithoutMailTheLinksAreNotOffered(t *testing.T) {
	h := newHouse(t)
	_, body := get(t, client(t, h.Server, h.f, "nobody"), h.URL+"/signin", "es")
	if !strings.Contains(body, `href="/signin/link`) {
		t.Error("links are not offered though there is mail")
	}
	h.a.dumb = errNoMail()
	_, body = get(t, client(t, h.Server, h.f, "nobody"), h.URL+"/signin", "es")
	if strings.Contains(body, `href="/signin/link`) {
		t.Error("links are offered though there is no mail")
	}
	res, body := h.post(client(t, h.Server, h.f, "nobody"), "/signin/link", "email", "ana@example.com")
	h.want(res, body, http.StatusConflict, "/signin/link", "Este servidor no envía correo")
}

func TestForwardedAddressesAreBelievedOfNamedProxiesOnly(t *testing.T) {
	for _, c := range []struct {
		proxies, header, want string
	}{
		{"", "192.0.2.1", "127.0.0.1"}, {"127.0.0.0/8", "192.0.2.1", "192.0.2.1"}, {"127.0.0.0/8", "203.0.113.5, 192.0.2.1", "192.0.2.1"},
		{"127.0.0.0/8,192.0.2.0/24", "203.0.113.5, 192.0.2.1", "203.0.113.5"}, {"127.0.0.0/8", "203.0.113.5, garbage", "127.0.0.1"}, {"127.0.0.0/8", "", "127.0.0.1"},
		{"10.0.0.0/8", "192.0.2.1", "127.0.0.1"},
	} {
		h := newHouse(t, func(d *web.Deps) {
			for p := range strings.SplitSeq(c.proxies, ",") {
				if p != "" {
					d.Proxies = append(d.Proxies, netip.MustParsePrefix(p))
				}
			}
		})
		h.f.links["abc"] = "ana@example.com"
		req, _ := http.NewRequest(http.MethodPost, h.URL+"/signin/abc", nil)
		req.Header.Set("X-Forwarded-For", c.header)
		res, err := client(t, h.Server, h.f, "nobody").Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		ctx := actor.With(t.Context(), actor.Actor{Kind: actor.CLI, ID: "root", Role: actor.Administrator})
		list, err := h.a.ListSessions(ctx, "ana@example.com")
		if err != nil || len(list) != 1 || list[0].Address != c.want {
			t.Errorf("%+v: %+v, %v", c, list, err)
		}
	}
}

func TestGuessingIsTurnedAwayAndSaysWhatToDo(t *testing.T) {
	h := newHouse(t)
	h.password("ana@example.com")
	known := h.enter("ana@example.com")
	h.post(known, "/signout")
	last := 0
	for i := range 30 {
		res, body := h.post(client(t, h.Server, h.f, "nobody"), "/signin", "email", "ana@example.com", "password", fmt.Sprint("adivina ", i))
		if last = res.StatusCode; last == http.StatusTooManyRequests {
			h.want(res, body, http.StatusTooManyRequests, "/signin", "entre con un enlace por correo")
			break
		}
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("30 guesses end with %d", last)
	}
	res, body := h.post(known, "/signin", "email", "ana@example.com", "password", goodPassword)
	h.want(res, body, http.StatusOK, "/", "ana@example.com")
}
