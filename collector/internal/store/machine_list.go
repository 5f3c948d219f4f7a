package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store/internal/db"
)

// machineColumns are those of db.MachineView that a list shows, for scanMachine.
const machineColumns = `SELECT id, uuid, hostname, serial, hardware_uuid, machine_id, os, site, area, person, state, state_reason,
	enrolled_at, last_seen, last_report, agent_version, programs, findings, spooled, group_names, failing,
	model, tag_names, state_before, state_at`

const machineFrom = " FROM machine_view"

func scanMachine(r *sql.Rows, m *fleet.Machine) error { return scanMachineAnd(r, m) }

// scanMachineAnd scans what stands after a machine's columns into more.
func scanMachineAnd(r *sql.Rows, m *fleet.Machine, more ...any) error {
	var v db.MachineView
	err := r.Scan(append([]any{&v.ID, &v.Uuid, &v.Hostname, &v.Serial, &v.HardwareUuid, &v.MachineID, &v.Os, &v.Site, &v.Area, &v.Person, &v.State, &v.StateReason,
		&v.EnrolledAt, &v.LastSeen, &v.LastReport, &v.AgentVersion, &v.Programs, &v.Findings, &v.Spooled, &v.GroupNames, &v.Failing,
		&v.Model, &v.TagNames, &v.StateBefore, &v.StateAt}, more...)...)
	*m = toMachine(v)
	return err
}

// Machines implements fleet.Store. Each filter but Query is served by an index in the
// list's order; Query reads machines in that order until the page is full.
func (s *Store) Machines(ctx context.Context, f fleet.MachineFilter) ([]fleet.Machine, error) {
	var w where
	none, err := s.machineWhere(ctx, f, &w)
	if none || err != nil {
		return nil, s.mapError("listing machines", err)
	}
	query := machineColumns + machineFrom + w.clause() + " ORDER BY hostname_fold, uuid LIMIT " + strconv.Itoa(limit(f.Limit))
	found, err := rows(ctx, s.on(ctx), query, w.args, scanMachine)
	if err == nil {
		err = s.grouped(ctx, found)
	}
	return found, s.mapError("listing machines", err)
}

// machineSorting is how the list can stand by the column of that key. The default and
// each filter with it are served by an index; others read what the filter lets through.
func machineSorting(key string) (sorting, error) {
	by := sorting{key: "uuid"}
	switch key {
	case "", "hostname":
		by.expr = "hostname_fold"
	case "serial":
		by.expr = "serial_fold"
	case "state", "os", "person":
		by.expr = key
	case "site":
		by.expr = "coalesce(site_fold, '')"
	case "area":
		by.expr = "coalesce(area_fold, '')"
	case "agent":
		by.expr = "agent_version"
	case "seen":
		by.expr, by.number = "last_seen", true
	case "report":
		by.expr, by.number = "last_report", true
	case "enrolled":
		by.expr, by.number = "enrolled_at", true
	case "programs", "findings", "spooled":
		by.expr, by.number = key, true
	default:
		return by, paging.Unknown(key)
	}
	return by, nil
}

// MachinePage returns one page of the machines that f lets through, sorted by
// "hostname" (the default), "serial", "state", "os", "person", "site", "area", "agent",
// "seen", "report", "enrolled", "programs", "findings" or "spooled". After and Limit
// of f do not count.
func (s *Store) MachinePage(ctx context.Context, f fleet.MachineFilter, o paging.Order) (paging.Page[fleet.Machine], error) {
	by, err := machineSorting(o.By)
	if err != nil {
		return paging.Page[fleet.Machine]{}, err
	}
	var w where
	f.After = ""
	none, err := s.machineWhere(ctx, f, &w)
	if none || err != nil {
		return paging.Page[fleet.Machine]{}, s.mapError("listing machines", err)
	}
	page, err := readPage(ctx, s.on(ctx), machineColumns, machineFrom, w, by, o, scanMachineAnd)
	if err == nil {
		err = s.grouped(ctx, page.Rows)
	}
	return page, s.mapError("listing machines", err)
}

// CountMachines counts the machines that f lets through, at most most of them.
func (s *Store) CountMachines(ctx context.Context, f fleet.MachineFilter, most int) (int, error) {
	var w where
	f.After = ""
	none, err := s.machineWhere(ctx, f, &w)
	if none || err != nil {
		return 0, s.mapError("counting machines", err)
	}
	n, err := countRows(ctx, s.on(ctx), machineFrom, w, most)
	return n, s.mapError("counting machines", err)
}

