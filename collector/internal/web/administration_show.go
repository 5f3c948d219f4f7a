package web

import (
	"context"
	"net/http"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/backup"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/notify"
)

type administrationPage struct {
	Page
	Groups []adminGroup
}

// adminGroup is some pages of the administration that belong together.
type adminGroup struct {
	Title string
	Pages []adminTile
}

// adminTile leads to one page, and tells how things stand there.
type adminTile struct {
	section
	State *tag   // nil: nothing to tell
	Said  string // besides
}

// administration lists the pages of the administration. The text of each is "admin."
// and its name, what it is for that and ".about".
func administration() []struct {
	name  string
	pages []section
} {
	return []struct {
		name  string
		pages []section
	}{
		{"people", []section{
			{"people", "/people", "users", access.SeePeople},
			{"areas", "/areas", "sitemap", access.SeePeople},
			{"sites", "/sites", "map-pin", access.SeePeople},
			{"import", importPath, "upload", access.ChangePeople},
			{"accounts", "/accounts", "login", access.ChangeRoles},
		}},
		{"machines", []section{
			{"tokens", "/tokens", "plus", access.SeeAgents},
			{"agents", "/agents", "device-desktop", access.SeeAgents},
			{"certificates", "/certificates", "shield-check", access.SeeSettings},
			{"updates", "/updates", "download", access.SeeSettings},
		}},
		{"system", []section{
			{"settings", "/settings", "settings", access.SeeSettings},
			{"calendar", "/calendar", "calendar", access.SeeSettings},
			{"mail", "/mail", "mail", access.SeeSettings},
			{"webhooks", "/webhooks", "webhook", access.SeeSettings},
			{"backups", "/backups", "database", access.SeeSettings},
			{"audit", "/audit", "clipboard-text", access.SeeAudit},
		}},
	}
}

// administrationShow leads to the pages of the administration that the reader may open,
// with how things stand.
func (c *console) administrationShow(w http.ResponseWriter, r *http.Request) error {
	p := administrationPage{Page: c.newPage(w, r, "administration")}
	p.Title = p.T("nav.administration")
	for _, g := range administration() {
		group := adminGroup{Title: p.T("admin.group." + g.name)}
		for _, s := range allowed(p.actor, g.pages) {
			t := adminTile{section: s}
			if glance := c.glances()[s.Name]; glance != nil {
				if err := glance(r.Context(), &p.Page, &t); err != nil {
					return err
				}
			}
			group.Pages = append(group.Pages, t)
		}
		if len(group.Pages) > 0 {
			p.Groups = append(p.Groups, group)
		}
	}
	return c.render(w, r, "administration", p)
}

// glances tell how things stand, by the name of the page.
func (c *console) glances() map[string]func(context.Context, *Page, *adminTile) error {
	return map[string]func(context.Context, *Page, *adminTile) error{
		"tokens": c.glanceTokens, "agents": c.glanceAgents, "certificates": c.glanceCertificates,
		"mail": c.glanceMail, "backups": c.glanceBackups, "audit": c.glanceAudit,
	}
}

// is sets the tile's state: how it is meant, and the words.
func (t *adminTile) is(p *Page, condition, text string) {
	mark := p.Tag("condition", condition)
	mark.Text = text
	t.State = &mark
}

func (c *console) glanceTokens(ctx context.Context, p *Page, t *adminTile) error {
	n, err := c.Agents.CountTokens(ctx, fleet.TokenFilter{State: fleet.TokenUsable}, maxCount)
	t.Said = p.N("glance.tokens", n)
	return err
}

func (c *console) glanceAgents(ctx context.Context, p *Page, t *adminTile) error {
	connected, err := c.Agents.CountAgents(ctx, fleet.AgentFilter{Connection: "now"}, maxCount)
	if err != nil {
		return err
	}
	silent, err := c.Agents.CountAgents(ctx, fleet.AgentFilter{MachineFilter: fleet.MachineFilter{SilentSince: p.Now.Add(-silentAfter)}}, maxCount)
	if err != nil {
		return err
	}
	ending, err := c.Agents.CountAgents(ctx, fleet.AgentFilter{EndsBefore: p.Now.Add(renewalMissed)}, maxCount)
	t.Said = p.N("glance.connected", connected)
	switch {
	case ending > 0:
		t.is(p, "warn", p.N("glance.ending", ending))
	case silent > 0:
		t.is(p, "warn", p.N("glance.silent", silent))
	}
	return err
}

func (c *console) glanceCertificates(ctx context.Context, p *Page, t *adminTile) error {
	all, err := c.Agents.CAs(ctx)
	if err != nil {
		return err
	}
	until := all.CAs[0].Cert.NotAfter
	t.Said = p.T("glance.ca-until", "Until", p.Date(until))
	switch left := until.Sub(p.Now); {
	case all.Rotation != nil:
		t.is(p, "warn", p.T("glance.rotating"))
	case left < 90*oneDay:
		t.is(p, "bad", p.T("glance.ca-ends"))
	case left < 365*oneDay:
		t.is(p, "warn", p.T("glance.ca-ends"))
	}
	return nil
}

func (c *console) glanceMail(ctx context.Context, p *Page, t *adminTile) error {
	server, err := c.Mail.MailServer(ctx)
	if err != nil && !apperr.Is(err, apperr.Conflict) {
		return err
	}
	n, err := c.Mail.MailCounts(ctx)
	if err != nil {
		return err
	}
	switch waits := p.Now.Sub(n.Oldest); {
	case server.Host == "":
		t.is(p, "warn", p.T("glance.no-mail"))
	case !n.Oldest.IsZero() && waits > time.Hour:
		t.is(p, "bad", p.T("glance.mail-waits", "Ago", p.Ago(n.Oldest, p.Now)))
	case n.ByState[notify.Bounced] > 0:
		t.Said = p.N("glance.bounced", n.ByState[notify.Bounced])
	default:
		t.is(p, "good", p.T("glance.mail-flows"))
	}
	return nil
}

func (c *console) glanceBackups(ctx context.Context, p *Page, t *adminTile) error {
	list, err := c.Backups.Backups(ctx, 0, 50)
	if err != nil {
		return err
	}
	for i, b := range list {
		if b.State != backup.Verified {
			continue
		}
		t.Said = p.T("glance.backup", "Ago", p.Ago(b.StartedAt, p.Now))
		switch {
		case p.Now.Sub(b.StartedAt) > 3*oneDay:
			t.is(p, "bad", p.T("glance.backup-old"))
		case i > 0 && list[0].State == backup.Failed:
			t.is(p, "bad", p.T("glance.backup-failed"))
		default:
			t.is(p, "good", p.T("glance.backup-good"))
		}
		return nil
	}
	t.is(p, "bad", p.T("glance.no-backup"))
	return nil
}

func (c *console) glanceAudit(ctx context.Context, p *Page, t *adminTile) error {
	_, _, past, err := c.Audit.Status(ctx)
	if err != nil {
		return err
	}
	switch {
	case len(past) == 0:
		t.Said = p.T("audit.never")
	case !past[0].Holds():
		t.is(p, "bad", p.T("glance.audit-broken"))
	default:
		t.is(p, "good", p.T("glance.audit-holds"))
		t.Said = p.T("glance.audit", "Ago", p.Ago(past[0].EndedAt, p.Now))
	}
	return nil
}
