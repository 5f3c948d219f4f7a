package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store/storetest"
)

// The home page asks for itself with what it shows; the answer is empty until something
// is different.
func TestHomeIsSentAgainOnlyWhenItChanged(t *testing.T) {
	f := newFake()
	clock := now
	d := f.deps(t)
	d.Now = func() time.Time { return clock }
	srv := console(t, d)
	c := client(t, srv, f, "ana@example.com")
	_, body := get(t, c, srv.URL+"/", "es")
	m := regexp.MustCompile(`hx-get="(/home/counts\?v=[0-9a-f]+)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("the page does not ask for itself:\n%s", body)
	}
	if res, body := get(t, c, srv.URL+m[1], "es"); res.StatusCode != http.StatusNoContent || body != "" {
		t.Errorf("nothing is new: %d %q", res.StatusCode, body)
	}
	if res, body := get(t, c, srv.URL+m[1], "en"); res.StatusCode != http.StatusOK || !strings.Contains(body, "open findings") {
		t.Errorf("another language: %d", res.StatusCode)
	}
	f.findings = append(f.findings, authorization.Finding{Row: 42, Program: "uTorrent", Machine: laptop, Hostname: "pc-017", State: authorization.Open, FirstSeen: clock})
	res, body := get(t, c, srv.URL+m[1], "es")
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "uTorrent") || !strings.Contains(body, `id="live"`) || strings.Contains(body, "<html") {
		t.Errorf("a new finding: %d\n%s", res.StatusCode, body)
	}
	f.machines = append(f.machines, fleet.Machine{ID: report1, Hostname: "pc-400", State: fleet.Active, EnrolledAt: clock})
	clock = clock.Add(3 * time.Second) // counts may be two seconds old
	if _, body = get(t, c, srv.URL+"/home/counts", "es"); !strings.Contains(body, "<strong>5</strong>equipos en total") {
		t.Errorf("a new machine is not counted within seconds:\n%s", body)
	}
}

func TestHomeShowsWhatIsTheRoles(t *testing.T) {
	f, d := company(t, storetest.SQLite(t))
	srv := console(t, d)
	for person, want := range map[string]struct{ shows, hides []string }{
		"ana@example.com":   {[]string{"hallazgos abiertos", `href="/machines?state=quarantined"`, "NC-2026-0001", ">curl-", "Modo de la lista", "nuevos en 7 días"}, nil},
		"carla@example.com": {[]string{"No tiene nada pendiente"}, []string{"Equipos a su nombre"}},
		"marta@example.com": {[]string{"hallazgos abiertos", "Hallazgos por revisar en su área", "No conformidades abiertas en su área", "NC-2026-0001", ">curl-"}, []string{"Modo de la lista", "en cuarentena"}},
		"luis@example.com":  {[]string{`sin autorización en su equipo<span class="vg-trend"`, "No conformidades a su nombre", "Equipos a su nombre", "Programas sin autorización en su equipo", `href="/machines/` + laptop, "NC-2026-0001", ">curl-"}, []string{"Modo de la lista", "en cuarentena"}},
		"tomas@example.com": {[]string{"No tiene nada pendiente"}, []string{">curl-", "NC-2026", "hallazgos", "equipos en total"}},
		"rosa@example.com":  {[]string{"no conformidad", "NC-2026-0001"}, []string{">curl-", "Modo de la lista", `href="/machines/`, `href="/findings/`, "Equipos a su nombre"}},
	} {
		_, body := get(t, client(t, srv, f, person), srv.URL+"/", "es")
		for _, s := range want.shows {
			if !strings.Contains(body, s) {
				t.Errorf("%s does not see %q", person, s)
			}
		}
		for _, s := range want.hides {
			if strings.Contains(body, s) {
				t.Errorf("%s sees %q", person, s)
			}
		}
		sound(t, person, body)
	}
}

// What waits for a part in the records is counted for whoever has it, and what is late
// for everybody who sees it; the server's trouble is told to those who look after it.
func TestHomeTellsWhatWaitsForTheReader(t *testing.T) {
	f := newFake()
	for i := range f.records {
		if f.records[i].Number == "NC-2026-0001" {
			f.records[i].Awaited, f.records[i].DueAt = "hr", now.Add(-time.Hour)
		}
	}
	srv := console(t, f.deps(t))
	for person, want := range map[string]struct{ shows, hides []string }{
		"rosa@example.com":  {[]string{`href="/nonconformities?awaited=hr"`, "espera su respuesta", `href="/nonconformities?due=overdue"`, "Vencida", "Recursos Humanos"}, []string{"fue rechazado"}},
		"ana@example.com":   {[]string{`href="/nonconformities?due=overdue"`, "Vencida", "Equipos que no se reportan", "?seen=silent&amp;sort=seen"}, []string{"awaited=hr", "espera su respuesta", "fue rechazado"}},
		"sofia@example.com": {[]string{"fue rechazado por el servidor de correo", `href="/mail?state=bounced"`}, []string{"espera su respuesta"}},
		"ivan@example.com":  {[]string{"fue rechazado por el servidor de correo", "Vencida"}, []string{"espera su respuesta"}},
	} {
		_, body := get(t, client(t, srv, f, person), srv.URL+"/", "es")
		for _, s := range want.shows {
			if !strings.Contains(body, s) {
				t.Errorf("%s does not see %q", person, s)
			}
		}
		for _, s := range want.hides {
			if strings.Contains(body, s) {
				t.Errorf("%s sees %q", person, s)
			}
		}
		sound(t, person, body)
	}
}
