package view

import (
	"context"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
)

var _ fleet.InventoryReader = Reader{}

// Machine returns one machine in the actor's scope.
func (r Reader) Machine(ctx context.Context, id string) (fleet.Machine, error) {
	return within(ctx, access.SeeMachines, func(scope *access.Scope) (fleet.Machine, error) {
		return r.machineIn(ctx, id, scope)
	})
}

func (r Reader) machineIn(ctx context.Context, id string, scope *access.Scope) (fleet.Machine, error) {
	if scope.All || id == "" {
		return r.store.Machine(ctx, id)
	}
	found, err := r.store.Machines(ctx, fleet.MachineFilter{ID: id, Archived: true, Visible: scope, Limit: 1})
	if err != nil {
		return fleet.Machine{}, err
	}
	if len(found) == 0 {
		return fleet.Machine{}, apperr.New(apperr.NotFound, "machine.unknown", apperr.Args{"machine": id})
	}
	return found[0], nil
}

// Machines lists those in the actor's scope.
func (r Reader) Machines(ctx context.Context, f fleet.MachineFilter) ([]fleet.Machine, error) {
	return within(ctx, access.SeeMachines, func(scope *access.Scope) ([]fleet.Machine, error) {
		f.Visible = scope
		return r.store.Machines(ctx, f)
	})
}

// MachinePage returns one page of them.
func (r Reader) MachinePage(ctx context.Context, f fleet.MachineFilter, o paging.Order) (paging.Page[fleet.Machine], error) {
	return within(ctx, access.SeeMachines, func(scope *access.Scope) (paging.Page[fleet.Machine], error) {
		f.Visible = scope
		return r.store.MachinePage(ctx, f, o)
	})
}

// CountMachines counts them, at most most.
func (r Reader) CountMachines(ctx context.Context, f fleet.MachineFilter, most int) (int, error) {
	return within(ctx, access.SeeMachines, func(scope *access.Scope) (int, error) {
		f.Visible = scope
		return r.store.CountMachines(ctx, f, most)
	})
}

// MachineDays counts them by day.
func (r Reader) MachineDays(ctx context.Context, f fleet.MachineFilter, by string, start time.Time, days int) ([]int, error) {
	return within(ctx, access.SeeMachines, func(scope *access.Scope) ([]int, error) {
		f.Visible = scope
		return r.store.MachineDays(ctx, f, by, start, days)
	})
}

// seen runs read when the machine is in the actor's scope.
func seen[T any](ctx context.Context, r Reader, machine string, read func() (T, error)) (T, error) {
	if _, err := r.Machine(ctx, machine); err != nil {
		var none T
		return none, err
	}
	return read()
}

// Documents implements fleet.InventoryReader.
func (r Reader) Documents(ctx context.Context, machine string) ([]fleet.Document, error) {
	return seen(ctx, r, machine, func() ([]fleet.Document, error) { return r.store.Documents(ctx, machine) })
}

// Installs implements fleet.InventoryReader.
func (r Reader) Installs(ctx context.Context, machine string) ([]fleet.Install, error) {
	return seen(ctx, r, machine, func() ([]fleet.Install, error) { return r.store.Installs(ctx, machine) })
}

// Events implements fleet.InventoryReader.
func (r Reader) Events(ctx context.Context, machine string, before time.Time, limit int) ([]fleet.Event, error) {
	return seen(ctx, r, machine, func() ([]fleet.Event, error) { return r.store.Events(ctx, machine, before, limit) })
}

// Titles implements fleet.InventoryReader: the company's, for those who may see its
// programs at all.
func (r Reader) Titles(ctx context.Context, f fleet.TitleFilter) ([]fleet.TitleRow, error) {
	return within(ctx, access.SeePrograms, func(*access.Scope) ([]fleet.TitleRow, error) { return r.store.Titles(ctx, f) })
}

// TitlePage returns one page of the programs.
func (r Reader) TitlePage(ctx context.Context, f fleet.TitleFilter, o paging.Order) (paging.Page[fleet.TitleRow], error) {
	return within(ctx, access.SeePrograms, func(*access.Scope) (paging.Page[fleet.TitleRow], error) {
		return r.store.TitlePage(ctx, f, o)
	})
}

// CountTitles counts the programs, at most most.
func (r Reader) CountTitles(ctx context.Context, f fleet.TitleFilter, most int) (int, error) {
	return within(ctx, access.SeePrograms, func(*access.Scope) (int, error) { return r.store.CountTitles(ctx, f, most) })
}
