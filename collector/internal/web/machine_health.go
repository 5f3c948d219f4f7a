package web

import (
	"slices"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/internal/inventory"
)

// definitionsOld is after how long an antivirus' definitions do not protect any more.
const definitionsOld = 7 * 24 * time.Hour

// lowDisk is below what free share, in percent, a volume needs somebody.
const lowDisk = 10

// condition is one of the four things that a machine's page says first: in a word, why,
// and as of when.
type condition struct {
	Name  string
	State tag
	Why   []string
	URL   string    // where there is more of it
	At    time.Time // confirmed by the machine; zero: never
}

// worse keeps the worst of what is said: "good", "warn", "bad", "unknown" before all
// that was told.
type worse struct {
	state string
	why   []string
}

func (w *worse) say(state, text string) {
	rank := map[string]int{"good": 0, "warn": 1, "bad": 2}
	if rank[state] > rank[w.state] {
		w.state = state
	}
	w.why = append(w.why, text)
}

// conditions says how the machine is.
func (p *machineShowPage) conditions(mode authorization.Mode) {
	p.Conditions = []condition{p.health(), p.authorization(mode),
		{Name: p.T("condition.maintained"), State: p.Tag("condition", "unset"), Why: []string{p.T("condition.maintained.unset")}},
		{Name: p.T("condition.licensed"), State: p.Tag("condition", "unset"), Why: []string{p.T("condition.licensed.unset")}},
	}
}

// health looks at the machine's identity, its sources, and what it told of itself.
func (p *machineShowPage) health() condition {
	c := condition{Name: p.T("condition.healthy"), At: p.Machine.LastSeen}
	if p.Machine.LastReport.IsZero() {
		c.State, c.Why = p.Tag("condition", "unknown"), []string{p.T("condition.no-report")}
		return c
	}
	w := &worse{state: "good"}
	if p.Machine.State != fleet.Active {
		w.say("bad", p.Word("machine.state", string(p.Machine.State)))
	}
	if p.Silent {
		w.say("bad", p.T("health.silent", "Ago", p.Ago(p.Machine.LastSeen, p.Now)))
	}
	p.protection(w)
	p.system(w)
	if n := len(p.Troubled); n > 0 {
		w.say("warn", p.N("health.sources", n))
	}
	if w.state == "good" {
		w.why = []string{p.T("health.good")}
	}
	c.State, c.Why = p.Tag("condition", w.state), w.why
	return c
}

// protection looks at the antivirus.
func (p *machineShowPage) protection(w *worse) {
	switch {
	case !p.AVTold:
		w.say("warn", p.T("health.av-untold"))
		return
	case len(p.Antivirus) == 0:
		w.say("bad", p.T("health.av-none"))
		return
	}
	best := ""
	for _, a := range p.Antivirus {
		name := p.Name("source", a.Product)
		switch {
		case a.State != "on":
			if best == "" {
				best = p.T("health.av-state", "Product", name, "State", p.Word("av.state", a.State))
			}
		case oldDefinitions(a, p.Now):
			best = p.T("health.av-old", "Product", name)
		default:
			return // one that works is enough
		}
	}
	w.say("bad", best)
}

// oldDefinitions goes by their age where it is told, else by what the product says: a
// product known through Security Center tells no date.
func oldDefinitions(a inventory.Antivirus, now time.Time) bool {
	if a.DefinitionsAt.IsZero() {
		return a.Source == "" || slices.Contains(a.Problems, "definitions-old") || slices.Contains(a.Problems, "definitions-missing")
	}
	return now.Sub(a.DefinitionsAt) > definitionsOld
}

// system looks at the operating system and the volumes.
func (p *machineShowPage) system(w *worse) {
	if p.System != nil {
		if s := p.System.SupportEnds; s != "" && s < p.Now.Format(time.DateOnly) {
			w.say("bad", p.T("health.unsupported", "Day", p.Day(s)))
		}
		if p.System.RebootPending {
			w.say("warn", p.T("health.reboot"))
		}
	}
	if p.Hardware == nil {
		return
	}
	for _, v := range p.Hardware.Volumes {
		if v.Bytes > 0 && v.FreePct < lowDisk {
			w.say("warn", p.T("health.disk", "Volume", v.Mount, "Percent", p.Percent(v.FreePct)))
		}
	}
}

// authorization says whether everything on the machine is authorized.
func (p *machineShowPage) authorization(mode authorization.Mode) condition {
	c := condition{Name: p.T("condition.authorized"), At: p.Machine.LastSeen, URL: p.Path("findings")}
	switch {
	case p.Machine.LastReport.IsZero():
		c.State, c.Why = p.Tag("condition", "unknown"), []string{p.T("condition.no-report")}
	case p.Machine.Findings > 0:
		c.State, c.Why = p.Tag("condition", "bad"), []string{p.N("condition.findings", p.Machine.Findings)}
	case mode == authorization.Learn:
		c.State, c.Why = p.Tag("condition", "unset"), []string{p.T("condition.learning")}
	default:
		c.State, c.Why = p.Tag("condition", "good"), []string{p.T("condition.all-authorized")}
	}
	return c
}
