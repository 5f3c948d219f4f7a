package web_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"

	"time"
)

// fleetOver is the use-case over a real store.
func fleetOver(s *store.Store) *fleet.Service {
	clock := func() time.Time { return now }
	in := ingest.New(ingest.Config{Store: s, Allowlists: s, Records: s.Nonconformities(), Directory: s, Now: clock, Name: "web"})
	return fleet.New(fleet.Deps{Tx: s, Machines: s, Groups: s, Tokens: s, Certificates: s, Agents: s, Changes: s, Commands: s, Findings: in, Audit: s, Now: clock, NewID: uuid.NewString})
}

// sendForm posts a form as a browser without JavaScript does, and returns the page that it
// ends at.
func sendForm(t *testing.T, c *http.Client, url string, form url.Values) (int, string) {
	t.Helper()
	res, err := c.PostForm(url, form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// TestMachineFormsWithoutJavaScript assigns, groups, retires and asks through plain forms.
func TestMachineFormsWithoutJavaScript(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f, d := company(t, s)
		d.Fleet = fleetOver(s)
		srv := console(t, d)
		c := client(t, srv, f, "ana@example.com")
		page := srv.URL + "/machines/" + laptop
		machine := func() fleet.Machine {
			t.Helper()
			m, err := s.Machine(t.Context(), laptop)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		expect := func(what string, status, want int, body string, holds ...string) {
			t.Helper()
			for _, h := range holds {
				if !strings.Contains(body, h) {
					t.Errorf("%s: no %q on the page", what, h)
				}
			}
			if sound(t, what, body); status != want {
				t.Fatalf("%s: %d\n%s", what, status, body)
			}
		}
		status, body := sendForm(t, c, page+"/assign", url.Values{"site": {"Cliente norte"}, "area": {"Compras"}, "person": {"EVA@example.com"}, "tags": {"kiosco, préstamo"}, "groups": {"a mano"}})
		expect("assign", status, 200, body, "Los datos del equipo se guardaron", "Cliente norte", "kiosco", "a mano")
		if m := machine(); m.Person != "eva@example.com" || !slices.Equal(m.Tags, []string{"kiosco", "préstamo"}) || !slices.Equal(m.Groups, []string{"a mano", "kioscos"}) {
			t.Errorf("%+v", m)
		}
		for field, form := range map[string]url.Values{"person": {"person": {"nadie@example.com"}}, "groups": {"groups": {"kioscos"}}, "tags": {"tags": {strings.Repeat("x", 201)}}} {
			status, body = sendForm(t, c, page+"/assign", form)
			expect("assign a wrong "+field, status, 422, body, `id="`+field+`-problem"`)
		}
		status, body = sendForm(t, c, srv.URL+"/groups", url.Values{"name": {"Norte"}, "sites": {"Cliente norte"}, "tags": {"KIOSCO\r\notra"}, "preview": {"yes"}})
		expect("preview", status, 200, body, "pc-017", "1 equipo", `value="Norte"`)
		status, body = sendForm(t, c, srv.URL+"/groups", url.Values{"name": {"Norte"}, "sites": {"Cliente norte"}, "tags": {"KIOSCO\r\notra"}})
		expect("group", status, 200, body, "El grupo se creó", "pc-017", "Por regla")
		status, body = sendForm(t, c, srv.URL+"/groups", url.Values{"name": {"norte"}})
		expect("the same name", status, 422, body, "Ya hay un grupo llamado norte")
		status, body = sendForm(t, c, srv.URL+"/groups/of/Norte", url.Values{"hostnames": {"none*"}, "about": {"nadie"}})
		expect("changed", status, 200, body, "Ningún equipo está en este grupo", "nadie")
		status, body = sendForm(t, c, srv.URL+"/groups/of/Norte/delete", nil)
		expect("deleted", status, 200, body, "El grupo se eliminó")

		status, body = sendForm(t, c, page+"/report", nil)
		expect("ask", status, 200, body, "ana@example.com", `hx-get="/machines/`+laptop+`/asked"`)
		list, err := s.Commands(t.Context(), laptop, 5)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v %v", list, err)
		}
		if err := s.FinishCommand(t.Context(), list[0].ID, true, "", now); err != nil {
			t.Fatal(err)
		}
		res, body := get(t, c, page+"/asked", "es")
		expect("asked", res.StatusCode, 200, body, "El equipo lo envió")

		status, body = sendForm(t, c, page+"/retire", nil)
		expect("retire", status, 200, body, "El equipo se dio de baja", "Deshacer")
		if m := machine(); m.State != fleet.Archived {
			t.Errorf("%+v", m)
		}
		status, body = sendForm(t, c, page+"/restore", nil)
		expect("restore", status, 200, body, "otra vez como antes")
		if m := machine(); m.State != fleet.Active {
			t.Errorf("%+v", m)
		}
		res, body = get(t, c, page+"/history?kind=done", "es")
		expect("history", res.StatusCode, 200, body, "Se dio de baja", "Se volvió a poner en servicio", "Sitio: Querétaro → Cliente norte", "ana@example.com")
	})
}

