package store

import (
	"context"
	"database/sql"
	"fmt"

	"vigia/collector/internal/ingest"
	"vigia/collector/internal/ingest/pack"
)

var _ ingest.Checker = (*Store)(nil)

// CheckInventory counts inventories, presence, installs and findings again, for
// `check`: it returns what does not add up. It reads one snapshot, beside the writer.
func (s *Store) CheckInventory(ctx context.Context) ([]string, error) {
	var options *sql.TxOptions // SQLite: a deferred transaction is a snapshot
	if s.Engine() == "postgres" {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := s.reader.BeginTx(ctx, options)
	if err != nil {
		return nil, s.mapError("checking inventories", err)
	}
	defer func() { _ = tx.Rollback() }()
	ctx = context.WithValue(ctx, txKey{}, &transaction{store: s, tx: tx})
	problems, err := ingest.Recount(ctx, s)
	if err != nil {
		return problems, err
	}
	wrong, err := s.checkTitles(ctx)
	return append(problems, wrong...), err
}

// EachSoftware implements ingest.Checker.
func (s *Store) EachSoftware(ctx context.Context, fn func(m ingest.Machine) error) error {
	_, err := rows(ctx, s.on(ctx), "SELECT "+ingestMachineColumns+", so.digest, so.exact, so.body FROM machine m"+ingestMachineJoins+
		" WHERE so.machine_id IS NOT NULL ORDER BY m.id", nil,
		func(r *sql.Rows, _ *struct{}) error {
			var m ingest.Machine
			var digest []byte
			if err := scanIngestMachine(r, &m, &digest, &m.Exact, &m.Body); err != nil {
				return err
			}
			copy(m.Digest[:], digest)
			return fn(m)
		})
	return s.mapError("reading inventories", err)
}

// EachPresence implements ingest.Checker.
func (s *Store) EachPresence(ctx context.Context, fn func(item, chunk int64, b *pack.Bitmap) error) error {
	_, err := rows(ctx, s.on(ctx), "SELECT item_id, chunk, bits FROM presence", nil, func(r *sql.Rows, _ *struct{}) error {
		var item, chunk int64
		var form []byte
		if err := r.Scan(&item, &chunk, &form); err != nil {
			return err
		}
		b, err := pack.ReadBitmap(form)
		if err != nil {
			return fmt.Errorf("item %d, chunk %d: %w", item, chunk, err)
		}
		return fn(item, chunk, &b)
	})
	return s.mapError("reading presence", err)
}

// VersionInstalls implements ingest.Checker.
func (s *Store) VersionInstalls(ctx context.Context) (map[int64]int, map[int64]ingest.Item, error) {
	installs, items := make(map[int64]int), make(map[int64]ingest.Item)
	_, err := rows(ctx, s.on(ctx), "SELECT id, installs FROM software_version", nil, func(r *sql.Rows, _ *struct{}) error {
		var id int64
		var n int
		err := r.Scan(&id, &n)
		installs[id] = n
		return err
	})
	if err == nil {
		_, err = rows(ctx, s.on(ctx), "SELECT id, version_id, key FROM item", nil, func(r *sql.Rows, _ *struct{}) error {
			var it ingest.Item
			var key []byte
			err := r.Scan(&it.ID, &it.Version, &key)
			copy(it.Key[:], key)
			items[it.ID] = it
			return err
		})
	}
	return installs, items, s.mapError("reading software", err)
}

// EachFinding implements ingest.Checker.
func (s *Store) EachFinding(ctx context.Context, fn func(f *ingest.Finding) error) error {
	_, err := rows(ctx, s.on(ctx), "SELECT "+findingColumns+" FROM finding f ORDER BY f.id", nil,
		func(r *sql.Rows, _ *struct{}) error {
			var f *ingest.Finding
			if err := scanIngestFinding(r, &f); err != nil {
				return err
			}
			return fn(f)
		})
	return s.mapError("reading findings", err)
}
