package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/web/form"
	"vigia/internal/inventory"
)

// Bounds of one page of history.
const (
	historyLimit   = 1000 // lines read at once
	historyReads   = 5    // times that more is read where few of them fit
	historyMoments = 60   // shown
	historyShown   = 50   // programs that one moment lists by name
	trailLimit     = 1000 // lines of the audit log about one machine
)

// endOfTime from now is after everything, also where a machine's clock runs ahead.
const endOfTime = 100 * 365 * 24 * time.Hour

type machineHistoryPage struct {
	machinePage
	List    listing
	Kind    string
	From    string // dates as the form has them: 2026-11-23
	To      string
	Moments []moment

	started time.Time // the page begins before it, where it is a later one
}

// moment is what one report told, or what somebody did, at one time.
type moment struct {
	At         time.Time
	Report     string
	Baseline   bool // the first whole report, which lists nothing by name
	Came, Went []fleet.Event
	Changed    []changed
	More       int // beyond those listed
	Done       []trailLine
}

// changed is a program that went and came at one time, in another version.
type changed struct {
	Program  inventory.Program // as it is now
	From, To string
}

// historyKinds are what the history can be narrowed to.
var historyKinds = [...]string{"came", "went", "changed", "done"}

// machineHistory shows what came, went and changed on a machine and what was done with
// it, newest first.
func (c *console) machineHistory(w http.ResponseWriter, r *http.Request) error {
	base, err := c.machineOf(w, r, "history")
	if err != nil {
		return err
	}
	p := machineHistoryPage{machinePage: base, Kind: form.OneOf(r, "kind", historyKinds[:]...)}
	f := p.narrow(r)
	if err := c.fillHistory(r.Context(), &p, f); err != nil {
		return err
	}
	return c.render(w, r, "machine_history", p)
}

// narrow reads what the history is narrowed by.
func (p *machineHistoryPage) narrow(r *http.Request) fleet.EventFilter {
	f := fleet.EventFilter{Query: form.Text(r, "q"), Before: p.Now.Add(endOfTime), Limit: historyLimit}
	if from, err := time.ParseInLocation(time.DateOnly, form.Text(r, "from"), p.Zone); err == nil {
		p.From, f.Since = from.Format(time.DateOnly), from
	}
	if to, err := time.ParseInLocation(time.DateOnly, form.Text(r, "to"), p.Zone); err == nil {
		p.To, f.Before = to.Format(time.DateOnly), to.AddDate(0, 0, 1)
	}
	p.List = listing{Path: p.Path("history"), Query: f.Query, Filters: []string{"from", p.From, "to", p.To, "kind", p.Kind}}
	p.List.Filtered = f.Query+p.From+p.To+p.Kind != ""
	for _, kind := range historyKinds {
		ch := chip{Text: p.Word("history.kind", kind), URL: p.List.with("kind", kind), Current: kind == p.Kind}
		if ch.Current {
			ch.URL = p.List.with("kind", "")
		}
		p.List.Chips = append(p.List.Chips, ch)
	}
	if before := form.Time(r, "before"); !before.IsZero() && before.Before(f.Before) {
		f.Before, p.List.First, p.started = before, p.List.url(), before
	}
	return f
}

// fillHistory reads moments until a page is full or there are no more.
func (c *console) fillHistory(ctx context.Context, p *machineHistoryPage, f fleet.EventFilter) error {
	oldest, more := f.Since, false // how far back the page knows everything
	for reads := 0; p.Kind != "done"; reads++ {
		events, err := c.Inventory.History(ctx, p.Machine.ID, f)
		if err != nil {
			return err
		}
		list := moments(events)
		more = len(events) >= historyLimit
		if more && len(list) > 1 { // the oldest may be cut off: it comes with the next
			list = list[:len(list)-1]
		}
		for _, m := range list {
			if m.keep(p.Kind) {
				p.Moments = append(p.Moments, m)
			}
		}
		if !more || len(list) == 0 {
			break
		}
		f.Before = list[len(list)-1].At
		if oldest = f.Before; len(p.Moments) >= historyMoments || reads == historyReads {
			break
		}
	}
	if err := c.addTrail(ctx, p, f, oldest); err != nil {
		return err
	}
	slices.SortStableFunc(p.Moments, func(a, b moment) int { return b.At.Compare(a.At) })
	if len(p.Moments) > historyMoments {
		p.Moments, more = p.Moments[:historyMoments], true
		oldest = p.Moments[historyMoments-1].At
	}
	if more {
		p.List.Next = p.List.url("before", form.Micro(oldest))
	}
	return nil
}

