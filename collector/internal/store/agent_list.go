package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
)

const (
	agentColumns = `SELECT m.id, m.uuid, coalesce(g.certificate, ''), coalesce(g.issuer, ''), coalesce(g.ends_at, 0), coalesce(g.trusts, ''), coalesce(g.protocol, 0),
	coalesce(g.collector_id, ''), coalesce(g.connected_at, 0), coalesce(g.ended_at, 0), coalesce(g.spool_bytes, 0), coalesce(g.spool_oldest, 0), coalesce(g.clock_behind, 0),
	coalesce(k.host, ''), coalesce(k.alive_at, 0)`
	agentPlaces = machinePlaces + " LEFT JOIN agent g ON g.machine_id = m.id LEFT JOIN collector k ON k.id = g.collector_id"
)

// foundAgent is an agent with the row of its machine.
type foundAgent struct {
	row   int64
	agent fleet.Agent
}

func scanAgent(now time.Time) func(r *sql.Rows, into *foundAgent, more ...any) error {
	return func(r *sql.Rows, into *foundAgent, more ...any) error {
		a := &into.agent
		var trusts string
		var ends, connected, ended, oldest, behind, alive int64
		err := r.Scan(append([]any{&into.row, &a.Machine, &a.Certificate, &a.Issuer, &ends, &trusts, &a.Protocol, &a.Collector, &connected, &ended,
			&a.SpoolBytes, &oldest, &behind, &a.Host, &alive}, more...)...)
		a.EndsAt, a.ConnectedAt, a.EndedAt, a.SpoolOldest = fromMicros(ends), fromMicros(connected), fromMicros(ended), fromMicros(oldest)
		a.Trusts, a.ClockBehind = strings.Fields(trusts), time.Duration(behind)*time.Microsecond
		a.Connected = connected != 0 && ended == 0 && alive != 0 && now.Sub(fromMicros(alive)) < fleet.CollectorGone
		return err
	}
}

// agentSorting is how the list of agents can stand, beside the ways of machines.
func agentSorting(key string) (by sorting, join string, err error) {
	by = sorting{key: "uuid", number: true}
	switch key {
	case "ends":
		by.expr = "coalesce(g.ends_at, 0)"
	case "connected":
		by.expr = "coalesce(g.connected_at, 0)"
	case "protocol":
		by.expr = "coalesce(g.protocol, 0)"
	case "failing":
		by.expr = "failing"
	case "oldest":
		by.expr = "coalesce(g.spool_oldest, 0)"
	default:
		by, join, _, err = machineSorting(key)
	}
	return by, join, err
}

// agentWhere adds what f asks of agents to what it asks of machines.
func (s *Store) agentWhere(ctx context.Context, f fleet.AgentFilter, w *where) (none bool, err error) {
	f.After = ""
	if none, err = s.machineWhere(ctx, f.MachineFilter, w, scattered(f.MachineFilter)); none || err != nil {
		return none, err
	}
	if f.Version != "" {
		w.add("n.agent_version = ?", f.Version)
	}
	if f.NotVersion != "" {
		w.add("n.agent_version NOT IN ('', ?)", f.NotVersion)
	}
	if !f.EndsBefore.IsZero() {
		w.add("g.ends_at > 0 AND g.ends_at < ?", micros(f.EndsBefore))
	}
	if f.Spooled {
		w.add("n.spooled > ?", 0)
	}
	gone := micros(f.Now.Add(-fleet.CollectorGone))
	switch f.Connection {
	case "now":
		w.add("g.ended_at = 0 AND k.alive_at > ?", gone)
	case "not":
		w.add("(g.machine_id IS NULL OR g.ended_at <> 0 OR coalesce(k.alive_at, 0) <= ?)", gone)
	case "never":
		w.add("g.machine_id IS NULL")
	}
	if f.Collector != "" {
		w.add("g.collector_id = ?", f.Collector)
	}
	if f.Renewed != "" {
		w.add("g.issuer = ?", f.Renewed)
	}
	if f.Trusting != "" {
		w.add(`g.trusts LIKE ? ESCAPE '\'`, like(f.Trusting))
	}
	if f.Behind != "" || f.Certified {
		w.add("m.state IN (?, ?)", string(fleet.Active), string(fleet.Quarantined))
	}
	if f.Certified {
		w.add("EXISTS (SELECT 1 FROM certificate c WHERE c.machine_id = m.id AND c.revoked_at = 0 AND c.not_after > ?)", micros(f.Now))
	}
	if f.Behind != "" {
		w.add("coalesce(g.issuer, '') <> ?", f.Behind)
		w.add("EXISTS (SELECT 1 FROM certificate c WHERE c.machine_id = m.id AND c.revoked_at = 0 AND c.not_after > ? AND c.issuer <> ?)", micros(f.Now), f.Behind)
	}
	return false, nil
}

