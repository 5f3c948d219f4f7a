// Command pages requests every kind of page of a collector's console on this host, as
// each role, and tells how long the slowest take: by the clock, from the request to the
// last byte, and by the processor time of the collector and its database. Pages are
// found by following links, kinds are the console's table of routes; lists are read by
// every sort, filter and on their second page too.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
)

type flags struct {
	Collector   string        `help:"Program that makes sign-in links." default:"bin/vigia-collector" placeholder:"FILE"`
	Data        string        `help:"Data folder of the running collector, with a sample company." xor:"where" placeholder:"DIR"`
	DatabaseURL string        `help:"Database of the running collector, in place of --data." xor:"where" placeholder:"URL"`
	PID         int           `help:"Process of the collector." name:"pid"`
	DatabasePID int           `help:"Process of PostgreSQL." name:"database-pid"`
	Rounds      int           `help:"How often each page is requested." default:"20"`
	Roles       []string      `help:"Whom to sign in: parts of addresses before the @." default:"admin,tecnico,gerente,rh,compras,tesoreria,direccion,empleado,auditor"`
	Only        string        `help:"Kinds of pages whose path contains this." placeholder:"PART"`
	Slowest     int           `help:"How many are told." default:"10"`
	Limit       time.Duration `help:"What 95 of 100 requests of each kind must stay below." default:"200ms"`
	Output      string        `help:"Form of the answer: table or json." enum:"table,json" default:"table"`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("pages"), kong.Description("How long the console's pages take, every kind, as every role, over 127.0.0.0/8."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, f, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "pages: %v\n", err)
		os.Exit(1)
	}
}

// where are the flags of the collector's commands.
func (f *flags) where() ([]string, error) {
	switch {
	case f.Rounds < 1 || f.Rounds > 1000:
		return nil, fmt.Errorf("--rounds %d: must be 1 to 1000", f.Rounds)
	case f.DatabaseURL != "":
		return []string{"--database-url", f.DatabaseURL}, nil
	case f.Data != "":
		return []string{"--data", f.Data}, nil
	}
	return nil, fmt.Errorf("--data or --database-url: one is needed, to sign in")
}

func run(ctx context.Context, f flags, out io.Writer) error {
	where, err := f.where()
	if err != nil {
		return err
	}
	var results []result
	for _, role := range f.Roles {
		v, err := signIn(ctx, f, where, role)
		if err != nil {
			return err
		}
		found, err := v.follow(ctx, f.Only)
		if err != nil {
			return err
		}
		for _, g := range found {
			r, err := v.measure(ctx, g, f)
			if err != nil {
				return err
			}
			results = append(results, r)
		}
	}
	s := sum(results, f.Limit, f.Slowest)
	if f.Output == "json" {
		return json.NewEncoder(out).Encode(s)
	}
	return s.print(out, f)
}

// summary is what all of it says.
type summary struct {
	Kinds    int      `json:"kinds"` // of pages and of their variants, each role's own
	Requests int      `json:"requests"`
	Over     int      `json:"over"` // kinds whose p95 is above the limit by the clock
	OverCPU  int      `json:"over_cpu"`
	Slowest  []result `json:"slowest"`
}

func (s summary) print(out io.Writer, f flags) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "  PAGE\tROLE\tP50 ms\tP95 ms\tPROCESSOR ms\tkB\n")
	for _, r := range s.Slowest {
		fmt.Fprintf(w, "  %s\t%s\t%.1f\t%.1f\t%.1f\t%.0f\n", r.Page, strings.Join(r.Roles, " "), r.P50, r.P95, r.CPU, r.Bytes/1000)
	}
	fmt.Fprintf(w, "  %d kinds, %d requests; above %s at p95: %d by the clock, %d by processor time\n", s.Kinds, s.Requests, f.Limit, s.Over, s.OverCPU)
	return w.Flush()
}
