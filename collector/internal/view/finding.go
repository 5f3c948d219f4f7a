package view

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/paging"
)

var _ authorization.FindingReader = Reader{}

// maxCount bounds what FindingCounts counts of each state for those who see a part.
const maxCount = 100_000

// Finding implements authorization.FindingReader: a finding is seen by who sees its
// machine.
func (r Reader) Finding(ctx context.Context, row int64) (authorization.Finding, error) {
	return within(ctx, access.SeeFindings, func(scope *access.Scope) (authorization.Finding, error) {
		f, err := r.store.Finding(ctx, row)
		if err != nil || scope.All {
			return f, err
		}
		if _, err := r.machineIn(ctx, f.Machine, scope); apperr.Is(err, apperr.NotFound) {
			return authorization.Finding{}, apperr.New(apperr.NotFound, "finding.unknown", apperr.Args{"finding": fmt.Sprint(row)})
		} else if err != nil {
			return authorization.Finding{}, err
		}
		return f, nil
	})
}

// Findings implements authorization.FindingReader.
func (r Reader) Findings(ctx context.Context, f authorization.FindingFilter) ([]authorization.Finding, error) {
	return within(ctx, access.SeeFindings, func(scope *access.Scope) ([]authorization.Finding, error) {
		f.Visible = scope
		return r.store.Findings(ctx, f)
	})
}

// FindingPage returns one page of them.
func (r Reader) FindingPage(ctx context.Context, f authorization.FindingFilter, o paging.Order) (paging.Page[authorization.Finding], error) {
	return within(ctx, access.SeeFindings, func(scope *access.Scope) (paging.Page[authorization.Finding], error) {
		f.Visible = scope
		return r.store.FindingPage(ctx, f, o)
	})
}

// CountFindings counts them, at most most.
func (r Reader) CountFindings(ctx context.Context, f authorization.FindingFilter, most int) (int, error) {
	return within(ctx, access.SeeFindings, func(scope *access.Scope) (int, error) {
		f.Visible = scope
		return r.store.CountFindings(ctx, f, most)
	})
}

// FindingDays counts them by the day they were found.
func (r Reader) FindingDays(ctx context.Context, f authorization.FindingFilter, start time.Time, days int) ([]int, error) {
	return within(ctx, access.SeeFindings, func(scope *access.Scope) ([]int, error) {
		f.Visible = scope
		return r.store.FindingDays(ctx, f, start, days)
	})
}

// FindingCounts implements authorization.FindingReader.
func (r Reader) FindingCounts(ctx context.Context) (map[authorization.FindingState]int, error) {
	return within(ctx, access.SeeFindings, func(scope *access.Scope) (map[authorization.FindingState]int, error) {
		if scope.All {
			return r.store.FindingCounts(ctx)
		}
		counts := map[authorization.FindingState]int{}
		for _, s := range []authorization.FindingState{authorization.Open, authorization.Gone, authorization.Authorized} {
			n, err := r.store.CountFindings(ctx, authorization.FindingFilter{State: s, Visible: scope}, maxCount)
			if err != nil {
				return nil, err
			}
			counts[s] = n
		}
		return counts, nil
	})
}
