package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/ingest/pack"
	"vigia/internal/inventory"
)

var (
	_ fleet.InventoryReader = (*Store)(nil)
	_ fleet.HistoryReader   = (*Store)(nil)
)

// inventoryRow returns the row of a machine, or NotFound.
func (s *Store) inventoryRow(ctx context.Context, machine string) (int64, error) {
	var row int64
	err := s.on(ctx).QueryRowContext(ctx, "SELECT id FROM machine WHERE uuid = $1", machine).Scan(&row)
	return row, s.mapError("reading a machine", unknown(err, "machine.unknown", apperr.Args{"machine": machine}))
}

// Documents implements fleet.InventoryReader, in document order.
func (s *Store) Documents(ctx context.Context, machine string) ([]fleet.Document, error) {
	row, err := s.inventoryRow(ctx, machine)
	if err != nil {
		return nil, err
	}
	var packer pack.Documents
	list, err := rows(ctx, s.on(ctx), "SELECT section, digest, taken_at, body FROM machine_section WHERE machine_id = $1", []any{row},
		func(r *sql.Rows, d *fleet.Document) error {
			var digest, body []byte
			var taken int64
			if err := r.Scan(&d.Section, &digest, &taken, &body); err != nil {
				return err
			}
			copy(d.Digest[:], digest)
			d.TakenAt = fromMicros(taken)
			d.Body, err = packer.Unpack(body)
			return err
		})
	order := inventory.Sections()
	slices.SortFunc(list, func(a, b fleet.Document) int { return slices.Index(order, a.Section) - slices.Index(order, b.Section) })
	return list, s.mapError("reading sections", err)
}

// Installs implements fleet.InventoryReader, in the order of names.
func (s *Store) Installs(ctx context.Context, machine string) ([]fleet.Install, error) {
	row, err := s.inventoryRow(ctx, machine)
	if err != nil {
		return nil, err
	}
	machines, err := s.LoadMachines(ctx, []int64{row})
	if err != nil || len(machines) == 0 {
		return nil, err
	}
	packed, err := pack.Installs(nil, machines[0].Body)
	if err != nil {
		return nil, s.mapError("reading installs", err)
	}
	items, err := s.ItemPrograms(ctx, mapOf(packed, func(in pack.Install) int64 { return in.Item }))
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*ingest.Item, len(items))
	for i := range items {
		byID[items[i].ID] = &items[i]
	}
	list := make([]fleet.Install, 0, len(packed))
	for _, in := range packed {
		if it := byID[in.Item]; it != nil {
			p := it.Program
			if in.Installed != 0 {
				p.InstalledAt = time.Unix(in.Installed, 0).UTC()
			}
			list = append(list, fleet.Install{Program: p, Item: in.Item, FirstSeen: time.Unix(in.First, 0).UTC()})
		}
	}
	slices.SortFunc(list, func(a, b fleet.Install) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Source, b.Source),
			cmp.Compare(a.Arch, b.Arch), cmp.Compare(a.User, b.User), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Item, b.Item))
	})
	return list, nil
}

// Events implements fleet.InventoryReader, newest first. The first whole report is one
// line of the kind "baseline" without a program.
func (s *Store) Events(ctx context.Context, machine string, before time.Time, n int) ([]fleet.Event, error) {
	return s.History(ctx, machine, fleet.EventFilter{Before: before, Limit: n})
}

// History implements fleet.HistoryReader.
func (s *Store) History(ctx context.Context, machine string, f fleet.EventFilter) ([]fleet.Event, error) {
	row, err := s.inventoryRow(ctx, machine)
	if err != nil {
		return nil, err
	}
	var w where
	w.add("e.machine_id = ?", row)
	if !f.Before.IsZero() {
		w.add("e.at < ?", micros(f.Before))
	}
	if !f.Since.IsZero() {
		w.add("e.at >= ?", micros(f.Since))
	}
	if f.Query != "" {
		w.add(`fold(coalesce(i.name, '')) LIKE ? ESCAPE '\'`, like(f.Query))
	}
	list, err := rows(ctx, s.on(ctx), `SELECT e.at, e.kind, e.report_id, coalesce(i.name, ''), coalesce(i.version, ''), coalesce(i.publisher, ''),
		coalesce(i.origin, ''), coalesce(i.source, ''), coalesce(i.scope, ''), coalesce(i.user_name, ''), coalesce(i.path, ''), coalesce(i.arch, '')
		FROM software_event e LEFT JOIN item i ON i.id = e.item_id`+w.clause()+w.number(" ORDER BY e.at DESC, e.id DESC LIMIT ?", limit(f.Limit)), w.args,
		func(r *sql.Rows, e *fleet.Event) error {
			var at int64
			var report []byte
			p := &e.Program
			err := r.Scan(&at, &e.Kind, &report, &p.Name, &p.Version, &p.Publisher, &p.Origin, &p.Source, &p.Scope, &p.User, &p.Path, &p.Arch)
			e.At, e.Report = fromMicros(at), reportText(report)
			return err
		})
	return list, s.mapError("reading the history of software", err)
}

// Remarks returns the newest reports of a machine of which something was refused or
// changed, with what that was.
func (s *Store) Remarks(ctx context.Context, machine string, n int) ([]ingest.ReportRow, error) {
	row, err := s.inventoryRow(ctx, machine)
	if err != nil {
		return nil, err
	}
	list, err := rows(ctx, s.on(ctx), `SELECT k.report_id, k.received_at, k.remarks, coalesce(r.taken_at, 0), coalesce(r.cause, ''), coalesce(r.kind, '')
		FROM report_remark k LEFT JOIN report r ON r.id = k.report_id WHERE k.machine_id = $1 ORDER BY k.received_at DESC LIMIT $2`, []any{row, limit(n)},
		func(r *sql.Rows, out *ingest.ReportRow) error {
			var id []byte
			var received, taken int64
			var remarks string
			if err := r.Scan(&id, &received, &remarks, &taken, &out.Cause, &out.Kind); err != nil {
				return err
			}
			copy(out.ID[:], id)
			out.Machine, out.ReceivedAt, out.TakenAt = row, fromMicros(received), fromMicros(taken)
			return json.Unmarshal([]byte(remarks), &out.Remarks)
		})
	return list, s.mapError("reading remarks", err)
}
