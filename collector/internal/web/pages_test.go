package web_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"vigia/collector/internal/authorization"
)

// addresses are all pages of a console with sample data.
func addresses() []string {
	return []string{
		"/", "/home/counts", "/findings/severities", "/my", "/authorizations", "/authorizations?tray=me&cols=number.category.cost", "/authorizations?state=granted", "/authorizations/new", "/authorizations/new?renews=AUT-2026-0004",
		"/authorizations/AUT-2026-0001", "/authorizations/AUT-2026-0002", "/authorizations/AUT-2026-0003?look=grant&reach=all", "/authorizations/AUT-2026-0004?done=granted", "/authorizations/AUT-2026-0005", "/authorizations/AUT-2026-0007",
		"/questions/3", "/questions/3?is=remove", "/authorizations/rules", "/authorizations/rules?due=over&cols=rule.made.until", "/authorizations/exceptions", "/authorizations/brake", "/authorizations/brake?done=resumed", "/authorizations/rules/1", "/authorizations/rules/1?look=remove", "/authorizations/rules/1?done=kept", "/findings/severities?done=added", "/findings?severity=critical&along=no&category=game&cols=program.severity.category.spread",
		"/machines", "/machines?q=zzz", "/machines?state=quarantined&site=Quer%C3%A9taro", "/machines?seen=silent", "/machines?sort=-seen&cols=machine.serial.seen.agent.enrolled.spooled", "/machines?sort=nada&cols=nada&after=",
		"/machines/" + laptop, "/machines/" + server, "/machines/" + silentPC, "/machines/" + freshPC,
		"/machines/" + laptop + "/software", "/machines/" + laptop + "/software?show=findings", "/machines/" + laptop + "/software?page=2", "/machines/" + freshPC + "/software",
		"/machines/" + laptop + "/history", "/machines/" + freshPC + "/history",
		"/machines/" + laptop + "/history?kind=changed", "/machines/" + laptop + "/history?kind=done", "/machines/" + laptop + "/history?q=zzz&from=2026-01-01&to=2026-12-31",
		"/machines/" + laptop + "/findings", "/machines/" + freshPC + "/findings", "/machines/" + laptop + "/records", "/machines/" + laptop + "/asked", "/machines/" + laptop + "/software?show=flagged",
		"/machines/" + laptop + "/compare", "/machines/" + laptop + "/compare?with=" + silentPC, "/machines/" + laptop + "/compare?with=pc-", "/machines/" + laptop + "/compare?with=zzz", "/machines/" + laptop + "/compare?with=pc-017",
		"/machines/" + laptop + "/assign", "/machines/" + laptop + "/retire",
		"/groups", "/groups?kind=rule", "/groups?q=zzz", "/groups/new", "/groups/of/port%C3%A1tiles", "/groups/of/port%C3%A1tiles/edit", "/groups/of/port%C3%A1tiles/delete",
		"/software/titles", "/software/titles?q=zzz", "/software/titles?merged=true", "/software/titles/1", "/software/rules", "/software/rules?look=add&name=7*&strip=yes", "/software/rules?look=remove&rule=1", "/software/rules?done=added",
		"/software", "/software?source=deb&after=50.", "/software?q=zzz",
		"/findings", "/findings?state=open&machine=" + laptop, "/findings?q=zzz",
		"/findings/review", "/findings/review?view=later&q=a&site=Quer%C3%A9taro&at=2", "/findings/review?view=record", "/findings/review?q=zzz", "/findings/review/authorize?row=41-0-u", "/findings/review/authorize?finding=41&where=sites&for=30&reason=x",
		"/allowlist", "/allowlist?effect=deny", "/allowlist?q=zzz", "/allowlist?state=unused&sort=-covers", "/allowlist?changed=3", "/allowlist/rules/new?program=a*", "/allowlist/rules/1", "/allowlist/rules/1/edit", "/allowlist/remove?row=1",
		"/allowlist/history?changed=3", "/allowlist/history/1", "/allowlist/history/3", "/allowlist/mode", "/allowlist/mode?to=learn", "/allowlist/mode?to=monitor", "/allowlist/proposals",
		"/search", "/search?q=pc", "/search?q=zzz", "/search/quick?q=NC", "/search/quick?q=41",
		"/findings/41", "/findings/40", "/findings/39", "/findings/12", "/findings/11",
		"/nonconformities", "/nonconformities?state=contained", "/nonconformities/NC-2026-0001", "/nonconformities/NC-2026-0002", "/nonconformities?state=live&due=overdue&awaited=user", "/nonconformities/NC-2026-0001/steps/cause", "/nonconformities/analysis", "/nonconformities/analysis?year=2020&quarter=1", "/nonconformities/NC-2026-0001/steps/plan", "/nonconformities/NC-2026-0001/steps/statement", "/nonconformities/NC-2026-0001/steps/measure", "/nonconformities/NC-2026-0001/steps/concede", "/nonconformities/NC-2026-0001/steps/withdraw",
	}
}