// addTrail adds what was done with the machine within the page's time. It is not told
// of one program, so a search leaves it out.
func (c *console) addTrail(ctx context.Context, p *machineHistoryPage, f fleet.EventFilter, oldest time.Time) error {
	if f.Query != "" || p.Kind != "" && p.Kind != "done" {
		return nil
	}
	newest := p.Now.Add(endOfTime)
	if before, err := time.ParseInLocation(time.DateOnly, p.To, p.Zone); err == nil {
		newest = before.AddDate(0, 0, 1)
	}
	if p.List.First != "" {
		newest = p.started
	}
	entries, err := c.Machines.MachineTrail(ctx, p.Machine.ID, trailLimit)
	for _, e := range entries {
		if e.At.Before(newest) && !e.At.Before(oldest) {
			p.Moments = append(p.Moments, moment{At: e.At, Done: []trailLine{p.trail(e)}})
		}
	}
	return err
}

// keep leaves of a moment what is of one kind, and reports whether that is anything.
func (m *moment) keep(kind string) bool {
	switch kind {
	case "came":
		m.Went, m.Changed = nil, nil
	case "went":
		m.Came, m.Changed, m.Baseline = nil, nil, false
	case "changed":
		m.Came, m.Went, m.Baseline = nil, nil, false
	}
	for _, n := range []*[]fleet.Event{&m.Came, &m.Went} {
		if len(*n) > historyShown {
			m.More += len(*n) - historyShown
			*n = (*n)[:historyShown]
		}
	}
	if len(m.Changed) > historyShown {
		m.More += len(m.Changed) - historyShown
		m.Changed = m.Changed[:historyShown]
	}
	return m.Baseline || len(m.Came)+len(m.Went)+len(m.Changed) > 0
}

// moments groups events, newest first, by their time.
func moments(events []fleet.Event) []moment {
	var list []moment
	for _, e := range events {
		if n := len(list); n == 0 || !list[n-1].At.Equal(e.At) {
			list = append(list, moment{At: e.At, Report: e.Report})
		}
		m := &list[len(list)-1]
		switch e.Kind {
		case "baseline":
			m.Baseline = true
		case "went":
			m.Went = append(m.Went, e)
		default:
			m.Came = append(m.Came, e)
		}
	}
	for i := range list {
		list[i].pair()
	}
	return list
}

// pair makes changes of what went and came at once under one name.
func (m *moment) pair() {
	type place struct{ name, source, scope, user, path, arch string }
	of := func(p *inventory.Program) place { return place{p.Name, p.Source, p.Scope, p.User, p.Path, p.Arch} }
	went := map[place][]int{}
	for i := range m.Went {
		k := of(&m.Went[i].Program)
		went[k] = append(went[k], i)
	}
	gone := map[int]bool{}
	m.Came = slices.DeleteFunc(m.Came, func(e fleet.Event) bool {
		k := of(&e.Program)
		if len(went[k]) == 0 {
			return false
		}
		i := went[k][0]
		went[k], gone[i] = went[k][1:], true
		m.Changed = append(m.Changed, changed{Program: e.Program, From: m.Went[i].Program.Version, To: e.Program.Version})
		return true
	})
	var rest []fleet.Event
	for i, e := range m.Went {
		if !gone[i] {
			rest = append(rest, e)
		}
	}
	m.Went = rest
}

func itoa(n int) string { return strconv.Itoa(n) }
