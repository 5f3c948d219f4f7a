package web_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/collector/internal/web"
	"vigia/internal/pki"
)

// serialOfLaptop is a certificate of the sample laptop.
const serialOfLaptop = "00ab12"

// agentsAndAuditPages are those of tokens, agents, certificates and the audit log.
func agentsAndAuditPages() []string {
	return []string{"/administration", "/tokens", "/tokens?state=usable", "/tokens/T5", "/tokens/T4", "/tokens/T1", "/agents", "/agents?certificate=30&link=now",
		"/machines/" + laptop + "/agent", "/machines/" + freshPC + "/agent", "/certificates", "/certificates/live", "/audit", "/audit?since=2026-11-01&action=later.thing",
		"/audit/2", "/audit/3", "/audit/4", "/audit/5", "/audit/proof", "/audit/proof?seq=2&hash=00"}
}

// realAgents is the use-case with an address to put into tokens.
type realAgents struct{ *fleet.Service }

func (a realAgents) MakeToken(ctx context.Context, n fleet.NewToken) (fleet.Token, string, error) {
	n.Addresses = []string{"vigia.example.com:7443"}
	return a.CreateToken(ctx, n)
}

// agentsOver is the use-case over a real store, with a CA, a token and a certificate.
func agentsOver(t *testing.T, s *store.Store) web.Agents {
	t.Helper()
	authority, err := fleet.OpenAuthority(t.Context(), s, s, s, "CA", now)
	if err != nil {
		t.Fatal(err)
	}
	f := fleetOver(s)
	f.Authority = authority
	root := actor.With(t.Context(), actor.Actor{Kind: actor.CLI, ID: "root"})
	if _, _, err := f.CreateToken(root, fleet.NewToken{Site: "Querétaro", Uses: 2, Life: time.Hour, Addresses: []string{"a:1"}}); err != nil {
		t.Fatal(err)
	}
	err = s.SaveCertificate(t.Context(), fleet.Certificate{Serial: serialOfLaptop, Machine: laptop, NotBefore: ago(day), NotAfter: now.AddDate(0, 0, 80), Issuer: authority.CA().Fingerprint().String()})
	if err != nil {
		t.Fatal(err)
	}
	return realAgents{f}
}

func TestTokensByForms(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f, d := company(t, s)
		srv := console(t, d)
		c := client(t, srv, f, "ana@example.com")
		for field, form := range map[string]url.Values{
			"uses": {"uses": {"0"}, "expires": {"24h0m0s"}, "note": {"para la bodega"}}, "expires": {"uses": {"1"}, "expires": {"soon"}, "note": {"para la bodega"}},
			"serial": {"uses": {"1"}, "expires": {"1h0m0s"}, "serial": {"Default string"}, "note": {"para la bodega"}},
		} {
			status, body := sendForm(t, c, srv.URL+"/tokens?lang=es", form)
			if status != 422 || !strings.Contains(body, `id="`+field+`-problem"`) || !strings.Contains(body, "para la bodega") {
				t.Errorf("a wrong %s: %d\n%s", field, status, body)
			}
			sound(t, field, body)
		}
		status, body := sendForm(t, c, srv.URL+"/tokens?lang=es", url.Values{"site": {"Querétaro"}, "uses": {"20"}, "expires": {"72h0m0s"}, "serial": {"5CD1, PF-2"}, "note": {"bodega"}})
		m := regexp.MustCompile(`msiexec /i vigia-agent.msi /qn TOKEN=(vigia1\.[\w-]+)`).FindStringSubmatch(body)
		if status != 200 || m == nil || !strings.Contains(body, "vigia-agent enroll --token "+m[1]) || !strings.Contains(body, "esta única vez") {
			t.Fatalf("made: %d\n%s", status, body)
		}
		sound(t, "made", body)
		line, err := pki.ParseToken(m[1])
		if err != nil || line.Addresses[0] != "vigia.example.com:7443" {
			t.Fatalf("%+v %v", line, err)
		}
		made, err := s.TokenBySecret(t.Context(), pki.SecretHash(line.Secret))
		if err != nil || made.Uses != 20 || made.Site != "Querétaro" || len(made.Serials) != 2 || made.ExpiresAt != now.Add(72*time.Hour) || made.CreatedBy != "person:ana@example.com" {
			t.Errorf("%+v %v", made, err)
		}
		for _, page := range []string{"/tokens", "/tokens/" + made.ID, "/tokens.csv"} { // nowhere again
			if _, body := get(t, c, srv.URL+page, "es"); strings.Contains(body, m[1]) || !strings.Contains(body, made.ID) {
				t.Errorf("%s: the secret is shown again, or the token is not", page)
			}
		}
		if _, body := get(t, c, srv.URL+"/tokens/"+made.ID+"/revoke", "es"); !strings.Contains(body, "le quedaban 20 usos") {
			t.Errorf("%s", body)
		}
		if status, body = sendForm(t, c, srv.URL+"/tokens/"+made.ID+"/revoke?lang=es", nil); status != 200 || !strings.Contains(body, "se retiró") || !strings.Contains(body, "Retirada") {
			t.Errorf("revoked: %d", status)
		}
		if _, body = get(t, c, srv.URL+"/tokens?state=revoked", "es"); !strings.Contains(body, ">"+made.ID+"<") || strings.Contains(body, ">T1<") {
			t.Error("the filter by state")
		}
		if status, _ = sendForm(t, client(t, srv, f, "ivan@example.com"), srv.URL+"/tokens", url.Values{"uses": {"1"}, "expires": {"1h"}}); status != http.StatusForbidden {
			t.Errorf("the auditor makes a token: %d", status)
		}
	})
}