// TestHistoryIsNarrowed looks for what came, went and changed, by kind, name and day.
func TestHistoryIsNarrowed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f, d := company(t, s)
		srv := console(t, d)
		c := client(t, srv, f, "ana@example.com")
		for query, want := range map[string]struct{ has, not string }{
			"?kind=went":                {"AnyDesk", "Primer inventario"},
			"?kind=came":                {"Primer inventario", "<strong>Se quitó"},
			"?q=anydesk":                {"AnyDesk", "telegram"},
			"?q=ANYDESK&kind=came":      {"AnyDesk", "<strong>Se quitó"},
			"?to=2020-01-01":            {"Ningún", "AnyDesk"},
			"?from=2026-01-01&kind=nop": {"AnyDesk", "‹"},
		} {
			_, body := get(t, c, srv.URL+"/machines/"+laptop+"/history"+query, "es")
			_, line, _ := strings.Cut(body, `<section class="card">`)
			if want.has == "Ningún" {
				want.has = "vg-empty"
			}
			if !strings.Contains(line, want.has) || strings.Contains(line, want.not) {
				t.Errorf("%s: want %q and not %q in\n%s", query, want.has, want.not, line)
			}
		}
	})
}

// TestCompareShowsWhatDiffers takes a program away from one of two machines.
func TestCompareShowsWhatDiffers(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	fresh := report(t, s, freshPC)
	res, body := get(t, client(t, srv, f, "ana@example.com"), srv.URL+"/machines/"+laptop+"/compare?with="+freshPC, "es")
	if _, only, _ := strings.Cut(body, "Solo en pc-300"); res.StatusCode != 200 || !strings.Contains(only, fresh) || !strings.Contains(body, "Distinto") {
		t.Errorf("%d, or no %s: %s", res.StatusCode, fresh, body)
	}
	if res, body := get(t, client(t, srv, f, "luis@example.com"), srv.URL+"/machines/"+laptop+"/compare?with="+freshPC, "es"); res.StatusCode != 200 || strings.Contains(body, "Solo en") {
		t.Errorf("luis compares with a machine of another: %d", res.StatusCode)
	}
}

// report has a machine tell all sample programs but the first, and returns a program
// that only it has.
func report(t *testing.T, s *store.Store, id string) string {
	t.Helper()
	in := ingest.New(ingest.Config{Store: s, Allowlists: s, Records: s.Nonconformities(), Directory: s, Now: func() time.Time { return now }, Name: "one"})
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.Run(running) }()
	session, err := in.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	programs := samplePrograms()[:2]
	programs[0].Name = "solo-aqui"
	if _, err := session.Submit(t.Context(), wholeReport(t, now, fleet.Machine{Hostname: "pc-300", Serial: "X9"}, programs), 1000); err != nil {
		t.Fatal(err)
	}
	session.Close()
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return "solo-aqui"
}
