package web

import (
	"net/http"
	"strconv"
	"time"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/web/form"
)

// historyLimit is how many lines of history one page reads.
const historyLimit = 1000

// historyShown is how many programs one moment lists by name.
const historyShown = 50

// endOfTime from now is after everything, also where a machine's clock runs ahead.
const endOfTime = 100 * 365 * 24 * time.Hour

type machineHistoryPage struct {
	machinePage
	List    listing
	Moments []moment
}

// moment is what one report told: programs that came and went at one time.
type moment struct {
	At         time.Time
	Report     string
	Baseline   bool // the first whole report, which lists nothing by name
	Came, Went []fleet.Event
	MoreCame   int // beyond those listed
	MoreWent   int
}

// machineHistory shows what came and went on a machine, newest first.
func (c *console) machineHistory(w http.ResponseWriter, r *http.Request) error {
	base, err := c.machineOf(w, r, "history")
	if err != nil {
		return err
	}
	p := machineHistoryPage{machinePage: base}
	p.List = listing{Path: "/machines/" + p.Machine.ID + "/history"}
	before := form.Time(r, "before")
	if !before.IsZero() {
		p.List.First = p.List.url()
	} else {
		before = p.Now.Add(endOfTime)
	}
	events, err := c.Inventory.Events(r.Context(), p.Machine.ID, before, historyLimit)
	if err != nil {
		return err
	}
	p.Moments = moments(events)
	if n := len(p.Moments); len(events) >= historyLimit {
		if n > 1 { // the oldest may be cut off: the next page has all of it
			p.Moments = p.Moments[:n-1]
			n--
		}
		p.List.Next = p.List.url("before", form.Micro(p.Moments[n-1].At))
	}
	return c.render(w, r, "machine_history", p)
}

// moments groups events, newest first, by their time.
func moments(events []fleet.Event) []moment {
	var list []moment
	for _, e := range events {
		if n := len(list); n == 0 || !list[n-1].At.Equal(e.At) {
			list = append(list, moment{At: e.At, Report: e.Report})
		}
		m := &list[len(list)-1]
		if e.Kind == "baseline" {
			m.Baseline = true
			continue
		}
		shown, rest := &m.Came, &m.MoreCame
		if e.Kind == "went" {
			shown, rest = &m.Went, &m.MoreWent
		}
		if len(*shown) < historyShown {
			*shown = append(*shown, e)
		} else {
			*rest++
		}
	}
	return list
}

func itoa(n int) string { return strconv.Itoa(n) }