// sound says what no page may hold: a key without a sentence, a missing value, markup
// that came with the data.
func sound(t *testing.T, url, body string) {
	t.Helper()
	for _, bad := range []string{"‹", "no value", "%!", "<script>alert", "<img src=x", "<svg onload", "<i>x</i>", "1.0<b>", "0001-01-01", "otro (", "other ("} {
		if i := strings.Index(body, bad); i >= 0 {
			t.Errorf("%s holds %q: …%s…", url, bad, body[max(0, i-60):min(len(body), i+80)])
		}
	}
}

func TestEveryPageInBothLanguages(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "ana@example.com")
	for lang, word := range map[string]string{"es": "Hallazgos", "en": "Findings"} {
		for _, url := range addresses() {
			res, body := get(t, c, srv.URL+url, lang)
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s %s: %d\n%s", lang, url, res.StatusCode, body)
				continue
			}
			sound(t, url, body)
			if !strings.HasPrefix(url, "/home/counts") && !strings.HasPrefix(url, "/search/quick") && !strings.HasSuffix(url, "/asked") && (!strings.Contains(body, word) || !strings.Contains(body, `<html lang="`+lang+`"`)) {
				t.Errorf("%s %s is not in that language", lang, url)
			}
		}
	}
}

func TestEmptyConsoleSaysWhatToDo(t *testing.T) {
	f := newFake()
	f.empty, f.machines, f.findings, f.records = true, nil, nil, nil
	f.allow = authorization.Allowlist{Mode: authorization.Learn, Baseline: true}
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "")
	for url, want := range map[string]string{
		"/": "vigia-agent enroll --token", "/machines": "vigia-collector token create", "/findings": "Aprendizaje",
		"/nonconformities": "modo de cumplimiento", "/software": "Todavía no se ha recibido ningún programa",
	} {
		res, body := get(t, c, srv.URL+url, "es")
		if res.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, without %q", url, res.StatusCode, want)
		}
		sound(t, url, body)
	}
}

func TestProgramNamesAreNeverMarkup(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "ana@example.com")
	for _, url := range []string{"/", "/software", "/findings", "/findings/40", "/nonconformities/NC-2026-0001", "/machines/" + laptop, "/machines/" + laptop + "/software", "/machines/" + laptop + "/history"} {
		_, body := get(t, c, srv.URL+url, "es")
		if !strings.Contains(body, "&lt;script&gt;alert(") {
			t.Errorf("%s does not show the program, so this test proves nothing there", url)
		}
		sound(t, url, body)
	}
}

func TestFailuresQuoteANumberAndTellNoSecret(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "ana@example.com")
	for _, url := range []string{"/nada", "/machines/" + report1, "/findings/999", "/findings/x", "/nonconformities/NC-1999-0001"} {
		res, body := get(t, c, srv.URL+url, "es")
		if res.StatusCode != http.StatusNotFound || !strings.Contains(body, "E-3F4B7C01") || !strings.Contains(body, "No se encontró") {
			t.Errorf("%s: %d\n%s", url, res.StatusCode, body)
		}
		sound(t, url, body)
	}
	f.broken = errors.New("pq: password authentication failed")
	for _, url := range addresses() {
		res, body := get(t, c, srv.URL+url, "en")
		if res.StatusCode != http.StatusInternalServerError && !strings.HasPrefix(url, "/home") && url != "/search" {
			t.Errorf("%s: %d with a broken store", url, res.StatusCode)
		}
		if strings.Contains(body, "password") || strings.Contains(body, "goroutine") {
			t.Errorf("%s tells the cause", url)
		}
	}
}
