package web

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

func severityNames() []string {
	var list []string
	for _, s := range authorization.Severities() {
		list = append(list, string(s))
	}
	return list
}

func categoryNames() []string {
	var list []string
	for _, k := range authorization.Categories() {
		list = append(list, string(k))
	}
	return list
}

// severityLinks leads from the list of findings to what grades them.
func severityLinks(p *Page) []headLink {
	if !access.May(p.actor, access.SeeAllowlist) {
		return nil
	}
	return []headLink{{URL: severityPath, Text: p.T("severity.title"), Icon: "settings"}}
}

// severityCell is how grave a finding is, with what kind of program it is.
func severityCell(p *Page, f authorization.Finding) cell {
	if f.Severity == authorization.Ungraded {
		return cell{Text: p.T("severity.ungraded"), Quiet: true}
	}
	c := p.tagCell("severity", f.Severity)
	if f.Category != authorization.UnknownThing {
		c.Sub = p.categoryName(f.Category)
	}
	return c
}

func (p *Page) categoryName(k authorization.Category) string {
	if k == "" {
		return p.T("severity.ungraded")
	}
	return p.Word("category", string(k))
}

// seenByAntivirus returns the threats with a program's name in theirs that the antivirus
// of its machine told of; the probe keeps no paths.
func seenByAntivirus(docs []fleet.Document, program string) ([]inventory.Detection, error) {
	var list []inventory.Antivirus
	for _, d := range docs {
		if d.Section == inventory.SectionAntivirus {
			if err := json.Unmarshal(d.Body, &list); err != nil {
				return nil, err
			}
		}
	}
	word, _, _ := strings.Cut(policy.Fold(program), " ")
	if len(word) < 4 {
		return nil, nil
	}
	var found []inventory.Detection
	for _, a := range list {
		for _, d := range a.Detections {
			if strings.Contains(policy.Fold(d.Threat), word) {
				found = append(found, d)
			}
		}
	}
	return found, nil
}

// graveness is what a finding's page says about how grave it is.
type graveness struct {
	Parent   *authorization.Finding // that it came along with
	Along    []authorization.Finding
	Threats  []inventory.Detection
	NoThreat bool // the antivirus told what it found, and not of this
}

// gravenessOf reads what is around a finding; what the reader may not see is left out.
func (c *console) gravenessOf(ctx context.Context, f authorization.Finding) (graveness, error) {
	var g graveness
	if f.Parent != 0 {
		p, err := c.Findings.Finding(ctx, f.Parent)
		switch {
		case err == nil:
			g.Parent = &p
		case !apperr.Is(err, apperr.NotFound):
			return g, err
		}
	}
	var err error
	if f.Along > 0 {
		if g.Along, err = c.Findings.Findings(ctx, authorization.FindingFilter{Parent: f.Row, Limit: shownAlong}); err != nil {
			return g, err
		}
	}
	docs, err := c.Inventory.Documents(ctx, f.Machine)
	if err == nil {
		g.Threats, err = seenByAntivirus(docs, f.Program)
	}
	switch {
	case err != nil && errors.Is(err, ctx.Err()):
		return g, err
	case apperr.Is(err, apperr.NotFound) || apperr.Is(err, apperr.Forbidden):
	case err != nil: // the rest of the page is worth showing
		c.Log.Error("what the antivirus told cannot be read", "machine", f.Machine, "error", err)
	default:
		g.NoThreat = len(g.Threats) == 0
	}
	return g, nil
}

// shownAlong is how many of those that came along a page names.
const shownAlong = 30
