// Command fleetsim runs simulated agents on the real uplink code against a collector on
// this host, measures what the collector takes, and counts what it has stored
// afterwards. It fails when anything that was acknowledged is missing.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"vigia/internal/fleetsim"
)

type flags struct {
	Collector   string        `help:"Program that makes tokens and lists what is stored." default:"bin/vigia-collector" placeholder:"FILE"`
	Data        string        `help:"Data folder of the running collector." xor:"where" placeholder:"DIR"`
	DatabaseURL string        `help:"Database of the running collector, in place of --data." xor:"where" placeholder:"URL"`
	Token       string        `help:"Enrolls the agents; made with --collector unless given." env:"VIGIA_TOKEN"`
	PID         int           `help:"Process of the collector: its memory and processor time are told too." name:"pid"`
	DatabasePID int           `help:"Process of PostgreSQL: its processor time, with that of its children, is told too." name:"database-pid"`
	Agents      int           `help:"How many agents." default:"100"`
	Scenario    []string      `help:"first, changed, unchanged, connect, reconnect; several run one after the other." default:"first"`
	Seed        uint64        `help:"Of the machines." default:"1"`
	Programs    int           `help:"Programs of a machine on average." default:"900"`
	Changes     int           `help:"Programs that change from report to report." default:"3"`
	Rounds      int           `help:"changed: reports of each agent." default:"10"`
	AtOnce      int           `help:"first, changed: agents that send at a time; 0 for all, which shows how the collector sheds load." default:"200"`
	Cycles      int           `help:"unchanged: times that each agent says so. reconnect: times that all agents come back." default:"20"`
	Settle      time.Duration `help:"connect: how long connections rest before memory is read." default:"10s"`
	State       string        `help:"Folder that keeps the agents; a temporary one unless given." placeholder:"DIR"`
	Timeout     time.Duration `help:"For each scenario." default:"10m"`
	Output      string        `help:"Form of the answer: table or json." enum:"table,json" default:"table"`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("fleetsim"), kong.Description("Simulated agents for load and fault work, over 127.0.0.0/8 only."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, f, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "fleetsim: %v\n", err)
		os.Exit(1)
	}
}

func (f *flags) check() error {
	for _, s := range f.Scenario {
		if !slices.Contains([]string{"first", "changed", "unchanged", "connect", "reconnect"}, s) {
			return fmt.Errorf("--scenario %s: want first, changed, unchanged, connect or reconnect", s)
		}
	}
	if f.Data == "" && f.DatabaseURL == "" {
		return fmt.Errorf("--data or --database-url: one is needed, to count what is stored")
	}
	for name, n := range map[string]int{"--rounds": f.Rounds, "--cycles": f.Cycles, "--changes": f.Changes, "--programs": f.Programs} {
		if n < 1 || n > 10_000 {
			return fmt.Errorf("%s %d: must be 1 to 10000", name, n)
		}
	}
	return nil
}

func run(ctx context.Context, f flags, out io.Writer) error {
	if err := f.check(); err != nil {
		return err
	}
	if f.State == "" {
		dir, err := os.MkdirTemp("", "vigia-fleetsim-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }() // what is left is in the temporary folder
		f.State = dir
	}
	g, err := fleetsim.NewGenerator(f.Seed)
	if err != nil {
		return err
	}
	g.Programs = f.Programs
	fleet, err := fleetsim.Open(fleetsim.Options{Dir: f.State, Agents: f.Agents, Generator: g, Now: time.Now, Random: mathrand.Float64, Entropy: rand.Reader})
	if err != nil {
		return err
	}
	defer fleet.Close() // the state is synced where it matters
	b := &bench{flags: f, fleet: fleet}
	for _, name := range f.Scenario {
		r, err := b.scenario(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		b.results = append(b.results, r)
	}
	return b.print(out)
}

func (b *bench) print(out io.Writer) error {
	if b.Output == "json" {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(b.results)
	}
	tw := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "SCENARIO\tAGENTS\tDONE\tSECONDS\tPER SECOND\tCOLLECTOR µs\tDATABASE µs\tSIMULATOR µs\tBYTES\tCOLLECTOR RSS KiB\tSTORED\tRETRIES") // µs of processor and bytes: each
	for _, r := range b.results {
		fmt.Fprintf(tw, "%s\t%d\t%d\t%.2f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%d -> %d\t%d of %d\t%d\n", r.Scenario, r.Agents, r.Done, r.Seconds, r.PerSecond,
			r.CollectorCPU, r.DatabaseCPU, r.SimulatorCPU, r.Bytes, r.RSSBefore/1024, r.RSSAfter/1024, r.Stored, r.Agents, r.Retries)
	}
	return tw.Flush()
}
