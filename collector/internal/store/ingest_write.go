package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"vigia/collector/internal/ingest"
	"vigia/collector/internal/ingest/pack"
)

// Save implements ingest.Inventories.
func (s *Store) Save(ctx context.Context, c *ingest.Changes) error {
	for _, step := range []func(context.Context, *ingest.Changes) error{
		s.saveReports, s.saveRemarks, s.saveSoftware, s.saveSections, s.saveEvents, s.savePresence, s.saveInstalls, s.saveTitles, s.saveCounts, s.saveFacts,
	} {
		if err := step(ctx, c); err != nil {
			return s.mapError("storing reports", err)
		}
	}
	return s.SaveSeen(ctx, c.Seen)
}

func (s *Store) saveReports(ctx context.Context, c *ingest.Changes) error {
	list := c.Reports
	return s.bulkInsert(ctx, "report", "",
		col{"id", mapOf(list, func(r ingest.ReportRow) []byte { return r.ID[:] })},
		col{"machine_id", mapOf(list, func(r ingest.ReportRow) int64 { return r.Machine })},
		col{"taken_at", mapOf(list, func(r ingest.ReportRow) int64 { return micros(r.TakenAt) })},
		col{"received_at", mapOf(list, func(r ingest.ReportRow) int64 { return micros(r.ReceivedAt) })},
		col{"cause", mapOf(list, func(r ingest.ReportRow) string { return r.Cause })},
		col{"kind", mapOf(list, func(r ingest.ReportRow) string { return r.Kind })},
		col{"bytes", mapOf(list, func(r ingest.ReportRow) int64 { return int64(r.Bytes) })})
}

func (s *Store) saveRemarks(ctx context.Context, c *ingest.Changes) error {
	var list []ingest.ReportRow
	var texts []string
	for _, r := range c.Reports {
		if len(r.Remarks) == 0 {
			continue
		}
		b, err := json.Marshal(r.Remarks)
		if err != nil {
			return fmt.Errorf("encoding remarks: %w", err)
		}
		list, texts = append(list, r), append(texts, string(b))
	}
	return s.bulkInsert(ctx, "report_remark", "",
		col{"report_id", mapOf(list, func(r ingest.ReportRow) []byte { return r.ID[:] })},
		col{"machine_id", mapOf(list, func(r ingest.ReportRow) int64 { return r.Machine })},
		col{"received_at", mapOf(list, func(r ingest.ReportRow) int64 { return micros(r.ReceivedAt) })},
		col{"remarks", texts})
}

func (s *Store) saveSoftware(ctx context.Context, c *ingest.Changes) error {
	list := c.Software
	return s.bulkInsert(ctx, "machine_software", `ON CONFLICT (machine_id) DO UPDATE SET digest = excluded.digest, exact = excluded.exact,
		taken_at = excluded.taken_at, report_id = excluded.report_id, os_vendor = excluded.os_vendor, body = excluded.body`,
		col{"machine_id", mapOf(list, func(m ingest.Machine) int64 { return m.Row })},
		col{"digest", mapOf(list, func(m ingest.Machine) []byte { return m.Digest[:] })},
		col{"exact", mapOf(list, func(m ingest.Machine) bool { return m.Exact })},
		col{"taken_at", mapOf(list, func(m ingest.Machine) int64 { return micros(m.TakenAt) })},
		col{"report_id", mapOf(list, func(m ingest.Machine) []byte { return m.Report[:] })},
		col{"os_vendor", mapOf(list, func(m ingest.Machine) string { return m.Vendor })},
		col{"body", mapOf(list, func(m ingest.Machine) []byte { return m.Body })})
}

func (s *Store) saveSections(ctx context.Context, c *ingest.Changes) error {
	list := c.Sections
	return s.bulkInsert(ctx, "machine_section", `ON CONFLICT (machine_id, section) DO UPDATE SET digest = excluded.digest,
		taken_at = excluded.taken_at, body = excluded.body`,
		col{"machine_id", mapOf(list, func(r ingest.SectionRow) int64 { return r.Machine })},
		col{"section", mapOf(list, func(r ingest.SectionRow) string { return string(r.Section) })},
		col{"digest", mapOf(list, func(r ingest.SectionRow) []byte { return r.Digest[:] })},
		col{"taken_at", mapOf(list, func(r ingest.SectionRow) int64 { return micros(r.TakenAt) })},
		col{"body", mapOf(list, func(r ingest.SectionRow) []byte { return r.Body })})
}