// machineWhere tells none when nothing can match: an unknown site or area.
func (s *Store) machineWhere(ctx context.Context, f fleet.MachineFilter, w *where) (none bool, err error) {
	q := db.New(s.on(ctx))
	if f.After != "" {
		last, err := q.MachineByUUID(ctx, strings.ToLower(f.After))
		if err != nil {
			return false, unknown(err, "page.unknown", apperr.Args{"field": "after", "value": f.After})
		}
		w.add("(hostname_fold, uuid) > (?, ?)", last.HostnameFold, last.Uuid)
	}
	switch {
	case f.State != "":
		w.add("state = ?", string(f.State))
	case !f.Archived:
		w.add("state <> ?", string(fleet.Archived))
	}
	if f.Site != "" {
		site, err := q.SiteByFold(ctx, Fold(f.Site))
		if err != nil {
			return errors.Is(err, sql.ErrNoRows), ignoreNoRows(err)
		}
		w.add("site_id = ?", site.ID)
	}
	if f.Area != "" {
		area, err := q.AreaByFold(ctx, Fold(f.Area))
		if err != nil {
			return errors.Is(err, sql.ErrNoRows), ignoreNoRows(err)
		}
		w.add("area_id = ?", area.ID)
	}
	if !f.SilentSince.IsZero() {
		w.add("state = 'active' AND coalesce(nullif(last_seen, 0), enrolled_at) < ?", micros(f.SilentSince))
	}
	if f.OS != "" {
		w.add("os = ?", f.OS)
	}
	if f.Person != "" {
		w.add("person = ?", strings.ToLower(f.Person))
	}
	if f.ID != "" {
		w.add("uuid = ?", strings.ToLower(f.ID))
	}
	if f.Failing {
		w.add("id IN (SELECT id FROM machine WHERE failing > ? AND state IN ('active', 'quarantined'))", 0)
	}
	if err := s.whereGroup(ctx, f, w); err != nil {
		return false, err
	}
	visibleMachines(w, f.Visible, "area_id", "person_id")
	if f.WithFindings {
		w.add("findings > ?", 0)
	}
	if f.Query != "" {
		p := like(f.Query)
		w.add(`(hostname_fold LIKE ? ESCAPE '\' OR serial_fold LIKE ? ESCAPE '\' OR person LIKE ? ESCAPE '\'
			OR person_fold LIKE ? ESCAPE '\' OR site_fold LIKE ? ESCAPE '\' OR area_fold LIKE ? ESCAPE '\')`, p, p, p, p, p, p)
	}
	return false, nil
}

func ignoreNoRows(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// duplicateFacts are the facts that should be one machine's own, and their columns.
var duplicateFacts = [...]struct{ fact, column string }{
	{"serial", "serial"}, {"uuid", "hardware_uuid"}, {"machine_id", "machine_id"}, {"hostname", "hostname_fold"},
}

// Duplicates implements fleet.Store. Archived machines do not count.
func (s *Store) Duplicates(ctx context.Context) ([]fleet.Duplicate, error) {
	var out []fleet.Duplicate
	for _, f := range duplicateFacts {
		query := machineColumns + machineFrom + " WHERE state <> 'archived' AND " + f.column + " IN (SELECT " + f.column +
			" FROM machine WHERE state <> 'archived' AND " + f.column + " <> '' GROUP BY " + f.column + " HAVING count(*) > 1) ORDER BY " + f.column + ", hostname_fold, uuid"
		found, err := rows(ctx, s.on(ctx), query, nil, scanMachine)
		if err != nil {
			return nil, s.mapError("looking for duplicates", err)
		}
		if err := s.grouped(ctx, found); err != nil {
			return nil, s.mapError("looking for duplicates", err)
		}
		out = append(out, group(f.fact, found)...)
	}
	return out, nil
}

// group puts machines that follow one another with one value together.
func group(fact string, machines []fleet.Machine) []fleet.Duplicate {
	var out []fleet.Duplicate
	for _, m := range machines {
		value := map[string]string{"serial": m.Serial, "uuid": m.UUID, "machine_id": m.MachineID, "hostname": Fold(m.Hostname)}[fact]
		if n := len(out); n > 0 && out[n-1].Value == value {
			out[n-1].Machines = append(out[n-1].Machines, m)
			continue
		}
		out = append(out, fleet.Duplicate{Fact: fact, Value: value, Machines: []fleet.Machine{m}})
	}
	return out
}
