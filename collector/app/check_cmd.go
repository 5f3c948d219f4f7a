package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/internal/buildinfo"
)

type checkCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (checkCmd) Help() string { return examples("check", "check --output json") }

type problemRow struct {
	Part   string `json:"part"`
	Object string `json:"object"`
	Detail string `json:"detail"`
}

// Run implements the command. A database that cannot be read at all is damage too.
func (c *checkCmd) Run(s *streams) error {
	err := c.check(s)
	var e *apperr.Error
	if !errors.As(err, &e) || e.Key != "store.damaged" {
		return err
	}
	rows := []problemRow{{Part: "database", Detail: cause(err)}}
	return errors.Join(c.show(s, rows), damageError{len(rows)})
}

func (c *checkCmd) show(s *streams, rows []problemRow) error {
	return show(s, c.Output, rows, []string{"PART", "OBJECT", "PROBLEM"}, func(r problemRow) []string { return []string{r.Part, r.Object, r.Detail} })
}

func (c *checkCmd) check(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		entries, _ := d.store.VerifyAudit(ctx) // Check tells where it breaks
		found, err := d.store.Check(ctx)
		if err != nil {
			return err
		}
		rows := []problemRow{}
		for _, p := range found {
			rows = append(rows, problemRow{p.Part, p.Object, p.Detail})
		}
		if len(rows) > 0 || c.Output == "json" {
			if err := c.show(s, rows); err != nil {
				return err
			}
		}
		if len(rows) > 0 {
			return damageError{len(rows)}
		}
		if c.Output == "table" {
			_, err = fmt.Fprintf(s.out, "nothing is wrong: %d entries of the audit log hold together, the database and its counts agree\n", entries)
		}
		return err
	})
}

type readyCmd struct {
	Web     string        `help:"Address of the console, host:port." default:"127.0.0.1:7080" env:"VIGIA_WEB" placeholder:"ADDR"`
	Timeout time.Duration `help:"How long to wait for an answer." default:"5s"`
}

// Help implements kong.HelpProvider.
func (readyCmd) Help() string { return examples("ready --web 127.0.0.1:7080") }

// Run implements the command. The certificate is not verified: nothing is told to the
// other side, and only its yes or no is asked for.
func (c *readyCmd) Run(s *streams) error {
	at := c.Web
	if host, port, err := net.SplitHostPort(at); err == nil && (host == "" || unspecified(host)) {
		at = net.JoinHostPort("127.0.0.1", port)
	}
	client := &http.Client{Timeout: c.Timeout, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, "https://"+at+"/readyz", nil)
	if err != nil {
		return usageError{fmt.Errorf("--web %q: want host:port", c.Web)}
	}
	resp, err := client.Do(req)
	if err != nil {
		return apperr.Wrap(err, apperr.Unavailable, "cli.not-ready", apperr.Args{"address": at, "problem": cause(err)})
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return apperr.New(apperr.Unavailable, "cli.not-ready", apperr.Args{"address": at, "problem": resp.Status})
	}
	_, err = fmt.Fprintln(s.out, "ready")
	return err
}

type versionCmd struct {
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (versionCmd) Help() string { return examples("version", "version --output json") }

// Run implements the command.
func (c *versionCmd) Run(s *streams) error {
	if c.Output == "json" {
		return printJSON(s.out, buildinfo.Get())
	}
	_, err := fmt.Fprintln(s.out, "vigia-collector "+buildinfo.String())
	return err
}

// cause is the innermost of err's chain: what the system said, without our own words.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
