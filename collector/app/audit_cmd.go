package app

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/ledger"
	"vigia/collector/internal/paging"
)

type auditCmds struct {
	List   auditListCmd   `cmd:"" help:"List who changed what, newest first."`
	Verify auditVerifyCmd `cmd:"" help:"Go through the whole chain, or through an exported file."`
	Export auditExportCmd `cmd:"" help:"Write a range of the log to a file that others can verify."`
}

type auditListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" help:"Part of who, what was done, or to what."`
	Actor      string `help:"Exactly, such as person:ana@example.com." placeholder:"WHO"`
	Action     string `help:"Exactly, such as machine.revoke, or a kind of them, such as machine." placeholder:"WHAT"`
	Object     string `help:"Exactly, such as token/T7, or with a last / everything below." placeholder:"WHAT"`
	Since      string `help:"Not before this day or moment (UTC)." placeholder:"TIME"`
	Until      string `help:"Before this day or moment (UTC)." placeholder:"TIME"`
	Limit      int    `help:"At most so many." default:"100"`
}

// Help implements kong.HelpProvider.
func (auditListCmd) Help() string {
	return examples("audit list", "audit list --action machine --since 2026-11-01", "audit list --object token/T7 --output json", "audit list ana@example.com --limit 20")
}

// auditRow is one entry in JSON.
type auditRow struct {
	Seq    int64           `json:"seq"`
	At     time.Time       `json:"at"`
	Actor  string          `json:"actor"`
	Action string          `json:"action"`
	Object string          `json:"object"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
	Hash   string          `json:"hash"`
}

// Run implements the command.
func (c *auditListCmd) Run(s *streams) error {
	since, err1 := moment("since", c.Since)
	until, err2 := moment("until", c.Until)
	if c.Limit < 1 || c.Limit > 100_000 {
		err1 = errors.Join(err1, fmt.Errorf("--limit %d: want 1 to 100000", c.Limit))
	}
	if err := errors.Join(err1, err2); err != nil {
		return usageError{err}
	}
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		f := audit.Filter{Query: c.Query, Actor: c.Actor, Action: c.Action, Object: c.Object, Since: since, Until: until}
		rows, o := []auditRow{}, paging.Order{Limit: min(c.Limit, pageSize)}
		for len(rows) < c.Limit {
			page, err := d.ledger.Page(ctx, f, o)
			if err != nil {
				return err
			}
			for _, e := range page.Rows[:min(len(page.Rows), c.Limit-len(rows))] {
				rows = append(rows, auditRow{e.Seq, e.At.UTC(), e.Actor, e.Action, e.Object, orNull(e.Before), orNull(e.After), hex.EncodeToString(e.Hash[:])})
			}
			if o.After = page.Next; o.After.IsZero() {
				break
			}
		}
		return show(s, c.Output, rows, []string{"NO", "WHEN", "WHO", "WHAT", "OBJECT"}, func(r auditRow) []string {
			return []string{fmt.Sprint(r.Seq), stamp(r.At), r.Actor, r.Action, r.Object}
		})
	})
}

func orNull(b json.RawMessage) json.RawMessage {
	if len(b) == 0 {
		return json.RawMessage("null")
	}
	return b
}

// moment reads a day or a moment; "" is none.
func moment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--%s %q: want a day (2026-11-23) or a moment (2026-11-23T18:00:00Z)", flag, text)
}

type auditVerifyCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	File       string `arg:"" optional:"" help:"A file by audit export; the log itself unless given."`
	Alone      bool   `help:"With a file: look at the file only, not whether the log here holds the same."`
}

// Help implements kong.HelpProvider.
func (auditVerifyCmd) Help() string {
	return examples("audit verify", "audit verify bitacora.jsonl", "audit verify bitacora.jsonl --alone") +
		"\n\nThe hash of the last entry, written down elsewhere, proves later that nothing before it was changed."
}

// verdict is what was found, in JSON.
type verdict struct {
	Holds    bool   `json:"holds"`
	Entries  int64  `json:"entries"`
	LastSeq  int64  `json:"last_seq"`
	LastHash string `json:"last_hash"`
	BrokenAt int64  `json:"broken_at"`
	Problem  string `json:"problem"`
}

// Run implements the command.
func (c *auditVerifyCmd) Run(s *streams) error {
	if c.File != "" {
		return c.file(s)
	}
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		p, err := d.ledger.Verify(ctx)
		if err != nil {
			return err
		}
		return c.tell(s, verdict{Holds: p.Holds(), Entries: p.Entries, LastSeq: p.Entries, LastHash: hex.EncodeToString(p.Head[:]), BrokenAt: p.BrokenAt, Problem: p.Problem}, "the log")
	})
}

func (c *auditVerifyCmd) file(s *streams) error {
	f, err := os.Open(c.File)
	if err != nil {
		return apperr.Wrap(err, apperr.Invalid, "cli.file", apperr.Args{"path": c.File, "problem": cause(err)})
	}
	defer f.Close()
	p, err := ledger.VerifyFile(f)
	v := verdict{Entries: p.Entries, LastSeq: p.To, LastHash: hex.EncodeToString(p.Last[:])}
	if err == nil && !c.Alone {
		err = c.withDesk(s, func(ctx context.Context, d *desk) error { return d.ledger.Same(ctx, p) })
	}
	var broken *audit.Broken
	if errors.As(err, &broken) {
		v.BrokenAt, v.Problem = broken.Seq, broken.Problem
	} else if err != nil {
		return err
	}
	v.Holds = err == nil
	return c.tell(s, v, "the file")
}

func (c *auditVerifyCmd) tell(s *streams, v verdict, what string) error {
	var err error
	if c.Output == "json" {
		err = printJSON(s.out, v)
	} else if v.Holds {
		_, err = fmt.Fprintf(s.out, "%s holds: %d entries\nlast entry: %d\nits hash:   %s\n", what, v.Entries, v.LastSeq, v.LastHash)
	} else {
		_, err = fmt.Fprintf(s.out, "%s is broken at entry %d: %s\n", what, v.BrokenAt, v.Problem)
	}
	if err == nil && !v.Holds {
		return damageError{1}
	}
	return err
}

type auditExportCmd struct {
	dataFlags `embed:""`
	File      string `arg:"" help:"Where to write; - is standard output."`
	From      int64  `help:"Number of the first entry." default:"1"`
	To        int64  `help:"Number of the last entry; the newest unless given."`
}

// Help implements kong.HelpProvider.
func (auditExportCmd) Help() string {
	return examples("audit export bitacora.jsonl", "audit export noviembre.jsonl --from 1200 --to 1900")
}

// Run implements the command.
func (c *auditExportCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if err := d.ledger.CheckRange(ctx, c.From, c.To); err != nil {
			return err
		}
		by := actor.From(ctx).String()
		write := func(w io.Writer) (int64, error) { return d.ledger.Export(ctx, w, c.From, c.To, by) }
		if c.File == "-" {
			_, err := write(s.out)
			return err
		}
		var n int64
		err := wholeFile(c.File, func(w io.Writer) (err error) {
			n, err = write(w)
			return err
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%d entries written to %s\n", n, c.File)
		return err
	})
}

// wholeFile writes a file, which is there whole or not at all.
func wholeFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".vigia-*") // 0600
	if err != nil {
		return apperr.Wrap(err, apperr.Invalid, "cli.file", apperr.Args{"path": path, "problem": cause(err)})
	}
	defer os.Remove(f.Name())
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
