package web_test

import (
	"context"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
)

// fakeSeverities has the built-in catalogue with a rule of everything.
type fakeSeverities struct{ *fake }

func (f fakeSeverities) Catalogue(context.Context) (authorization.Catalogue, error) {
	c := authorization.BuiltIn()
	c.Version = 2
	c.Rules = append(c.Rules[:30:30], authorization.CatalogueRule{ID: 900, Category: authorization.Game, Name: "ajedrez*", Publisher: "Acme", Version: "<3", Severity: authorization.Major, Note: "NC 7"})
	return c, f.broken
}

func (f fakeSeverities) AddRule(ctx context.Context, r authorization.CatalogueRule) (authorization.Catalogue, error) {
	if r.Name == "" {
		return authorization.Catalogue{}, apperr.New(apperr.Invalid, "catalogue.rule.matches-all", apperr.Args{"field": "name"})
	}
	return f.Catalogue(ctx)
}

func (f fakeSeverities) RemoveRule(ctx context.Context, id int64) (authorization.Catalogue, error) {
	if id != 900 {
		return authorization.Catalogue{}, apperr.New(apperr.NotFound, "catalogue.rule-unknown", nil)
	}
	return f.Catalogue(ctx)
}

func (f fakeSeverities) SetRulings(ctx context.Context, _ []authorization.Ruling, _ int64) (authorization.Catalogue, error) {
	return f.Catalogue(ctx)
}

func (f fakeSeverities) Undo(ctx context.Context) (authorization.Catalogue, error) {
	return f.Catalogue(ctx)
}
