package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vigia/collector/app/demo"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/store"
	"vigia/internal/fsatomic"
)

type demoCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Machines   int    `help:"How many machines, 30 to 100000; on two cores 320 take some 20 seconds, 10000 some four minutes." default:"320" placeholder:"N"`
	Seed       uint64 `help:"The same seed makes the same company." default:"1" placeholder:"N"`
}

// demoWeb is where the console of a sample is said to be until a collector has run.
const demoWeb = "127.0.0.1:7080"

// Help implements kong.HelpProvider.
func (demoCmd) Help() string {
	return examples("demo --data ./demo", "demo --data ./demo --machines 10000 --output json",
		"demo --database-url postgres://vigia@db.example.com/vigia_demo") + `

Fills a fresh folder with a sample company: sites, areas, people, machines and a year of their history. The console
says on every page that it is sample data. A folder or a database in which a collector ever ran is refused.`
}

// demoResult is what the command prints.
type demoResult struct {
	demo.Summary
	Seconds  float64  `json:"seconds"`
	Commands []string `json:"commands"`
}

// Run implements the command.
func (c *demoCmd) Run(s *streams) error {
	start := time.Now()
	o := demo.Options{DatabaseURL: c.DatabaseURL, Machines: c.Machines, Seed: c.Seed, Progress: progress(s, start),
		Log: slog.New(slog.NewTextHandler(s.errOut, &slog.HandlerOptions{Level: slog.LevelError}))}
	fill := fillDatabase
	if c.DatabaseURL == "" {
		fill = c.fillFolder
	}
	sum, err := fill(s.ctx, o)
	if err != nil {
		return err
	}
	r := demoResult{Summary: sum, Seconds: time.Since(start).Round(100 * time.Millisecond).Seconds(), Commands: c.commands()}
	if c.Output == "json" {
		return printJSON(s.out, r)
	}
	return r.print(s)
}

// fillFolder fills beside the place, and puts the database there when it is whole: what
// was interrupted leaves nothing.
func (c *demoCmd) fillFolder(ctx context.Context, o demo.Options) (sum demo.Summary, err error) {
	if err := makeDataDir(c.Data); err != nil {
		return sum, err
	}
	unlock, err := lockDataDir(c.Data)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := c.refuseData(ctx); err != nil {
		return sum, err
	}
	if err := removeLeft(c.Data); err != nil {
		return sum, err
	}
	dir, err := os.MkdirTemp(c.Data, ".demo-*")
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.Path = databaseFile(dir)
	if sum, err = fillDatabase(ctx, o); err != nil {
		return sum, err
	}
	if left, err := filepath.Glob(o.Path + "-wal"); err != nil || len(left) > 0 {
		return sum, fmt.Errorf("%v: the database was not written to its end: %w", left, errors.Join(err, fs.ErrInvalid))
	}
	if err := syncFile(o.Path); err != nil { // nothing of it was, so far
		return sum, err
	}
	if err := os.Rename(o.Path, databaseFile(c.Data)); err != nil {
		return sum, err
	}
	return sum, fsatomic.SyncDir(c.Data)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// removeLeft removes what a filling that was killed left.
func removeLeft(data string) error {
	left, err := filepath.Glob(filepath.Join(data, ".demo-*"))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// refuseData tells what is in the folder already, if anything.
func (c *demoCmd) refuseData(ctx context.Context) error {
	if err := needDatabase(c.config()); apperr.Is(err, apperr.NotFound) {
		return nil
	} else if err != nil {
		return err
	}
	st, err := store.Open(ctx, store.Config{Path: databaseFile(c.Data)})
	if err != nil {
		return err
	}
	_, there, err := demo.SampleOf(ctx, st)
	if err = errors.Join(err, st.Close()); err != nil {
		return err
	}
	key := "demo.not-fresh"
	if there {
		key = "demo.sample-there"
	}
	return apperr.New(apperr.Conflict, key, apperr.Args{"place": c.Data})
}

// fillDatabase fills, and says where the console will be, so that sign-in links can be
// made before the first start.
func fillDatabase(ctx context.Context, o demo.Options) (demo.Summary, error) {
	sum, err := demo.Fill(ctx, o)
	if err != nil {
		return sum, err
	}
	st, err := store.Open(ctx, store.Config{Path: o.Path, DatabaseURL: o.DatabaseURL})
	if err != nil {
		return sum, err
	}
	_, err = (&desk{store: st}).changeAddresses(ctx, func(a *addresses) { a.Web = demoWeb })
	return sum, errors.Join(err, st.Close())
}

// commands are what to do next.
func (c *demoCmd) commands() []string {
	where := "--data " + c.Data
	if c.DatabaseURL != "" {
		where = "--database-url " + redactURL(c.DatabaseURL)
	}
	return []string{
		"vigia-collector serve " + where + " --agents 127.0.0.1:7443 --web " + demoWeb,
		"vigia-collector signin-link " + where + " --person admin@example.com",
	}
}

func (r *demoResult) print(s *streams) error {
	var who []string
	for _, p := range r.SignIn {
		who = append(who, fmt.Sprintf("%s (%s)", p.Email, p.Role))
	}
	_, err := fmt.Fprintf(s.out, `Sample data, seed %d, from %s to %s, in %.0f s:
  %d sites, %d areas, %d people
  %d machines with %d programs, %d reports
  %d rules, %d findings, %d of them open, %d nonconformities

Start it:   %s
Sign in:    %s
as one of:  %s
`, r.Seed, r.From.Format(time.DateOnly), r.To.Format(time.DateOnly), r.Seconds, r.Sites, r.Areas, r.People, r.Machines, r.Installs, r.Reports,
		r.Rules, r.Findings, r.OpenFindings, r.Nonconformities, r.Commands[0], r.Commands[1], strings.Join(who, ", "))
	return err
}

// progress tells on standard error how far it is, every five seconds.
func progress(s *streams, start time.Time) func(string, float64) {
	last := start
	return func(what string, done float64) {
		if now := time.Now(); now.Sub(last) >= 5*time.Second {
			last = now
			fmt.Fprintf(s.errOut, "%s: %.0f %% after %.0f s\n", what, done*100, now.Sub(start).Seconds())
		}
	}
}
