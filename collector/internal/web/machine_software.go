package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/web/form"
	"vigia/internal/policy"
)

// softwarePageSize is how many programs of one machine a page shows.
const softwarePageSize = 100

type machineSoftwarePage struct {
	machinePage
	List  listing
	Rows  []installRow
	Total int // programs that the filter lets through
}

type installRow struct {
	fleet.Install
	Finding authorization.Finding // Row 0 when there is none that is not over
	Verdict policy.Verdict
}

// machineSoftware shows the programs of one machine, with what was found about them.
func (c *console) machineSoftware(w http.ResponseWriter, r *http.Request) error {
	base, err := c.machineOf(w, r, "software")
	if err != nil {
		return err
	}
	p := machineSoftwarePage{machinePage: base}
	show := form.OneOf(r, "show", "findings", "requested", "flagged")
	p.List = listing{Path: "/machines/" + p.Machine.ID + "/software", Query: form.Text(r, "q"), Filters: []string{"show", show}}
	p.List.Filtered = p.List.Query+show != ""
	installs, err := c.Inventory.Installs(r.Context(), p.Machine.ID)
	if err != nil {
		return err
	}
	var findings []authorization.Finding
	for _, s := range []authorization.FindingState{authorization.Open, authorization.Authorized} {
		list, err := c.Findings.Findings(r.Context(), authorization.FindingFilter{Machine: p.Machine.ID, State: s, Limit: 1000})
		if err != nil {
			return err
		}
		findings = append(findings, list...)
	}
	verdicts, err := c.Verdicts.Verdicts(r.Context(), p.Machine.ID, installs)
	if err != nil {
		return err
	}
	p.fill(installs, verdicts, findings, show, int(form.Number(r, "page", 10_000)))
	for _, v := range []string{"findings", "flagged", "requested"} {
		url := p.List.with("show", v)
		if v == show {
			url = p.List.with("show", "")
		}
		p.List.Chips = append(p.List.Chips, chip{Text: p.T("programs.only-" + v), URL: url, Current: v == show})
	}
	return c.render(w, r, "machine_software", p)
}

func (p *machineSoftwarePage) fill(installs []fleet.Install, verdicts []policy.Verdict, findings []authorization.Finding, show string, page int) {
	byItem := map[int64]authorization.Finding{}
	for _, f := range findings {
		byItem[f.Item] = f
	}
	query := policy.Fold(p.List.Query)
	var rows []installRow
	for i, in := range installs {
		f := byItem[in.Item]
		if show == "flagged" && !verdicts[i].Flagged() {
			continue
		}
		if (show == "findings" && f.State != authorization.Open) || (show == "requested" && !in.Requested) {
			continue
		}
		if query != "" && !strings.Contains(policy.Fold(in.Name+" "+in.Version+" "+in.Publisher+" "+in.Path), query) {
			continue
		}
		rows = append(rows, installRow{in, f, verdicts[i]})
	}
	slices.SortStableFunc(rows, func(a, b installRow) int { // what needs somebody comes first
		return cmp.Compare(btoi(b.Finding.State == authorization.Open), btoi(a.Finding.State == authorization.Open))
	})
	p.Total = len(rows)
	page = max(page, 1)
	from := min((page-1)*softwarePageSize, len(rows))
	to := min(from+softwarePageSize, len(rows))
	p.Rows = rows[from:to]
	if to < len(rows) {
		p.List.Next = p.List.url("page", itoa(page+1))
	}
	if page > 1 {
		p.List.First = p.List.url()
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
