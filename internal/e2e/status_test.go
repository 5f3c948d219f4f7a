package e2e

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"vigia/internal/pki"
)

// waiting returns how many reports wait in the agent's spool.
func waiting(t *testing.T, a *agent) int {
	t.Helper()
	return status(t, a).Uplink.Spooled
}

type agentStatus struct {
	Enrolled bool `json:"enrolled"`
	Running  bool `json:"running"`
	Uplink   struct {
		Connected bool   `json:"connected"`
		Spooled   int    `json:"spooled"`
		Problem   string `json:"problem"`
		Remedy    string `json:"remedy"`
	} `json:"uplink"`
}

func status(t *testing.T, a *agent) (s agentStatus) {
	t.Helper()
	r := a.cli("status", "--state", a.state, "--output", "json")
	if err := json.Unmarshal([]byte(r.out), &s); err != nil {
		t.Fatalf("status: %v\n%s%s", err, r.out, r.err)
	}
	return s
}

type diagnosis struct{ Check, Outcome, Detail, Remedy string }

func doctor(t *testing.T, a *agent) (found map[string]diagnosis, code int) {
	t.Helper()
	r := a.cli("doctor", "--state", a.state, "--timeout", "3s", "--output", "json")
	var rows []diagnosis
	if err := json.Unmarshal([]byte(r.out), &rows); err != nil {
		t.Fatalf("doctor: %v\n%s%s", err, r.out, r.err)
	}
	found = map[string]diagnosis{}
	for _, d := range rows {
		if d.Outcome == "problem" && d.Remedy == "" {
			t.Errorf("%s: a problem without a remedy: %s", d.Check, d.Detail)
		}
		found[d.Check] = d
	}
	return found, r.code
}

// TestDoctor looks at a healthy agent, and at what breaks around it.
func TestDoctor(t *testing.T) {
	c := newCollector(t)
	a := newAgent(t)
	if found, code := doctor(t, a); code != 4 || found["identity"].Outcome != "problem" {
		t.Errorf("not enrolled: exit code %d, %+v", code, found)
	}
	a.enroll(c)
	began := time.Now()
	a.start()
	a.reported(began)
	if r := a.cli("status", "--state", a.state); r.code != 0 || !strings.Contains(r.out, "connected       yes") {
		t.Errorf("status of a running agent ends with %d:\n%s", r.code, r.out)
	}
	found, _ := doctor(t, a)
	for _, check := range []string{"identity", "certificate", "collector", "clock", "agent", "spool"} {
		if found[check].Outcome != "ok" {
			t.Errorf("healthy: %s is %+v", check, found[check])
		}
	}
	second := a.cli("run", "--once", "--state", a.state)
	if second.code == 0 || !strings.Contains(second.err, "another agent runs") {
		t.Errorf("a second agent on the same folder ends with %d: %s", second.code, second.err)
	}

	// A revoked certificate ends the live connection within 5 s.
	must(t, c.cli("machine", "revoke", hostname(t)))
	eventually(t, "the connection's end", 8*time.Second, func() bool { return !status(t, a).Uplink.Connected }, a.log, c.log) // 5 s, and 2 s of the status file
	eventually(t, "the reason", patience, func() bool { return status(t, a).Uplink.Problem != "" }, a.log)
	if found, code := doctor(t, a); code != 4 || found["collector"].Outcome != "problem" || !strings.Contains(found["collector"].Remedy, "enroll") {
		t.Errorf("revoked: exit code %d, %+v", code, found["collector"])
	}
}

// TestTokens are refused with what is wrong and what to do.
func TestTokens(t *testing.T) {
	c, other := newCollector(t), newCollector(t)
	refused := func(what, token, want string) {
		t.Helper()
		a := newAgent(t)
		r := a.cli("enroll", "--token", token, "--state", a.state)
		if r.code == 0 || !strings.Contains(r.err, want) {
			t.Errorf("%s: exit code %d, want %q in: %s", what, r.code, want, r.err)
		}
		if status(t, a).Enrolled {
			t.Errorf("%s: there is an identity", what)
		}
	}
	refused("no token at all", "hello", "token")
	once := c.token()
	newAgent(t).enroll(c)
	must(t, newAgent(t).cli("enroll", "--token", once, "--state", t.TempDir()))
	refused("used up", once, "as many machines as it may")

	// The token of one collector, presented to another: the pin does not fit.
	foreign, err := pki.ParseToken(other.token())
	if err != nil {
		t.Fatal(err)
	}
	foreign.Addresses = []string{c.agents}
	line, err := foreign.Encode()
	if err != nil {
		t.Fatal(err)
	}
	refused("of another collector", line, "certificate of another CA")
	unknown, err := pki.ParseToken(c.token())
	if err != nil {
		t.Fatal(err)
	}
	unknown.Secret[0] ^= 1
	if line, err = unknown.Encode(); err != nil {
		t.Fatal(err)
	}
	refused("with a wrong secret", line, "does not accept the token")
	nobody := other.token()
	other.end(syscall.SIGKILL)
	refused("of a collector that is gone", nobody, "cannot be reached")
}