func (s *Store) saveEvents(ctx context.Context, c *ingest.Changes) error {
	list := c.Events
	return s.bulkInsert(ctx, "software_event", "",
		col{"machine_id", mapOf(list, func(e ingest.EventRow) int64 { return e.Machine })},
		col{"at", mapOf(list, func(e ingest.EventRow) int64 { return micros(e.At) })},
		col{"kind", mapOf(list, func(e ingest.EventRow) string { return e.Kind })},
		col{"item_id", mapOf(list, func(e ingest.EventRow) int64 { return e.Item })},
		col{"report_id", mapOf(list, func(e ingest.EventRow) []byte { return e.Report[:] })})
}

// place is where a bitmap stands.
type place struct{ item, chunk int64 }

// savePresence changes each bitmap once, in ascending order.
func (s *Store) savePresence(ctx context.Context, c *ingest.Changes) error {
	if len(c.Presence) == 0 {
		return nil
	}
	maps, order := make(map[place]*pack.Bitmap), []place{}
	for _, p := range c.Presence {
		chunk, _ := pack.Chunk(p.Machine)
		at := place{p.Item, chunk}
		if maps[at] == nil {
			maps[at] = new(pack.Bitmap)
			order = append(order, at)
		}
	}
	slices.SortFunc(order, func(a, b place) int { return cmp.Or(cmp.Compare(a.chunk, b.chunk), cmp.Compare(a.item, b.item)) })
	if err := s.loadBitmaps(ctx, order, maps); err != nil {
		return err
	}
	for _, p := range c.Presence {
		chunk, bit := pack.Chunk(p.Machine)
		if b := maps[place{p.Item, chunk}]; p.Here {
			b.Set(bit)
		} else {
			b.Clear(bit)
		}
	}
	return s.storeBitmaps(ctx, order, maps)
}

// loadBitmaps reads the bitmaps of order, which is sorted by chunk, chunk by chunk.
func (s *Store) loadBitmaps(ctx context.Context, order []place, into map[place]*pack.Bitmap) error {
	for len(order) > 0 {
		chunk, n := order[0].chunk, 0
		for n < len(order) && order[n].chunk == chunk {
			n++
		}
		from, arg := s.among(mapOf(order[:n], func(p place) int64 { return p.item }))
		_, err := rows(ctx, s.on(ctx), "SELECT p.item_id, p.bits FROM "+from+" CROSS JOIN presence p WHERE p.item_id = j.value AND p.chunk = $2",
			[]any{arg, chunk}, func(r *sql.Rows, _ *struct{}) error {
				var item int64
				var form sql.RawBytes
				if err := r.Scan(&item, &form); err != nil {
					return err
				}
				b, err := pack.ReadBitmap(form)
				if err != nil {
					return fmt.Errorf("presence of item %d, chunk %d: %w", item, chunk, err)
				}
				*into[place{item, chunk}] = b
				return nil
			})
		if err != nil {
			return err
		}
		order = order[n:]
	}
	return nil
}

func (s *Store) storeBitmaps(ctx context.Context, order []place, from map[place]*pack.Bitmap) error {
	var items, chunks, noItems, noChunks []int64
	var forms [][]byte
	buf := make([]byte, 0, 64*len(order))
	for _, p := range order {
		start := len(buf)
		buf = pack.AppendBitmap(buf, from[p])
		if len(buf) == start {
			noItems, noChunks = append(noItems, p.item), append(noChunks, p.chunk)
			continue
		}
		items, chunks, forms = append(items, p.item), append(chunks, p.chunk), append(forms, buf[start:len(buf):len(buf)])
	}
	err := s.bulkInsert(ctx, "presence", "ON CONFLICT (item_id, chunk) DO UPDATE SET bits = excluded.bits",
		col{"item_id", items}, col{"chunk", chunks}, col{"bits", forms})
	if err != nil {
		return err
	}
	return s.bulk(ctx, "DELETE FROM presence WHERE item_id = ?1 AND chunk = ?2",
		"DELETE FROM presence p USING unnest($1::bigint[], $2::bigint[]) AS u (item, chunk) WHERE p.item_id = u.item AND p.chunk = u.chunk",
		col{"item_id", noItems}, col{"chunk", noChunks})
}

