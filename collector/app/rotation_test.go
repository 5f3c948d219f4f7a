package app

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/internal/inventory"
	"vigia/internal/pki"
	vigiav1 "vigia/proto/vigia/v1"
)

// rotation is what certificate rotate-ca tells.
func (c *collector) rotation(args ...string) (v rotationView) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(c.cli(append([]string{"certificate", "rotate-ca", "--output", "json"}, args...)...)), &v); err != nil {
		c.t.Fatal(err)
	}
	return v
}

// renew trades the agent's certificate for one by the CA that signs, as the real one does.
func (a *agent) renew(c *collector) *agent {
	a.t.Helper()
	key, err := pki.GenerateKey()
	if err != nil {
		a.t.Fatal(err)
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		a.t.Fatal(err)
	}
	sig, err := pki.SignRenewal(a.key, csr)
	if err != nil {
		a.t.Fatal(err)
	}
	resp, err := vigiav1.NewAgentsClient(a.dial(c)).Renew(soon(a.t), &vigiav1.RenewRequest{CsrDer: csr, OldKeySignature: sig})
	if err != nil {
		a.t.Fatal(err)
	}
	return newAgent(a.t, key, &vigiav1.EnrollResponse{MachineId: a.id, CertificateDer: resp.CertificateDer, CaDer: resp.CaDer})
}

// trust waits until the link is told which CAs to trust.
func (l *link) trust(want int) *vigiav1.TrustUpdate {
	l.t.Helper()
	return l.next(func(m *vigiav1.FromCollector) bool { return len(m.GetTrust().GetCaDer()) == want }).GetTrust()
}

func tell(trust *pki.Trust) *vigiav1.FromAgent {
	st := &vigiav1.AgentStatus{}
	for _, fp := range trust.Fingerprints() {
		st.CaFingerprints = append(st.CaFingerprints, fp[:])
	}
	return &vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Status{Status: st}}
}

var otherFacts = &vigiav1.MachineFacts{Hostname: "pc-away", Serial: "5CD9999ZZZ", Uuid: "4c4c4544-0035-3510-8052-b4c04f564499", MachineId: "m2", Os: "Debian"}

func TestTheCAIsRotatedWithoutLosingAMachine(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		second := c // of two collectors on one database, where that can be
		if strings.HasPrefix(where, "postgres") {
			second = start(t, where)
		}
		early := c.token("--uses", "5")
		a, away := c.enroll(early, facts), c.enroll(early, otherFacts)
		l, _ := a.connect(second)
		l.submit(snapshot("pc-017", inventory.Program{Name: "curl", Version: "8", Source: "deb", Scope: "machine"}))

		v := c.rotation("--begin")
		if !v.GoingOn || v.Machines != 2 || v.Behind != 2 || v.Renewed != 0 || len(v.CAs) != 2 || !v.CAs[0].Signs || v.CAs[0].Shown || !v.CAs[1].Shown {
			t.Fatalf("begun: %+v", v)
		}
		if _, errOut, code := c.try("certificate", "rotate-ca", "--begin"); code != 1 || !strings.Contains(errOut, "going on") {
			t.Errorf("begun twice: %d %s", code, errOut)
		}
		began := time.Now()
		update := l.trust(2) // over the connection, from the other collector
		if took := time.Since(began); took > 2*time.Second || update.GetRenewWithinMs() == 0 {
			t.Errorf("told after %s: renew within %d ms", took, update.GetRenewWithinMs())
		}
		both, err := pki.ParseTrust(update.GetCaDer())
		if err != nil {
			t.Fatal(err)
		}
		l.send(tell(both))
		eventually(t, "the agent's trust is counted", func() bool { return c.rotation().Trusting == 1 })

		fresh := c.token("--uses", "5") // pins the new CA; the early one is good until the end
		if fresh.CA == early.CA || fresh.CA.String() != v.CAs[0].Fingerprint {
			t.Errorf("the fresh token pins %s", fresh.CA)
		}
		third := second.enroll(fresh, &vigiav1.MachineFacts{Hostname: "pc-new", Os: "Debian"})
		second.enroll(early, &vigiav1.MachineFacts{Hostname: "pc-old-token", Os: "Debian"})
		third.connect(second)

		b := a.renew(second)
		if issuer, ok := both.Issuer(b.cert); !ok || issuer != fresh.CA {
			t.Errorf("renewed by %s", issuer)
		}
		lb, _ := b.connect(second)
		eventually(t, "the renewal is counted", func() bool { v := c.rotation(); return v.Renewed == 2 && v.Behind == 1 })
		if v = c.rotation(); !slices.Equal(v.Names, []string{"pc-away"}) {
			t.Errorf("behind: %v", v.Names)
		}
		if _, errOut, code := c.try("certificate", "rotate-ca", "--finish"); code != 4 || !strings.Contains(errOut, "pc-away") {
			t.Errorf("finished over the head of a machine: %d %s", code, errOut)
		}
		if v = c.rotation("--finish", "--cut-off", "1"); v.GoingOn || len(v.CAs) != 1 || v.CAs[0].Fingerprint != fresh.CA.String() {
			t.Errorf("finished: %+v", v)
		}
		lb.next(func(m *vigiav1.FromCollector) bool { return m.GetLater() != nil }) // come back, and be shown the new CA
		eventually(t, "the renewed machine reports under the new CA", func() bool { return arrives(t, b, second, fresh.CA) })
		refused(t, away, c)
		if _, err := c.enrollWith(early, first(request(t, early, otherFacts))); err == nil {
			t.Error("a token of the retired CA lets somebody in")
		}
		if out := c.cli("token", "list", "-o", "json"); !strings.Contains(out, `"other-ca"`) {
			t.Errorf("tokens: %s", out)
		}
		req, key := request(t, fresh, otherFacts) // and gets its history back by a fresh token
		resp, err := c.enrollWith(fresh, req)
		if err != nil || resp.GetMachineId() != away.id {
			t.Fatalf("enrolled again: %v %v", resp, err)
		}
		newAgent(t, key, resp).connect(c)
		c.cli("check")
	})
}

