package web_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/review"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// reviewing is the allowlist and the review over a store.
func reviewing(t *testing.T, s *store.Store) (*allowlist.Service, *review.Service) {
	t.Helper()
	clock := func() time.Time { return now }
	in := ingest.New(ingest.Config{Store: s, Allowlists: s, Records: s.Nonconformities(), Directory: s, Now: clock, Name: "console"})
	n := 10
	rules := allowlist.New(allowlist.Config{Tx: s, Allowlists: s, Changes: s, Audit: s, Findings: in, Programs: s, Now: clock,
		NewID: func() (string, error) { n++; return fmt.Sprintf("R%d", n), nil }})
	return rules, review.New(review.Config{Store: s, Rules: rules, Records: in, Audit: s, Now: clock})
}

// toReview is a company whose findings wait for a decision: monitor, with none in a record.
func toReview(t *testing.T, s *store.Store) (*fake, *httptest.Server, *allowlist.Service) {
	t.Helper()
	f, d := company(t, s)
	rules := d.Rules.(*allowlist.Service)
	ctx := actor.With(t.Context(), actor.Actor{Kind: actor.CLI, ID: "root"})
	none := -1
	for _, m := range []authorization.Mode{authorization.Learn, authorization.Monitor} {
		if _, err := rules.SetMode(ctx, m, allowlist.Options{Apply: true, MaxOpen: &none}); err != nil {
			t.Fatal(err)
		}
	}
	forget(t, s)
	return f, console(t, d), rules
}

