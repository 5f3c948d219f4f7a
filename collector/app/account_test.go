package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"vigia/collector/internal/store/storetest"
)

// say runs a command that reads from standard input.
func (c *collector) say(input string, args ...string) (out, errOut string, code int) {
	var o, e bytes.Buffer
	code = Main(Process{Args: append(args, c.data...), Stdin: strings.NewReader(input), Stdout: &o, Stderr: &e, Env: func(string) (string, bool) { return "", false }})
	return o.String(), e.String(), code
}

// signIn signs in over HTTPS and returns the browser and where it ended.
func (c *collector) signIn(email, password string) (*http.Client, string) {
	c.t.Helper()
	b := browser(c.t)
	resp, err := b.PostForm("https://"+c.Addrs().Web+"/signin", url.Values{"email": {email}, "password": {password}})
	if err != nil {
		c.t.Fatal(err)
	}
	resp.Body.Close()
	return b, resp.Request.URL.Path
}

func TestAccountCommands(t *testing.T) {
	for name, where := range map[string]func(*testing.T) string{"sqlite": func(t *testing.T) string { return t.TempDir() }, "postgres": func(t *testing.T) string { return storetest.Postgres(t) }} {
		t.Run(name, func(t *testing.T) { accountCommands(t, enforced(t, where(t))) })
	}
}

func accountCommands(t *testing.T, c *collector) {
	const password = "tres tigres en el trigal"
	for _, bad := range []struct {
		input string
		args  []string
		code  int
		says  string
	}{
		{"corta\n", []string{"account", "password", "luis@example.com", "--stdin"}, 2, "at least 12 characters"},
		{"password1234\n", []string{"account", "password", "luis@example.com", "--stdin"}, 2, "among the most used"},
		{password, []string{"account", "password", "nadie@example.com", "--stdin"}, 3, "nadie@example.com"},
		{password, []string{"account", "password", "luis@example.com"}, 2, "--stdin"},
		{"", []string{"account", "invite", "luis@example.com"}, 1, "Mail is not configured"},
		{"", []string{"account", "totp-reset", "luis@example.com"}, 1, "two-step"},
		{"", []string{"account", "sessions", "nadie@example.com"}, 3, "nadie@example.com"},
		{"", []string{"account", "sessions", "--revoke", "x"}, 3, "session"},
		{"", []string{"account", "sessions", "--revoke", "all"}, 2, "name the person"},
	} {
		if out, errOut, code := c.say(bad.input, bad.args...); code != bad.code || !strings.Contains(errOut, bad.says) || out != "" {
			t.Errorf("%v: exit %d, %q, %q", bad.args, code, out, errOut)
		}
	}
	if _, at := c.signIn("luis@example.com", password); at != "/signin" {
		t.Errorf("without a password: at %s", at)
	}
	if out, errOut, code := c.say(password+"\r\n", "account", "password", "Luis@example.com", "--stdin"); code != 0 || strings.Contains(out+errOut, password) {
		t.Fatalf("setting the password: %d %s %s", code, out, errOut)
	}
	b, at := c.signIn("luis@example.com", password)
	if at != "/" {
		t.Fatalf("with the password: at %s", at)
	}
	var list []accountSessionRow
	if err := json.Unmarshal([]byte(c.cli("account", "sessions", "luis@example.com", "-o", "json")), &list); err != nil || len(list) != 1 || list[0].Person != "luis@example.com" || list[0].Method != "password" || list[0].Address != "127.0.0.1" {
		t.Fatalf("sessions %+v, %v", list, err)
	}
	if out := c.cli("account", "sessions"); !strings.Contains(out, list[0].ID) {
		t.Errorf("sessions:\n%s", out)
	}
	var row accountRow
	if err := json.Unmarshal([]byte(c.cli("account", "show", "luis@example.com", "-o", "json")), &row); err != nil || !row.Password || row.TOTP || row.Sessions != 1 {
		t.Errorf("account %+v, %v", row, err)
	}
	c.cli("account", "sessions", "--revoke", list[0].ID)
	if code, _ := get(t, b, "https://"+c.Addrs().Web+"/account"); code != http.StatusUnauthorized {
		t.Errorf("a revoked session: %d", code)
	}
	b, _ = c.signIn("luis@example.com", password)
	if out := c.cli("account", "sessions", "luis@example.com", "--revoke", "all"); !strings.Contains(out, "1 sessions") {
		t.Errorf("revoking all: %s", out)
	}
	if code, _ := get(t, b, "https://"+c.Addrs().Web+"/account"); code != http.StatusUnauthorized {
		t.Errorf("a revoked session: %d", code)
	}
	invitation := strings.TrimSpace(c.cli("account", "invite", "ana@example.com", "--print"))
	if code, body := get(t, browser(t), invitation); code != http.StatusOK || !strings.Contains(body, `name="again"`) || !strings.HasPrefix(invitation, "https://"+c.Addrs().Web+"/signin/") {
		t.Errorf("invitation %s: %d", invitation, code)
	}
	if out := c.cli("check"); !strings.Contains(out, "ok") && !strings.Contains(out, "audit") {
		t.Errorf("check: %s", out)
	}
}

// linkIn returns the path of the one link in the newest mail to somebody, which leads to
// the console as the settings name it.
func linkIn(t *testing.T, p *postbox, to string) string {
	t.Helper()
	path := ""
	eventually(t, "mail to "+to, func() bool {
		for _, raw := range p.all() {
			text := strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(raw)
			if !strings.Contains(text, to) {
				continue
			}
			if strings.Contains(text, "evil.example") {
				t.Fatalf("the mail names another host:\n%s", text)
			}
			if found := regexp.MustCompile(`https://vigia\.example\.com(/signin/[A-Za-z0-9_-]{40,})`).FindStringSubmatch(text); found != nil {
				path = found[1]
			}
		}
		return path != ""
	})
	return path
}

// TestSignInByRealMail goes the way of a person without a password: invited from the
// server, then by a link that they ask for under a host's name that somebody made up.
func TestSignInByRealMail(t *testing.T) {
	c := enforced(t, t.TempDir())
	post := newPostbox(t)
	c.cli("setting", "set", "mail.host=127.0.0.1", fmt.Sprintf("mail.port=%d", post.port), "mail.tls=none", "mail.from=vigia@example.com", "console.address=https://vigia.example.com")
	at := "https://" + c.Addrs().Web
	c.cli("account", "invite", "ana@example.com")
	b := browser(t)
	answer := func(path string, form url.Values) (int, string) {
		req, err := http.NewRequest(http.MethodPost, at+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Host = "evil.example"
		b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		resp, err := b.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Location")
	}
	const password = "tres tigres en el trigal"
	if code, to := answer(linkIn(t, post, "ana@example.com"), url.Values{"password": {password}, "again": {password}}); code != http.StatusSeeOther || to != "/" {
		t.Fatalf("the invitation: %d to %q", code, to)
	}
	if code, _ := answer("/signin/link", url.Values{"email": {"luis@example.com"}}); code != http.StatusOK {
		t.Fatalf("asking for a link: %d", code)
	}
	if code, to := answer(linkIn(t, post, "luis@example.com"), nil); code != http.StatusSeeOther || to != "/" {
		t.Errorf("the link: %d to %q", code, to)
	}
	c.cli("setting", "set", "signin.totp-roles=employee")
	eventually(t, "the rule holds", func() bool {
		b.CheckRedirect = nil
		in, path := c.signIn("ana@example.com", password)
		if path != "/account/totp" {
			return false
		}
		_, body := get(t, in, at+"/machines")
		return strings.Contains(body, `class="vg-qr"`)
	})
}