func first(req *vigiav1.EnrollRequest, _ any) *vigiav1.EnrollRequest { return req }

// arrives connects and submits, and tells whether the listener is under the CA already.
func arrives(t *testing.T, a *agent, c *collector, ca pki.Fingerprint) bool {
	t.Helper()
	if fp := a.trust.Fingerprints(); fp[0] != ca {
		t.Fatalf("trusts %s", fp)
	}
	only, err := pki.NewTrust(a.trust.Newest())
	if err != nil {
		t.Fatal(err)
	}
	b := *a
	b.trust = only
	l := b.open(c)
	l.send(hello(b.nonce))
	select {
	case <-l.ended:
		return false
	case m, ok := <-l.in:
		if !ok || m.GetWelcome() == nil {
			return false
		}
	}
	l.submit(snapshot("pc-017", inventory.Program{Name: "curl", Version: "9", Source: "deb", Scope: "machine"}))
	return true
}

// refused shows that an agent is not taken, also where it believes the listener.
func refused(t *testing.T, a *agent, c *collector) {
	t.Helper()
	eventually(t, "an agent that missed the rotation does not know the listener", func() bool { // once this collector has taken it over
		l := a.open(c)
		l.send(hello(a.nonce))
		_, err := l.end(20 * time.Second)
		return strings.Contains(err.Error(), "certificate signed by unknown authority")
	})
	knowing := *a
	knowing.trust = c.App.desk.authority.Trust()
	l := knowing.open(c)
	l.send(hello(a.nonce))
	if _, err := l.end(20 * time.Second); status.Code(err) != codes.Unavailable {
		t.Errorf("with a certificate of the retired CA: %v", err)
	}
}

func TestARotationIsAborted(t *testing.T) {
	c := start(t, t.TempDir())
	c.rotation("--begin")
	if v := c.rotation("--abort"); v.GoingOn || len(v.CAs) != 1 { // nobody has a certificate by it
		t.Fatalf("aborted before anybody renewed: %+v", v)
	}
	for _, step := range []string{"--abort", "--finish"} {
		if _, errOut, code := c.try("certificate", "rotate-ca", step); code != 1 || !strings.Contains(errOut, "No CA rotation is going on") {
			t.Errorf("%s without a rotation: %d %s", step, code, errOut)
		}
	}
	a := c.enroll(c.token(), facts)
	a.connect(c)
	old := a.trust.Fingerprints()[0]
	c.rotation("--begin")
	eventually(t, "the collector signs with the new CA", func() bool { return c.App.desk.authority.CA().Fingerprint() != old })
	b := a.renew(c)
	l, _ := b.connect(c)
	eventually(t, "the renewal is counted", func() bool { return c.rotation().Renewed == 1 })
	v := c.rotation("--abort")
	if !v.GoingOn || !v.Aborted || len(v.CAs) != 2 || v.CAs[0].Fingerprint != old.String() || v.Behind != 1 {
		t.Fatalf("aborted: %+v", v)
	}
	both, err := pki.ParseTrust(l.next(func(m *vigiav1.FromCollector) bool {
		tr, err := pki.ParseTrust(m.GetTrust().GetCaDer())
		return err == nil && tr.Fingerprints()[0] == old
	}).GetTrust().GetCaDer())
	if err != nil || len(both.Fingerprints()) != 2 {
		t.Fatalf("told: %v %v", both, err)
	}
	back := b.renew(c)
	if issuer, _ := both.Issuer(back.cert); issuer != old {
		t.Errorf("renewed by %s", issuer)
	}
	back.connect(c)
	eventually(t, "back under the CA of before", func() bool { return c.rotation().Behind == 0 })
	if v = c.rotation("--finish"); v.GoingOn || len(v.CAs) != 1 || v.CAs[0].Fingerprint != old.String() {
		t.Errorf("the abort finished: %+v", v)
	}
	if out := c.cli("check"); !strings.Contains(out, "nothing is wrong") {
		t.Error(out)
	}
}

