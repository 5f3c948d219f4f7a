package web

import (
	"net/http"

	"vigia/collector/internal/access"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/paging"
)

// relatedRows is how many findings or records a machine's page lists; the whole list is
// a click away.
const relatedRows = 100

type machineFindingsPage struct {
	machinePage
	Open, Past []authorization.Finding
	All        string // address of the list
}

// machineFindings shows what was found on a machine, what needs somebody first.
func (c *console) machineFindings(w http.ResponseWriter, r *http.Request) error {
	base, err := c.machineOf(w, r, "findings")
	if err != nil {
		return err
	}
	p := machineFindingsPage{machinePage: base, All: "/findings?machine=" + base.Machine.ID}
	list, err := c.Findings.Findings(r.Context(), authorization.FindingFilter{Machine: p.Machine.ID, Limit: 1000})
	if err != nil {
		return err
	}
	for _, f := range list {
		switch {
		case f.State == authorization.Open && len(p.Open) < relatedRows:
			p.Open = append(p.Open, f)
		case f.State != authorization.Open && len(p.Past) < relatedRows:
			p.Past = append(p.Past, f)
		}
	}
	return c.render(w, r, "machine_findings", p)
}

type machineRecordsPage struct {
	machinePage
	List []nonconformity.Nonconformity
}

// machineRecords shows the records that were opened about a machine, newest first.
func (c *console) machineRecords(w http.ResponseWriter, r *http.Request) error {
	base, err := c.machineOf(w, r, "records")
	if err != nil {
		return err
	}
	if _, err := access.Need(r.Context(), access.SeeNonconformities); err != nil {
		return err
	}
	p := machineRecordsPage{machinePage: base}
	page, err := c.Nonconformities.Page(r.Context(), nonconformity.Filter{Machine: p.Machine.ID}, paging.Order{By: "number", Desc: true, Limit: relatedRows})
	if err != nil {
		return err
	}
	p.List = page.Rows
	return c.render(w, r, "machine_records", p)
}
