package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/pki"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

func TestRevocationReachesOtherCollectors(t *testing.T) {
	url := storetest.Postgres(t)
	one, two := start(t, url), start(t, url)
	a := one.enroll(one.token(), facts)
	l, _ := a.connect(two)
	if _, err := one.desk.fleet.Revoke(context.Background(), "pc-017"); err != nil {
		t.Fatal(err)
	}
	took, err := l.end(5 * time.Second)
	t.Logf("closed on the other collector after %s: %v", took, err)
	for _, c := range []*collector{one, two} {
		again := a.open(c)
		again.send(hello(a.nonce))
		if _, err := again.end(10 * time.Second); err == nil {
			t.Error("a revoked machine connected again")
		}
	}
}

// TestAMachineOfAnotherCompanyIsRefused: a certificate that another CA signed, for an
// identity that exists here, and one that signed itself.
func TestAMachineOfAnotherCompanyIsRefused(t *testing.T) {
	c := start(t, t.TempDir())
	a := c.enroll(c.token(), facts)
	foreign, err := pki.NewCA("another company", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.NewCSR(a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = foreign.IssueMachine(csr, a.id, "pc-017", time.Now()); err != nil {
		t.Fatal(err)
	}
	l := a.open(c)
	l.send(hello(a.nonce))
	if _, err := l.end(10 * time.Second); err == nil || status.Code(err) != codes.Unavailable {
		t.Errorf("a certificate of another CA: %v", err)
	}
	if out := rowsOf[machineRow](t, c, "machine", "list"); out[0].LastSeen != nil {
		t.Errorf("it was taken for the machine: %+v", out)
	}
}

// TestAClockThatIsADayOff: the machine is served, told the right time, and noted.
func TestAClockThatIsADayOff(t *testing.T) {
	c := start(t, t.TempDir())
	b := browser(t)
	for i, off := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		there := func() time.Time { return time.Now().Add(off) }
		host := fmt.Sprintf("pc-%d", i)
		tok := c.token()
		req, key := request(t, tok, &vigiav1.MachineFacts{Hostname: host})
		req.SentAtUnixMs = there().UnixMilli()
		resp, err := vigiav1.NewEnrollmentClient(dial(t, c.Addrs().Agents, pki.EnrollTLS(tok.CA, there))).Enroll(soon(t), req)
		if err != nil {
			t.Fatalf("%s off: enrolling: %v", off, err)
		}
		a := newAgent(t, key, resp)
		leaf := &tls.Certificate{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key, Leaf: a.cert}
		l := a.openOver(dial(t, c.Addrs().Agents, pki.ClientTLS(a.trust, func() (*tls.Certificate, error) { return leaf, nil }, there)))
		m := hello(a.nonce)
		m.GetHello().SentAtUnixMs = there().UnixMilli()
		l.send(m)
		w := l.next(func(*vigiav1.FromCollector) bool { return true }).GetWelcome()
		if told := time.UnixMilli(w.GetCollectorTimeUnixMs()); time.Since(told).Abs() > time.Minute {
			t.Errorf("%s off: told that it is %s", off, told)
		}
		s := snapshot(host, inventory.Program{Name: "curl", Version: "8", Source: "deb", Scope: "machine"})
		s.TakenAt = there().UTC()
		l.submit(s)
		row := rowsOf[machineRow](t, c, "machine", "list", host)[0]
		if row.LastSeen == nil || time.Since(*row.LastSeen).Abs() > time.Minute || row.Programs != 1 {
			t.Errorf("%s off: %+v: last seen goes by the collector's clock", off, row)
		}
	}
	if _, body := get(t, b, "http://"+c.Addrs().Metrics+"/metrics"); !strings.Contains(body, "vigia_clock_skew_total 2") {
		t.Error("clocks that are off are not counted")
	}
}

// TestADeltaOnAnUnknownDigest: the collector asks for the whole section and stores
// nothing of the delta.
func TestADeltaOnAnUnknownDigest(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		l, _ := c.enroll(c.token(), facts).connect(c)
		have := snapshot("pc-017", inventory.Program{Name: "curl", Version: "8", Source: "deb", Scope: "machine"})
		l.submit(have)
		for _, base := range []inventory.Digest{{9}, {}} {
			id, err := wire.NewID(time.Now(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			d := &inventory.Delta{Base: base, Result: inventory.Digest{8}, Set: []inventory.Program{{Name: "quake", Version: "1", Source: "file", Scope: "machine"}}}
			body, err := wire.NewCodec(wire.Limits{}).EncodeReport(&wire.Report{ID: id, TakenAt: time.Now(), Protocol: vigiav1.Protocol, Cause: wire.CauseNoticed,
				Sections: []wire.SectionUpdate{{Section: inventory.SectionSoftware, Body: wire.BodyDelta, Base: d.Base, Result: d.Result, Delta: d}}})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range wire.Split(id[:], body) {
				l.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Report{Report: p}})
			}
			m := l.next(func(m *vigiav1.FromCollector) bool { return m.GetNeed() != nil || m.GetAck() != nil })
			if !bytes.Equal(m.GetNeed().GetReportId(), id[:]) || !slices.Equal(m.GetNeed().GetSections(), []string{"software"}) {
				t.Errorf("answer: %v", m)
			}
		}
		if list := rowsOf[softwareRow](t, c, "software", "list"); len(list) != 1 || list[0].Name != "curl" {
			t.Errorf("software: %+v", list)
		}
		c.cli("check")
	})
}

