package web

import (
	"context"

	"vigia/collector/internal/access"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/web/form"
	"vigia/internal/policy"
)

// shownPlaces is how many places of each kind a title's page lists.
const shownPlaces = 100

// placeLine is what the allowlist says of a title in one place.
type placeLine struct {
	Name     string
	Machines int
	Has      int
	Says     []saidLine
}

type saidLine struct {
	Tag  tag
	Rule string
	URL  string // of the rule
	Text string // on how many machines
}

// titleVerdicts tells what the allowlist says of a title in each place, to those who may
// see it.
func (c *console) titleVerdicts(ctx context.Context, p *Page, id int64) ([]placeLine, error) {
	if !access.May(p.actor, access.SeeAllowlist) {
		return nil, nil
	}
	places, err := c.Rules.TitleVerdicts(ctx, id)
	shown := map[string]int{}
	var out []placeLine
	for _, v := range places {
		if shown[v.Kind]++; shown[v.Kind] > shownPlaces {
			continue
		}
		name := v.Name
		if name == "" {
			name = p.T("title.place.none")
		}
		line := placeLine{Name: p.T("title.place.all"), Machines: v.Machines, Has: v.Has}
		switch v.Kind {
		case "sites":
			line.Name = p.T("title.place.sites", "Name", name)
		case "areas":
			line.Name = p.T("title.place.areas", "Name", name)
		case "groups":
			line.Name = p.T("title.place.groups", "Name", name)
		}
		for _, s := range v.Says {
			line.Says = append(line.Says, p.said(s, v.Has > 0))
		}
		out = append(out, line)
	}
	return out, err
}

// said tells one verdict of a place.
func (p Page) said(s allowlist.Said, installed bool) saidLine {
	line := saidLine{Tag: p.Tag("verdict", string(s.Verdict)), Text: p.T("title.says.would")}
	if s.Has > 0 {
		line.Text = p.N("title.says.on", s.Has)
	} else if !installed && s.Verdict == policy.Unauthorized {
		line.Tag.Class = "vg-quiet" // nothing is wrong there
	}
	if s.RuleName != "" {
		line.Rule = p.rule(s.RuleName)
	}
	if s.Rule != "" && s.Rule != policy.BaselineRule {
		line.URL = rulePath(s.Rule)
	}
	return line
}

// NewRule is the address of a new rule about the title, filled in; "" where it has
// several reported names.
func (p titlePage) NewRule(effect string) string {
	if p.Row.Names != 1 || len(p.Versions) == 0 {
		return ""
	}
	v := p.Versions[0]
	return form.Link(allowlistPath+"/rules/new", "effect", effect, "title", v.Name, "program", v.Name, "publisher", v.Publisher)
}

// Review is the address of the title's findings in the queue.
func (p titlePage) Review() string {
	if p.Findings() == "" {
		return ""
	}
	return reviewPath + "?q=" + urlValue(p.Versions[0].Name)
}
