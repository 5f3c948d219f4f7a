package web

import (
	"context"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/backup"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/paging"
)

// silentRows is how many machines that keep silent the home page names.
const silentRows = 5

// copyAge is how old the last good copy of the database may be.
const copyAge = 48 * time.Hour

// tasks is what waits for a reader's part in the records.
type tasks struct {
	Awaited, Overdue int // records that wait for the reader's part; that are past their date
}

// partOf is the part that a role has in records; empty where it has none.
func partOf(role actor.Role) string {
	switch role {
	case actor.Administrator, actor.Technician:
		return nonconformity.PartIT
	case actor.AreaManager:
		return nonconformity.PartManager
	case actor.HR:
		return nonconformity.PartHR
	case actor.GeneralManagement:
		return nonconformity.PartManagement
	case actor.Employee, actor.Purchasing, actor.Treasury:
		return nonconformity.PartUser
	}
	return ""
}

// tasksFor counts what waits for a reader.
func (c *console) tasksFor(ctx context.Context, a actor.Actor, now time.Time) (n tasks, err error) {
	if !access.May(a, access.SeeNonconformities) {
		return n, nil
	}
	if part := partOf(a.Role); part != "" {
		if n.Awaited, err = c.Nonconformities.Count(ctx, nonconformity.Filter{Awaited: part, Live: true}, maxCount); err != nil {
			return n, err
		}
	}
	n.Overdue, err = c.Nonconformities.Count(ctx, nonconformity.Filter{Overdue: now, Live: true}, maxCount)
	return n, err
}

// taskCounts are the figures of what waits for the reader, before all others.
func (p *homePage) taskCounts(n tasks) []count {
	var list []count
	add := func(n int, key, url string) {
		if n > 0 {
			list = append(list, count{N: p.Number64(n), Text: p.N(key, n), URL: url, Due: true})
		}
	}
	add(n.Awaited, "home.awaited", "/nonconformities?awaited="+partOf(p.actor.Role))
	add(n.Overdue, "home.overdue", "/nonconformities?due=overdue")
	return list
}

// Says is a sentence in the words of how far the reader's right goes: of their own, of
// their areas, or of the company; for templates.
func (p *homePage) Says(key, right string) string {
	switch access.ReachOf(p.actor, access.Right(right)) {
	case access.Own:
		key += ".own"
	case access.Managed:
		key += ".area"
	}
	return p.T(key)
}

// warning is something about the server that somebody must look after.
type warning struct{ Text, URL, Go string }

// warnings tell those who look after the server what is wrong with it.
func (c *console) warnings(ctx context.Context, p *homePage) ([]warning, error) {
	if !access.May(p.actor, access.SeeSettings) {
		return nil, nil
	}
	var list []warning
	copies, err := c.Backups.Backups(ctx, 0, 20)
	if err != nil {
		return nil, err
	}
	if text := p.copyProblem(copies); text != "" {
		list = append(list, warning{text, "/backups", p.T("admin.backups")})
	}
	refused, err := c.Mail.MailPage(ctx, notify.Filter{State: notify.Bounced}, paging.Order{By: "queued", Desc: true, Limit: 1})
	if err != nil {
		return nil, err
	}
	for _, m := range refused.Rows {
		if p.Now.Sub(m.EndedAt) < silentAfter {
			list = append(list, warning{p.T("home.mail.bounced", "To", m.To, "Ago", p.Ago(m.EndedAt, p.Now)), "/mail?state=bounced", p.T("admin.mail")})
		}
	}
	return list, nil
}

// copyProblem tells what is wrong with the copies of the database, newest first.
func (p *homePage) copyProblem(copies []backup.Record) string {
	for i, r := range copies {
		switch {
		case r.State == backup.Running:
		case r.State == backup.Failed && i == 0:
			return p.T("home.backup.failed")
		case r.Kept() && p.Now.Sub(r.StartedAt) > copyAge:
			return p.T("home.backup.old", "Ago", p.Ago(r.StartedAt, p.Now))
		case r.Kept():
			return ""
		}
	}
	return ""
}

// needs reads what is beside the records and findings: machines that keep silent, the
// longest first, and what is wrong with the server.
func (c *console) needs(ctx context.Context, p *homePage) error {
	var err error
	if p.Warnings, err = c.warnings(ctx, p); err != nil {
		return err
	}
	if access.ReachOf(p.actor, access.SeeMachines) <= access.Own {
		return nil
	}
	silent, err := c.Machines.MachinePage(ctx, fleet.MachineFilter{SilentSince: p.Now.Add(-silentAfter)}, paging.Order{By: "seen", Limit: silentRows})
	p.Silent = silent.Rows
	return err
}

// Late reports whether a record is past its date, for templates.
func (p *homePage) Late(n nonconformity.Nonconformity) bool {
	return !n.DueAt.IsZero() && n.DueAt.Before(p.Now)
}
