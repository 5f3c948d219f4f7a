package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// TestObjectsOfOthersDoNotExist asks for machines, findings and records by their
// addresses: what is another's is answered as what is not there.
func TestObjectsOfOthersDoNotExist(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	records := map[string]string{} // machine → record
	list, err := s.Nonconformities().List(t.Context(), nonconformity.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range list {
		records[n.Machine] = n.Number
	}
	// the laptop is luis' and of marta's area, the silent one of pablo's, the server of nobody's
	sees := map[string][]string{
		"sofia@example.com": {laptop, silentPC, server}, "ana@example.com": {laptop, silentPC, server}, "ivan@example.com": {laptop, silentPC, server},
		"marta@example.com": {laptop}, "pablo@example.com": {silentPC}, "luis@example.com": {laptop}, "eva@example.com": nil,
	}
	for person, own := range sees {
		c := client(t, srv, f, person)
		for _, m := range []string{laptop, silentPC, server} {
			want := http.StatusNotFound
			if strings.Contains(strings.Join(own, " "), m) {
				want = http.StatusOK
			}
			for _, url := range []string{"/machines/" + m, "/machines/" + m + "/software", "/machines/" + m + "/history",
				"/machines/" + m + "/findings", "/machines/" + m + "/records", "/machines/" + m + "/compare", "/machines/" + m + "/asked",
				fmt.Sprintf("/findings/%d", findingOf(t, s, m).Row), "/nonconformities/" + records[m]} {
				if res, body := get(t, c, srv.URL+url, "es"); res.StatusCode != want {
					t.Errorf("%s at %s: %d, want %d", person, url, res.StatusCode, want)
				} else if want == http.StatusNotFound && strings.Contains(body, "AnyDesk") {
					t.Errorf("%s at %s is told what is there", person, url)
				}
			}
		}
		lists(t, s, c, srv.URL, person, own, records)
	}
}

// lists looks at every list, its files and the search for machines that are another's.
func lists(t *testing.T, s *store.Store, c *http.Client, base, person string, own []string, records map[string]string) {
	t.Helper()
	names := map[string]string{laptop: "pc-017", silentPC: "pc-204", server: "servidor-con"}
	for _, url := range []string{"/machines", "/machines?q=p", "/machines?sort=-seen", "/machines.csv", "/findings", "/findings.csv", "/findings?sort=machine", "/nonconformities", "/nonconformities.csv", "/search?q=pc-", "/search?q=serv", "/search?q=NC", "/search/quick?q=pc-", "/", "/home/counts"} {
		_, body := get(t, c, base+url, "es")
		for id, name := range names {
			mine := strings.Contains(strings.Join(own, " "), id)
			for _, sign := range []string{name, records[id] + `"`, id} {
				if !mine && strings.Contains(body, sign) {
					t.Errorf("%s at %s sees %s of another", person, url, sign)
				}
			}
			if mine && strings.HasPrefix(url, "/machines.") && !strings.Contains(body, name) {
				t.Errorf("%s at %s does not see %s, so the test proves nothing", person, url, name)
			}
		}
	}
}

// TestRecordsWithoutMachines looks at a record as those who see no machines.
func TestRecordsWithoutMachines(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	for _, person := range []string{"rosa@example.com", "diana@example.com"} {
		c := client(t, srv, f, person)
		res, body := get(t, c, srv.URL+"/nonconformities/NC-2026-0001", "es")
		if res.StatusCode != http.StatusOK || !strings.Contains(body, "telegram") || strings.Contains(body, `href="/machines/`) || strings.Contains(body, `href="/findings/`) {
			t.Errorf("%s: %d, or a link that they cannot open", person, res.StatusCode)
		}
		if res, body := get(t, c, srv.URL+"/search?q=pc-017", "es"); res.StatusCode != http.StatusOK || strings.Contains(body, "EliteBook") || strings.Contains(body, `href="/machines/`) {
			t.Errorf("%s finds machines: %d", person, res.StatusCode)
		}
	}
}
