package authorization

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
)

// CatalogueStore keeps the catalogue's versions.
type CatalogueStore interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	CurrentCatalogue(ctx context.Context) (Catalogue, error)                // BuiltIn when it was never changed
	CatalogueVersion(ctx context.Context, version int64) (Catalogue, error) // NotFound "catalogue.unknown"; 0 is BuiltIn
	SaveCatalogue(ctx context.Context, c Catalogue) error                   // Conflict "catalogue.changed" when c.Version-1 is no longer current
}

// CatalogueService is how people read the catalogue and change it. Reading needs the
// right to see the allowlist, changing that to change it. Whoever changes it must see to
// it that findings are graded again: Regrade is asked to, after the change.
type CatalogueService struct {
	Store   CatalogueStore
	Audit   audit.Log
	Now     func() time.Time
	Regrade func(ctx context.Context) (int, error)
}

// Catalogue returns the catalogue in force.
func (s *CatalogueService) Catalogue(ctx context.Context) (Catalogue, error) {
	if _, err := access.Need(ctx, access.SeeAllowlist); err != nil {
		return Catalogue{}, err
	}
	return s.Store.CurrentCatalogue(ctx)
}

// AddRule adds a rule. Errors: Invalid with the field; TooMany "catalogue.too-many".
func (s *CatalogueService) AddRule(ctx context.Context, r CatalogueRule) (Catalogue, error) {
	r = r.tidy()
	return s.change(ctx, "add", func(c *Catalogue) error {
		if err := r.check(); err != nil {
			return err
		}
		if len(c.Rules) >= MaxCatalogueRules {
			return apperr.New(apperr.TooMany, "catalogue.too-many", apperr.Args{"most": MaxCatalogueRules})
		}
		r.ID = 1
		for _, x := range c.Rules {
			r.ID = max(r.ID, x.ID+1)
		}
		c.Rules = append(slices.Clone(c.Rules), r)
		return nil
	})
}

// RemoveRule takes a rule away. NotFound "catalogue.rule-unknown".
func (s *CatalogueService) RemoveRule(ctx context.Context, id int64) (Catalogue, error) {
	return s.change(ctx, "remove", func(c *Catalogue) error {
		n := slices.IndexFunc(c.Rules, func(r CatalogueRule) bool { return r.ID == id })
		if n < 0 {
			return apperr.New(apperr.NotFound, "catalogue.rule-unknown", apperr.Args{"rule": id})
		}
		c.Rules = slices.Delete(slices.Clone(c.Rules), n, n+1)
		return nil
	})
}

// SetRulings says what categories mean, those of list only, and from which amount of
// hundredths on Purchasing has a say. Errors: Invalid with the field.
func (s *CatalogueService) SetRulings(ctx context.Context, list []Ruling, purchaseFrom int64) (Catalogue, error) {
	return s.change(ctx, "rulings", func(c *Catalogue) error {
		c.Rulings = slices.Clone(c.Rulings)
		for _, r := range list {
			n := slices.IndexFunc(c.Rulings, func(x Ruling) bool { return x.Category == r.Category })
			if n < 0 || !r.Severity.Known() {
				return apperr.New(apperr.Invalid, "catalogue.rule.severity", apperr.Args{"field": "severity." + string(r.Category)})
			}
			c.Rulings[n] = r
		}
		if purchaseFrom < 0 {
			return apperr.New(apperr.Invalid, "catalogue.purchase-from", apperr.Args{"field": "purchase_from"})
		}
		c.PurchaseFrom = purchaseFrom
		return nil
	})
}

// Undo takes the last change back; a second one does that change again. Conflict
// "catalogue.nothing-to-undo" when nothing was ever changed.
func (s *CatalogueService) Undo(ctx context.Context) (Catalogue, error) {
	var undone int64
	return s.change(ctx, "undo", func(c *Catalogue) error {
		if undone = c.Version; undone == 0 {
			return apperr.New(apperr.Conflict, "catalogue.nothing-to-undo", nil)
		}
		was, err := s.Store.CatalogueVersion(ctx, undone-1)
		if err != nil {
			return err
		}
		was.Version, was.Undoes, was.Cause = undone, undone, fmt.Sprintf("undo of %d", undone)
		*c = was
		return nil
	})
}

// change makes the next version, with its audit entry, in one transaction, and has the
// findings graded again.
func (s *CatalogueService) change(ctx context.Context, cause string, do func(c *Catalogue) error) (Catalogue, error) {
	if _, err := access.Need(ctx, access.ChangeAllowlist); err != nil {
		return Catalogue{}, err
	}
	var next Catalogue
	err := s.Store.InTx(ctx, func(ctx context.Context) error {
		before, err := s.Store.CurrentCatalogue(ctx)
		if err != nil {
			return err
		}
		next = before
		next.Cause, next.Undoes = cause, 0
		if err := do(&next); err != nil {
			return err
		}
		next.Version, next.CreatedAt, next.CreatedBy = before.Version+1, s.Now().UTC(), actor.From(ctx).String()
		if err := s.Store.SaveCatalogue(ctx, next); err != nil {
			return err
		}
		return s.Audit.Append(ctx, audit.Entry{At: next.CreatedAt, Actor: next.CreatedBy, Action: "catalogue." + cause, Object: fmt.Sprintf("catalogue/%d", next.Version),
			Before: audit.JSON(changed(before, next)), After: audit.JSON(changed(next, before))})
	})
	if err != nil {
		return next, err
	}
	_, err = s.Regrade(ctx)
	return next, err
}

// changed is what a has that b has not: the audit log need not hold the whole catalogue
// for every rule.
func changed(a, b Catalogue) any {
	out := struct {
		Rulings      []Ruling        `json:"rulings"`
		Rules        []CatalogueRule `json:"rules"`
		PurchaseFrom int64           `json:"purchase_from"`
	}{PurchaseFrom: a.PurchaseFrom}
	for _, r := range a.Rulings {
		if !slices.Contains(b.Rulings, r) {
			out.Rulings = append(out.Rulings, r)
		}
	}
	for _, r := range a.Rules {
		if !slices.Contains(b.Rules, r) {
			out.Rules = append(out.Rules, r)
		}
	}
	return out
}
