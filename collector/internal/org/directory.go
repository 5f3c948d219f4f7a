package org

import (
	"context"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/paging"
)

// Directory is how people read the directory and change it one by one. Reading needs
// the right to see people, changing the right to change them; roles need a right of
// their own. What is wrong with a form comes as Problems, whose fields are those of a
// file's header (and "zone" of a site).
type Directory struct {
	Tx     Transactor
	Store  Store
	Lister Lister
	Audit  audit.Log
	Notify func(ctx context.Context) error // tells that who belongs where has changed, in ctx's transaction
	Now    func() time.Time
}

// see runs read for those who may see the directory.
func see[T any](ctx context.Context, read func() (T, error)) (T, error) {
	if _, err := access.Need(ctx, access.SeePeople); err != nil {
		var none T
		return none, err
	}
	return read()
}

// SiteRows implements Lister.
func (d *Directory) SiteRows(ctx context.Context) ([]SiteRow, error) {
	return see(ctx, func() ([]SiteRow, error) { return d.Lister.SiteRows(ctx) })
}

// SiteRow implements Lister.
func (d *Directory) SiteRow(ctx context.Context, id int64) (SiteRow, error) {
	return see(ctx, func() (SiteRow, error) { return d.Lister.SiteRow(ctx, id) })
}

// AreaRows implements Lister.
func (d *Directory) AreaRows(ctx context.Context) ([]AreaRow, error) {
	return see(ctx, func() ([]AreaRow, error) { return d.Lister.AreaRows(ctx) })
}

// AreaRow implements Lister.
func (d *Directory) AreaRow(ctx context.Context, id int64) (AreaRow, error) {
	return see(ctx, func() (AreaRow, error) { return d.Lister.AreaRow(ctx, id) })
}

// PersonRow implements Lister.
func (d *Directory) PersonRow(ctx context.Context, id int64) (PersonRow, error) {
	return see(ctx, func() (PersonRow, error) { return d.Lister.PersonRow(ctx, id) })
}

// PersonPage implements Lister.
func (d *Directory) PersonPage(ctx context.Context, f PersonFilter, o paging.Order) (paging.Page[PersonRow], error) {
	return see(ctx, func() (paging.Page[PersonRow], error) { return d.Lister.PersonPage(ctx, f, o) })
}

// CountPeople implements Lister.
func (d *Directory) CountPeople(ctx context.Context, f PersonFilter, most int) (int, error) {
	return see(ctx, func() (int, error) { return d.Lister.CountPeople(ctx, f, most) })
}

// change runs one change with its audit entry and the notice, in one transaction. do
// returns what stood before (nil: nothing), what stands now, and whether they differ.
func (d *Directory) change(ctx context.Context, action, object string, do func(ctx context.Context) (before, after any, differs bool, err error)) error {
	if _, err := access.Need(ctx, access.ChangePeople); err != nil {
		return err
	}
	return d.Tx.InTx(ctx, func(ctx context.Context) error {
		before, after, differs, err := do(ctx)
		if err != nil || !differs {
			return err
		}
		if _, err := d.Store.AssignPrimary(ctx); err != nil {
			return err
		}
		err = d.Audit.Append(ctx, audit.Entry{At: d.Now().UTC().Truncate(time.Microsecond), Actor: actor.From(ctx).String(),
			Action: action, Object: object, Before: audit.JSON(before), After: audit.JSON(after)})
		if err != nil {
			return err
		}
		return d.Notify(ctx)
	})
}

// absent reports whether err says that there is no such object, and passes other errors on.
func absent(err error) (bool, error) {
	if apperr.Is(err, apperr.NotFound) {
		return true, nil
	}
	return false, err
}