// TestOddReportsOverTheWire: what cannot be kept of a report costs nothing else of it.
func TestOddReportsOverTheWire(t *testing.T) {
	c := start(t, t.TempDir())
	a := c.enroll(c.token(), facts)
	l, _ := a.connect(c)
	s := snapshot("pc-017")
	s.Software = []inventory.Program{
		{Name: "curl", Version: "8", Source: "deb", Scope: "machine"},
		{Name: "broken\xff\xfe", Version: "1", Source: "deb", Scope: "machine"},
		{Name: "nul\x00nul", Version: "1", Source: "deb", Scope: "machine"},
		{Name: strings.Repeat("a", 1<<20), Version: "1", Source: "deb", Scope: "machine"},
		{Name: "year0", Version: "1", Source: "deb", Scope: "machine", InstalledAt: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Name: "year9999", Version: "1", Source: "deb", Scope: "machine", InstalledAt: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)},
		{Name: "unknown enum", Version: "1", Source: "no-such-source", Scope: "galaxy"},
	}
	if ack := l.submit(s); len(ack.GetRemarks()) < 5 {
		t.Errorf("remarks %v", ack.GetRemarks())
	}
	if row := rowsOf[machineRow](t, c, "machine", "list")[0]; row.Programs != len(s.Software) {
		t.Errorf("%+v, want %d programs", row, len(s.Software))
	}
	for _, line := range rowsOf[softwareRow](t, c, "software", "list") {
		if len(line.Name) > 2000 || strings.Contains(line.Name, "\x00") || !utf8.ValidString(line.Name) {
			t.Errorf("kept %.80q…", line.Name)
		}
	}
	many := snapshot("pc-017")
	for i := range inventory.MaxPrograms + 1 {
		many.Software = append(many.Software, inventory.Program{Name: fmt.Sprintf("program-%06d", i), Version: "1", Source: "deb", Scope: "machine"})
	}
	ack := l.submit(many)
	if row := rowsOf[machineRow](t, c, "machine", "list")[0]; row.Programs != inventory.MaxPrograms || len(ack.GetRemarks()) == 0 {
		t.Errorf("of %d programs %d are kept, remarks %v", len(many.Software), row.Programs, ack.GetRemarks())
	}
	c.cli("check")
}

// leafOf is a machine's certificate for TLS.
func leafOf(t testing.TB, key any, der []byte) *tls.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}
}