// AgentPage implements fleet.AgentStore. Columns to sort by: those of MachinePage, and
// "ends", "connected", "protocol", "failing", "oldest".
func (s *Store) AgentPage(ctx context.Context, f fleet.AgentFilter, o paging.Order) (page paging.Page[fleet.AgentRow], err error) {
	by, join, err := agentSorting(o.By)
	if err != nil {
		return page, err
	}
	var w where
	if none, err := s.agentWhere(ctx, f, &w); none || err != nil {
		return page, s.mapError("listing agents", err)
	}
	found, err := readPage(ctx, s.on(ctx), agentColumns, agentPlaces+join, w, by, o, scanAgent(f.Now))
	if err != nil {
		return page, s.mapError("listing agents", err)
	}
	ids := mapOf(found.Rows, func(a foundAgent) int64 { return a.row })
	machines, err := s.machinesByRow(ctx, ids)
	byRow := make(map[int64]fleet.Machine, len(machines))
	for _, m := range machines {
		byRow[m.Row] = m
	}
	for _, a := range found.Rows {
		page.Rows = append(page.Rows, fleet.AgentRow{Machine: byRow[a.row], Link: a.agent})
	}
	page.Next = found.Next
	return page, s.mapError("listing agents", err)
}

// CountAgents implements fleet.AgentStore.
func (s *Store) CountAgents(ctx context.Context, f fleet.AgentFilter, most int) (int, error) {
	var w where
	if none, err := s.agentWhere(ctx, f, &w); none || err != nil {
		return 0, s.mapError("counting agents", err)
	}
	n, err := countRows(ctx, s.on(ctx), agentPlaces, w, most)
	return n, s.mapError("counting agents", err)
}

// Agent implements fleet.AgentStore.
func (s *Store) Agent(ctx context.Context, machine string, now time.Time) (fleet.Agent, error) {
	var w where
	w.add("m.uuid = ?", strings.ToLower(machine))
	scan := scanAgent(now)
	found, err := rows(ctx, s.on(ctx), agentColumns+agentPlaces+w.clause(), w.args, func(r *sql.Rows, a *foundAgent) error { return scan(r, a) })
	if err != nil || len(found) == 0 {
		return fleet.Agent{}, s.mapError("reading an agent", err)
	}
	return found[0].agent, nil
}

// AgentVersions implements fleet.AgentStore.
func (s *Store) AgentVersions(ctx context.Context) ([]fleet.AgentVersion, error) {
	list, err := rows(ctx, s.on(ctx), `SELECT coalesce(n.agent_version, ''), count(*)`+machinePlaces+` WHERE m.state IN ('active', 'quarantined') AND coalesce(n.agent_version, '') <> ''
		GROUP BY coalesce(n.agent_version, '') ORDER BY count(*) DESC, coalesce(n.agent_version, '') LIMIT 100`, nil,
		func(r *sql.Rows, v *fleet.AgentVersion) error { return r.Scan(&v.Version, &v.Machines) })
	return list, s.mapError("counting versions of the agent", err)
}
