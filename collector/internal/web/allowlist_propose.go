package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/internal/policy"
)

// shownProposals is how many proposals a page lists, most installed first.
const shownProposals = 200

type proposalsPage struct {
	Page
	Tabs    []headLink
	Here    string
	May     bool
	Ready   bool // they are counted
	Rows    []proposalRow
	More    int
	Reason  string
	Problem string
	Plan    *allowlist.Plan
	Base    int64
	Changed *changedBar
}

type proposalRow struct {
	policy.Proposal
	Key string
	On  bool
}

// proposalKey tells a proposal apart by what it matches: its name may change with the
// others.
func proposalKey(r *policy.Rule) string {
	b, _ := json.Marshal(r.Match) // texts only: it cannot fail
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// allowlistProposals lists rules for what nothing authorizes yet.
func (c *console) allowlistProposals(w http.ResponseWriter, r *http.Request) error {
	return c.showProposals(w, r, nil, nil)
}

// allowlistAccept shows what the chosen proposals would do, and takes them over when
// told to.
func (c *console) allowlistAccept(w http.ResponseWriter, r *http.Request) error {
	chosen, err := chosenRows(r)
	if err != nil {
		return c.showProposals(w, r, nil, err)
	}
	return c.showProposals(w, r, chosen, nil)
}

func (c *console) showProposals(w http.ResponseWriter, r *http.Request, chosen []string, failure error) error {
	ctx := r.Context()
	p := proposalsPage{Page: c.newPage(w, r, "software"), Here: allowlistPath + "/proposals"}
	p.Help, p.Title, p.Tabs, p.May = "/help/allowlist", p.T("allowlist.proposals.title"), allowlistTabs(&p.Page), access.May(p.actor, access.ChangeAllowlist)
	p.Reason = cleaned(r.PostFormValue("reason"), policy.MaxText)
	if failure != nil {
		p.Problem = p.Error(failure)
	}
	all, err := c.Rules.ProposalsSoon(ctx)
	if err != nil {
		return err
	}
	var rules []policy.Rule
	if p.Ready = all != nil; p.Ready {
		rules = p.rows(all.List, chosen)
	}
	if len(chosen) > 0 && len(rules) < len(chosen) {
		p.Problem = p.T("allowlist.proposals.gone")
	} else if len(rules) > 0 {
		plan, done, err := c.accept(r, &p, rules)
		if err != nil {
			return err
		} else if done {
			return c.changed(w, r, allowlistPath, plan)
		}
	}
	if p.Changed, err = c.changedNow(r, &p.Page); err != nil {
		return err
	}
	return c.execute(w, statusWith(p.Problem), "allowlist_proposals", "layout", p)
}

// rows makes the lines, and returns the rules of those that are chosen.
func (p *proposalsPage) rows(list []policy.Proposal, chosen []string) []policy.Rule {
	var rules []policy.Rule
	for i := range list {
		row := proposalRow{Proposal: list[i], Key: proposalKey(&list[i].Rule)}
		if row.On = slices.Contains(chosen, row.Key); row.On {
			rules = append(rules, row.Rule)
		}
		if len(p.Rows) < shownProposals || row.On {
			p.Rows = append(p.Rows, row)
		}
	}
	p.More = len(list) - len(p.Rows)
	return rules
}

// accept shows or does what the chosen proposals say.
func (c *console) accept(r *http.Request, p *proposalsPage, rules []policy.Rule) (allowlist.Plan, bool, error) {
	ctx := r.Context()
	a, err := c.Rules.Current(ctx)
	if err != nil {
		return allowlist.Plan{}, false, err
	}
	names := slices.Clone(a.Rules)
	for i := range rules {
		rules[i].Name = allowlist.FreeName(rules[i].Name, names)
		rules[i].Owner, rules[i].Reason = actor.From(ctx).ID, p.Reason
		names = append(names, rules[i])
	}
	plan, done, err := decide(&p.Page, r, &p.Problem, func(o allowlist.Options) (allowlist.Plan, error) { return c.Rules.AddRules(ctx, rules, o) })
	if apperr.Is(err, apperr.Invalid) {
		p.Problem = p.Error(err)
		return plan, false, nil
	}
	p.Plan, p.Base = &plan, plan.Current
	return plan, done, err
}
