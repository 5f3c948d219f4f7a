package web

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"vigia/collector/internal/audit"
	"vigia/collector/internal/ledger"
	"vigia/collector/internal/paging"
)

// Audit is what pages ask about the audit log; ledger.Service has it.
type Audit interface {
	Page(ctx context.Context, f audit.Filter, o paging.Order) (paging.Page[audit.Entry], error)
	Count(ctx context.Context, f audit.Filter, most int) (int, error)
	Entry(ctx context.Context, seq int64) (audit.Entry, error)
	Actions(ctx context.Context) ([]string, error)
	Status(ctx context.Context) (head audit.Entry, run *ledger.Run, past []ledger.Proof, err error)
	Start(ctx context.Context) error
	CheckRange(ctx context.Context, from, to int64) error
	Export(ctx context.Context, w io.Writer, from, to int64, by string) (int64, error)
}

// auditList declares the audit log, newest first.
func (c *console) auditList() *listOf[audit.Entry] {
	names := map[string]string{} // of machines on the page
	return &listOf[audit.Entry]{
		name: "audit", path: "/audit", section: "administration", title: "admin.audit", about: "admin.audit.about", search: "audit.search", count: "audit.count",
		empty: "audit.empty", order: "-seq", tabs: auditTabs,
		filters: []filter{
			{name: "when", label: "when", quick: true, closed: true, offer: words("audit.when", "1", "7", "30")},
			{name: "action", label: "audit.action", offer: c.actionChoices, say: sayAction},
			{name: "since", label: "audit.since", date: true},
			{name: "until", label: "audit.until", date: true},
			{name: "who", label: "audit.who", say: func(_ context.Context, p *Page, v string) (string, error) { return p.auditWho(v), nil }},
			{name: "object", label: "audit.object", say: func(_ context.Context, p *Page, v string) (string, error) { return p.auditObject(v, "").Text, nil }},
		},
		columns: []column[audit.Entry]{
			{key: "when", heading: "when", sort: "seq", down: true, show: func(p *Page, e audit.Entry) cell {
				return cell{Text: p.DateTime(e.At), Time: e.At, URL: auditPath(e)}
			}},
			{key: "who", heading: "audit.who", show: func(p *Page, e audit.Entry) cell {
				return cell{Text: p.auditWho(e.Actor), URL: "/audit?who=" + urlValue(e.Actor)}
			}},
			{key: "action", heading: "audit.action", show: func(p *Page, e audit.Entry) cell { return cell{Text: p.auditAction(e.Action)} }},
			{key: "object", heading: "audit.object", show: func(p *Page, e audit.Entry) cell { return p.auditObject(e.Object, names[e.Object]) }},
			{key: "changes", heading: "audit.changes", show: func(p *Page, e audit.Entry) cell { return cell{Text: p.auditSummary(e), Mono: true} }},
			{key: "seq", heading: "audit.number", number: true, off: true, show: func(p *Page, e audit.Entry) cell { return p.countCell(int(e.Seq), auditPath(e)) }},
		},
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[audit.Entry], error) {
			page, err := c.Audit.Page(ctx, c.auditFilter(n), o)
			for _, e := range page.Rows {
				c.nameMachine(ctx, names, e.Object)
			}
			return page, err
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			return c.Audit.Count(ctx, c.auditFilter(n), most)
		},
		key: func(e audit.Entry) string { return strconv.FormatInt(e.Seq, 10) }, label: func(e audit.Entry) string { return strconv.FormatInt(e.Seq, 10) },
	}
}

func auditPath(e audit.Entry) string { return "/audit/" + strconv.FormatInt(e.Seq, 10) }

func auditTabs(p *Page) []headLink {
	return []headLink{{URL: "/audit", Text: p.T("audit.entries")}, {URL: "/audit/proof", Text: p.T("audit.proof")}}
}

// auditFilter reads days in the zone that the pages show.
func (c *console) auditFilter(n narrowing) audit.Filter {
	f := audit.Filter{Query: n.Text, Actor: n.get("who"), Action: n.get("action"), Object: n.get("object")}
	if days, err := strconv.Atoi(n.get("when")); err == nil {
		f.Since = c.Now().Add(-time.Duration(days) * oneDay)
	}
	if t, err := time.ParseInLocation(time.DateOnly, n.get("since"), c.Zone); err == nil && t.After(f.Since) {
		f.Since = t
	}
	if t, err := time.ParseInLocation(time.DateOnly, n.get("until"), c.Zone); err == nil {
		f.Until = t.AddDate(0, 0, 1) // the day itself too
	}
	return f
}

func (c *console) actionChoices(ctx context.Context, p *Page) ([]choice, error) {
	list, err := c.Audit.Actions(ctx)
	var out []choice
	for _, a := range list {
		out = append(out, choice{a, p.auditAction(a)})
	}
	return out, err
}

func sayAction(_ context.Context, p *Page, v string) (string, error) { return p.auditAction(v), nil }

// nameMachine remembers what the machine of an entry is called now.
func (c *console) nameMachine(ctx context.Context, names map[string]string, object string) {
	id, ok := strings.CutPrefix(object, "machine/")
	if _, known := names[object]; !ok || known {
		return
	}
	names[object] = ""
	if m, err := c.Machines.Machine(ctx, id); err == nil {
		names[object] = m.Hostname
	}
}

// auditWho is who acted, in words.
func (p *Page) auditWho(s string) string { return p.Actor(s) }

// auditAction is what was done, in words.
func (p *Page) auditAction(action string) string {
	if text := p.Name("audit.action", action); text != action {
		return text
	}
	if text := p.Name("trail", action); text != action {
		return text
	}
	return p.T("trail.other")
}

// auditObject is what it was done to, in words, with the page that shows it.
func (p *Page) auditObject(object, name string) cell {
	kind, id, _ := strings.Cut(object, "/")
	what := p.Name("audit.kind", kind)
	if what == kind {
		what = p.T("audit.other-kind", "Kind", kind)
	}
	c := cell{Text: what + " " + id}
	switch kind {
	case "machine":
		c.URL = "/machines/" + id
		if c.Text = what + " " + name; name == "" {
			c.Text, c.URL = what, ""
		}
	case "token":
		c.URL = "/tokens/" + urlValue(id)
	case "ca":
		c.Text, c.URL = what+" "+shortFingerprint(id), "/certificates"
	case "person", "account":
		c.URL = "/people?q=" + urlValue(id)
	case "nonconformity":
		c.URL = "/nonconformities/" + urlValue(id)
	case "setting":
		c.Text, c.URL = what+" "+p.settingName(id), "/settings"
	case "backup":
		c.URL = "/backups"
	}
	c.Text = strings.TrimSpace(c.Text)
	return c
}

// settingName is a setting's label.
func (p *Page) settingName(name string) string {
	if label := p.Name("setting.label", name); label != name {
		return label
	}
	return name
}
