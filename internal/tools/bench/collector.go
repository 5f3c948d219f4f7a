package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// database is where a collector keeps everything.
type database struct {
	engine string   // "SQLite" or "PostgreSQL"
	flags  []string // of the collector and of fleetsim
	size   func() (int64, error)
	sql    func(statement string) (string, error) // runs one statement
	pid    int                                    // of a server of its own, else 0
	agents string                                 // where agents connect, the same after a restart; empty before the first start
}

func (r *run) sqlite() database {
	dir := r.path("data")
	return database{engine: "SQLite", flags: []string{"--data", dir}, size: func() (int64, error) { return sizeOf(filepath.Join(dir, "vigia.db*")) }, sql: r.sqliteShell(dir)}
}

func sizeOf(pattern string) (sum int64, err error) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("no database at %s", pattern)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return 0, err
		}
		sum += info.Size()
	}
	return sum, nil
}

// collector is one that runs.
type collector struct {
	*run
	*started
	db database
}

// serve starts a collector and waits until it is ready.
func (r *run) serve(db database) (*collector, error) {
	var err error
	if db.agents == "" {
		if db.agents, err = freePort(); err != nil {
			return nil, err
		}
	}
	web, err := freePort()
	if err != nil {
		return nil, err
	}
	s, err := r.start(nil, syscall.SIGKILL, r.collector, append([]string{"serve", "--agents", db.agents, "--web", web, "--log-level", "warn"}, db.flags...)...)
	if err != nil {
		return nil, err
	}
	err = r.waitFor(s, time.Minute, "starting the collector", func() bool {
		_, err := r.output(r.collector, "ready", "--web", web)
		return err == nil
	})
	return &collector{run: r, started: s, db: db}, err
}

// stop ends the collector the clean way.
func (c *collector) stop() { c.started.stop(syscall.SIGTERM) }

// command runs a command of the collector on its database.
func (c *collector) command(args ...string) (string, error) {
	out, err := c.run.output(c.run.collector, append(args, c.db.flags...)...)
	return strings.TrimSpace(string(out)), err
}

// simulated is what fleetsim tells of one scenario.
type simulated struct {
	Scenario     string  `json:"scenario"`
	Agents       int     `json:"agents"`
	Done         int64   `json:"done"`
	Seconds      float64 `json:"seconds"`
	PerSecond    float64 `json:"per_second"`
	CollectorCPU float64 `json:"collector_cpu_us"`
	DatabaseCPU  float64 `json:"database_cpu_us"`
	SimulatorCPU float64 `json:"simulator_cpu_us"`
	Bytes        float64 `json:"bytes"`
	RSSBefore    int64   `json:"rss_before"`
	RSSAfter     int64   `json:"rss_after"`
	Stored       int     `json:"stored"`
	Retries      int64   `json:"retries"`
}

// cost tells what each of what was done took of the processors, and how many a second
// that makes where two of them do nothing else.
func (s simulated) cost() string {
	sum := s.CollectorCPU + s.DatabaseCPU + s.SimulatorCPU
	return fmt.Sprintf("%d in %.1f s; collector %.0f, database %.0f, simulator %.0f µs of processor each: two free ones could do %.0f/s",
		s.Done, s.Seconds, s.CollectorCPU, s.DatabaseCPU, s.SimulatorCPU, 2e6/max(1, sum))
}

// fleet runs scenarios of simulated agents against c; it fails where anything that was
// acknowledged is not stored.
func (c *collector) fleet(agents int, state, scenarios string, more ...string) ([]simulated, error) {
	args := []string{"--collector", c.run.collector, "--pid", fmt.Sprint(c.cmd.Process.Pid), "--database-pid", fmt.Sprint(c.db.pid), "--agents", fmt.Sprint(agents),
		"--scenario", scenarios, "--state", filepath.Join(c.run.state, state), "--output", "json"}
	out, err := c.run.output(c.run.fleetsim, append(append(args, c.db.flags...), more...)...)
	if err != nil {
		return nil, fmt.Errorf("%w; the collector's log ends:\n%s", err, c.tail())
	}
	var results []simulated
	if err := json.Unmarshal(out, &results); err != nil {
		return nil, fmt.Errorf("reading what fleetsim says: %w", err)
	}
	for _, r := range results {
		if r.Stored != agents {
			return nil, fmt.Errorf("%s: %d of %d machines are stored as acknowledged", r.Scenario, r.Stored, agents)
		}
	}
	return results, nil
}

// check lets the collector compare its database with itself.
func (c *collector) check() error {
	_, err := c.command("check", "--output", "json")
	return err
}
