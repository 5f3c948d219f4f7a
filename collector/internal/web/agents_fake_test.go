package web_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ledger"
	"vigia/collector/internal/paging"
	"vigia/internal/pki"
)

// fakeAgents has tokens of each state, agents of each kind, and a rotation half-way.
type fakeAgents struct {
	f  *fake
	ca []*pki.CA
}

var sampleCAs = sync.OnceValue(func() []*pki.CA {
	var list []*pki.CA
	for _, at := range []time.Time{now.Add(-2 * time.Hour), now.AddDate(-9, -6, 0)} {
		ca, err := pki.NewCA("Vigía collector CA "+at.Format(time.DateOnly), at)
		if err != nil {
			panic(err)
		}
		list = append(list, ca)
	}
	return list
})

func newFakeAgents(f *fake) fakeAgents { return fakeAgents{f, sampleCAs()} }

func (a fakeAgents) Trusted() []string {
	return []string{a.ca[0].Fingerprint().String(), a.ca[1].Fingerprint().String()}
}

func (a fakeAgents) tokens() []fleet.Token {
	return []fleet.Token{
		{Row: 5, ID: "T5", Site: "Querétaro", Area: "Ingeniería", UsesLeft: 17, Uses: 20, ExpiresAt: now.Add(30 * time.Hour), CreatedAt: ago(time.Hour), CreatedBy: "person:ana@example.com", Note: markup, CA: a.Trusted()[0]},
		{Row: 4, ID: "T4", UsesLeft: 1, Uses: 1, Serials: []string{"5CD1234XYZ", "PF-2ABC"}, ExpiresAt: now.Add(time.Hour), CreatedAt: ago(day), CreatedBy: "cli:root", CA: strings.Repeat("ab", 32)},
		{Row: 3, ID: "T3", Site: "Querétaro", ExpiresAt: now.Add(time.Hour), Uses: 1, CreatedAt: ago(day), CreatedBy: "cli:root"},
		{Row: 2, ID: "T2", UsesLeft: 1, ExpiresAt: ago(day), CreatedAt: ago(3 * day), CreatedBy: "cli:root"},
		{Row: 1, ID: "T1", UsesLeft: 1, ExpiresAt: now.Add(day), CreatedAt: ago(9 * day), RevokedAt: ago(day), CreatedBy: "person:sofia@example.com"},
	}
}

func (a fakeAgents) TokenPage(_ context.Context, q fleet.TokenFilter, o paging.Order) (paging.Page[fleet.Token], error) {
	var list []fleet.Token
	for _, t := range a.tokens() {
		if !a.f.empty && (q.State == "" || t.StateAt(now, a.Trusted()) == q.State) && strings.Contains(t.Site+t.Note, q.Query) {
			list = append(list, t)
		}
	}
	return pageOf(list, o, a.f.broken)
}

func (a fakeAgents) CountTokens(ctx context.Context, q fleet.TokenFilter, _ int) (int, error) {
	p, err := a.TokenPage(ctx, q, paging.Order{Limit: 100})
	return len(p.Rows), err
}

func (a fakeAgents) TokenByID(_ context.Context, id string) (fleet.Token, error) {
	for _, t := range a.tokens() {
		if t.ID == id {
			return t, a.f.broken
		}
	}
	return fleet.Token{}, apperr.New(apperr.NotFound, "token.unknown", apperr.Args{"token": id})
}

func (a fakeAgents) MakeToken(_ context.Context, n fleet.NewToken) (fleet.Token, string, error) {
	if n.Uses < 1 {
		return fleet.Token{}, "", apperr.New(apperr.Invalid, "token.bad-field", apperr.Args{"field": "uses", "value": n.Uses, "want": "1"})
	}
	return a.tokens()[0], "vigia1." + strings.Repeat("AbCd0123", 24), a.f.broken
}

func (a fakeAgents) RevokeToken(ctx context.Context, id string) (fleet.Token, error) {
	a.f.asked = append(a.f.asked, id+" revoke token")
	return a.TokenByID(ctx, id)
}

func (a fakeAgents) agents() []fleet.AgentRow {
	var list []fleet.AgentRow
	for i, m := range a.f.machines {
		row := fleet.AgentRow{Machine: m, Link: fleet.Agent{Machine: m.ID, Certificate: "5f2ab8c1d0e94f6a", Issuer: a.Trusted()[i%2], EndsAt: now.AddDate(0, 0, 70-35*i), Trusts: a.Trusted(),
			Protocol: 1, Collector: "c1", Host: "vigia.example.com", ConnectedAt: ago(3 * time.Hour), Connected: i%2 == 0, SpoolBytes: 9 << 20, SpoolOldest: ago(day), ClockBehind: 9 * time.Minute}}
		if i == 2 {
			row.Link = fleet.Agent{}
		}
		list = append(list, row)
	}
	return list
}

