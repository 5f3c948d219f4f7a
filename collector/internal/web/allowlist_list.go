package web

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/paging"
	"vigia/internal/policy"
	"vigia/internal/policy/policyfile"
)

// Rules is what pages ask of the allowlist; allowlist.Service has it.
type Rules interface {
	Current(ctx context.Context) (authorization.Allowlist, error)
	History(ctx context.Context, limit int) ([]authorization.Allowlist, error)
	Version(ctx context.Context, version int64) (authorization.Allowlist, allowlist.Difference, error)
	FindRule(ctx context.Context, idOrName string) (policy.Rule, authorization.Allowlist, error)
	RuleHistory(ctx context.Context, id string) ([]allowlist.RuleChange, bool, error)
	Uses(ctx context.Context) (*allowlist.Uses, error)
	ProposalsSoon(ctx context.Context) (*allowlist.Proposals, error)
	TitleVerdicts(ctx context.Context, title int64) ([]allowlist.PlaceVerdict, error)
	Export(ctx context.Context, w io.Writer) error
	AddRules(ctx context.Context, rules []policy.Rule, opts allowlist.Options) (allowlist.Plan, error)
	ChangeRule(ctx context.Context, id string, r policy.Rule, opts allowlist.Options) (allowlist.Plan, error)
	RemoveRules(ctx context.Context, idsOrNames []string, opts allowlist.Options) (allowlist.Plan, error)
	Import(ctx context.Context, f *policyfile.File, name string, opts allowlist.Options) (allowlist.Plan, error)
	SetMode(ctx context.Context, mode authorization.Mode, opts allowlist.Options) (allowlist.Plan, error)
	TakeBack(ctx context.Context, version int64, opts allowlist.Options) (allowlist.Plan, error)
}

// allowlistPath is where the rules are.
const allowlistPath = "/allowlist"

// expiringSoon is how long before its end a rule counts as expiring.
const expiringSoon = 30 * 24 * time.Hour

// ruleRow is a rule as the list shows it.
type ruleRow struct {
	policy.Rule
	State  string           // "valid", "expiring", "expired", "upcoming"
	Covers *allowlist.Cover // nil: not counted yet
}

func ruleState(r *policy.Rule, now time.Time) string {
	switch {
	case !r.ValidUntil.IsZero() && now.After(r.ValidUntil):
		return "expired"
	case !r.ValidFrom.IsZero() && now.Before(r.ValidFrom):
		return "upcoming"
	case !r.ValidUntil.IsZero() && r.ValidUntil.Sub(now) < expiringSoon:
		return "expiring"
	}
	return "valid"
}

// ruleRows are the rules in force that a filter lets through, with what each covers.
func (c *console) ruleRows(ctx context.Context, n narrowing) ([]ruleRow, error) {
	a, err := c.Rules.Current(ctx)
	if err != nil {
		return nil, err
	}
	uses, err := c.Rules.Uses(ctx)
	if err != nil {
		return nil, err
	}
	now, words := c.Now(), policy.Fold(n.Text)
	var list []ruleRow
	for i := range a.Rules {
		row := ruleRow{Rule: a.Rules[i], State: ruleState(&a.Rules[i], now)}
		if uses != nil {
			cover := uses.ByRule[row.ID]
			row.Covers = &cover
		}
		if row.passes(n, words) {
			list = append(list, row)
		}
	}
	return list, nil
}

func (r *ruleRow) passes(n narrowing, words string) bool {
	for name, want := range n.values {
		got := ""
		switch name {
		case "effect":
			got = string(r.Effect)
		case "state":
			got = r.State
			if want == "unused" && r.Covers != nil && r.Covers.Installs == 0 {
				got = want
			}
		case "owner":
			got = r.Owner
		case "scope":
			got = "limited"
			if r.Scope.IsZero() {
				got = "everywhere"
			}
		}
		if got != want {
			return false
		}
	}
	if words == "" {
		return true
	}
	texts := []string{r.Name, r.Owner, r.Reason}
	for _, f := range matchFields(&r.Match) {
		texts = append(texts, *f.value)
	}
	for _, t := range targetFields(&r.Scope) {
		texts = append(texts, *t.values...)
	}
	return strings.Contains(policy.Fold(strings.Join(texts, "\n")), words)
}

