package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/web/form"
)

// silentAfter is after how long without a word a machine needs somebody.
const silentAfter = 7 * 24 * time.Hour

// homeRows is how many of the oldest the home page shows of each kind.
const homeRows = 8

type homePage struct {
	Page
	Version  string // of what is shown: the page asks with it whether there is anything new
	Counts   []count
	Mode     authorization.Mode
	Findings []authorization.Finding // open ones, oldest first
	Records  []nonconformity.Nonconformity
	Mine     []fleet.Machine // the reader's own
	Machines int             // -1: not for this reader
	Silent   []fleet.Machine // that nothing was heard of, the longest first
	Warnings []warning
	Tray     string // what is said to those whom nothing is shown to yet
	Braked   bool   // the opening of nonconformities is paused
}

// count is one figure of the home page: a number that is a link, with its trend.
type count struct {
	N     string
	Text  string
	URL   string
	Due   bool // needs somebody
	Trend *trend
}

// homeShow answers "what needs me today".
func (c *console) homeShow(w http.ResponseWriter, r *http.Request) error {
	p, err := c.homePage(w, r)
	if err != nil {
		return err
	}
	return c.render(w, r, "home", p)
}

// homeCounts is the part of the home page that refreshes itself. It answers 204 where
// the page shows the same already.
func (c *console) homeCounts(w http.ResponseWriter, r *http.Request) error {
	p, err := c.homePage(w, r)
	if err != nil {
		return err
	}
	if form.Text(r, "v") == p.Version {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return c.fragment(w, "home", "live", p)
}

func (c *console) homePage(w http.ResponseWriter, r *http.Request) (*homePage, error) {
	ctx := r.Context()
	p := &homePage{Page: c.newPage(w, r, "home"), Machines: -1}
	p.Title = p.T("nav.home")
	n, err := c.figures(ctx, p.actor, p.Now.In(p.Zone))
	if err != nil {
		return nil, err
	}
	p.Machines, p.Counts = n.Machines, append(p.taskCounts(n.tasks), p.counts(n)...)
	if err := c.needs(ctx, p); err != nil {
		return nil, err
	}
	if p.Braked, err = c.brakeNote(ctx, p); err != nil {
		return nil, err
	}
	waiting, err := c.requestCounts(ctx, p)
	if err != nil {
		return nil, err
	}
	p.Counts = append(waiting, p.Counts...)
	if err := c.homeLists(ctx, p); err != nil {
		return nil, err
	}
	if len(p.Counts) == 0 {
		p.Tray = p.T("home.tray.other")
		if p.actor.Role == actor.Treasury {
			p.Tray = p.T("home.tray.treasury")
		}
	}
	body, err := c.block("home", "live-body", p)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	p.Version = hex.EncodeToString(sum[:8])
	return p, nil
}

// homeLists reads what waits longest.
func (c *console) homeLists(ctx context.Context, p *homePage) error {
	if access.May(p.actor, access.SeeAllowlist) {
		list, err := c.Allowlist.CurrentAllowlist(ctx)
		if err != nil {
			return err
		}
		p.Mode = list.Mode
	}
	if access.May(p.actor, access.SeeMachines) {
		mine, err := c.Machines.MachinePage(ctx, fleet.MachineFilter{Person: p.actor.ID}, paging.Order{Limit: homeRows})
		if err != nil {
			return err
		}
		p.Mine = mine.Rows
	}
	oldest := paging.Order{By: "number", Limit: homeRows}
	if access.May(p.actor, access.SeeFindings) {
		found, err := c.Findings.FindingPage(ctx, authorization.FindingFilter{State: authorization.Open}, oldest)
		if err != nil {
			return err
		}
		p.Findings = found.Rows
	}
	if access.May(p.actor, access.SeeNonconformities) {
		found, err := c.Nonconformities.Page(ctx, nonconformity.Filter{Live: true}, oldest)
		if err != nil {
			return err
		}
		p.Records = found.Rows
	}
	return nil
}

// Own reports whether the reader has the right over their own only, for templates.
func (p *homePage) Own(right string) bool {
	return access.ReachOf(p.actor, access.Right(right)) == access.Own
}

// counts are the figures of the reader's role, those that need somebody first.
func (p *homePage) counts(n figures) []count {
	var list []count
	figure := func(n int, days []int, key, url string, right access.Right, due bool) {
		own := access.ReachOf(p.actor, right) == access.Own
		company := access.May(p.actor, access.SeeCounts)
		if n < 0 || own && !company && (n == 0 || !due) {
			return // what is their own stands below, and nothing of it waits for anybody
		}
		if !access.May(p.actor, right) || own && company {
			url = "" // a figure to read: the list behind it is not for this reader
		}
		if access.ReachOf(p.actor, right) == access.Own && !company && key != "count.machines" {
			key += ".own"
		}
		list = append(list, count{N: p.Number(int64(n)), Text: p.N(key, n), URL: url, Due: due && n > 0, Trend: p.trend(days)})
	}
	figure(n.OpenFindings, n.findings, "count.findings", "/findings?state=open", access.SeeFindings, true)
	figure(n.OpenNonconformities, n.records, "count.nonconformities", "/nonconformities?state=live", access.SeeNonconformities, true)
	figure(n.Quarantined, n.quarantined, "count.quarantined", "/machines?state=quarantined", access.SeeMachines, true)
	figure(n.Silent, n.silent, "count.silent", "/machines?seen=silent", access.SeeMachines, true)
	figure(n.FailingMachines, nil, "count.failing", "/machines?sources=failing", access.SeeMachines, true)
	figure(n.Machines, n.enrolled, "count.machines", "/machines", access.SeeMachines, false)
	return list
}
