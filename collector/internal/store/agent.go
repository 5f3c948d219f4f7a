package store

import (
	"context"
	"strings"
	"time"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store/internal/db"
)

var _ fleet.AgentStore = (*Store)(nil)

// keepCollectors is how long a collector that is gone stays known.
const keepCollectors = 30 * 24 * time.Hour

// SaveAgents implements fleet.AgentStore, 500 at a time.
func (s *Store) SaveAgents(ctx context.Context, list []fleet.Agent) error {
	for len(list) > 0 {
		n := min(len(list), 500)
		if err := s.saveAgents(ctx, list[:n]); err != nil {
			return s.mapError("storing connections", err)
		}
		list = list[n:]
	}
	return nil
}

func (s *Store) saveAgents(ctx context.Context, list []fleet.Agent) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		rowOf, err := s.machineRows(ctx, list)
		if err != nil {
			return err
		}
		known := make([]fleet.Agent, 0, len(list))
		for _, a := range list {
			if rowOf[a.Machine] != 0 {
				known = append(known, a)
			}
		}
		number := func(f func(a *fleet.Agent) int64) []int64 {
			return mapOf(known, func(a fleet.Agent) int64 { return f(&a) })
		}
		text := func(f func(a *fleet.Agent) string) []string {
			return mapOf(known, func(a fleet.Agent) string { return f(&a) })
		}
		return s.bulkInsert(ctx, "agent", `ON CONFLICT (machine_id) DO UPDATE SET
			certificate = excluded.certificate, issuer = excluded.issuer, ends_at = excluded.ends_at, trusts = excluded.trusts,
			protocol = excluded.protocol, collector_id = excluded.collector_id, connected_at = excluded.connected_at,
			ended_at = excluded.ended_at, spool_bytes = excluded.spool_bytes, spool_oldest = excluded.spool_oldest, clock_behind = excluded.clock_behind
			WHERE excluded.connected_at >= agent.connected_at`,
			col{"machine_id", number(func(a *fleet.Agent) int64 { return rowOf[a.Machine] })},
			col{"certificate", text(func(a *fleet.Agent) string { return a.Certificate })},
			col{"issuer", text(func(a *fleet.Agent) string { return a.Issuer })},
			col{"ends_at", number(func(a *fleet.Agent) int64 { return micros(a.EndsAt) })},
			col{"trusts", text(func(a *fleet.Agent) string { return strings.Join(a.Trusts, " ") })},
			col{"protocol", number(func(a *fleet.Agent) int64 { return int64(a.Protocol) })},
			col{"collector_id", text(func(a *fleet.Agent) string { return a.Collector })},
			col{"connected_at", number(func(a *fleet.Agent) int64 { return micros(a.ConnectedAt) })},
			col{"ended_at", number(func(a *fleet.Agent) int64 { return micros(a.EndedAt) })},
			col{"spool_bytes", number(func(a *fleet.Agent) int64 { return a.SpoolBytes })},
			col{"spool_oldest", number(func(a *fleet.Agent) int64 { return micros(a.SpoolOldest) })},
			col{"clock_behind", number(func(a *fleet.Agent) int64 { return a.ClockBehind.Microseconds() })})
	})
}

// machineRows returns the rows of the machines that have these agents.
func (s *Store) machineRows(ctx context.Context, list []fleet.Agent) (map[string]int64, error) {
	var w where
	marks := make([]string, len(list))
	for i, a := range list {
		marks[i] = w.number("?", a.Machine)
	}
	found, err := s.on(ctx).QueryContext(ctx, "SELECT uuid, id FROM machine WHERE uuid IN ("+strings.Join(marks, ", ")+")", w.args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	rowOf := make(map[string]int64, len(list))
	for found.Next() {
		var uuid string
		var row int64
		if err := found.Scan(&uuid, &row); err != nil {
			return nil, err
		}
		rowOf[uuid] = row
	}
	return rowOf, found.Err()
}

// SaveCollector implements fleet.AgentStore.
func (s *Store) SaveCollector(ctx context.Context, c fleet.Collector) error {
	return s.write(ctx, "noting a collector", func(ctx context.Context, q *db.Queries) error {
		if err := q.PruneCollectors(ctx, micros(s.now().Add(-keepCollectors))); err != nil {
			return err
		}
		return q.SaveCollector(ctx, db.SaveCollectorParams{ID: c.ID, Host: c.Host, Listens: c.Listens, Version: c.Version, StartedAt: micros(c.StartedAt), AliveAt: micros(c.AliveAt)})
	})
}

// Collectors implements fleet.AgentStore: newest first.
func (s *Store) Collectors(ctx context.Context) (out []fleet.Collector, err error) {
	err = s.read(ctx, "listing collectors", func(q *db.Queries) error {
		found, err := q.ListCollectors(ctx)
		for _, c := range found {
			out = append(out, fleet.Collector{ID: c.ID, Host: c.Host, Listens: c.Listens, Version: c.Version,
				StartedAt: fromMicros(c.StartedAt), AliveAt: fromMicros(c.AliveAt), Connected: int(c.Connected)})
		}
		return err
	})
	return out, err
}
