// Package view owns what somebody may see of machines, programs, findings and records:
// every read goes through it with the actor in the context, for pages, exports and the
// API alike. What is out of somebody's scope is not in their lists and counts, and is
// answered with NotFound when asked for by its name, as if it did not exist. It refuses
// to change anything.
//
// Use-cases that act on nobody's behalf (ingest, jobs, commands) ask the store itself.
package view

import (
	"context"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/paging"
)

// Store reads everything, narrowed by the filters' field Visible.
type Store interface {
	Machine(ctx context.Context, id string) (fleet.Machine, error)
	Machines(ctx context.Context, f fleet.MachineFilter) ([]fleet.Machine, error)
	MachinePage(ctx context.Context, f fleet.MachineFilter, o paging.Order) (paging.Page[fleet.Machine], error)
	CountMachines(ctx context.Context, f fleet.MachineFilter, most int) (int, error)
	MachineDays(ctx context.Context, f fleet.MachineFilter, by string, start time.Time, days int) ([]int, error)

	GroupRows(ctx context.Context) ([]fleet.GroupRow, error)
	GroupNames(ctx context.Context) ([]fleet.Group, error)
	GroupRow(ctx context.Context, name string) (fleet.GroupRow, error)
	RuleMembers(ctx context.Context, r fleet.Rule, most int) ([]fleet.Machine, int, error)
	Commands(ctx context.Context, machine string, limit int) ([]fleet.Command, error)
	MachineTrail(ctx context.Context, machine string, limit int) ([]audit.Entry, error)

	fleet.InventoryReader
	fleet.HistoryReader
	TitlePage(ctx context.Context, f fleet.TitleFilter, o paging.Order) (paging.Page[fleet.TitleRow], error)
	CountTitles(ctx context.Context, f fleet.TitleFilter, most int) (int, error)

	authorization.FindingReader
	FindingPage(ctx context.Context, f authorization.FindingFilter, o paging.Order) (paging.Page[authorization.Finding], error)
	CountFindings(ctx context.Context, f authorization.FindingFilter, most int) (int, error)
	FindingDays(ctx context.Context, f authorization.FindingFilter, start time.Time, days int) ([]int, error)
}

// RecordStore reads every nonconformity, narrowed by the filter's field Visible.
type RecordStore interface {
	ByNumber(ctx context.Context, number string) (nonconformity.Nonconformity, error)
	List(ctx context.Context, f nonconformity.Filter) ([]nonconformity.Nonconformity, error)
	Whole(ctx context.Context, f nonconformity.Filter) ([]nonconformity.Nonconformity, error)
	Page(ctx context.Context, f nonconformity.Filter, o paging.Order) (paging.Page[nonconformity.Nonconformity], error)
	Count(ctx context.Context, f nonconformity.Filter, most int) (int, error)
	Days(ctx context.Context, f nonconformity.Filter, start time.Time, days int) ([]int, error)
}

// Reader reads what the actor in the context may see. Every method answers Forbidden to
// those who lack the right altogether.
type Reader struct{ store Store }

// Records does the same for nonconformities.
type Records struct{ store RecordStore }

// New returns a reader over s.
func New(s Store) Reader { return Reader{s} }

// NewRecords returns a reader over s.
func NewRecords(s RecordStore) Records { return Records{s} }

// within runs read with the actor's scope for the right.
func within[T any](ctx context.Context, what access.Right, read func(scope *access.Scope) (T, error)) (T, error) {
	scope, err := access.Need(ctx, what)
	if err != nil {
		var none T
		return none, err
	}
	return read(&scope)
}
