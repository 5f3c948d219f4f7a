package authorization

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"vigia/collector/internal/apperr"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// Bounds of a catalogue.
const (
	MaxCatalogueRules = 1000
	maxCatalogueText  = 300 // bytes of one field
)

// Ruling is what a category means: how grave it is without authorization, and who says
// yes to a request for it before IT does.
type Ruling struct {
	Category Category `json:"category"`
	Severity Severity `json:"severity"`
	Manager  bool     `json:"manager"` // the area manager first; false: IT alone
}

// CatalogueRule says of which category programs are. Its texts are patterns as in rules
// of the allowlist; Version is a range. Severity, where given, is stronger than that of
// the category.
type CatalogueRule struct {
	ID        int64    `json:"id"`
	Category  Category `json:"category"`
	Name      string   `json:"name"`
	Publisher string   `json:"publisher"`
	Source    string   `json:"source"`
	Version   string   `json:"version"`
	Severity  Severity `json:"severity"`
	Note      string   `json:"note"`
}

// Catalogue is one version of the catalogue of severities. Version 0 is the built-in one.
type Catalogue struct {
	Version      int64
	Rulings      []Ruling // of every category, in the order of Categories
	Rules        []CatalogueRule
	PurchaseFrom int64 // hundredths of money from which Purchasing has a say; 0: never
	CreatedAt    time.Time
	CreatedBy    string
	Cause        string
	Undoes       int64 // the version that this one takes back; 0: none
}

// RulingOf returns what a category means; one that is not known is UnknownThing.
func (c Catalogue) RulingOf(k Category) Ruling {
	for _, r := range c.Rulings {
		if r.Category == k {
			return r
		}
	}
	for _, r := range c.Rulings {
		if r.Category == UnknownThing {
			return r
		}
	}
	return Ruling{Category: UnknownThing, Severity: Minor}
}

// tidy returns the rule without what typing leaves around it.
func (r CatalogueRule) tidy() CatalogueRule {
	for _, s := range []*string{&r.Name, &r.Publisher, &r.Source, &r.Version, &r.Note} {
		*s = tidyText(*s)
	}
	return r
}

// check returns what is wrong with a rule: Invalid with the field.
func (r CatalogueRule) check() error {
	bad := func(field, key string) error {
		return apperr.New(apperr.Invalid, key, apperr.Args{"field": field, "max": maxCatalogueText})
	}
	for _, f := range []struct{ name, value string }{{"name", r.Name}, {"publisher", r.Publisher}, {"source", r.Source}, {"version", r.Version}, {"note", r.Note}} {
		if len(f.value) > maxCatalogueText || !utf8.ValidString(f.value) {
			return bad(f.name, "catalogue.rule.text")
		}
	}
	switch {
	case !r.Category.Known() || r.Category == UnknownThing:
		return bad("category", "catalogue.rule.category")
	case r.Severity != Ungraded && !r.Severity.Known():
		return bad("severity", "catalogue.rule.severity")
	case r.Name == "" && r.Publisher == "" && r.Source == "":
		return bad("name", "catalogue.rule.matches-all")
	}
	asPolicy := r.asPolicy()
	if problems := asPolicy.Validate(); len(problems) > 0 {
		e := problems[0]
		field := e.Field
		for _, known := range []string{"name", "publisher", "source", "version"} {
			if field == "match."+known {
				field = known
			}
		}
		return apperr.Wrap(e, apperr.Invalid, "catalogue.rule.pattern", apperr.Args{"field": field, "value": e.Value})
	}
	return nil
}

// asPolicy is the rule as the allowlist's evaluation reads it.
func (r CatalogueRule) asPolicy() policy.Rule {
	return policy.Rule{ID: fmt.Sprint(r.ID), Name: fmt.Sprintf("rule %d", r.ID), Effect: policy.Deny, Owner: "catalogue", Reason: "catalogue",
		Match: policy.Match{Name: r.Name, Publisher: r.Publisher, Source: r.Source, Version: r.Version}}
}

// Grader grades programs by one version of the catalogue. It is immutable.
type Grader struct {
	Version    int64
	catalogue  Catalogue
	categories []gradedCategory
}

type gradedCategory struct {
	category Category
	compiled *policy.Compiled
}

// Grader makes c ready for grading.
func (c Catalogue) Grader() (*Grader, error) {
	g := &Grader{Version: c.Version, catalogue: c}
	for _, k := range Categories() {
		d := policy.Document{Mode: policy.Monitor}
		for _, r := range c.Rules {
			if r.Category == k {
				d.Rules = append(d.Rules, r.asPolicy())
			}
		}
		if len(d.Rules) == 0 {
			continue
		}
		compiled, err := policy.Compile(&d)
		if err != nil {
			return nil, fmt.Errorf("compiling version %d of the catalogue of severities: %w", c.Version, err)
		}
		g.categories = append(g.categories, gradedCategory{k, compiled})
	}
	return g, nil
}

// Grade says what a program is: of the categories that match the first one decides.
func (g *Grader) Grade(p *inventory.Program) Grade {
	for _, k := range g.categories {
		v := policy.Evaluate(k.compiled, p, policy.MachineContext{}, time.Time{})
		if v.Kind != policy.Denied {
			continue
		}
		s := g.catalogue.RulingOf(k.category).Severity
		if i := slices.IndexFunc(g.catalogue.Rules, func(r CatalogueRule) bool { return fmt.Sprint(r.ID) == v.RuleID }); i >= 0 && g.catalogue.Rules[i].Severity != Ungraded {
			s = g.catalogue.Rules[i].Severity
		}
		return Grade{k.category, s}
	}
	return Grade{UnknownThing, g.catalogue.RulingOf(UnknownThing).Severity}
}