func TestIdentitiesAreRevokedByName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f, d := company(t, s)
		srv := console(t, d)
		c := client(t, srv, f, "ana@example.com")
		page := srv.URL + "/machines/" + laptop
		if status, body := sendForm(t, c, srv.URL+"/certificates/of/"+serialOfLaptop+"/revoke?lang=es", nil); status != 200 || !strings.Contains(body, "El certificado se retiró") || !strings.Contains(body, "Retirado") {
			t.Errorf("one certificate: %d\n%s", status, body)
		}
		if status, _ := sendForm(t, c, srv.URL+"/certificates/of/"+serialOfLaptop+"/revoke", nil); status != http.StatusConflict {
			t.Errorf("twice: %d", status)
		}
		if status, body := sendForm(t, c, page+"/revoke?lang=es", url.Values{"name": {"pc-otra"}}); status != 422 || !strings.Contains(body, `id="name-problem"`) || !strings.Contains(body, `value="pc-otra"`) {
			t.Errorf("a wrong name: %d\n%s", status, body)
		}
		m, err := s.Machine(t.Context(), laptop)
		if err != nil || m.State != fleet.Active {
			t.Fatalf("%+v %v", m, err)
		}
		if status, body := sendForm(t, c, page+"/revoke?lang=es", url.Values{"name": {m.Hostname}}); status != 200 || !strings.Contains(body, "Se retiró la identidad") {
			t.Errorf("revoked: %d\n%s", status, body)
		}
		if m, err = s.Machine(t.Context(), laptop); err != nil || m.State != fleet.Revoked {
			t.Errorf("%+v %v", m, err)
		}
	})
}

func TestTheCAIsRotatedByForms(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f, d := company(t, s)
		srv := console(t, d)
		c := client(t, srv, f, "sofia@example.com")
		if _, body := get(t, c, srv.URL+"/certificates/rotate/begin", "es"); !strings.Contains(body, "1 equipo recibe la noticia") {
			t.Errorf("%s", body)
		}
		if status, body := sendForm(t, c, srv.URL+"/certificates/rotate/begin?lang=es", nil); status != 200 || !strings.Contains(body, "El cambio empezó") || !strings.Contains(body, "0 de 1") {
			t.Fatalf("begun: %d\n%s", status, body)
		}
		if status, _ := sendForm(t, c, srv.URL+"/certificates/rotate/begin", nil); status != http.StatusConflict {
			t.Errorf("begun twice: %d", status)
		}
		res, body := get(t, c, srv.URL+"/certificates/ca.pem", "es")
		if res.StatusCode != 200 || strings.Count(body, "BEGIN CERTIFICATE") != 2 || strings.Contains(body, "PRIVATE") {
			t.Errorf("the file: %d\n%s", res.StatusCode, body)
		}
		for _, typed := range []string{"", "0", "2", "x"} {
			if status, body := sendForm(t, c, srv.URL+"/certificates/rotate/finish?lang=es", url.Values{"cut-off": {typed}}); status != 422 || !strings.Contains(body, `id="cut-off-problem"`) || !strings.Contains(body, "/machines/"+laptop+"/agent") {
				t.Errorf("finished with %q: %d\n%s", typed, status, body)
			}
		}
		if status, body := sendForm(t, c, srv.URL+"/certificates/rotate/finish?lang=es", url.Values{"cut-off": {"1"}}); status != 200 || !strings.Contains(body, "El cambio terminó") {
			t.Errorf("finished: %d\n%s", status, body)
		}
		if status, _ := sendForm(t, c, srv.URL+"/certificates/rotate/abort", nil); status != http.StatusConflict {
			t.Errorf("aborted without a rotation: %d", status)
		}
		list, err := s.AuditList(t.Context(), audit.Filter{Action: "ca"})
		if err != nil || len(list) != 3 || list[0].Action != "ca.rotate-finish" || list[0].Actor != "person:sofia@example.com" || strings.Contains(string(list[0].After), "PRIVATE") {
			t.Errorf("%+v %v", list, err)
		}
	})
}

