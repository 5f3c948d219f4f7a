package form_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"vigia/collector/internal/web/form"
)

func TestTextIsBoundedAndClean(t *testing.T) {
	for query, want := range map[string]string{
		"q=+Quer%C3%A9taro+": "Querétaro", "q=a%00b%0Ac": "abc", "q=%ff%feok": "ok", "": "", "q=%zz": "",
		"q=" + strings.Repeat("%C3%B1", 150): strings.Repeat("ñ", 100),
	} {
		got := form.Text(httptest.NewRequest("GET", "/?"+query, nil), "q")
		if got != want || !utf8.ValidString(got) {
			t.Errorf("%.30s: %q, want %q", query, got, want)
		}
	}
}

func TestNumbersAndTimes(t *testing.T) {
	at := time.Date(2026, 11, 23, 18, 30, 0, 5000, time.UTC)
	r := httptest.NewRequest("GET", "/?n=7&big=99999999999999999999&neg=-1&state=open&t="+form.Micro(at), nil)
	if form.Number(r, "n", 10) != 7 || form.Number(r, "n", 5) != 0 || form.Number(r, "big", 1<<60) != 0 || form.Number(r, "neg", 10) != 0 {
		t.Error("numbers out of bounds are not zero")
	}
	if got := form.Time(r, "t"); !got.Equal(at) {
		t.Errorf("time %s, want %s", got, at)
	}
	if !form.Time(r, "n2").IsZero() || form.OneOf(r, "state", "open", "gone") != "open" || form.OneOf(r, "state", "gone") != "" {
		t.Error("absent time or unknown word")
	}
}

func TestLink(t *testing.T) {
	if got := form.Link("/machines", "q", "a&b=ñ", "site", "", "after", "7"); got != "/machines?q=a%26b%3D%C3%B1&after=7" {
		t.Error(got)
	}
	if got := form.Link("/machines", "q", ""); got != "/machines" {
		t.Error(got)
	}
}

func FuzzText(f *testing.F) {
	f.Add("q=a")
	f.Add("q=%c3")
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		if s := form.Text(r, "q"); len(s) > 200 || !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\n\r") {
			t.Errorf("%q", s)
		}
	})
}
