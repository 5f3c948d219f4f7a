package web

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"

	"vigia/collector/internal/audit"
)

type auditPage struct {
	Page
	Crumbs  []headLink
	Entry   audit.Entry
	Who     string
	Action  string
	Object  cell
	Changes []auditChange
	Hash    string
	Prev    string
	Same    string // address of everything about the object
	Earlier string // address of the entry before, "" for the first
}

// auditChange is one field, before and after.
type auditChange struct {
	Field, Was, Is string
	Changed        bool
}

// auditShow shows one entry with what it changed.
func (c *console) auditShow(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r, "n", "audit.unknown")
	if err != nil {
		return err
	}
	p := auditPage{Page: c.newPage(w, r, "administration")}
	if p.Entry, err = c.Audit.Entry(r.Context(), n); err != nil {
		return err
	}
	e := p.Entry
	names := map[string]string{}
	c.nameMachine(r.Context(), names, e.Object)
	p.Who, p.Action, p.Object = p.auditWho(e.Actor), p.auditAction(e.Action), p.auditObject(e.Object, names[e.Object])
	p.Title, p.Crumbs = p.T("audit.title", "Number", e.Seq), p.crumbs("/audit", "admin.audit")
	p.Changes = p.auditChanges(e)
	p.Hash, p.Prev = hex.EncodeToString(e.Hash[:]), hex.EncodeToString(e.Prev[:])
	p.Same = "/audit?object=" + urlValue(e.Object)
	if e.Seq > 1 {
		p.Earlier = fmt.Sprintf("/audit/%d", e.Seq-1)
	}
	return c.render(w, r, "audit_show", p)
}

// longSame is from how many bytes on a value that did not change is not shown.
const longSame = 200

// maxShown bounds one value on the page, in bytes; longer ones are cut.
const maxShown = 2000

// auditChanges compares before and after, field by field.
func (p *Page) auditChanges(e audit.Entry) []auditChange {
	before, after := fieldsOf(e.Before), fieldsOf(e.After)
	keys := map[string]bool{}
	for k := range before {
		keys[k] = true
	}
	for k := range after {
		keys[k] = true
	}
	var list []auditChange
	for k := range keys {
		was, had := before[k]
		is, has := after[k]
		ch := auditChange{Field: p.auditField(k), Was: p.auditValue(k, was, had), Is: p.auditValue(k, is, has)}
		if ch.Changed = ch.Was != ch.Is; !ch.Changed && len(ch.Is) > longSame {
			ch.Was, ch.Is = p.T("audit.unchanged"), p.T("audit.unchanged")
		}
		list = append(list, ch)
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].Changed != list[j].Changed {
			return list[i].Changed
		}
		return list[i].Field < list[j].Field
	})
	return list
}

// fieldsOf are the fields of an object; anything else is one field without a name.
func fieldsOf(raw json.RawMessage) map[string]any {
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil || v == nil {
		return nil
	}
	if m, ok := v.(map[string]any); ok {
		return m
	}
	return map[string]any{"": v}
}

// auditField is a field's name in words.
func (p *Page) auditField(key string) string {
	if key == "" {
		return p.T("audit.value")
	}
	k := strings.ToLower(strings.ReplaceAll(key, "_", "-"))
	if text := p.Name("audit.field", k); text != k {
		return text
	}
	return strings.ReplaceAll(k, "-", " ")
}

// auditValue writes a value: times the reader's way, lists as lists, deeper things as
// JSON. What might be a secret is never written, should one ever be in the log.
func (p *Page) auditValue(key string, v any, there bool) string {
	if !there || v == nil || v == "" {
		return ""
	}
	lower := strings.ToLower(key)
	for _, secret := range []string{"password", "secret", "private"} {
		if strings.Contains(lower, secret) {
			return p.T("audit.hidden")
		}
	}
	switch v := v.(type) {
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			if t.Year() <= 1 {
				return ""
			}
			return p.DateTime(t)
		}
		if word := p.Name("audit.value-of", lower+"."+v); word != lower+"."+v {
			return word
		}
		return cutShown(v)
	case bool:
		if v {
			return p.T("yes")
		}
		return p.T("no")
	case float64:
		if v == float64(int64(v)) {
			return p.Number(int64(v))
		}
	case []any:
		texts := make([]string, 0, len(v))
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				texts = nil
				break
			}
			texts = append(texts, s)
		}
		if texts != nil {
			return cutShown(strings.Join(texts, ", "))
		}
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return cutShown(string(b))
}

func cutShown(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + " …"
}

// auditSummary says in one line what an entry changed.
func (p *Page) auditSummary(e audit.Entry) string {
	var parts []string
	for _, ch := range p.auditChanges(e) {
		if !ch.Changed || len(parts) == 3 {
			continue
		}
		was, is := oneLine(ch.Was), oneLine(ch.Is)
		switch {
		case ch.Was == "":
			parts = append(parts, ch.Field+": "+is)
		default:
			parts = append(parts, p.T("trail.changed", "Field", ch.Field, "Was", was, "Is", p.orNothing(is)))
		}
	}
	return strings.Join(parts, " · ")
}

// oneLine is the beginning of a value.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
