package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/report"
	"vigia/collector/internal/report/ncr"
	"vigia/collector/internal/web/form"
)

// send answers with a file to be saved.
func send(w http.ResponseWriter, kind, name string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, err := w.Write(body)
	return err
}

// nonconformityPDF sends one record for the ISO file, in the reader's language.
func (c *console) nonconformityPDF(w http.ResponseWriter, r *http.Request) error {
	n, err := c.recordOf(r)
	if err != nil {
		return err
	}
	p := c.newPage(w, r, "nonconformities")
	x := ncr.Record{Nonconformity: n, Company: "Vigía"}
	if x.Outlook, err = c.RecordSteps.Outlook(r.Context(), n); err != nil {
		return err
	}
	if x.Trail, err = c.RecordSteps.Trail(r.Context(), n.Number); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := ncr.Write(&b, p.Printer, x); err != nil {
		return err
	}
	return send(w, "application/pdf", n.Number+".pdf", b.Bytes())
}

// wholeRecords reads every record of a period that the reader sees.
func (c *console) wholeRecords(ctx context.Context, from, to time.Time) ([]nonconformity.Nonconformity, error) {
	var all []nonconformity.Nonconformity
	f := nonconformity.Filter{From: from, To: to, Limit: 500}
	for {
		list, err := c.Nonconformities.Whole(ctx, f)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if len(list) < f.Limit {
			return all, nil
		}
		f.After = list[len(list)-1].Row
	}
}

// nonconformityRegister sends the register of a year.
func (c *console) nonconformityRegister(w http.ResponseWriter, r *http.Request) error {
	p := c.newPage(w, r, "nonconformities")
	year := int(form.Number(r, "year", 9999))
	if year < 2000 {
		year = p.Now.In(p.Zone).Year()
	}
	records, err := c.wholeRecords(r.Context(), time.Date(year, 1, 1, 0, 0, 0, 0, p.Zone), time.Date(year+1, 1, 1, 0, 0, 0, 0, p.Zone))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := ncr.Register(&b, p.Printer, report.XLSX, fmt.Sprint(year), records); err != nil {
		return err
	}
	return send(w, report.XLSX.ContentType(), fmt.Sprintf("nonconformities-%d.xlsx", year), b.Bytes())
}

type nonconformityAnalysisPage struct {
	Page
	nonconformity.Analysis
	Year, Quarter int
	Heading       string
	Before, After string // addresses of the quarters beside
	Parts         []analysisPart
	Register      string
}

// analysisPart is one chart with the table behind it.
type analysisPart struct {
	Title string
	Rows  []analysisRow
}

// analysisRow is one bar; Width is of 600.
type analysisRow struct {
	Name, URL string
	N         string
	Width     int
}

// nonconformityAnalysis shows a quarter for the management review.
func (c *console) nonconformityAnalysis(w http.ResponseWriter, r *http.Request) error {
	p := nonconformityAnalysisPage{Page: c.newPage(w, r, "nonconformities")}
	now := p.Now.In(p.Zone)
	p.Year, p.Quarter = int(form.Number(r, "year", 9999)), int(form.Number(r, "quarter", 4))
	if p.Year < 2000 || p.Quarter < 1 {
		p.Year, p.Quarter = now.Year(), (int(now.Month())+2)/3
	}
	from, to := nonconformity.Quarter(p.Year, p.Quarter, p.Zone)
	records, err := c.wholeRecords(r.Context(), from, to)
	if err != nil {
		return err
	}
	p.Analysis = nonconformity.Review(records, from, to, p.Now)
	p.Title = p.T("analysis.title")
	p.Heading = p.T("analysis.quarter", "Quarter", p.Quarter, "Year", strconv.Itoa(p.Year))
	at := func(months int) string {
		t := from.AddDate(0, months, 0)
		return form.Link("/nonconformities/analysis", "year", strconv.Itoa(t.Year()), "quarter", strconv.Itoa((int(t.Month())+2)/3))
	}
	p.Before, p.Register = at(-3), form.Link("/nonconformities/register.xlsx", "year", strconv.Itoa(p.Year))
	if to.Before(p.Now) {
		p.After = at(3)
	}
	p.part("analysis.area", p.ByArea, func(s string) (string, string) { return s, form.Link("/nonconformities", "area", s) })
	p.part("analysis.cause", p.ByCause, func(s string) (string, string) { return p.Word("nc.cause", s), "" })
	p.part("analysis.program", p.ByProgram, func(s string) (string, string) { return s, form.Link("/nonconformities", "q", s) })
	p.part("analysis.severity", p.BySeverity, func(s string) (string, string) { return p.Word("severity", s), "" })
	return c.execute(w, http.StatusOK, "nonconformity_analysis", "layout", &p)
}

// shownBars is how many bars a chart has at most.
const shownBars = 12

func (p *nonconformityAnalysisPage) part(title string, counts []nonconformity.Count, say func(string) (name, url string)) {
	part := analysisPart{Title: p.T(title)}
	for i, x := range counts {
		if i == shownBars {
			break
		}
		row := analysisRow{N: p.Number64(x.N), Width: 600 * x.N / counts[0].N}
		if row.Name, row.URL = p.T("analysis.unknown"), ""; x.Name != "" {
			row.Name, row.URL = say(x.Name)
		}
		part.Rows = append(part.Rows, row)
	}
	p.Parts = append(p.Parts, part)
}

// Span writes a time in days, or hours where it is less than two days.
func (p *nonconformityAnalysisPage) Span(d time.Duration) string {
	if d < 48*time.Hour {
		return p.N("nc.hours", int(d/time.Hour))
	}
	return p.N("nc.days", int(d/(24*time.Hour)))
}
