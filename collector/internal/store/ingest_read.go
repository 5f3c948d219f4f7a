package store

import (
	"context"
	"database/sql"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/internal/inventory"
	"vigia/internal/wire"
)

var _ ingest.Store = (*Store)(nil)

// ingestLock is the key of the advisory lock behind Lock: "ingest" in ASCII.
const ingestLock = 0x696e67657374

// Lock implements ingest.Inventories. SQLite has one writer anyway. On PostgreSQL one
// lock for all is simpler than locks on bitmaps, findings and records that must be
// taken in one order, and costs little since a batch holds many reports.
func (s *Store) Lock(ctx context.Context) error {
	tx, err := s.bulkTx(ctx)
	if err == nil && s.Engine() == "postgres" {
		_, err = tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(ingestLock))
	}
	return s.mapError("waiting for the inventories", err)
}

const ingestMachineColumns = `
	m.id, m.uuid, m.hostname, m.serial, m.hardware_uuid, m.machine_id, m.os, m.state, m.programs, m.findings,
	coalesce(si.name, ''), coalesce(ar.name, ''), coalesce(pe.email, ''),
	m.group_names, m.failing, m.model, m.tag_names, coalesce(so.os_vendor, ''), coalesce(so.taken_at, 0), so.report_id`

const ingestMachineJoins = `
	LEFT JOIN site si ON si.id = m.site_id
	LEFT JOIN area ar ON ar.id = m.area_id
	LEFT JOIN person pe ON pe.id = m.person_id
	LEFT JOIN machine_software so ON so.machine_id = m.id`

// scanIngestMachine reads ingestMachineColumns and what follows them into more.
func scanIngestMachine(r *sql.Rows, m *ingest.Machine, more ...any) error {
	var state, groups, tags string
	var taken int64
	var report []byte
	into := []any{&m.Row, &m.ID, &m.Hostname, &m.Serial, &m.UUID, &m.MachineID, &m.OS, &state, &m.Programs, &m.Findings,
		&m.Site, &m.Area, &m.Person, &groups, &m.Failing, &m.Model, &tags, &m.Vendor, &taken, &report}
	if err := r.Scan(append(into, more...)...); err != nil {
		return err
	}
	m.State, m.TakenAt, m.HandGroups, m.Tags = fleet.State(state), fromMicros(taken), groupsOf(groups), groupsOf(tags)
	copy(m.Report[:], report)
	return nil
}

// LoadMachines implements ingest.Inventories.
func (s *Store) LoadMachines(ctx context.Context, rowIDs []int64) ([]ingest.Machine, error) {
	from, arg := s.among(rowIDs)
	list, err := rows(ctx, s.on(ctx), "SELECT "+ingestMachineColumns+`, so.digest, coalesce(so.exact, true), so.body
		FROM `+from+" CROSS JOIN machine m"+ingestMachineJoins+" WHERE m.id = j.value", []any{arg},
		func(r *sql.Rows, m *ingest.Machine) error {
			var digest []byte
			if err := scanIngestMachine(r, m, &digest, &m.Exact, &m.Body); err != nil {
				return err
			}
			copy(m.Digest[:], digest)
			return nil
		})
	return s.ingestGrouped(ctx, list, err)
}

// ingestGrouped gives machines that were read what tells their groups.
func (s *Store) ingestGrouped(ctx context.Context, list []ingest.Machine, err error) ([]ingest.Machine, error) {
	if err != nil || len(list) == 0 {
		return list, s.mapError("reading machines", err)
	}
	g, err := s.Grouping(ctx)
	for i := range list {
		list[i].Grouping = g
	}
	return list, s.mapError("reading groups", err)
}

// Contexts implements ingest.Evaluations.
func (s *Store) Contexts(ctx context.Context) ([]ingest.Machine, error) {
	list, err := rows(ctx, s.on(ctx), "SELECT "+ingestMachineColumns+" FROM machine m"+ingestMachineJoins+" ORDER BY m.id", nil,
		func(r *sql.Rows, m *ingest.Machine) error { return scanIngestMachine(r, m) })
	return s.ingestGrouped(ctx, list, err)
}

// OpenMachine implements ingest.Inventories.
func (s *Store) OpenMachine(ctx context.Context, id string) (ingest.Machine, map[inventory.Section]inventory.Digest, error) {
	list, err := rows(ctx, s.on(ctx), "SELECT "+ingestMachineColumns+", so.digest, coalesce(so.exact, true) FROM machine m"+ingestMachineJoins+" WHERE m.uuid = $1", []any{id},
		func(r *sql.Rows, m *ingest.Machine) error {
			var digest []byte
			err := scanIngestMachine(r, m, &digest, &m.Exact)
			copy(m.Digest[:], digest)
			return err
		})
	if list, err = s.ingestGrouped(ctx, list, err); err == nil && len(list) == 0 {
		err = unknown(sql.ErrNoRows, "machine.unknown", map[string]any{"machine": id})
	}
	if err != nil {
		return ingest.Machine{}, nil, s.mapError("reading a machine", err)
	}
	type told struct {
		section string
		digest  []byte
	}
	found, err := rows(ctx, s.on(ctx), "SELECT section, digest FROM machine_section WHERE machine_id = $1", []any{list[0].Row},
		func(r *sql.Rows, t *told) error { return r.Scan(&t.section, &t.digest) })
	digests := make(map[inventory.Section]inventory.Digest, len(found)+1)
	for _, t := range found {
		var d inventory.Digest
		copy(d[:], t.digest)
		digests[inventory.Section(t.section)] = d
	}
	if !list[0].TakenAt.IsZero() {
		digests[inventory.SectionSoftware] = list[0].Digest
	}
	return list[0], digests, s.mapError("reading digests", err)
}

// KnownReports implements ingest.Inventories.
func (s *Store) KnownReports(ctx context.Context, ids []wire.ID) (map[wire.ID]int64, error) {
	keys := make([][]byte, len(ids))
	for i := range ids {
		keys[i] = ids[i][:]
	}
	from, arg := s.among(keys)
	known := make(map[wire.ID]int64)
	_, err := rows(ctx, s.on(ctx), "SELECT r.id, r.machine_id FROM "+from+" CROSS JOIN report r WHERE r.id = j.value", []any{arg},
		func(r *sql.Rows, _ *struct{}) error {
			var id []byte
			var machine int64
			if err := r.Scan(&id, &machine); err != nil {
				return err
			}
			var k wire.ID
			copy(k[:], id)
			known[k] = machine
			return nil
		})
	return known, s.mapError("looking for reports", err)
}

// PruneReports forgets that reports received before a time were taken, and their
// remarks, at most limit of each; it returns how many reports. A report of that age is
// in no agent's spool any more.
func (s *Store) PruneReports(ctx context.Context, before int64, limit int) (int64, error) {
	var gone int64
	err := s.InTx(ctx, func(ctx context.Context) error {
		tx := s.txFrom(ctx).tx
		if _, err := tx.ExecContext(ctx, `DELETE FROM report_remark WHERE report_id IN
			(SELECT report_id FROM report_remark WHERE received_at < $1 LIMIT $2)`, before, limit); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM report WHERE id IN
			(SELECT id FROM report WHERE received_at < $1 ORDER BY id LIMIT $2)`, before, limit)
		if err == nil {
			gone, err = res.RowsAffected()
		}
		return err
	})
	return gone, s.mapError("forgetting reports", err)
}
