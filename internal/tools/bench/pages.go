package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
)

// pageTarget is what 95 of 100 requests of a page must stay below on the server, in ms.
const pageTarget = 200

// pagesPart fills a sample company on both engines and requests every kind of page.
func pagesPart(r *run) error {
	if err := pagesOn(r, r.sqlite()); err != nil {
		return err
	}
	db, err := r.postgres()
	if err != nil {
		return err
	}
	return pagesOn(r, db)
}

func pagesOn(r *run, db database) error {
	out, err := r.output(r.collector, append([]string{"demo", "--machines", fmt.Sprint(r.pageMachines), "--output", "json"}, db.flags...)...)
	if err != nil {
		return err
	}
	var made struct{ Machines, Installs int }
	if err := json.Unmarshal(out, &made); err != nil {
		return fmt.Errorf("reading what demo says: %w", err)
	}
	if made.Machines != r.pageMachines {
		return fmt.Errorf("demo made %d machines of %d", made.Machines, r.pageMachines)
	}
	what := fmt.Sprintf("%s, %d machines with %.1f million installs", db.engine, made.Machines, float64(made.Installs)/1e6)
	if err := r.pages(db, what); err != nil {
		return err
	}
	if err := multiply(db); err != nil {
		return err
	}
	return r.pages(db, fmt.Sprintf("%s, %d machines in the list", db.engine, 10*made.Machines), "--only", "/machines", "--roles", "admin")
}

// pages serves the database and requests its pages; the slowest ten are told.
func (r *run) pages(db database, what string, more ...string) error {
	c, err := r.serve(db)
	if err != nil {
		return err
	}
	defer c.stop()
	args := append([]string{"--collector", r.collector, "--pid", fmt.Sprint(c.cmd.Process.Pid), "--database-pid", fmt.Sprint(db.pid), "--rounds", "10", "--output", "json"}, db.flags...)
	out, err := r.output(r.pageTool, append(args, more...)...)
	if err != nil {
		return fmt.Errorf("%w; the collector's log ends:\n%s", err, c.tail())
	}
	var s struct {
		Kinds, Requests, Over int
		OverCPU               int `json:"over_cpu"`
		Slowest               []struct {
			Page  string
			Roles []string
			P50   float64 `json:"p50_ms"`
			P95   float64 `json:"p95_ms"`
			CPU   float64 `json:"cpu_ms"`
		}
	}
	if err := json.Unmarshal(out, &s); err != nil || s.Kinds < 20 {
		return fmt.Errorf("reading what pages says: %d kinds, %w", s.Kinds, err)
	}
	fmt.Printf("\n%s: %d kinds of pages and their variants, %d requests; above %d ms at p95: %d by the clock, %d by processor time\n", what, s.Kinds, s.Requests, pageTarget, s.Over, s.OverCPU)
	for _, p := range s.Slowest {
		r.rows = append(r.rows, row{what: p.Page, value: p.P95, unit: "ms p95", target: pageTarget,
			note: fmt.Sprintf("p50 %.0f ms, processor %.0f ms; as %s", p.P50, p.CPU, strings.Join(p.Roles, " "))})
	}
	r.tell()
	return nil
}

// multiply makes ten of every machine, for lists: what is copied has no inventory.
func multiply(db database) error {
	copies := "(SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9) AS c"
	for _, statement := range []string{
		`INSERT INTO machine (id, uuid, hostname, hostname_fold, serial, serial_fold, hardware_uuid, machine_id, os, site_id, area_id, person_id, state, state_reason, state_at, enrolled_at, programs, findings)
			SELECT m.id + c.n * 10000000, '0000000' || c.n || substr(m.uuid, 9), m.hostname || '-' || c.n, m.hostname_fold || '-' || c.n, m.serial || c.n, m.serial_fold || c.n, '', '', m.os, m.site_id, m.area_id, m.person_id,
			m.state, m.state_reason, m.state_at, m.enrolled_at + c.n, m.programs, m.findings FROM machine m, ` + copies,
		`INSERT INTO machine_seen (machine_id, last_seen, last_report, agent_version, spooled)
			SELECT s.machine_id + c.n * 10000000, s.last_seen + c.n, s.last_report + c.n, s.agent_version, s.spooled FROM machine_seen s, ` + copies,
	} {
		if _, err := db.sql(statement); err != nil {
			return fmt.Errorf("multiplying machines: %w", err)
		}
	}
	return nil
}

// sqliteShell runs statements on a file that nobody has open.
func (r *run) sqliteShell(dir string) func(string) (string, error) {
	return func(statement string) (string, error) {
		out, err := r.output("sqlite3", "-bail", filepath.Join(dir, "vigia.db"), statement)
		return string(out), err
	}
}