// forget takes the findings out of the records that enforce had put them in.
func forget(t *testing.T, s *store.Store) {
	t.Helper()
	list, err := s.Findings(t.Context(), authorization.FindingFilter{State: authorization.Open, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.InTx(t.Context(), func(ctx context.Context) error {
		for _, x := range list {
			of, err := s.FindingsOn(ctx, []int64{x.Item})
			if err != nil {
				return err
			}
			for _, one := range of {
				one.Nonconformity = ""
			}
			if err := s.SaveFindings(ctx, of); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

var (
	keyOfRow  = regexp.MustCompile(`<tr data-row="\d+"><td class="vg-pick"><input [^>]*value="([^"]+)" aria-label="Elegir ([^"]*)"`)
	undoField = regexp.MustCompile(`name="decision" value="(\d+)"`)
)

// queueOf is the queue's keys by program.
func queueOf(t *testing.T, c *http.Client, base, query string) (map[string]string, string) {
	t.Helper()
	res, body := get(t, c, base+"/findings/review"+query, "es")
	if res.StatusCode != http.StatusOK {
		t.Fatalf("the queue: %d", res.StatusCode)
	}
	sound(t, "/findings/review", body)
	keys := map[string]string{}
	for _, m := range keyOfRow.FindAllStringSubmatch(body, -1) {
		keys[m[2]] = m[1]
	}
	return keys, body
}

// sent posts a form and returns the last status and body.
func sent(t *testing.T, c *http.Client, url string, v url.Values) (int, string) {
	t.Helper()
	res, err := c.PostForm(url, v)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode, readAll(t, res)
}

// TestReviewByItsForms decides in each way and takes it back, as a technician does
// without JavaScript, over each store.
func TestReviewByItsForms(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f, srv, rules := toReview(t, s)
		c, base := client(t, srv, f, "ana@example.com"), srv.URL
		keys, body := queueOf(t, c, base, "")
		if len(keys) < 2 || !strings.Contains(body, "Quedan") {
			t.Fatalf("queue %v\n%.3000s", keys, body[strings.Index(body, "<main"):])
		}
		before := len(keys)
		program := ""
		for name := range keys {
			if strings.Contains(name, "telegram") {
				program = name
			}
		}
		key := keys[program]
		// authorize: the preview, an error beside its field that keeps what was typed, saved
		_, body = get(t, c, base+"/findings/review/authorize?row="+key, "es")
		if !strings.Contains(body, "Autorizaría") || !strings.Contains(body, "No cubriría ningún otro programa") {
			t.Errorf("no preview\n%.3000s", body[strings.Index(body, "<main"):])
		}
		status, body := sent(t, c, base+"/findings/review/authorize", url.Values{"row": {key}, "where": {"sites"}, "for": {"day"}, "until": {"2027-02-03"}, "at": {"1"}})
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, `id="reason-problem"`) || !strings.Contains(body, `value="2027-02-03"`) || !strings.Contains(body, `value="sites" checked`) {
			t.Errorf("without a reason: %d\n%.2000s", status, body[strings.Index(body, "<main"):])
		}
		status, body = sent(t, c, base+"/findings/review/authorize", url.Values{"row": {key}, "where": {"everywhere"}, "reason": {"<b>ventas</b>"}, "at": {"1"}})
		if keys, _ := queueOf(t, c, base, ""); status != http.StatusOK || len(keys) != before-1 || !strings.Contains(body, "Se autorizó "+program) || !strings.Contains(body, `data-at="1"`) {
			t.Fatalf("authorized: %d, %v", status, keys)
		}
		a, err := rules.Current(actor.With(t.Context(), actor.Actor{Kind: actor.CLI}))
		if err != nil || a.Rules[len(a.Rules)-1].Owner != "ana@example.com" || a.Rules[len(a.Rules)-1].Reason != "<b>ventas</b>" {
			t.Errorf("rule %+v, %v", a.Rules, err)
		}
		// the same again: it is decided
		if status, body = sent(t, c, base+"/findings/review/later", url.Values{"row": {key}}); status != http.StatusNotFound || !strings.Contains(body, "ya está decidido") {
			t.Errorf("twice: %d", status)
		}
		// undo, which survives a reload
		_, body = queueOf(t, c, base, "")
		undo := undoField.FindStringSubmatch(body)
		if undo == nil {
			t.Fatal("nothing to take back")
		}
		if status, body = sent(t, c, base+"/findings/review/undo", url.Values{"decision": {undo[1]}}); status != http.StatusOK || !strings.Contains(body, "Se deshizo") {
			t.Errorf("undo: %d", status)
		}
		if status, _ = sent(t, c, base+"/findings/review/undo", url.Values{"decision": {undo[1]}}); status != http.StatusConflict {
			t.Errorf("undo twice: %d", status)
		}
		// records and not now, from the row's own button and from marked rows
		for path, rest := range map[string]string{"record": "", "later": "?view=later"} {
			if keys, _ = queueOf(t, c, base, ""); len(keys) != before {
				t.Fatalf("before %s: %v", path, keys)
			}
			status, body = sent(t, c, base+"/findings/review/"+path, url.Values{"one": {keys[program]}, "row": {"999-0-u"}})
			if now, _ := queueOf(t, c, base, ""); status != http.StatusOK || len(now) != before-1 {
				t.Errorf("%s: %d, %v", path, status, now)
			}
			if now, _ := queueOf(t, c, base, rest); rest != "" && len(now) != 1 {
				t.Errorf("%s shows %v", rest, now)
			}
			sent(t, c, base+"/findings/review/undo", url.Values{"decision": {undoField.FindStringSubmatch(body)[1]}})
		}
		if keys, _ = queueOf(t, c, base, ""); len(keys) != before {
			t.Errorf("after all: %v", keys)
		}
		// one finding from its own page
		list, err := s.Findings(t.Context(), authorization.FindingFilter{State: authorization.Open, Query: "telegram", Limit: 1})
		if err != nil || len(list) == 0 {
			t.Fatal(err)
		}
		page := fmt.Sprintf("/findings/%d", list[0].Row)
		_, body = get(t, c, base+page, "es")
		if !strings.Contains(body, "Qué hacer") || !strings.Contains(body, "Lo que se decidió") || !strings.Contains(body, "authorize?finding=") {
			t.Errorf("the finding's page\n%.2000s", body[strings.Index(body, "<main"):])
		}
		sound(t, page, body)
		if status, body = sent(t, c, base+"/findings/review/record", url.Values{"finding": {fmt.Sprint(list[0].Row)}}); status != http.StatusOK || !strings.Contains(body, "NC-2026-") {
			t.Errorf("a record from the page: %d", status)
		}
	})
}

// TestRulesByTheirForms makes, changes, imports and removes rules, and switches the mode,
// always shown first and taken back.
func TestRulesByTheirForms(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f, srv, rules := toReview(t, s)
		c, base := client(t, srv, f, "ana@example.com"), srv.URL
		ctx := actor.With(t.Context(), actor.Actor{Kind: actor.CLI})
		current := func() authorization.Allowlist {
			t.Helper()
			a, err := rules.Current(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		base0 := current()
		version := fmt.Sprint(base0.Version)
		form := url.Values{"name": {"mensajería"}, "effect": {"allow"}, "program": {"["}, "owner": {"ti@example.com"}, "valid_until": {"mañana"}, "base": {version}}
		status, body := sent(t, c, base+"/allowlist/rules", form)
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, `id="valid_until-problem"`) || !strings.Contains(body, `value="mensajería"`) {
			t.Errorf("a date that is none: %d", status)
		}
		form.Set("valid_until", "2027-01-31")
		form.Set("version", ">1, <")
		if status, body = sent(t, c, base+"/allowlist/rules", form); status != http.StatusUnprocessableEntity || !strings.Contains(body, `id="version-problem"`) || !strings.Contains(body, `value="&gt;1, &lt;"`) {
			t.Errorf("a version that is none: %d", status)
		}
		form.Set("version", "")
		form.Set("program", "telegram*")
		if status, body = sent(t, c, base+"/allowlist/rules", form); status != http.StatusOK || !strings.Contains(body, "Autorizaría") || current().Version != base0.Version {
			t.Fatalf("shown: %d", status)
		}
		form.Set("step", "save")
		form.Set("seen", "0")
		if status, body = sent(t, c, base+"/allowlist/rules", form); status != http.StatusOK || !strings.Contains(body, "Se guardó la versión") || len(current().Rules) != len(base0.Rules)+1 {
			t.Fatalf("saved: %d\n%.2000s", status, body[strings.Index(body, "<main"):])
		}
		rule := current().Rules[len(base0.Rules)]
		if got := rule.ValidUntil.In(zoneOf(t)).Format(time.DateTime); got != "2027-01-31 23:59:59" {
			t.Errorf("until %s", got)
		}
		// somebody else was faster: told, and what was typed stays
		edit := base + "/allowlist/rules/" + rule.ID
		form.Set("reason", "algo <b>mío</b>")
		if status, body = sent(t, c, edit, form); status != http.StatusConflict || !strings.Contains(body, "cambió mientras tanto") || !strings.Contains(body, "algo &lt;b&gt;mío") {
			t.Errorf("overtaken: %d\n%.1500s", status, body[strings.Index(body, "<main"):])
		}
		form.Set("base", fmt.Sprint(current().Version))
		if status, _ = sent(t, c, edit, form); status != http.StatusOK || current().Rules[len(base0.Rules)].Reason != "algo <b>mío</b>" {
			t.Errorf("changed: %d", status)
		}
		for _, page := range []string{"/allowlist", "/allowlist?q=telegram&sort=-covers", "/allowlist/rules/" + rule.ID, "/allowlist/rules/" + rule.ID + "/edit", "/allowlist/history", "/allowlist/history/" + fmt.Sprint(current().Version), "/allowlist/mode?to=learn", "/allowlist/proposals"} {
			res, body := get(t, c, base+page, "es")
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s: %d", page, res.StatusCode)
			}
			sound(t, page, body)
		}
		// removing opens what it had covered: not without having been told
		remove := url.Values{"row": {rule.ID}, "step": {"save"}, "seen": {"0"}}
		if status, body = sent(t, c, base+"/allowlist/remove", remove); status != http.StatusUnprocessableEntity || !strings.Contains(body, "abriría más hallazgos") || len(current().Rules) != len(base0.Rules)+1 {
			t.Errorf("removed though it opens: %d", status)
		}
		remove.Set("seen", "50")
		if status, _ = sent(t, c, base+"/allowlist/remove", remove); status != http.StatusOK || len(current().Rules) != len(base0.Rules) {
			t.Errorf("removed: %d", status)
		}
		undo := base + "/allowlist/history/" + fmt.Sprint(current().Version) + "/undo"
		if status, body = sent(t, c, undo, nil); status != http.StatusOK || len(current().Rules) != len(base0.Rules)+1 || !strings.Contains(body, "se deshizo la versión") {
			t.Errorf("undone: %d", status)
		}
		modes(t, c, base, current)
		files(t, c, base, current)
		proposals(t, c, base, current)
	})
}

// modes looks at what a mode would do, and switches.
func modes(t *testing.T, c *http.Client, base string, current func() authorization.Allowlist) {
	t.Helper()
	_, body := get(t, c, base+"/allowlist/mode?to=learn", "es")
	if !strings.Contains(body, "Si cambia a Aprendizaje") || current().Mode != authorization.Monitor {
		t.Error("no consequence is shown")
	}
	if status, _ := sent(t, c, base+"/allowlist/mode", url.Values{"to": {"learn"}, "step": {"save"}, "seen": {"0"}, "base": {fmt.Sprint(current().Version)}}); status != http.StatusOK || current().Mode != authorization.Learn {
		t.Errorf("learn: %d", status)
	}
	status, body := sent(t, c, base+"/allowlist/mode", url.Values{"to": {"monitor"}, "step": {"save"}, "seen": {"0"}})
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "Primeros equipos") || !strings.Contains(body, "pc-017") || current().Mode != authorization.Learn {
		t.Errorf("monitor without having been told: %d", status)
	}
	if status, _ = sent(t, c, base+"/allowlist/mode", url.Values{"to": {"monitor"}, "step": {"save"}, "seen": {"100"}, "base": {"1"}}); status != http.StatusUnprocessableEntity || current().Mode != authorization.Learn {
		t.Errorf("monitor from an old version: %d", status)
	}
	if status, _ = sent(t, c, base+"/allowlist/mode", url.Values{"to": {"monitor"}, "step": {"save"}, "seen": {"100"}}); status != http.StatusOK || current().Mode != authorization.Monitor {
		t.Errorf("monitor: %d", status)
	}
	if status, _ = sent(t, c, base+"/allowlist/mode", url.Values{"to": {"turbo"}}); status != http.StatusBadRequest {
		t.Errorf("no mode: %d", status)
	}
}