// ruleOrder is the text that a rule stands by.
func ruleOrder(by string) func(*ruleRow) string {
	return func(r *ruleRow) string {
		switch by {
		case "effect":
			return string(r.Effect)
		case "owner":
			return policy.Fold(r.Owner)
		case "until":
			if r.ValidUntil.IsZero() {
				return "9"
			}
			return r.ValidUntil.UTC().Format(time.RFC3339)
		case "covers":
			n := 0
			if r.Covers != nil {
				n = r.Covers.Installs
			}
			return fmt.Sprintf("%012d", n)
		}
		return policy.Fold(r.Name)
	}
}

// sortedPage is one page of rows that are all in memory.
func sortedPage[T any](rows []T, o paging.Order, order, key func(*T) string) paging.Page[T] {
	sign := 1
	if o.Desc {
		sign = -1
	}
	slices.SortFunc(rows, func(a, b T) int {
		return sign * cmp.Or(cmp.Compare(order(&a), order(&b)), cmp.Compare(key(&a), key(&b)))
	})
	if !o.After.IsZero() {
		i := slices.IndexFunc(rows, func(r T) bool {
			return sign*cmp.Or(cmp.Compare(order(&r), o.After.Value), cmp.Compare(key(&r), o.After.Key)) > 0
		})
		if i < 0 {
			i = len(rows)
		}
		rows = rows[i:]
	}
	if o.Limit <= 0 || len(rows) <= o.Limit {
		return paging.Page[T]{Rows: rows}
	}
	last := &rows[o.Limit-1]
	return paging.Page[T]{Rows: rows[:o.Limit], Next: paging.Place{Value: order(last), Key: key(last)}}
}

// allowlistList declares the list of rules.
func (c *console) allowlistList() *listOf[ruleRow] {
	return &listOf[ruleRow]{
		name: "rules", path: allowlistPath, section: "software", title: "allowlist.title", about: "allowlist.about", search: "allowlist.search", count: "count.rules",
		empty: "allowlist.empty", emptyHelp: "allowlist.empty.help", order: "name", columns: ruleColumns(), filters: c.ruleFilters(), tabs: allowlistTabs, help: "allowlist",
		key: func(r ruleRow) string { return r.ID }, label: func(r ruleRow) string { return r.Name },
		actions: []bulkAction{{Path: allowlistPath + "/remove", Icon: "trash", text: "rule.remove", right: access.ChangeAllowlist}},
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[ruleRow], error) {
			rows, err := c.ruleRows(ctx, n)
			if err != nil {
				return paging.Page[ruleRow]{}, err
			}
			return sortedPage(rows, o, ruleOrder(o.By), func(r *ruleRow) string { return r.ID }), nil
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			rows, err := c.ruleRows(ctx, n)
			return min(len(rows), most), err
		},
		links: func(p *Page) []headLink {
			links := []headLink{{URL: allowlistPath + "/export.yaml", Text: p.T("allowlist.export"), Icon: "download"}}
			if access.May(p.actor, access.ChangeAllowlist) {
				links = append([]headLink{{URL: allowlistPath + "/rules/new", Text: p.T("rule.new"), Icon: "plus"}, {URL: allowlistPath + "/import", Text: p.T("allowlist.import"), Icon: "upload"}}, links...)
			}
			return links
		},
		after: c.afterChange,
		note: func(ctx context.Context) (authorization.Mode, error) {
			a, err := c.Rules.Current(ctx)
			return a.Mode, err
		},
	}
}

