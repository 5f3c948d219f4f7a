package app

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
)

type certificateCmds struct {
	List     certificateListCmd   `cmd:"" help:"List the CAs, or with a machine its certificates."`
	Show     certificateShowCmd   `cmd:"" help:"Show one certificate of a machine, by its serial number."`
	RotateCA certificateRotateCmd `cmd:"" name:"rotate-ca" help:"Change the CA without losing a machine: begin, look how far it is, finish or abort."`
	Revoke   certificateRevokeCmd `cmd:"" help:"Take one certificate back, at once."`
}

// caRow is one CA in JSON.
type caRow struct {
	Fingerprint string    `json:"fingerprint"`
	Name        string    `json:"name"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	Signs       bool      `json:"signs"`
	Shown       bool      `json:"shown"` // listeners show a certificate by it
}

func caRows(all *fleet.Authorities) []caRow {
	rows := []caRow{}
	shown, _ := all.Shown()
	for i, ca := range all.CAs {
		rows = append(rows, caRow{Fingerprint: ca.Fingerprint().String(), Name: ca.Cert.Subject.CommonName, NotBefore: ca.Cert.NotBefore.UTC(), NotAfter: ca.Cert.NotAfter.UTC(),
			Signs: i == 0, Shown: ca == shown})
	}
	return rows
}

// certificateRow is one certificate of a machine in JSON.
type certificateRow struct {
	Serial    string     `json:"serial"`
	Machine   string     `json:"machine"`
	Hostname  string     `json:"hostname"`
	State     string     `json:"state"`
	NotBefore time.Time  `json:"not_before"`
	NotAfter  time.Time  `json:"not_after"`
	RevokedAt *time.Time `json:"revoked_at"`
	CA        string     `json:"ca"`
}

func toCertificateRow(c fleet.Certificate, host string, now time.Time) certificateRow {
	return certificateRow{Serial: c.Serial, Machine: c.Machine, Hostname: host, State: string(c.StateAt(now)), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		RevokedAt: utc(c.RevokedAt), CA: c.Issuer}
}

func showCertificates(s *streams, format string, rows []certificateRow) error {
	return show(s, format, rows, []string{"SERIAL", "MACHINE", "STATE", "FROM", "UNTIL", "CA"}, func(r certificateRow) []string {
		return []string{r.Serial, r.Hostname, r.State, stamp(r.NotBefore), stamp(r.NotAfter), short(r.CA)}
	})
}

// short is the beginning of a fingerprint, for tables.
func short(fingerprint string) string { return fingerprint[:min(len(fingerprint), 16)] }

type certificateListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Machine    string `arg:"" optional:"" help:"Hostname or id; the CAs unless given."`
}

// Help implements kong.HelpProvider.
func (certificateListCmd) Help() string {
	return examples("certificate list", "certificate list pc-017 --output json")
}

// Run implements the command.
func (c *certificateListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if c.Machine == "" {
			all, err := d.fleet.CAs(ctx)
			if err != nil {
				return err
			}
			return showCAs(s, c.Output, caRows(all))
		}
		m, err := d.fleet.Find(ctx, c.Machine)
		if err != nil {
			return err
		}
		_, list, err := d.fleet.AgentOf(ctx, m.ID)
		if err != nil {
			return err
		}
		rows := []certificateRow{}
		for _, x := range list {
			rows = append(rows, toCertificateRow(x, m.Hostname, d.now()))
		}
		return showCertificates(s, c.Output, rows)
	})
}

func showCAs(s *streams, format string, rows []caRow) error {
	return show(s, format, rows, []string{"FINGERPRINT (SHA-256)", "NAME", "UNTIL", "SIGNS"}, func(r caRow) []string {
		signs := "no"
		if r.Signs {
			signs = "yes"
		}
		return []string{r.Fingerprint, r.Name, stamp(r.NotAfter), signs}
	})
}

type certificateShowCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Serial     string `arg:"" help:"Serial number, in hexadecimal."`
}

// Help implements kong.HelpProvider.
func (certificateShowCmd) Help() string {
	return examples("certificate show 5f2ab8c1d0e94f6a", "certificate show 5f2ab8c1d0e94f6a --output json")
}

// Run implements the command.
func (c *certificateShowCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		found, err := d.store.Certificate(ctx, c.Serial)
		if err != nil {
			return err
		}
		m, err := d.fleet.Find(ctx, found.Machine)
		if err != nil {
			return err
		}
		row := toCertificateRow(found, m.Hostname, d.now())
		if c.Output == "json" {
			return printJSON(s.out, row)
		}
		return showCertificates(s, "table", []certificateRow{row})
	})
}

type certificateRevokeCmd struct {
	dataFlags `embed:""`
	Serial    string `arg:"" help:"Serial number, in hexadecimal, see certificate list MACHINE."`
}

// Help implements kong.HelpProvider.
func (certificateRevokeCmd) Help() string {
	return examples("certificate revoke 5f2ab8c1d0e94f6a") + "\n\nThe machine stays in service; where it has no other certificate it must be enrolled again.\nmachine revoke takes all certificates of a machine."
}

// Run implements the command.
func (c *certificateRevokeCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		done, err := d.fleet.RevokeCertificate(ctx, c.Serial)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "certificate %s of machine %s revoked\n", done.Serial, done.Machine)
		return err
	})
}

type certificateRotateCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Begin      bool `help:"Make a new CA; both are trusted from then on, and machines renew their certificates." xor:"step"`
	Finish     bool `help:"Retire the other CA." xor:"step"`
	Abort      bool `help:"Go back to the CA of before." xor:"step"`
	CutOff     int  `help:"With --finish: how many machines that may cut off, exactly." default:"0" placeholder:"N"`
}

// Help implements kong.HelpProvider.
func (certificateRotateCmd) Help() string {
	return examples("certificate rotate-ca", "certificate rotate-ca --begin", "certificate rotate-ca --finish", "certificate rotate-ca --finish --cut-off 3", "certificate rotate-ca --abort") +
		"\n\nWithout a flag it tells how far a rotation is. Tokens made before the new CA stop working when it is finished."
}

// rotationView is a rotation in JSON.
type rotationView struct {
	GoingOn  bool       `json:"going_on"`
	Aborted  bool       `json:"aborted"`
	BegunAt  *time.Time `json:"begun_at"`
	BegunBy  string     `json:"begun_by"`
	Machines int        `json:"machines"`
	Trusting int        `json:"trusting"`
	Renewed  int        `json:"renewed"`
	Behind   int        `json:"would_be_cut_off"`
	Names    []string   `json:"would_be_cut_off_machines"`
	CAs      []caRow    `json:"cas"`
}

// Run implements the command.
func (c *certificateRotateCmd) Run(s *streams) error {
	if c.CutOff != 0 && !c.Finish || c.CutOff < 0 {
		return usageError{fmt.Errorf("--cut-off %d: goes with --finish, 0 or more", c.CutOff)}
	}
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		var err error
		switch {
		case c.Begin:
			_, err = d.fleet.BeginRotation(ctx)
		case c.Finish:
			_, err = d.fleet.FinishRotation(ctx, c.CutOff)
		case c.Abort:
			_, err = d.fleet.AbortRotation(ctx)
		}
		if err != nil {
			return err
		}
		return c.tell(ctx, s, d)
	})
}

// tell prints the CAs, and how far a rotation is.
func (c *certificateRotateCmd) tell(ctx context.Context, s *streams, d *desk) error {
	all, err := d.fleet.CAs(ctx)
	if err != nil {
		return err
	}
	p, err := d.fleet.Progress(ctx)
	if err != nil {
		return err
	}
	v := rotationView{Machines: p.Machines, Trusting: p.Trusting, Renewed: p.Renewed, Behind: p.Behind, Names: []string{}, CAs: caRows(all)}
	if all.Rotation != nil {
		v.GoingOn, v.Aborted, v.BegunAt, v.BegunBy = true, all.Rotation.Aborted, utc(all.Rotation.BegunAt), all.Rotation.BegunBy
		list, err := everyPage(func(o paging.Order) (paging.Page[fleet.AgentRow], error) { return d.fleet.BehindPage(ctx, o) })
		if err != nil {
			return err
		}
		for _, m := range list {
			v.Names = append(v.Names, m.Hostname)
		}
	}
	if c.Output == "json" {
		return printJSON(s.out, v)
	}
	if err := showCAs(s, "table", v.CAs); err != nil {
		return err
	}
	if !v.GoingOn {
		_, err = fmt.Fprintln(s.out, "\nno rotation is going on")
		return err
	}
	what := "rotation"
	if v.Aborted {
		what = "aborted rotation"
	}
	fmt.Fprintf(s.out, "\n%s, begun %s by %s: of %d machines %d trust the CA that signs, %d have a certificate by it, %d would be cut off now\n",
		what, stamp(*v.BegunAt), v.BegunBy, v.Machines, v.Trusting, v.Renewed, v.Behind)
	for i, name := range v.Names {
		if i == 50 {
			_, err = fmt.Fprintf(s.out, "  … and %d more (--output json lists all)\n", len(v.Names)-i)
			return err
		}
		fmt.Fprintln(s.out, "  "+plain(name))
	}
	return nil
}
