package store

import (
	"context"
	"database/sql"
	"strings"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
)

// machinePlaces is the least that machines are filtered and sorted by: the view's joins
// would be made for every machine of the company, to show fifty.
const machinePlaces = " FROM machine m LEFT JOIN machine_seen n ON n.machine_id = m.id"

// machineSorting is how the list can stand by the column of that key, with what must be
// joined for it. inOrder tells that an index has the machines in that order.
func machineSorting(key string) (by sorting, join string, inOrder bool, err error) {
	by = sorting{key: "uuid"}
	switch key {
	case "", "hostname":
		by.expr, inOrder = "hostname_fold", true
	case "serial":
		by.expr = "serial_fold"
	case "state":
		by.expr = "cast(state AS TEXT)" // the index of states has them, but by name within each
	case "os":
		by.expr = key
	case "person":
		by.expr, join = "coalesce(its_person, '')", " LEFT JOIN (SELECT id AS person_row, email AS its_person FROM person) AS x ON x.person_row = m.person_id"
	case "site":
		by.expr, join = "coalesce(its_site, '')", " LEFT JOIN (SELECT id AS site_row, name_fold AS its_site FROM site) AS x ON x.site_row = m.site_id"
	case "area":
		by.expr, join = "coalesce(its_area, '')", " LEFT JOIN (SELECT id AS area_row, name_fold AS its_area FROM area) AS x ON x.area_row = m.area_id"
	case "agent":
		by.expr = "coalesce(agent_version, '')"
	case "seen":
		by.expr, by.number = "coalesce(last_seen, 0)", true
	case "report":
		by.expr, by.number = "coalesce(last_report, 0)", true
	case "spooled":
		by.expr, by.number = "coalesce(spooled, 0)", true
	case "enrolled":
		by.expr, by.number = "enrolled_at", true
	case "programs", "findings":
		by.expr, by.number = key, true
	default:
		err = paging.Unknown(key)
	}
	return by, join, inOrder, err
}

// scattered reports whether what f lets through may be few machines anywhere: then
// reading the table once is quicker than following an index through it.
func scattered(f fleet.MachineFilter) bool {
	return f.Query != "" || f.OS != "" || f.Failing || f.WithFindings || !f.SilentSince.IsZero()
}

// MachinePage returns one page of the machines that f lets through, sorted by
// "hostname" (the default), "serial", "state", "os", "person", "site", "area", "agent",
// "seen", "report", "enrolled", "programs", "findings" or "spooled". After and Limit
// of f do not count.
func (s *Store) MachinePage(ctx context.Context, f fleet.MachineFilter, o paging.Order) (paging.Page[fleet.Machine], error) {
	page, err := s.machinePage(ctx, f, o)
	return page, s.mapError("listing machines", err)
}

func (s *Store) machinePage(ctx context.Context, f fleet.MachineFilter, o paging.Order) (page paging.Page[fleet.Machine], err error) {
	by, join, inOrder, err := machineSorting(o.By)
	if err != nil {
		return page, err
	}
	if scattered(f) && inOrder {
		by.expr, inOrder = by.expr+" || ''", false // not by the index
	}
	var w where
	f.After = ""
	none, err := s.machineWhere(ctx, f, &w, !inOrder)
	if none || err != nil {
		return page, err
	}
	if !inOrder {
		w.add("programs >= ?", 0) // of the table, so that no index that covers the rest is followed through it
	}
	found, err := readPage(ctx, s.on(ctx), "SELECT m.id", machinePlaces+join, w, by, o,
		func(r *sql.Rows, id *int64, more ...any) error { return r.Scan(append([]any{id}, more...)...) })
	if err != nil {
		return page, err
	}
	page.Next = found.Next
	page.Rows, err = s.machinesByRow(ctx, found.Rows)
	return page, err
}

// machinesByRow returns the machines of these rows in their order.
func (s *Store) machinesByRow(ctx context.Context, ids []int64) ([]fleet.Machine, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var w where
	marks := make([]string, len(ids))
	for i, id := range ids {
		marks[i] = w.number("?", id)
	}
	list, err := rows(ctx, s.on(ctx), machineColumns+machineFrom+" WHERE id IN ("+strings.Join(marks, ", ")+")", w.args, scanMachine)
	if err == nil {
		err = s.grouped(ctx, list)
	}
	byRow := make(map[int64]fleet.Machine, len(list))
	for _, m := range list {
		byRow[m.Row] = m
	}
	out := make([]fleet.Machine, 0, len(ids))
	for _, id := range ids {
		if m, ok := byRow[id]; ok {
			out = append(out, m)
		}
	}
	return out, err
}

// CountMachines counts the machines that f lets through, at most most of them.
func (s *Store) CountMachines(ctx context.Context, f fleet.MachineFilter, most int) (int, error) {
	var w where
	f.After = ""
	none, err := s.machineWhere(ctx, f, &w, scattered(f))
	if none || err != nil {
		return 0, s.mapError("counting machines", err)
	}
	n, err := countRows(ctx, s.on(ctx), machinePlaces, w, most)
	return n, s.mapError("counting machines", err)
}