func ruleColumns() []column[ruleRow] {
	return []column[ruleRow]{
		{key: "name", heading: "rules.rule", sort: "name", show: func(p *Page, r ruleRow) cell {
			return cell{Text: r.Name, URL: rulePath(r.ID), Sub: p.Matches(r.Match)}
		}},
		{key: "effect", heading: "rules.effect", sort: "effect", show: func(p *Page, r ruleRow) cell { return p.tagCell("effect", r.Effect) }},
		{key: "where", heading: "rule.where", show: func(p *Page, r ruleRow) cell { return cell{Text: p.Reaches(r.Scope)} }},
		{key: "until", heading: "rule.until", sort: "until", show: func(p *Page, r ruleRow) cell {
			x := cell{Text: p.T("rule.no-end"), Quiet: true}
			if !r.ValidUntil.IsZero() {
				x = cell{Text: p.Date(r.ValidUntil), Time: r.ValidUntil}
			}
			if r.State != "valid" {
				x.Tags = []tag{p.Tag("rule.state", r.State)}
			}
			return x
		}},
		{key: "covers", heading: "rule.covers", sort: "covers", down: true, number: true, show: func(p *Page, r ruleRow) cell {
			if r.Covers == nil {
				return cell{Text: p.T("rule.counting"), Quiet: true}
			}
			x := p.countCell(r.Covers.Installs, "")
			if r.Covers.Installs > 0 {
				x.Sub = p.N("list.machines", r.Covers.Machines)
			}
			return x
		}},
		{key: "owner", heading: "rule.owner", sort: "owner", show: func(p *Page, r ruleRow) cell { return p.textCell(r.Owner) }},
		{key: "reason", heading: "rule.reason", show: func(p *Page, r ruleRow) cell { return p.textCell(r.Reason) }},
	}
}

func (c *console) ruleFilters() []filter {
	return []filter{
		{name: "effect", label: "rules.effect", quick: true, closed: true, offer: words("effect", "allow", "deny")},
		{name: "state", label: "state", quick: true, closed: true, offer: words("rule.state", "expiring", "expired", "upcoming", "unused")},
		{name: "scope", label: "rule.where", closed: true, offer: words("rule.scope", "everywhere", "limited")},
		{name: "owner", label: "rule.owner", offer: c.ruleOwners},
	}
}

// ruleOwners are those who answer for rules in force.
func (c *console) ruleOwners(ctx context.Context, _ *Page) ([]choice, error) {
	a, err := c.Rules.Current(ctx)
	var list []string
	for i := range a.Rules {
		if o := a.Rules[i].Owner; o != "" {
			list = append(list, o)
		}
	}
	slices.Sort(list)
	var out []choice
	for _, o := range slices.Compact(list) {
		if len(out) < 200 && len(o) <= maxName {
			out = append(out, choice{o, o})
		}
	}
	return out, err
}

func rulePath(id string) string { return allowlistPath + "/rules/" + urlValue(id) }

// allowlistTabs lead from one page of the allowlist to another.
func allowlistTabs(p *Page) []headLink {
	return []headLink{{URL: allowlistPath, Text: p.T("allowlist.rules.tab")}, {URL: allowlistPath + "/mode", Text: p.T("allowlist.mode.tab")},
		{URL: allowlistPath + "/proposals", Text: p.T("allowlist.proposals.tab")}, {URL: allowlistPath + "/history", Text: p.T("allowlist.history.tab")}}
}

// allowlistExport sends the file that the command writes.
func (c *console) allowlistExport(w http.ResponseWriter, r *http.Request) error {
	var b strings.Builder
	if err := c.Rules.Export(r.Context(), &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="allowlist.yaml"`)
	_, err := io.WriteString(w, b.String())
	return err
}

// afterChange tells on a page what was just changed, with the way back.
func (c *console) afterChange(r *http.Request, page *listPage) error {
	var err error
	page.Changed, err = c.changedNow(r, &page.Page)
	return err
}

// changedBar tells what was just changed, with the way back.
type changedBar struct {
	Version int64
	Text    string
	May     bool
}

// changedNow is the bar for the version in ?changed=, while that is the newest.
func (c *console) changedNow(r *http.Request, p *Page) (*changedBar, error) {
	n := int64(0)
	if _, err := fmt.Sscan(r.URL.Query().Get("changed"), &n); err != nil || n < 1 {
		return nil, nil
	}
	a, _, err := c.Rules.Version(r.Context(), n)
	if apperr.Is(err, apperr.NotFound) {
		return nil, nil
	}
	return &changedBar{Version: n, Text: p.T("allowlist.changed-now", "Version", n, "What", p.Cause(a)), May: access.May(p.actor, access.ChangeAllowlist)}, err
}