func TestAgentsAreListedAndFiltered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		_, d := company(t, s)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		ca := d.Agents.Trusted()[0]
		must(s.SaveCollector(t.Context(), fleet.Collector{ID: "c1", Host: "uno", StartedAt: now, AliveAt: now}))
		at := ago(time.Hour)
		must(s.SaveAgents(t.Context(), []fleet.Agent{
			{Machine: laptop, Certificate: serialOfLaptop, Issuer: ca, Trusts: []string{ca}, EndsAt: now.AddDate(0, 0, 10), Protocol: 1, Collector: "c1", ConnectedAt: at, SpoolBytes: 7},
			{Machine: server, Issuer: "other", EndsAt: now.AddDate(0, 0, 60), Collector: "gone", ConnectedAt: at},
			{Machine: "0190a1b2-ffff-7000-8000-000000000000", Collector: "c1", ConnectedAt: at}, // not known: passed over
		}))
		must(s.SaveAgents(t.Context(), []fleet.Agent{{Machine: laptop, Collector: "c2", ConnectedAt: at.Add(-time.Minute), EndedAt: now}})) // of an older connection
		ctx := actor.With(t.Context(), actor.Actor{Kind: actor.Person, ID: "ana@example.com", Role: actor.Technician})
		hosts := func(f fleet.AgentFilter) (list []string) {
			t.Helper()
			page, err := d.Agents.AgentPage(ctx, f, paging.Order{})
			must(err)
			for _, a := range page.Rows {
				list = append(list, a.ID)
			}
			n, err := d.Agents.CountAgents(ctx, f, 100)
			must(err)
			if n != len(list) {
				t.Errorf("%+v: counted %d, listed %d", f, n, len(list))
			}
			return list
		}
		for _, x := range []struct {
			f    fleet.AgentFilter
			want string
		}{
			{fleet.AgentFilter{Connection: "now"}, laptop}, {fleet.AgentFilter{EndsBefore: now.AddDate(0, 0, 30)}, laptop},
			{fleet.AgentFilter{Collector: "gone"}, server}, {fleet.AgentFilter{Renewed: ca}, laptop}, {fleet.AgentFilter{Trusting: ca}, laptop},
			{fleet.AgentFilter{Certified: true}, laptop}, {fleet.AgentFilter{Behind: "another"}, laptop}, {fleet.AgentFilter{Behind: ca}, ""},
		} {
			if got := strings.Join(hosts(x.f), " "); got != x.want {
				t.Errorf("%+v: %s, want %s", x.f, got, x.want)
			}
		}
		if not := hosts(fleet.AgentFilter{Connection: "not"}); len(not) < 2 || strings.Contains(strings.Join(not, " "), laptop) {
			t.Errorf("not connected: %v", not)
		}
		for _, by := range []string{"hostname", "ends", "connected", "protocol", "failing", "oldest", "seen", "agent", "site", "state", "spooled"} {
			all, o := 0, paging.Order{By: by, Desc: true, Limit: 1}
			for {
				page, err := d.Agents.AgentPage(ctx, fleet.AgentFilter{}, o)
				must(err)
				all += len(page.Rows)
				if o.After = page.Next; o.After.IsZero() {
					break
				}
			}
			if want := len(hosts(fleet.AgentFilter{})); all != want {
				t.Errorf("by %s page by page: %d, want %d", by, all, want)
			}
		}
		if _, err := d.Agents.AgentPage(actor.With(t.Context(), actor.Actor{Kind: actor.Person, ID: "luis@example.com", Role: actor.Employee}), fleet.AgentFilter{}, paging.Order{}); err == nil {
			t.Error("an employee sees agents")
		}
	})
}
