package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/web/form"
)

// Severities is what pages ask of the catalogue of severities;
// authorization.CatalogueService has it.
type Severities interface {
	Catalogue(ctx context.Context) (authorization.Catalogue, error)
	AddRule(ctx context.Context, r authorization.CatalogueRule) (authorization.Catalogue, error)
	RemoveRule(ctx context.Context, id int64) (authorization.Catalogue, error)
	SetRulings(ctx context.Context, list []authorization.Ruling, purchaseFrom int64) (authorization.Catalogue, error)
	Undo(ctx context.Context) (authorization.Catalogue, error)
}

// severityPath is where the catalogue is.
const severityPath = "/findings/severities"

// severityPage is the catalogue: what each category means, and which programs are of it.
type severityPage struct {
	Page
	Catalogue authorization.Catalogue
	May       bool
	Saved     string
	Rulings   []rulingRow
	Parts     []severityPart
	Amount    string
	Fields    []field
	Problem   string // of the form of rulings
}

type rulingRow struct {
	authorization.Ruling
	Choices []choice
}

// severityPart is the rules of one category.
type severityPart struct {
	Category authorization.Category
	Rules    []authorization.CatalogueRule
}

// severityShow shows the catalogue.
func (c *console) severityShow(w http.ResponseWriter, r *http.Request) error {
	return c.showSeverities(w, r, authorization.CatalogueRule{}, nil)
}

func (c *console) showSeverities(w http.ResponseWriter, r *http.Request, typed authorization.CatalogueRule, failure error) error {
	p := severityPage{Page: c.newPage(w, r, "findings")}
	p.Title, p.May = p.T("severity.title"), access.May(p.actor, access.ChangeAllowlist)
	var err error
	if p.Catalogue, err = c.Severities.Catalogue(r.Context()); err != nil {
		return err
	}
	if done := form.OneOf(r, "done", "added", "removed", "saved", "undone"); done != "" {
		p.Saved = p.Word("severity.done", done)
	}
	severities := []choice{}
	for _, s := range authorization.Severities() {
		severities = append(severities, choice{string(s), p.Word("severity", string(s))})
	}
	categories := []choice{}
	for _, k := range authorization.Categories() {
		p.Rulings = append(p.Rulings, rulingRow{p.Catalogue.RulingOf(k), severities})
		part := severityPart{Category: k}
		for _, x := range p.Catalogue.Rules {
			if x.Category == k {
				part.Rules = append(part.Rules, x)
			}
		}
		if k != authorization.UnknownThing {
			p.Parts, categories = append(p.Parts, part), append(categories, choice{string(k), p.Word("category", string(k))})
		}
	}
	p.Amount = strconv.FormatFloat(float64(p.Catalogue.PurchaseFrom)/100, 'f', 2, 64)
	p.Fields = []field{
		{Name: "category", Label: p.T("severity.category"), Kind: "select", Value: string(typed.Category), Choices: categories},
		{Name: "name", Label: p.T("program"), Help: p.T("severity.pattern"), Kind: "text", Value: typed.Name},
		{Name: "publisher", Label: p.T("publisher"), Kind: "text", Value: typed.Publisher},
		{Name: "version", Label: p.T("version"), Help: p.T("severity.version.help"), Kind: "text", Value: typed.Version},
		{Name: "severity", Label: p.T("severity"), Kind: "select", Value: string(typed.Severity), Choices: append([]choice{{"", p.T("severity.of-category")}}, severities...)},
		{Name: "note", Label: p.T("severity.note"), Kind: "text", Value: typed.Note},
	}
	status := http.StatusOK
	if failure != nil {
		if status, err = p.refuse(failure); err != nil {
			return err
		}
	}
	return c.execute(w, status, "severity", "layout", p)
}

// refuse shows what is wrong beside its field; other failures come back.
func (p *severityPage) refuse(failure error) (int, error) {
	var e *apperr.Error
	if !errors.As(failure, &e) || e.Code != apperr.Invalid {
		return 0, failure
	}
	for i := range p.Fields {
		if p.Fields[i].Name == e.Args["field"] {
			p.Fields[i].Problem = p.Error(failure)
			return http.StatusUnprocessableEntity, nil
		}
	}
	p.Problem = p.Error(failure)
	return http.StatusUnprocessableEntity, nil
}

// severityAdd adds a rule.
func (c *console) severityAdd(w http.ResponseWriter, r *http.Request) error {
	x := authorization.CatalogueRule{Category: authorization.Category(posted(r, "category", 40)), Name: posted(r, "name", maxName), Publisher: posted(r, "publisher", maxName),
		Version: posted(r, "version", maxName), Severity: authorization.Severity(posted(r, "severity", 40)), Note: posted(r, "note", maxName)}
	if _, err := c.Severities.AddRule(r.Context(), x); err != nil {
		return c.showSeverities(w, r, x, err)
	}
	return c.done(w, r, severityPath, "added")
}

// severityRemove takes a rule away.
func (c *console) severityRemove(w http.ResponseWriter, r *http.Request) error {
	id, err := number(r, "n", "catalogue.rule-unknown")
	if err != nil {
		return err
	}
	if _, err := c.Severities.RemoveRule(r.Context(), id); err != nil {
		return err
	}
	return c.done(w, r, severityPath, "removed")
}

// severityRulings says what categories mean.
func (c *console) severityRulings(w http.ResponseWriter, r *http.Request) error {
	var list []authorization.Ruling
	for _, k := range authorization.Categories() {
		if s := posted(r, "severity."+string(k), 40); s != "" {
			list = append(list, authorization.Ruling{Category: k, Severity: authorization.Severity(s), Manager: r.PostFormValue("manager."+string(k)) == "yes"})
		}
	}
	amount, err := parseMoney(posted(r, "purchase_from", 40))
	if err != nil {
		return c.showSeverities(w, r, authorization.CatalogueRule{}, apperr.New(apperr.Invalid, "catalogue.purchase-from", apperr.Args{"field": "purchase_from"}))
	}
	if _, err := c.Severities.SetRulings(r.Context(), list, amount); err != nil {
		return c.showSeverities(w, r, authorization.CatalogueRule{}, err)
	}
	return c.done(w, r, severityPath, "saved")
}

// severityUndo takes the last change back.
func (c *console) severityUndo(w http.ResponseWriter, r *http.Request) error {
	if _, err := c.Severities.Undo(r.Context()); err != nil {
		return err
	}
	return c.done(w, r, severityPath, "undone")
}

// parseMoney reads an amount such as "1,250.50" as hundredths; "" is 0.
func parseMoney(s string) (int64, error) {
	s = strings.NewReplacer(",", "", " ", "", "$", "").Replace(s)
	if s == "" {
		return 0, nil
	}
	whole, cents, _ := strings.Cut(s, ".")
	for len(cents) < 2 {
		cents += "0"
	}
	n, err := strconv.ParseInt(whole+cents, 10, 64)
	if err != nil || len(cents) != 2 || n < 0 || n > 1e14 {
		return 0, apperr.New(apperr.Invalid, "request.bad.money", apperr.Args{"field": "money", "value": s})
	}
	return n, nil
}