// TestACopyKeepsBothCAs restores a copy made in the middle of a rotation.
func TestACopyKeepsBothCAs(t *testing.T) {
	dir := t.TempDir()
	c := start(t, dir)
	c.rotation("--begin")
	file := t.TempDir() + "/copy.db"
	c.cli("backup", "file", file)
	where := t.TempDir()
	if _, errOut, code := command("restore", file, "--data", where); code != 0 {
		t.Fatal(errOut)
	}
	again := start(t, where)
	if before, after := c.rotation(), again.rotation(); len(after.CAs) != 2 || after.CAs[0] != before.CAs[0] || after.CAs[1] != before.CAs[1] || !after.GoingOn {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func TestOneCertificateIsRevoked(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		a := c.enroll(c.token(), facts)
		b := a.renew(c)
		la, _ := a.connect(c)
		serial := pki.SerialText(a.cert)
		c.cli("certificate", "revoke", serial)
		if took, _ := la.end(10 * time.Second); took > 5*time.Second {
			t.Errorf("the connection was closed after %s", took)
		}
		lb, _ := b.connect(c) // the other certificate of the machine is good
		lb.submit(snapshot("pc-017"))
		if _, errOut, code := c.try("certificate", "revoke", strings.ToUpper(serial)); code != 1 || !strings.Contains(errOut, "already") {
			t.Errorf("revoked twice: %d %s", code, errOut)
		}
		if _, _, code := c.try("certificate", "revoke", "00ff"); code != 3 {
			t.Errorf("an unknown one: %d", code)
		}
		var one certificateRow
		if err := json.Unmarshal([]byte(c.cli("certificate", "show", serial, "-o", "json")), &one); err != nil || one.State != "revoked" || one.Hostname != "pc-017" {
			t.Errorf("%+v, %v", one, err)
		}
	})
}

func TestAgentsByCommand(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		tok := c.token("--uses", "2")
		a := c.enroll(tok, facts)
		c.enroll(tok, otherFacts)
		l, _ := a.connect(c)
		l.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Status{Status: &vigiav1.AgentStatus{Spooled: 3, SpoolBytes: 4096, OldestUnixMs: 1_700_000_000_000}}})
		rows := func(args ...string) (list []agentRow) {
			t.Helper()
			if err := json.Unmarshal([]byte(c.cli(append([]string{"agent", "list", "-o", "json"}, args...)...)), &list); err != nil {
				t.Fatal(err)
			}
			return list
		}
		eventually(t, "the connection is written down", func() bool {
			list := rows("--connection", "now")
			return len(list) == 1 && list[0].SpoolBytes == 4096 && list[0].Spooled == 3
		})
		got := rows("--spooled")[0]
		if got.Hostname != "pc-017" || got.Version != "1.2.3" || got.Protocol != vigiav1.Protocol || got.Certificate != pki.SerialText(a.cert) || got.Collector == "" ||
			got.SpoolOldest == nil || got.CA != tok.CA.String() || got.ConnectedAt == nil || got.EndedAt != nil {
			t.Errorf("%+v", got)
		}
		for filter, want := range map[string]int{"--connection=never": 1, "--connection=not": 1, "--ending=1": 0, "--ending=91": 1, "--of-version=1.2.3": 1, "--of-version=9": 0, "--failing": 0, "--silent=1": 0, "away": 1} {
			if list := rows(filter); len(list) != want {
				t.Errorf("%s: %d agents, want %d", filter, len(list), want)
			}
		}
		var one struct{ Certificates []certificateRow }
		if err := json.Unmarshal([]byte(c.cli("agent", "show", "pc-017", "-o", "json")), &one); err != nil || len(one.Certificates) != 1 || one.Certificates[0].State != "good" {
			t.Errorf("%+v, %v", one, err)
		}
		c.cli("agent", "show", "pc-017")
		_ = l.st.CloseSend()
		eventually(t, "the end is written down", func() bool { return len(rows("--connection", "now")) == 0 })
		if _, _, code := c.try("agent", "list", "--ending", "-1"); code != 2 {
			t.Errorf("a wrong flag: %d", code)
		}
	})
}
