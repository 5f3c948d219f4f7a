// Package demo owns the sample company: it fills a fresh database with sites, people,
// machines and a year of their history, for trying out, screenshots, tests and
// measurements. All of it goes through the use-cases that the product itself has, with
// a clock that is moved through the year, so that nothing is in a state which a real
// year could not lead to. The same seed and the same moment make the same company, but
// for keys, certificates and secrets, which are never predictable.
//
// It refuses a database in which a collector has ever been started, to write SQL, and
// to invent programs: names, publishers, versions and hardware in data/ are facts, the
// people are not.
package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store"
)

// Limits of a sample company.
const (
	MinMachines     = 30
	DefaultMachines = 320
	MaxMachines     = 100_000
)

// blobSample marks a database as sample data.
const blobSample = "sample"

// Options says what is made and where. Exactly one of Path and DatabaseURL is given.
type Options struct {
	Path        string // of the SQLite file; made when absent
	DatabaseURL string // postgres://…
	Machines    int    // MinMachines to MaxMachines; 0 means DefaultMachines
	Seed        uint64
	Now         time.Time // when the year ends; zero means time.Now
	Log         *slog.Logger
	// Progress is told what is being made, with the share that is done, 0 to 1. Nil: nobody is.
	Progress func(what string, done float64)
}

// Summary is what was made.
type Summary struct {
	Seed            uint64    `json:"seed"`
	From            time.Time `json:"from"`
	To              time.Time `json:"to"`
	Sites           int       `json:"sites"`
	Areas           int       `json:"areas"`
	People          int       `json:"people"`
	Machines        int       `json:"machines"` // archived ones too
	Installs        int       `json:"installs"` // programs on machines
	Reports         int64     `json:"reports"`
	Findings        int       `json:"findings"`
	OpenFindings    int       `json:"open_findings"`
	Nonconformities int       `json:"nonconformities"`
	Rules           int       `json:"rules"`
	SignIn          []SignIn  `json:"sign_in"`
}

// SignIn is a person to sign in as, one for each role.
type SignIn struct {
	Email string `json:"email"`
	Role  string `json:"role"`
}

// Sample is the mark of a database that holds sample data.
type Sample struct {
	MadeAt   time.Time `json:"made_at"`
	Seed     uint64    `json:"seed"`
	Machines int       `json:"machines"`
	Done     bool      `json:"done"` // false: the filling was interrupted
}

// SampleOf returns the mark, and whether there is one.
func SampleOf(ctx context.Context, blobs fleet.BlobStore) (Sample, bool, error) {
	var s Sample
	raw, err := blobs.Blob(ctx, blobSample)
	if apperr.Is(err, apperr.NotFound) {
		return s, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if err != nil {
		return s, false, fmt.Errorf("reading the mark of sample data: %w", err)
	}
	return s, true, nil
}

func setSample(ctx context.Context, blobs fleet.BlobStore, s Sample) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return blobs.SetBlob(ctx, blobSample, raw)
}

func (o *Options) check() error {
	if o.Machines == 0 {
		o.Machines = DefaultMachines
	}
	if o.Machines < MinMachines || o.Machines > MaxMachines {
		return apperr.New(apperr.Invalid, "demo.machines", apperr.Args{"field": "machines", "value": o.Machines, "min": MinMachines, "max": MaxMachines})
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if o.Progress == nil {
		o.Progress = func(string, float64) {}
	}
	o.Now = o.Now.UTC().Truncate(time.Minute)
	return nil
}

// Fill makes the company. Errors: Invalid "demo.machines"; Conflict "demo.not-fresh"
// where the database holds anything, "demo.sample-there" where it is a sample already.
func Fill(ctx context.Context, o Options) (s Summary, err error) {
	if err := o.check(); err != nil {
		return Summary{}, err
	}
	c := newClock(o.Now.Add(-year))
	st, err := store.Open(ctx, store.Config{Path: o.Path, DatabaseURL: o.DatabaseURL, Logger: o.Log, Now: c.now, Synchronous: synchronous(o)})
	if err != nil {
		return Summary{}, err
	}
	defer func() {
		if cerr := st.Close(); err == nil {
			err = cerr
		}
	}()
	if err := fresh(ctx, st); err != nil {
		return Summary{}, err
	}
	mark := Sample{MadeAt: o.Now, Seed: o.Seed, Machines: o.Machines}
	if err := setSample(ctx, st, mark); err != nil {
		return Summary{}, err
	}
	y, err := newYear(ctx, st, c, o)
	if err != nil {
		return Summary{}, err
	}
	if err := y.live(ctx); err != nil {
		return Summary{}, err
	}
	mark.Done = true
	if err := setSample(ctx, st, mark); err != nil {
		return Summary{}, err
	}
	return y.summary(ctx)
}

// synchronous lets SQLite's file be lost by a power cut while it is being made.
func synchronous(o Options) string {
	if o.Path == "" {
		return ""
	}
	return "OFF"
}

// fresh refuses a database in which a collector was ever started.
func fresh(ctx context.Context, st *store.Store) error {
	switch _, there, err := SampleOf(ctx, st); {
	case err != nil:
		return err
	case there:
		return apperr.New(apperr.Conflict, "demo.sample-there", apperr.Args{"place": "the database"})
	}
	_, err := st.Blob(ctx, "ca")
	switch {
	case err == nil:
		return apperr.New(apperr.Conflict, "demo.not-fresh", apperr.Args{"place": "the database"})
	case apperr.Is(err, apperr.NotFound):
		return nil
	}
	return err
}
