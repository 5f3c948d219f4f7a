// Command bench measures Vigía's two programs beside their peers and prints a table. It
// owns the processes it starts, in a temporary folder and on 127.0.0.0/8, and ends them;
// it is called by internal/tools/bench.sh, from the top of the checkout.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// options sizes the measurements.
type options struct {
	agent, collector, fleetsim string // programs
	pageTool                   string
	pairs                      int
	idle                       time.Duration
	machines, many             int
	pageMachines               int
	state                      string // folder in memory for simulated agents
}

// part is one group of measurements.
type part struct {
	name, help string
	run        func(*run) error
}

func parts() []part {
	return []part{
		{"inventory", "whole inventory of this machine beside fusioninventory-inventory, in pairs", inventoryPart},
		{"idle", "memory and processor of an agent with nothing to do, bytes of an unchanged cycle, size of the program", idlePart},
		{"ingest", "reports a second on SQLite and PostgreSQL, size of the database, cost at 100 and at many machines", ingestPart},
		{"connections", "collector's memory for each connected agent", connectionsPart},
		{"reconnects", "agents that come back a second", reconnectsPart},
		{"pages", "every kind of page of the console, as every role, in a large company; the slowest ten", pagesPart},
	}
}

func main() {
	runtime.LockOSThread() // what is started dies with this thread
	var o options
	flag.StringVar(&o.agent, "agent", "bin/vigia-agent", "the agent")
	flag.StringVar(&o.collector, "collector", "bin/vigia-collector", "the collector")
	flag.StringVar(&o.fleetsim, "fleetsim", "bin/tools/fleetsim", "the simulated fleet")
	flag.IntVar(&o.pairs, "pairs", 5, "inventory: pairs of runs")
	flag.StringVar(&o.pageTool, "page-tool", "bin/tools/pages", "what requests pages")
	flag.IntVar(&o.pageMachines, "page-machines", 10_000, "pages: machines of the sample company; its list is read with ten times as many")
	flag.DurationVar(&o.idle, "idle", 10*time.Minute, "idle: how long")
	flag.IntVar(&o.machines, "machines", 1000, "ingest: machines")
	flag.IntVar(&o.many, "many", 5000, "ingest, connections, reconnects: many machines")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := mainErr(ctx, o, flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func mainErr(ctx context.Context, o options, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	if o.pairs < 5 || o.idle < time.Second || o.machines < 100 || o.many < 100 || o.many > 6000 {
		return errors.New("at least 5 pairs, 1 s of idling and 100 machines, at most 6000")
	}
	dir, err := os.MkdirTemp("", "vigia-bench-")
	if err != nil {
		return err
	}
	r := &run{options: o, ctx: ctx, dir: dir}
	defer r.clean()
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL runs as another user
		return err
	}
	if r.state, err = memoryFolder(dir); err != nil {
		return err
	}
	fmt.Printf("%d processors, %s; load before: %s\n", runtime.NumCPU(), cpuModel(), load())
	var failed error
	for _, p := range chosen {
		if ctx.Err() != nil {
			return errors.Join(failed, ctx.Err())
		}
		fmt.Printf("\n%s: %s\n", p.name, p.help)
		if err := p.run(r); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", p.name, err))
		}
		r.stopAll()
		r.tell() // of a part that failed, what it had measured before
	}
	fmt.Printf("\nload after: %s (rates are only right where nothing else ran; processor times always)\n", load())
	return failed
}

func choose(names []string) ([]part, error) {
	if len(names) == 0 {
		return parts(), nil
	}
	var chosen []part
	var known []string
	for _, p := range parts() {
		known = append(known, p.name)
		for _, n := range names {
			if n == p.name {
				chosen = append(chosen, p)
			}
		}
	}
	if len(chosen) != len(names) {
		return nil, fmt.Errorf("%s: want some of %s", strings.Join(names, " "), strings.Join(known, ", "))
	}
	return chosen, nil
}

// memoryFolder is where simulated agents keep their files, so that their disk is not
// the collector's.
func memoryFolder(otherwise string) (string, error) {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return os.MkdirTemp("/dev/shm", "vigia-bench-")
	}
	return os.MkdirTemp(otherwise, "agents-")
}

func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	f := strings.Fields(string(b))
	return strings.Join(f[:min(3, len(f))], " ")
}

func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for _, l := range strings.Split(string(b), "\n") {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}
