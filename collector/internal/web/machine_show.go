package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
	"vigia/collector/internal/web/form"
	"vigia/internal/inventory"
)

// machinePage is what the parts of a machine's page share.
type machinePage struct {
	Page
	Tab     string
	Machine fleet.Machine
	Person  org.Person
	Silent  bool
	Records int    // nonconformities, -1: not for this reader
	Asked   *asked // a report that was asked for, nil: none
	Saved   string // what was just done
	Undo    *toggle
}

// Path is the address of one part of the machine's page.
func (p machinePage) Path(part string) string {
	if part != "" {
		part = "/" + part
	}
	return "/machines/" + p.Machine.ID + part
}

type machineShowPage struct {
	machinePage
	Conditions []condition
	Sections   []freshness
	Sources    []inventory.Source
	Troubled   []inventory.Source // failed or stale
	Identity   *inventory.Machine
	Hardware   *inventory.Hardware
	System     *inventory.System
	Antivirus  []inventory.Antivirus
	AVTold     bool
	Findings   []authorization.Finding
	Raw        []rawSection
}

// freshness is one section and since when it is as it is. A section that does not change
// is not sent again: that the machine was seen confirms it.
type freshness struct {
	Section inventory.Section
	TakenAt time.Time
	Told    bool
	Trouble string // outcome of a source that failed or is stale, else ""
}

type rawSection struct {
	Section inventory.Section
	JSON    string
}

// machineOf reads the machine that the URL names.
func (c *console) machineOf(w http.ResponseWriter, r *http.Request, tab string) (machinePage, error) {
	p := machinePage{Page: c.newPage(w, r, "machines"), Tab: tab}
	m, err := c.Machines.Machine(r.Context(), r.PathValue("id"))
	if apperr.Is(err, apperr.NotFound) {
		return p, apperr.Wrap(err, apperr.NotFound, "web.no-machine", nil)
	} else if err != nil {
		return p, err
	}
	p.Machine, p.Title, p.Silent = m, m.Hostname, silent(m, p.Now.Add(-silentAfter))
	if m.Person != "" {
		p.Person, err = c.Directory.Person(r.Context(), m.Person)
		if err != nil && !apperr.Is(err, apperr.NotFound) {
			return p, err
		}
	}
	p.Records = -1
	if access.May(p.actor, access.SeeNonconformities) {
		p.Records, err = c.Nonconformities.Count(r.Context(), nonconformity.Filter{Machine: m.ID}, maxCount)
	}
	return p, err
}

// machineShow says first how a machine is and how fresh that is, then what it is.
func (c *console) machineShow(w http.ResponseWriter, r *http.Request) error {
	base, err := c.machineOf(w, r, "summary")
	if err != nil {
		return err
	}
	p := machineShowPage{machinePage: base}
	docs, err := c.Inventory.Documents(r.Context(), p.Machine.ID)
	if err != nil {
		return err
	}
	for _, d := range docs {
		if err := p.read(d); err != nil {
			c.Log.Error("a stored section cannot be read", "machine", p.Machine.ID, "section", d.Section, "error", err)
		}
	}
	newest, err := c.Inventory.Events(r.Context(), p.Machine.ID, p.Now.Add(endOfTime), 1)
	if err != nil {
		return err
	}
	p.judge(docs, newest)
	p.Findings, err = c.openFindings(r.Context(), p.Machine.ID)
	if err != nil {
		return err
	}
	a, err := c.Allowlist.CurrentAllowlist(r.Context())
	if err != nil {
		return err
	}
	p.conditions(a.Mode)
	if p.Asked, err = c.lastAsked(r, &p.machinePage); err != nil {
		return err
	}
	p.after(form.OneOf(r, "done", "retired", "restored", "assigned"))
	return c.render(w, r, "machine_show", p)
}

func (c *console) openFindings(ctx context.Context, machine string) ([]authorization.Finding, error) {
	return c.Findings.Findings(ctx, authorization.FindingFilter{Machine: machine, State: authorization.Open, Limit: 20})
}

// read takes one stored section into the page.
func (p *machineShowPage) read(d fleet.Document) error {
	var err error
	switch d.Section {
	case inventory.SectionMachine:
		p.Identity, err = decoded[inventory.Machine](d.Body)
	case inventory.SectionHardware:
		p.Hardware, err = decoded[inventory.Hardware](d.Body)
	case inventory.SectionSystem:
		p.System, err = decoded[inventory.System](d.Body)
	case inventory.SectionAntivirus:
		if err = json.Unmarshal(d.Body, &p.Antivirus); err == nil {
			p.AVTold = true
		}
	case inventory.SectionSources:
		err = json.Unmarshal(d.Body, &p.Sources)
	}
	if len(d.Body) < 1<<20 {
		p.Raw = append(p.Raw, rawSection{d.Section, indented(d.Body)})
	}
	return err
}

func decoded[T any](body []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(body, v); err != nil {
		return nil, err
	}
	return v, nil
}

func indented(body []byte) string {
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Sprintf("%q", body)
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return string(body)
	}
	return string(b)
}

// judge says of each section how fresh it is, and which sources are in trouble. The
// list of programs is no document: its newest event tells when it changed.
func (p *machineShowPage) judge(docs []fleet.Document, newest []fleet.Event) {
	taken := map[inventory.Section]time.Time{}
	for _, e := range newest {
		taken[inventory.SectionSoftware] = e.At
	}
	for _, d := range docs {
		taken[d.Section] = d.TakenAt
	}
	trouble := map[inventory.Section]string{}
	for _, s := range p.Sources {
		if s.Outcome != inventory.OutcomeFailed && s.Outcome != inventory.OutcomeStale {
			continue
		}
		p.Troubled = append(p.Troubled, s)
		trouble[sectionOf(s.Source, p.Antivirus)] = string(s.Outcome)
	}
	for _, s := range []inventory.Section{inventory.SectionHardware, inventory.SectionSystem, inventory.SectionSoftware, inventory.SectionAntivirus} {
		at, told := taken[s]
		p.Sections = append(p.Sections, freshness{Section: s, TakenAt: at, Told: told, Trouble: trouble[s]})
	}
}

// sectionOf tells which section a source feeds.
func sectionOf(source string, products []inventory.Antivirus) inventory.Section {
	switch s := inventory.Section(source); s {
	case inventory.SectionHardware, inventory.SectionSystem, inventory.SectionMachine, inventory.SectionAntivirus:
		return s
	}
	for _, a := range products {
		if a.From() == source {
			return inventory.SectionAntivirus
		}
	}
	if strings.EqualFold(source, "clamav") || source == "windows-security" { // also where it failed and no product is known
		return inventory.SectionAntivirus
	}
	return inventory.SectionSoftware
}
