package ncr

import (
	"io"
	"strings"
	"time"

	"vigia/collector/internal/locale"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/report"
)

// Register writes records, one to a line, as a spreadsheet.
func Register(w io.Writer, p *locale.Printer, f report.Format, title string, records []nonconformity.Nonconformity) error {
	var heads []string
	for _, key := range []string{"nc.number", "state", "severity", "nc.opened", "nc.person", "machine.area", "machine.site", "machine", "nc.programs", "nc.cause", "nc.measure",
		"nc.contained", "nc.days.contain", "nc.effective", "nc.ended", "nc.days.close", "finding.recurrences", "nc.awaited", "nc.due"} {
		heads = append(heads, p.T(key))
	}
	t, err := report.New(f, w, title, heads, p.Zone)
	if err != nil {
		return err
	}
	for _, n := range records {
		var names []string
		for _, x := range n.Programs {
			names = append(names, strings.TrimSpace(x.Name+" "+x.Version))
		}
		word := func(group, value string) string {
			if value == "" {
				return ""
			}
			return p.Word(group, value)
		}
		person := n.PersonName
		if person == "" {
			person = n.Person
		}
		if err := t.Row([]any{n.Number, p.Word("nc.state", string(n.State)), word("severity", string(n.Severity)), n.OpenedAt, person, n.Area, n.Site, n.Hostname,
			strings.Join(names, ", "), word("nc.cause", nonconformity.CauseOf(&n)), word("nc.measure", measureOf(&n)), n.ContainedAt, daysTo(n.RoundAt, n.ContainedAt),
			n.VerifiedAt, n.EndedAt, daysTo(n.OpenedAt, n.EndedAt), n.Recurrences, word("party", n.Awaited), n.DueAt}); err != nil {
			_ = t.Abandon()
			return err
		}
	}
	return t.Close()
}

// measureOf is the last measure of Human Resources; empty: none yet.
func measureOf(n *nonconformity.Nonconformity) string {
	for i := len(n.Steps) - 1; i >= 0; i-- {
		if n.Steps[i].Answer.Measure != "" {
			return n.Steps[i].Answer.Measure
		}
	}
	return ""
}

// daysTo is how many whole days lie between two moments; empty where the later has not
// come.
func daysTo(from, to time.Time) any {
	if to.IsZero() || to.Before(from) {
		return ""
	}
	return int(to.Sub(from) / (24 * time.Hour))
}
