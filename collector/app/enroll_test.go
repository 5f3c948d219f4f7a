package app

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/pki"
	vigiav1 "vigia/proto/vigia/v1"
)

var facts = &vigiav1.MachineFacts{Hostname: "pc-017", Serial: "5CD1234XYZ", Uuid: "4c4c4544-0035-3510-8052-b4c04f564433", MachineId: "m1", Os: "Debian"}

// eachEngine runs fn with a collector on each engine.
func eachEngine(t *testing.T, fn func(t *testing.T, where string)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { fn(t, storetest.Postgres(t)) })
}

func TestEnrollReportList(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		a := c.enroll(c.token("--site", "Querétaro", "--area", "Ventas"), facts)
		l, w := a.connect(c)
		if w.GetProtocol() != vigiav1.Protocol || len(w.GetDigests()) != 0 {
			t.Errorf("welcome of a new machine: %v", w)
		}
		programs := []inventory.Program{{Name: "curl", Version: "8", Source: "deb", Scope: "machine"}, {Name: "quake", Version: "3", Source: "file", Scope: "user", User: "ana"}}
		l.submit(snapshot("pc-017", programs...))
		var rows []map[string]any
		if err := json.Unmarshal([]byte(c.cli("machine", "list", "--output", "json")), &rows); err != nil || len(rows) != 1 {
			t.Fatalf("machine list: %v %v", rows, err)
		}
		for field, want := range map[string]any{"id": a.id, "hostname": "pc-017", "serial": "", "site": "Querétaro", "area": "Ventas", "state": "active", "programs": 2.0} {
			if got := rows[0][field]; got != want && field != "serial" {
				t.Errorf("%s is %v, want %v", field, got, want)
			}
		}
		if _, err := time.Parse(time.RFC3339, rows[0]["last_seen"].(string)); err != nil || !strings.HasSuffix(rows[0]["last_seen"].(string), "Z") {
			t.Errorf("last_seen %v: %v", rows[0]["last_seen"], err)
		}
		if _, w := a.connect(c); len(w.GetDigests()) != len(inventory.Sections()) {
			t.Errorf("welcome after a report has %d digests", len(w.GetDigests()))
		}
	})
}

func TestBadTokens(t *testing.T) {
	c := start(t, t.TempDir())
	good := c.token("--uses", "1")
	c.enroll(good, facts)
	expired := c.token("--expires", "1m")
	c.clock.Store(int64(2 * time.Minute))
	revoked := c.token()
	c.cli("token", "revoke", "T3")
	foreign := c.token("--serial", "OTHER-1")
	wrong := good
	wrong.Secret = []byte(strings.Repeat("x", 24))
	for _, x := range []struct {
		name string
		tok  pki.Token
		says string
	}{{"used up", good, "as many machines as it may"}, {"expired", expired, "expired at"}, {"revoked", revoked, "was revoked"},
		{"of another machine", foreign, "for other machines"}, {"unknown", wrong, "not known here"}} {
		req, _ := request(t, x.tok, facts)
		_, err := c.enrollWith(x.tok, req)
		if status.Code(err) != codes.Unauthenticated || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v", x.name, err)
		}
		if strings.Contains(c.log.String(), string(x.tok.Secret)) {
			t.Errorf("%s: the secret is in the log", x.name)
		}
	}
}

