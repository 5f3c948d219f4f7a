package app

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"vigia/collector/internal/locale"
	"vigia/collector/internal/nonconformity"
	papers "vigia/collector/internal/report"
	"vigia/collector/internal/report/ncr"
	"vigia/internal/fsatomic"
)

type nonconformityExportCmd struct {
	dataFlags `embed:""`
	Number    string `arg:"" help:"Such as NC-2026-0001."`
	Format    string `help:"pdf." enum:"pdf" default:"pdf"`
	Lang      string `help:"es or en." enum:"es,en" default:"es"`
	Out       string `required:"" help:"File that is written; - for standard output." placeholder:"FILE"`
}

// Help implements kong.HelpProvider.
func (nonconformityExportCmd) Help() string {
	return examples("nonconformity export NC-2026-0001 --format pdf --lang es --out NC-2026-0001.pdf") +
		"\n\nThe same record gives the same file. It holds evidence, statements, acknowledgements with their hashes and the audit chain's entries."
}

// Run implements the command.
func (c *nonconformityExportCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		n, err := d.store.Nonconformities().ByNumber(ctx, strings.ToUpper(c.Number))
		if err != nil {
			return err
		}
		p, company, err := d.printerOf(ctx, c.Lang)
		if err != nil {
			return err
		}
		r := ncr.Record{Nonconformity: n, Company: company}
		if r.Outlook, err = d.records.Outlook(ctx, n); err != nil {
			return err
		}
		if r.Trail, err = d.trailOf(ctx, n.Number); err != nil {
			return err
		}
		var b bytes.Buffer
		if err := ncr.Write(&b, p, r); err != nil {
			return err
		}
		return writeOut(s, c.Out, b.Bytes())
	})
}

// printerOf writes in a language and the company's zone.
func (d *desk) printerOf(ctx context.Context, lang string) (*locale.Printer, string, error) {
	v, err := d.values(ctx)
	if err != nil {
		return nil, "", err
	}
	texts, err := locale.Load()
	if err != nil {
		return nil, "", err
	}
	return texts.For(lang, d.zoneOf(v)), v.Company.Name, nil
}

// writeOut writes a whole file or nothing.
func writeOut(s *streams, path string, body []byte) error {
	if path == "-" {
		_, err := s.out.Write(body)
		return err
	}
	if err := fsatomic.WriteFile(path, body, 0o640); err != nil {
		return usageError{err}
	}
	_, err := fmt.Fprintln(s.errOut, path)
	return err
}

type nonconformityRegisterCmd struct {
	dataFlags `embed:""`
	Year      int    `help:"Year in which the records were opened; this one unless given." placeholder:"YEAR"`
	Format    string `help:"xlsx or csv." enum:"xlsx,csv" default:"xlsx"`
	Lang      string `help:"es or en." enum:"es,en" default:"es"`
	Out       string `required:"" help:"File that is written; - for standard output." placeholder:"FILE"`
}

// Help implements kong.HelpProvider.
func (nonconformityRegisterCmd) Help() string {
	return examples("nonconformity register --year 2026 --format xlsx --out register-2026.xlsx")
}

// Run implements the command.
func (c *nonconformityRegisterCmd) Run(s *streams) error {
	if c.Year != 0 && (c.Year < 2000 || c.Year > 9999) {
		return usageError{fmt.Errorf("--year %d: want a year such as 2026", c.Year)}
	}
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		p, _, err := d.printerOf(ctx, c.Lang)
		if err != nil {
			return err
		}
		year := c.Year
		if year == 0 {
			year = d.now().In(p.Zone).Year()
		}
		f := nonconformity.Filter{From: time.Date(year, 1, 1, 0, 0, 0, 0, p.Zone), To: time.Date(year+1, 1, 1, 0, 0, 0, 0, p.Zone), Limit: pageSize}
		list, err := allPages(func() ([]nonconformity.Nonconformity, error) { return d.store.Nonconformities().Whole(ctx, f) }, func(last nonconformity.Nonconformity) { f.After = last.Row })
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := ncr.Register(&b, p, papers.Format(c.Format), fmt.Sprint(year), list); err != nil {
			return err
		}
		return writeOut(s, c.Out, b.Bytes())
	})
}
