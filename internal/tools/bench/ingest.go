package main

import "fmt"

// What the peer takes on the same two processors, new or unchanged alike, and what a
// machine costs its database: OCS Inventory's server at READ COMMITTED, measured for
// the project's specification of speed.
const (
	ocsPerSecond = 3.1
	ocsDatabase  = 271 // kB
	ocsSource    = "OCS Inventory, READ COMMITTED, measured on 2 processors"
)

// target is what an engine must reach, in reports a second.
type target struct{ first, changed, unchanged float64 }

// ingestPart measures both engines with the same machines.
func ingestPart(r *run) error {
	if err := ingestOn(r, r.sqlite(), target{250, 4000, 20_000}); err != nil {
		return err
	}
	db, err := r.postgres()
	if err != nil {
		return err
	}
	return ingestOn(r, db, target{150, 1500, 20_000})
}

func ingestOn(r *run, db database, t target) error {
	c, err := r.serve(db)
	if err != nil {
		return err
	}
	defer func() { c.stop() }() // whichever runs last
	empty, err := db.size()
	if err != nil {
		return err
	}
	small, err := c.fleet(100, "few-"+db.engine, "first,changed", "--seed", "7")
	if err != nil {
		return err
	}
	first, err := c.fleet(r.machines, "ingest-"+db.engine, "first", "--seed", "1")
	if err != nil {
		return err
	}
	if err := r.databaseSize(c, empty, "after their first reports", 50); err != nil {
		return err
	}
	if c, err = r.serve(c.db); err != nil {
		return err
	}
	later, err := c.fleet(r.machines, "ingest-"+db.engine, "changed,unchanged", "--seed", "1", "--cycles", "100")
	if err != nil {
		return err
	}
	for i, s := range append(first, later...) {
		r.rows = append(r.rows, row{what: db.engine + ", " + s.Scenario, value: s.PerSecond, peer: ocsPerSecond, unit: "/s", target: []float64{t.first, t.changed, t.unchanged}[i],
			atLeast: true, source: ocsSource, note: fmt.Sprintf("%s; all %d machines stored", s.cost(), s.Stored)})
	}
	if err := r.databaseSize(c, empty, "after 10 changed reports of each within seconds", 0); err != nil {
		return err
	}
	r.tell()
	return r.flatness(db, small)
}

// databaseSize stops the collector, so that its database is what stays. A target of 0
// is none: PostgreSQL keeps the room of rows that were replaced since its last vacuum.
func (r *run) databaseSize(c *collector, empty int64, when string, target float64) error {
	if err := c.check(); err != nil {
		return err
	}
	c.stop()
	full, err := c.db.size()
	if err != nil {
		return err
	}
	each := float64(full-empty) / float64(r.machines+100) / 1000
	r.rows = append(r.rows, row{what: c.db.engine + ", database a machine", value: each, peer: ocsDatabase, unit: "kB", target: target, source: ocsSource,
		note: fmt.Sprintf("at %d machines, %s; %.1f MB in all", r.machines+100, when, float64(full)/1e6)})
	return nil
}

// flatness measures the same with many machines and compares processor time.
func (r *run) flatness(db database, small []simulated) error {
	c, err := r.serve(db)
	if err != nil {
		return err
	}
	defer c.stop()
	many, err := c.fleet(r.many, "many-"+db.engine, "first,changed", "--seed", "2", "--rounds", "2")
	if err != nil {
		return err
	}
	for i, s := range many {
		r.rows = append(r.rows, row{what: db.engine + ", cost of " + s.Scenario, value: s.CollectorCPU, peer: small[i].CollectorCPU, unit: "µs", target: 1.25, ratioTarget: true,
			source: fmt.Sprintf("the same at %d machines", small[i].Agents), note: fmt.Sprintf("collector's processor time at %d machines, %.0f/s", r.machines+100+r.many, s.PerSecond)})
	}
	return c.check()
}
