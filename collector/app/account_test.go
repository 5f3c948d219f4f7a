package app

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
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