// files exports, and imports with errors, to look, and for good.
func files(t *testing.T, c *http.Client, base string, current func() authorization.Allowlist) {
	t.Helper()
	res, yaml := get(t, c, base+"/allowlist/export.yaml", "es")
	if res.StatusCode != http.StatusOK || !strings.Contains(yaml, "acceso remoto") || !strings.Contains(res.Header.Get("Content-Disposition"), "allowlist.yaml") {
		t.Fatalf("export: %d %s", res.StatusCode, yaml)
	}
	status, body := sent(t, c, base+"/allowlist/import", url.Values{"text": {yaml + "\n  - name: otra\n    efecto: allow\n"}})
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "efecto") || !strings.Contains(body, "Esa clave no existe") {
		t.Errorf("errors by line: %d", status)
	}
	n := len(current().Rules)
	yaml += "  - name: otra <i>x</i>\n    effect: allow\n    match: {name: \"vim*\"}\n"
	if status, body = sent(t, c, base+"/allowlist/import", url.Values{"text": {yaml}}); status != http.StatusOK || !strings.Contains(body, "1 regla nueva") || len(current().Rules) != n {
		t.Errorf("looked at: %d\n%.2000s", status, body[strings.Index(body, "<main"):])
	}
	if status, body = sent(t, c, base+"/allowlist/import", url.Values{"text": {yaml}, "step": {"save"}, "seen": {"0"}}); status != http.StatusOK || len(current().Rules) != n+1 {
		t.Errorf("imported: %d", status)
	}
	sound(t, "/allowlist after the import", body)
	if status, _ = sent(t, c, base+"/allowlist/import", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("nothing: %d", status)
	}
	if status, _ = sent(t, c, base+"/allowlist/import", url.Values{"text": {strings.Repeat("a", 9<<20)}}); status != http.StatusBadRequest {
		t.Errorf("too large: %d", status)
	}
}