func (a fakeAgents) AgentPage(_ context.Context, q fleet.AgentFilter, o paging.Order) (paging.Page[fleet.AgentRow], error) {
	var list []fleet.AgentRow
	for _, x := range a.agents() {
		if !a.f.empty && strings.Contains(x.Hostname, q.Query) && (q.Connection != "now" || x.Link.Connected) {
			list = append(list, x)
		}
	}
	return pageOf(list, o, a.f.broken)
}

func (a fakeAgents) CountAgents(ctx context.Context, q fleet.AgentFilter, _ int) (int, error) {
	p, err := a.AgentPage(ctx, q, paging.Order{Limit: 100})
	return len(p.Rows), err
}

func (a fakeAgents) certificates(machine string) []fleet.Certificate {
	return []fleet.Certificate{
		{Serial: "5f2ab8c1d0e94f6a", Machine: machine, NotBefore: ago(20 * day), NotAfter: now.AddDate(0, 0, 70), Issuer: a.Trusted()[0]},
		{Serial: "1e", Machine: machine, NotBefore: ago(80 * day), NotAfter: now.AddDate(0, 0, 10), RevokedAt: ago(day), Issuer: a.Trusted()[1]},
		{Serial: "0d", Machine: machine, NotBefore: ago(180 * day), NotAfter: ago(90 * day), Issuer: a.Trusted()[1]},
	}
}

func (a fakeAgents) AgentOf(_ context.Context, machine string) (fleet.Agent, []fleet.Certificate, error) {
	for _, x := range a.agents() {
		if x.ID == machine && !x.Link.ConnectedAt.IsZero() {
			return x.Link, a.certificates(machine), a.f.broken
		}
	}
	return fleet.Agent{}, nil, a.f.broken
}

func (a fakeAgents) Versions(context.Context) ([]fleet.AgentVersion, error) {
	return []fleet.AgentVersion{{Version: "1.2.0", Machines: 310}, {Version: "1.1.0", Machines: 9}}, a.f.broken
}

func (a fakeAgents) Collectors(context.Context) ([]fleet.Collector, error) {
	return []fleet.Collector{{ID: "c1", Host: "vigia.example.com", Listens: "0.0.0.0:7443", Version: "1.2.0", StartedAt: ago(4 * day), AliveAt: ago(time.Second), Connected: 298},
		{ID: "c2", Host: "vigia-2.example.com", Listens: "0.0.0.0:7443", Version: "1.1.0", StartedAt: ago(9 * day), AliveAt: ago(time.Hour), Connected: 3}}, a.f.broken
}

func (a fakeAgents) CertificateOf(_ context.Context, serial string) (fleet.Certificate, error) {
	for _, x := range a.certificates(laptop) {
		if x.Serial == serial {
			return x, nil
		}
	}
	return fleet.Certificate{}, apperr.New(apperr.NotFound, "certificate.unknown", apperr.Args{"serial": serial})
}

func (a fakeAgents) RevokeCertificate(ctx context.Context, serial string) (fleet.Certificate, error) {
	a.f.asked = append(a.f.asked, serial+" revoke certificate")
	return a.CertificateOf(ctx, serial)
}

func (a fakeAgents) Revoke(_ context.Context, query string) (fleet.Machine, error) {
	a.f.asked = append(a.f.asked, query+" revoke")
	return fleet.Machine{}, a.f.broken
}

func (a fakeAgents) Release(_ context.Context, query string) (fleet.Machine, error) {
	a.f.asked = append(a.f.asked, query+" release")
	return fleet.Machine{}, a.f.broken
}

func (a fakeAgents) CAs(context.Context) (*fleet.Authorities, error) {
	trust, err := pki.NewTrust(a.ca[0].Cert, a.ca[1].Cert)
	if a.f.empty {
		return &fleet.Authorities{CAs: a.ca[1:], Trust: trust}, err
	}
	return &fleet.Authorities{CAs: a.ca, Trust: trust, Rotation: &fleet.Rotation{BegunAt: ago(2 * time.Hour), BegunBy: "person:sofia@example.com", From: a.Trusted()[1], To: a.Trusted()[0], Shown: a.Trusted()[1]}}, err
}

func (a fakeAgents) Progress(context.Context) (fleet.Progress, error) {
	if a.f.empty {
		return fleet.Progress{}, a.f.broken
	}
	return fleet.Progress{Machines: 312, Trusting: 300, Renewed: 288, Behind: 24}, a.f.broken
}

func (a fakeAgents) BehindPage(_ context.Context, o paging.Order) (paging.Page[fleet.AgentRow], error) {
	return pageOf(a.agents(), o, a.f.broken)
}