func TestEnrollmentRefusesJunk(t *testing.T) {
	c := start(t, t.TempDir())
	tok := c.token("--uses", "100")
	for name, change := range map[string]func(*vigiav1.EnrollRequest){
		"no csr":     func(r *vigiav1.EnrollRequest) { r.CsrDer = nil },
		"junk csr":   func(r *vigiav1.EnrollRequest) { r.CsrDer = []byte(strings.Repeat("A", 3000)) },
		"broken csr": func(r *vigiav1.EnrollRequest) { r.CsrDer[len(r.CsrDer)-3] ^= 0xff },
	} {
		req, _ := request(t, tok, facts)
		change(req)
		if _, err := c.enrollWith(tok, req); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, proto := range []uint32{0, vigiav1.Protocol + 8} {
		req, _ := request(t, tok, facts)
		req.Protocol = proto
		if _, err := c.enrollWith(tok, req); status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "update the") {
			t.Errorf("protocol %d: %v", proto, err)
		}
	}
	req, key := request(t, tok, &vigiav1.MachineFacts{Hostname: strings.Repeat("ñ\x01", 2000), Serial: "Default string", Uuid: "00000000-0000-0000-0000-000000000000"})
	resp, err := c.enrollWith(tok, req)
	if err != nil {
		t.Fatalf("odd facts must not keep a machine out: %v", err)
	}
	newAgent(t, key, resp)
	if out := c.cli("token", "list", "-o", "json"); !strings.Contains(out, `"uses_left": 99`) {
		t.Errorf("refused enrollments used the token up: %s", out)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	c := start(t, t.TempDir())
	tok := c.token("--uses", "5")
	bad := tok
	bad.Secret = []byte(strings.Repeat("y", 24))
	var last error
	for range 14 {
		req, _ := request(t, bad, facts)
		_, last = c.enrollWith(bad, req)
	}
	if status.Code(last) != codes.ResourceExhausted {
		t.Errorf("after 14 wrong tokens: %v", last)
	}
	c.enroll(tok, facts) // a known token is let in from the same address
}

func TestReinstalledMachineGetsItsHistoryBack(t *testing.T) {
	c := start(t, t.TempDir())
	tok := c.token("--uses", "10")
	first := c.enroll(tok, facts)
	req, key := request(t, tok, facts)
	resp, err := c.enrollWith(tok, req)
	if err != nil || !resp.GetHistoryRestored() || resp.GetMachineId() != first.id {
		t.Fatalf("reinstalled: %v %v", resp, err)
	}
	again := newAgent(t, key, resp)
	eventually(t, "the old certificate is refused", func() bool {
		l := first.open(c)
		l.send(hello(first.nonce))
		select {
		case <-l.ended:
			return true
		case <-time.After(time.Second):
			return false
		}
	})
	again.connect(c)
	// A clone of a machine that is connected gets an identity of its own.
	if clone := c.enroll(tok, facts); clone.id == first.id {
		t.Error("the clone of a connected machine got its identity")
	}
	placeholder := &vigiav1.MachineFacts{Hostname: "x", Serial: "To be filled by O.E.M.", Uuid: facts.Uuid}
	if a, b := c.enroll(tok, placeholder), c.enroll(tok, placeholder); a.id == b.id {
		t.Error("machines with a placeholder for a serial number were merged")
	}
}

// TestACloneAtAnotherCollectorGetsAnIdentityOfItsOwn: a machine that is connected to one
// collector is not taken over by its clone's enrollment at another; one that is not
// connected anywhere gets its history back.
func TestACloneAtAnotherCollectorGetsAnIdentityOfItsOwn(t *testing.T) {
	url := storetest.Postgres(t)
	one, two := start(t, url), start(t, url)
	tok := one.token("--uses", "9")
	first := one.enroll(tok, facts)
	l, _ := first.connect(one)
	clone := two.enroll(tok, facts)
	if clone.id == first.id {
		t.Fatal("the clone got the identity of a machine that is connected to the other collector")
	}
	l.submit(snapshot("pc-017"))
	if out := two.cli("machine", "duplicates", "-o", "json"); !strings.Contains(out, first.id) || !strings.Contains(out, clone.id) {
		t.Errorf("the clone is not shown: %s", out)
	}

	other := &vigiav1.MachineFacts{Hostname: "pc-018", Serial: "5CD1234XYA", Uuid: "4c4c4544-0035-3510-8052-b4c04f564434"}
	away := one.enroll(tok, other)
	req, _ := request(t, tok, other)
	resp, err := two.enrollWith(tok, req)
	if err != nil || !resp.GetHistoryRestored() || resp.GetMachineId() != away.id {
		t.Errorf("a machine that is connected nowhere: %v, %v", resp, err)
	}
}

func TestRenew(t *testing.T) {
	c := start(t, t.TempDir())
	a := c.enroll(c.token(), facts)
	client := vigiav1.NewAgentsClient(a.dial(c))
	key, err := pki.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := pki.SignRenewal(key, csr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Renew(soon(t), &vigiav1.RenewRequest{CsrDer: csr, OldKeySignature: wrong}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("signed by the new key: %v", err)
	}
	sig, err := pki.SignRenewal(a.key, csr)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Renew(soon(t), &vigiav1.RenewRequest{CsrDer: csr, OldKeySignature: sig})
	if err != nil {
		t.Fatal(err)
	}
	next := newAgent(t, key, &vigiav1.EnrollResponse{MachineId: a.id, CertificateDer: resp.GetCertificateDer(), CaDer: resp.GetCaDer()})
	next.connect(c)
}

// TestANewMachineBelongsToItsPersonAtOnce holds that rules about a person or an area
// apply to a machine's first report: the directory knew it before it enrolled.
func TestANewMachineBelongsToItsPersonAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		people := filepath.Join(t.TempDir(), "people.csv")
		if err := os.WriteFile(people, []byte("email,name,area,site,remote,manager_email,primary_machine,role\nana@example.com,Sample Ana,Ventas,Querétaro,no,,PC-017,employee\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c.cli("org", "import", people)
		a := c.enroll(c.token(), facts)
		row := rowsOf[machineRow](t, c, "machine", "list")[0]
		if row.ID != a.id || row.Person != "ana@example.com" || row.Area != "Ventas" || row.Site != "Querétaro" {
			t.Errorf("right after its enrollment: %+v", row)
		}
		b := c.enroll(c.token("--site", "Celaya"), &vigiav1.MachineFacts{Hostname: "pc-018"})
		for _, row := range rowsOf[machineRow](t, c, "machine", "list") {
			if row.ID == b.id && (row.Person != "" || row.Site != "Celaya") {
				t.Errorf("nobody's machine: %+v", row)
			}
		}
	})
}
