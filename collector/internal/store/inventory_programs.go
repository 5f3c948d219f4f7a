package store

import (
	"context"
	"database/sql"

	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/ingest"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

var _ allowlist.Programs = (*Store)(nil)

// ProgramsNamed implements allowlist.Programs.
func (s *Store) ProgramsNamed(ctx context.Context, name string, max int) ([]inventory.Program, error) {
	list, err := rows(ctx, s.on(ctx), "SELECT "+itemColumns+` FROM software_title t JOIN software_version v ON v.title_id = t.id
		JOIN item i ON i.version_id = v.id WHERE t.name_fold = $1 AND v.installs > 0
		AND EXISTS (SELECT 1 FROM presence p WHERE p.item_id = i.id) ORDER BY i.name, i.version, i.id LIMIT $2`,
		[]any{Fold(name), limit(max)}, func(r *sql.Rows, p *inventory.Program) error {
			var it ingest.Item
			err := scanItem(r, &it)
			*p = it.Program
			return err
		})
	return list, s.mapError("looking for programs", err)
}

// MachineContext implements allowlist.Programs.
func (s *Store) MachineContext(ctx context.Context, machine string) (policy.MachineContext, error) {
	list, err := rows(ctx, s.on(ctx), "SELECT "+ingestMachineColumns+" FROM machine m"+ingestMachineJoins+" WHERE m.uuid = $1", []any{machine},
		func(r *sql.Rows, m *ingest.Machine) error { return scanIngestMachine(r, m) })
	list, err = s.ingestGrouped(ctx, list, err)
	switch {
	case err != nil:
		return policy.MachineContext{}, s.mapError("reading a machine", err)
	case len(list) == 0:
		return policy.MachineContext{}, apperr.New(apperr.NotFound, "machine.unknown", apperr.Args{"machine": machine})
	}
	return list[0].Context(), nil
}