func (s *Store) saveInstalls(ctx context.Context, c *ingest.Changes) error {
	var ids, more []int64
	for _, id := range slices.Sorted(maps.Keys(c.Installs)) {
		if n := c.Installs[id]; n != 0 {
			ids, more = append(ids, id), append(more, int64(n))
		}
	}
	return s.bulkUpdate(ctx, "software_version", col{"id", ids}, col{"+installs", more})
}

func (s *Store) saveCounts(ctx context.Context, c *ingest.Changes) error {
	return s.bulkUpdate(ctx, "machine",
		col{"id", mapOf(c.Counts, func(m ingest.Machine) int64 { return m.Row })},
		col{"programs", mapOf(c.Counts, func(m ingest.Machine) int64 { return int64(m.Programs) })},
		col{"findings", mapOf(c.Counts, func(m ingest.Machine) int64 { return int64(m.Findings) })},
		col{"failing", mapOf(c.Counts, func(m ingest.Machine) int64 { return int64(m.Failing) })})
}

func (s *Store) saveFacts(ctx context.Context, c *ingest.Changes) error {
	text := func(f func(m *ingest.Machine) string) []string {
		return mapOf(c.Facts, func(m ingest.Machine) string { return f(&m) })
	}
	return s.bulkUpdate(ctx, "machine",
		col{"id", mapOf(c.Facts, func(m ingest.Machine) int64 { return m.Row })},
		col{"hostname", text(func(m *ingest.Machine) string { return m.Hostname })},
		col{"hostname_fold", text(func(m *ingest.Machine) string { return Fold(m.Hostname) })},
		col{"serial", text(func(m *ingest.Machine) string { return m.Serial })},
		col{"serial_fold", text(func(m *ingest.Machine) string { return Fold(m.Serial) })},
		col{"hardware_uuid", text(func(m *ingest.Machine) string { return m.UUID })},
		col{"machine_id", text(func(m *ingest.Machine) string { return m.MachineID })},
		col{"os", text(func(m *ingest.Machine) string { return m.OS })},
		col{"model", text(func(m *ingest.Machine) string { return m.Model })})
}

// SaveSeen implements ingest.Inventories. Times never go back: collectors' clocks may
// differ.
func (s *Store) SaveSeen(ctx context.Context, list []ingest.Seen) error {
	greatest := "max"
	if s.Engine() == "postgres" {
		greatest = "greatest"
	}
	err := s.bulkInsert(ctx, "machine_seen", `ON CONFLICT (machine_id) DO UPDATE SET
		last_seen = `+greatest+`(machine_seen.last_seen, excluded.last_seen),
		looked_at = `+greatest+`(machine_seen.looked_at, excluded.looked_at),
		last_report = CASE WHEN excluded.last_report <> 0 THEN excluded.last_report ELSE machine_seen.last_report END,
		agent_version = CASE WHEN excluded.agent_version <> '' THEN excluded.agent_version ELSE machine_seen.agent_version END,
		spooled = CASE WHEN excluded.agent_version <> '' THEN excluded.spooled ELSE machine_seen.spooled END`,
		col{"machine_id", mapOf(list, func(r ingest.Seen) int64 { return r.Machine })},
		col{"last_seen", mapOf(list, func(r ingest.Seen) int64 { return micros(r.LastSeen) })},
		col{"last_report", mapOf(list, func(r ingest.Seen) int64 { return micros(r.LastReport) })},
		col{"looked_at", mapOf(list, func(r ingest.Seen) int64 { return micros(r.Looked) })},
		col{"agent_version", mapOf(list, func(r ingest.Seen) string { return r.Agent })},
		col{"spooled", mapOf(list, func(r ingest.Seen) int64 { return int64(r.Spooled) })})
	return s.mapError("storing signs of life", err)
}
