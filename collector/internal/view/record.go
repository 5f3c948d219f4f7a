package view

import (
	"context"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/paging"
)

// ByNumber returns one record in the actor's scope, whole.
func (r Records) ByNumber(ctx context.Context, number string) (nonconformity.Nonconformity, error) {
	return within(ctx, access.SeeNonconformities, func(scope *access.Scope) (nonconformity.Nonconformity, error) {
		if !scope.All {
			n, err := r.store.Count(ctx, nonconformity.Filter{Number: number, Visible: scope}, 1)
			if err != nil {
				return nonconformity.Nonconformity{}, err
			}
			if n == 0 || number == "" {
				return nonconformity.Nonconformity{}, apperr.New(apperr.NotFound, "nonconformity.unknown", apperr.Args{"number": number})
			}
		}
		return r.store.ByNumber(ctx, number)
	})
}

// List lists those in the actor's scope, newest first, without history.
func (r Records) List(ctx context.Context, f nonconformity.Filter) ([]nonconformity.Nonconformity, error) {
	return within(ctx, access.SeeNonconformities, func(scope *access.Scope) ([]nonconformity.Nonconformity, error) {
		f.Visible = scope
		return r.store.List(ctx, f)
	})
}

// Whole lists them with history and steps.
func (r Records) Whole(ctx context.Context, f nonconformity.Filter) ([]nonconformity.Nonconformity, error) {
	return within(ctx, access.SeeNonconformities, func(scope *access.Scope) ([]nonconformity.Nonconformity, error) {
		f.Visible = scope
		return r.store.Whole(ctx, f)
	})
}

// Page returns one page of them.
func (r Records) Page(ctx context.Context, f nonconformity.Filter, o paging.Order) (paging.Page[nonconformity.Nonconformity], error) {
	return within(ctx, access.SeeNonconformities, func(scope *access.Scope) (paging.Page[nonconformity.Nonconformity], error) {
		f.Visible = scope
		return r.store.Page(ctx, f, o)
	})
}

// Count counts them, at most most.
func (r Records) Count(ctx context.Context, f nonconformity.Filter, most int) (int, error) {
	return within(ctx, access.SeeNonconformities, func(scope *access.Scope) (int, error) {
		f.Visible = scope
		return r.store.Count(ctx, f, most)
	})
}

// Days counts them by the day they were opened.
func (r Records) Days(ctx context.Context, f nonconformity.Filter, start time.Time, days int) ([]int, error) {
	return within(ctx, access.SeeNonconformities, func(scope *access.Scope) ([]int, error) {
		f.Visible = scope
		return r.store.Days(ctx, f, start, days)
	})
}