func (a fakeAgents) BeginRotation(context.Context) (*fleet.Rotation, error) {
	return nil, apperr.New(apperr.Conflict, "ca.rotation-going-on", nil)
}
func (a fakeAgents) AbortRotation(context.Context) (bool, error) { return true, a.f.broken }
func (a fakeAgents) FinishRotation(_ context.Context, cutOff int) (fleet.Progress, error) {
	if cutOff != 24 {
		return fleet.Progress{}, apperr.New(apperr.TooMany, "ca.would-cut-off", apperr.Args{"count": 24, "given": cutOff, "machines": "pc-1"})
	}
	return fleet.Progress{}, a.f.broken
}

// sampleLedger is a ledger over a chain in memory with an entry of each sort.
func sampleLedger(t testing.TB, f *fake) *ledger.Service {
	t.Helper()
	return &ledger.Service{Store: newChain(f), Now: func() time.Time { return now }}
}

type chain struct {
	f    *fake
	list []audit.Entry
}

func newChain(f *fake) *chain {
	c := &chain{f: f}
	var prev [32]byte
	for i, e := range []audit.Entry{
		{Actor: "system:unknown", Action: "ca.create", Object: "ca/" + strings.Repeat("ab", 8), Before: []byte("null"), After: audit.JSON(map[string]any{"name": "CA", "fingerprint": strings.Repeat("ab", 32)})},
		{Actor: "person:ana@example.com", Action: "machine.assign", Object: "machine/" + laptop, Before: audit.JSON(map[string]any{"site": "", "tags": []string{}, "area": "Ventas"}), After: audit.JSON(map[string]any{"site": "Querétaro", "tags": []string{"kiosco", markup}, "area": "Ventas"})},
		{Actor: "cli:root", Action: "token.create", Object: "token/T5", Before: []byte("null"), After: audit.JSON(map[string]any{"uses_left": 20, "expires_at": now, "note": markup, "password": "hunter2hunter2"})},
		{Actor: "person:sofia@example.com", Action: "allowlist.mode", Object: "allowlist/3", Before: audit.JSON(map[string]any{"Mode": "learn", "Rules": []any{map[string]any{"id": "x"}}}), After: audit.JSON(map[string]any{"Mode": "enforce", "Rules": []any{map[string]any{"id": "x"}}})},
		{Actor: "machine:" + laptop, Action: "later.thing", Object: "thing/9", Before: []byte("null"), After: []byte(`"text"`)},
	} {
		e.Seq, e.At, e.Prev = int64(i+1), ago(time.Duration(9-i)*time.Hour), prev
		e.Hash = e.Sum()
		prev = e.Hash
		c.list = append(c.list, e)
	}
	return c
}

func (c *chain) AuditEntries(_ context.Context, from int64, limit int) (out []audit.Entry, err error) {
	for _, e := range c.list {
		if e.Seq >= from && len(out) < limit && !c.f.empty {
			out = append(out, e)
		}
	}
	return out, c.f.broken
}

func (c *chain) AuditList(context.Context, audit.Filter) ([]audit.Entry, error) { return c.list, nil }
func (c *chain) VerifyAudit(context.Context) (int64, error)                     { return 0, nil }
func (c *chain) AuditPage(_ context.Context, q audit.Filter, o paging.Order) (paging.Page[audit.Entry], error) {
	var list []audit.Entry
	for i := len(c.list) - 1; i >= 0; i-- {
		if e := c.list[i]; !c.f.empty && strings.Contains(e.Actor+e.Action, q.Query) && (q.Action == "" || e.Action == q.Action) {
			list = append(list, e)
		}
	}
	return pageOf(list, o, c.f.broken)
}

func (c *chain) CountAudit(context.Context, audit.Filter, int) (int, error) {
	return len(c.list), c.f.broken
}

func (c *chain) AuditEntry(_ context.Context, seq int64) (audit.Entry, error) {
	if seq < 1 || seq > int64(len(c.list)) {
		return audit.Entry{}, apperr.New(apperr.NotFound, "audit.unknown", apperr.Args{"seq": seq})
	}
	return c.list[seq-1], c.f.broken
}

func (c *chain) AuditHead(context.Context) (audit.Entry, error) {
	if c.f.empty {
		return audit.Entry{}, nil
	}
	return c.list[len(c.list)-1], c.f.broken
}

func (c *chain) AuditActions(context.Context) ([]string, error) {
	return []string{"ca.create", "machine.assign", "later.thing"}, nil
}
func (c *chain) SaveProof(context.Context, ledger.Proof) error { return nil }
func (c *chain) Proofs(context.Context, int) ([]ledger.Proof, error) {
	if c.f.empty {
		return nil, nil
	}
	return []ledger.Proof{{StartedAt: ago(time.Hour), EndedAt: ago(time.Hour), StartedBy: "system:audit", Entries: 5, Of: 5, Head: c.list[4].Hash},
		{StartedAt: ago(day), EndedAt: ago(day), StartedBy: "person:ivan@example.com", Entries: 2, Of: 5, Head: c.list[1].Hash, BrokenAt: 3, Problem: "content"}}, nil
}
