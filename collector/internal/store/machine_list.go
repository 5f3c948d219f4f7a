package store

import (
	"context"
	"database/sql"
	"strconv"

	"vigia/collector/internal/fleet"
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

// Machines implements fleet.Store. Each filter by state and place is served by an index
// in the list's order.
func (s *Store) Machines(ctx context.Context, f fleet.MachineFilter) ([]fleet.Machine, error) {
	var w where
	none, err := s.machineWhere(ctx, f, &w, false)
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