// proposals are looked at and accepted.
func proposals(t *testing.T, c *http.Client, base string, current func() authorization.Allowlist) {
	t.Helper()
	var key []string
	var body string
	for range 50 { // they are counted beside
		if _, body = get(t, c, base+"/allowlist/proposals", "es"); !strings.Contains(body, "Se está contando") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if key = regexp.MustCompile(`name="row" value="([0-9a-f]{16})"`).FindStringSubmatch(body); key == nil {
		t.Fatalf("no proposal\n%.2000s", body[strings.Index(body, "<main"):])
	}
	n := len(current().Rules)
	if status, body := sent(t, c, base+"/allowlist/proposals", url.Values{"row": {key[1]}}); status != http.StatusOK || !strings.Contains(body, "Qué haría este cambio") || len(current().Rules) != n {
		t.Errorf("looked at: %d", status)
	}
	if status, _ := sent(t, c, base+"/allowlist/proposals", url.Values{"row": {key[1]}, "step": {"save"}, "seen": {"0"}, "reason": {"inicio"}}); status != http.StatusOK || len(current().Rules) != n+1 || current().Rules[n].Reason != "inicio" {
		t.Errorf("accepted: %d", status)
	}
	if status, body := sent(t, c, base+"/allowlist/proposals", url.Values{"row": {"0000000000000000"}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "ya no vale") {
		t.Errorf("one that is gone: %d", status)
	}
}

// TestReviewInTheBrowser decides by keys and takes back, previews a rule and switches the
// mode, and does one form of each kind without JavaScript.
func TestReviewInTheBrowser(t *testing.T) {
	out := screenshots(t)
	s := storetest.SQLite(t)
	f, srv, _ := toReview(t, s)
	f.links["enlace"], f.links["otro"] = "ana@example.com", "ana@example.com"
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	b, err := exec.CommandContext(ctx, "node", "assets/e2e/review.mjs", srv.URL, "/signin/enlace", "/signin/otro", filepath.Join(out, "review")).CombinedOutput()
	if err != nil || !strings.Contains(string(b), "reviewed") {
		t.Fatalf("reviewing: %v\n%s", err, b)
	}
}

// readAll is a response's body.
func readAll(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// zoneOf is the zone in which the console of tests shows times.
func zoneOf(t *testing.T) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("America/Mexico_City")
	if err != nil {
		t.Fatal(err)
	}
	return z
}
