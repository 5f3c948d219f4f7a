package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
)

// silentAfter is after how long without a word a machine needs somebody.
const silentAfter = 7 * 24 * time.Hour

type homePage struct {
	Page
	Counts   []count
	Mode     authorization.Mode
	Rules    int
	Newest   []authorization.Finding
	Machines int
}

// count is one figure of the home page: a number that is a link.
type count struct {
	N    string
	Text string
	URL  string
	Due  bool // needs somebody
}

// homeShow answers "what needs me today".
func (c *console) homeShow(w http.ResponseWriter, r *http.Request) error {
	p, err := c.home(w, r)
	if err != nil {
		return err
	}
	return c.render(w, r, "home", p)
}

// homeCounts is the part of the home page that refreshes itself.
func (c *console) homeCounts(w http.ResponseWriter, r *http.Request) error {
	p, err := c.home(w, r)
	if err != nil {
		return err
	}
	return c.fragment(w, "home", "live", p)
}

func (c *console) home(w http.ResponseWriter, r *http.Request) (homePage, error) {
	ctx := r.Context()
	p := homePage{Page: c.newPage(w, r, "home")}
	p.Title = p.T("nav.home")
	n, err := c.Deps.Counts(ctx, p.Now.Add(-silentAfter))
	if err != nil {
		return p, err
	}
	p.Machines, p.Counts = n.Machines, p.figures(n)
	list, err := c.Allowlist.CurrentAllowlist(ctx)
	if err != nil {
		return p, err
	}
	p.Mode, p.Rules = list.Mode, len(list.Rules)
	p.Newest, err = c.Findings.Findings(ctx, authorization.FindingFilter{State: authorization.Open, Limit: 8})
	return p, err
}

func (p *homePage) figures(n Counts) []count {
	figure := func(n int, key, url string, due bool) count {
		return count{N: p.Number(int64(n)), Text: p.N(key, n), URL: url, Due: due && n > 0}
	}
	list := []count{
		figure(n.OpenFindings, "count.findings", "/findings?state=open", true),
		figure(n.OpenNonconformities, "count.nonconformities", "/nonconformities?state=open", true),
		figure(n.Quarantined, "count.quarantined", "/machines?state=quarantined", true),
		figure(n.Silent, "count.silent", "/machines?seen=silent", true),
	}
	if n.FailingMachines >= 0 {
		list = append(list, figure(n.FailingMachines, "count.failing", "/machines", true))
	}
	return append(list, figure(n.Machines, "count.machines", "/machines", false))
}

// countCache keeps what scanCounts read, so that pages that refresh themselves do not
// read every machine each time.
type countCache struct {
	mu   sync.Mutex
	at   time.Time
	last Counts
}

// countLife is how old the counts may be.
const countLife = 10 * time.Second

// scanCounts counts by reading the lists.
func (c *console) scanCounts(ctx context.Context, silentSince time.Time) (Counts, error) {
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	if age := c.Now().Sub(c.counts.at); age >= 0 && age < countLife {
		return c.counts.last, nil
	}
	n := Counts{FailingMachines: -1}
	for after := ""; ; {
		rows, err := c.Machines.Machines(ctx, fleet.MachineFilter{After: after, Limit: 1000})
		if err != nil {
			return n, err
		}
		for _, m := range rows {
			n.Machines++
			if m.State == fleet.Quarantined {
				n.Quarantined++
			}
			if silent(m, silentSince) {
				n.Silent++
			}
		}
		if len(rows) < 1000 {
			break
		}
		after = rows[len(rows)-1].ID
	}
	states, err := c.Findings.FindingCounts(ctx)
	if err != nil {
		return n, err
	}
	n.OpenFindings = states[authorization.Open]
	open, err := c.Nonconformities.List(ctx, nonconformity.Filter{State: nonconformity.Open, Limit: 1000})
	if err != nil && !apperr.Is(err, apperr.NotFound) {
		return n, err
	}
	n.OpenNonconformities = len(open)
	c.counts.at, c.counts.last = c.Now(), n
	return n, nil
}

// silent reports whether nothing was heard of an active machine since then.
func silent(m fleet.Machine, since time.Time) bool {
	seen := m.LastSeen
	if seen.IsZero() {
		seen = m.EnrolledAt
	}
	return m.State == fleet.Active && seen.Before(since)
}
