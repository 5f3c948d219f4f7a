package locale

import (
	"errors"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/apperr"
)

func printers(t *testing.T) (es, en *Printer) {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("America/Mexico_City")
	if err != nil {
		t.Fatal(err)
	}
	return c.For(Spanish, zone), c.For(English, zone)
}

func TestWritingTheReadersWay(t *testing.T) {
	es, en := printers(t)
	at := time.Date(2026, 11, 24, 4, 5, 0, 0, time.UTC) // the evening before in Mexico
	now := at.Add(3 * time.Hour)
	for _, c := range []struct{ got, want string }{
		{es.DateTime(at), "23 nov 2026, 22:05"}, {en.DateTime(at), "Nov 23, 2026, 10:05 PM"},
		{es.Date(time.Time{}), ""}, {es.Day("2028-06-30"), "30 jun 2028"}, {en.Day("soon"), "soon"},
		{es.Number(1234567), "1,234,567"}, {en.Number(1234), "1,234"},
		{es.Bytes(16 << 30), "16 GiB"}, {es.Bytes(512110190592), "476.9 GiB"}, {en.Bytes(0), "0 B"},
		{es.Ago(at, now), "hace 3 horas"}, {en.Ago(at, at.Add(time.Minute)), "1 minute ago"}, {es.Ago(time.Time{}, now), "nunca"},
		{es.Ago(now.Add(time.Hour), now), "hace un momento"}, {es.Ago(at, at.AddDate(0, 0, 3)), "hace 3 días"}, {es.Ago(at, at.AddDate(3, 0, 0)), "hace 3 años"},
		{es.N("count.programs", 1), "1 programa"}, {es.N("count.programs", 912), "912 programas"}, {es.N("count.programs", 2_000_000), "2,000,000 de programas"},
		{en.N("count.programs", 1), "1 program"}, {en.N("count.programs", 0), "0 programs"},
		{es.Word("machine.state", "active"), "Activo"}, {es.Word("machine.state", "melted"), "otro (melted)"}, {es.Name("source", "winget"), "winget"},
		{es.T("no.such.key"), "‹no.such.key›"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestErrorsBecomeSentences(t *testing.T) {
	keyed := apperr.New(apperr.Conflict, "machine.several", apperr.Args{"machine": "pc-017", "count": 1200})
	if got := Error(keyed, English); got != "1,200 machines are called pc-017; give the identifier." {
		t.Errorf("got %q", got)
	}
	if got := Error(apperr.New(apperr.Conflict, "no.such.key", nil), Spanish); !strings.Contains(got, "alguien lo cambió antes") {
		t.Errorf("a key without a sentence: %q", got)
	}
	if got := Error(apperr.New(apperr.Conflict, "machine.several", nil), Spanish); !strings.Contains(got, "alguien lo cambió antes") {
		t.Errorf("an error without what its sentence names: %q", got)
	}
	if got := Error(errors.New("pq: secret"), Spanish); strings.Contains(got, "secret") || !strings.Contains(got, "error de nuestro lado") {
		t.Errorf("any other error: %q", got)
	}
}

func TestMatch(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		header    string
		preferred []string
		want      string
	}{
		{"", nil, Spanish}, {"en-US,en;q=0.9", nil, English}, {"de,fr", nil, Spanish}, {"de,en;q=0.3,es;q=0.2", nil, English},
		{"en", []string{"es"}, Spanish}, {"en", []string{"xx", ""}, English}, {"\x00;;q=a", nil, Spanish}, {strings.Repeat("en,", 10000), nil, English},
	} {
		if got := c.Match(x.header, x.preferred...); got != x.want {
			t.Errorf("%.20q %v: %s, want %s", x.header, x.preferred, got, x.want)
		}
	}
}
