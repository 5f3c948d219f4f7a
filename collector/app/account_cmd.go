package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/apperr"
)

type accountCmds struct {
	Invite    accountInviteCmd    `cmd:"" help:"Send somebody the way to their first password."`
	Password  accountPasswordCmd  `cmd:"" help:"Set somebody's password."`
	TOTPReset accountTOTPResetCmd `cmd:"" name:"totp-reset" help:"Take somebody's second factor and recovery codes away."`
	Show      accountShowCmd      `cmd:"" help:"Tell how somebody can sign in."`
	Sessions  accountSessionsCmd  `cmd:"" help:"List who is signed in, or end sessions."`
}

type accountInviteCmd struct {
	dataFlags `embed:""`
	Email     string `arg:"" help:"E-mail of somebody in the directory."`
	Print     bool   `help:"Print the address instead of mailing it. It opens once, within seven days."`
	Web       string `help:"Address of the console, host:port; that of the running collector unless given." placeholder:"ADDR"`
}

// Help implements kong.HelpProvider.
func (accountInviteCmd) Help() string {
	return examples("account invite ana@example.com", "account invite ana@example.com --print")
}

// Run implements the command.
func (c *accountInviteCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if !c.Print {
			if err := d.accounts.Invite(ctx, c.Email); err != nil {
				return err
			}
			_, err := fmt.Fprintf(s.out, "an invitation is on its way to %s\n", strings.ToLower(c.Email))
			return err
		}
		at, err := d.consoleAt(ctx, c.Web)
		if err != nil {
			return err
		}
		secret, err := d.accounts.PrintLink(ctx, c.Email, account.ForInvite)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%s/signin/%s\n", at, secret)
		return err
	})
}

// consoleAt is the console's address with its scheme: as given, else as the settings or
// the running collector have it.
func (d *desk) consoleAt(ctx context.Context, given string) (string, error) {
	if given != "" {
		return "https://" + given, nil
	}
	v, err := d.values(ctx)
	if err != nil {
		return "", err
	}
	at, err := d.consoleAddress(ctx, v)
	if err == nil && at == "" {
		err = apperr.New(apperr.Invalid, "cli.no-web", apperr.Args{"field": "web"})
	}
	return at, err
}

type accountPasswordCmd struct {
	dataFlags `embed:""`
	Email     string `arg:"" help:"E-mail of somebody in the directory."`
	Stdin     bool   `required:"" help:"Read the password, one line, from standard input: what stands on a command line others can see."`
}

// Help implements kong.HelpProvider.
func (accountPasswordCmd) Help() string {
	return examples("account password ana@example.com --stdin < password.txt") + "\n\nAll sessions of the person end."
}

// Run implements the command.
func (c *accountPasswordCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		line, err := bufio.NewReader(io.LimitReader(s.in, 4096)).ReadString('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("reading the password: %w", err)
		}
		if err := d.accounts.GivePassword(ctx, c.Email, strings.TrimRight(line, "\r\n")); err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "the password of %s is set\n", strings.ToLower(c.Email))
		return err
	})
}

type accountTOTPResetCmd struct {
	dataFlags `embed:""`
	Email     string `arg:"" help:"E-mail of the person."`
}

// Help implements kong.HelpProvider.
func (accountTOTPResetCmd) Help() string {
	return examples("account totp-reset ana@example.com") + "\n\nAll sessions of the person end."
}

// Run implements the command.
func (c *accountTOTPResetCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if err := d.accounts.ResetTOTP(ctx, c.Email); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s signs in without a second factor now\n", strings.ToLower(c.Email))
		return err
	})
}

type accountShowCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Email      string `arg:"" help:"E-mail of the person."`
}

// Help implements kong.HelpProvider.
func (accountShowCmd) Help() string {
	return examples("account show ana@example.com", "account show ana@example.com --output json")
}

type accountRow struct {
	Email         string     `json:"email"`
	Name          string     `json:"name"`
	Role          string     `json:"role"`
	Active        bool       `json:"active"`
	Password      bool       `json:"password"`
	PasswordAt    *time.Time `json:"password_at"`
	TOTP          bool       `json:"totp"`
	TOTPRequired  bool       `json:"totp_required"`
	RecoveryCodes int        `json:"recovery_codes"`
	Language      string     `json:"language"`
	Sessions      int        `json:"sessions"`
}

// Run implements the command.
func (c *accountShowCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		o, err := d.accounts.Overview(ctx, c.Email)
		if err != nil {
			return err
		}
		sessions, err := d.accounts.ListSessions(ctx, o.Person.Email)
		if err != nil {
			return err
		}
		row := accountRow{Email: o.Person.Email, Name: o.Person.Name, Role: string(o.Person.Role), Active: o.Person.Active, Password: o.Password,
			PasswordAt: utc(o.Account.PasswordAt), TOTP: o.TOTP, TOTPRequired: o.Required, RecoveryCodes: o.CodesLeft, Language: o.Account.Language, Sessions: len(sessions)}
		if c.Output == "json" {
			return printJSON(s.out, row)
		}
		return show(s, c.Output, []accountRow{row}, []string{"E-MAIL", "NAME", "ROLE", "ACTIVE", "PASSWORD", "SECOND FACTOR", "RECOVERY CODES", "SESSIONS"}, func(r accountRow) []string {
			return []string{r.Email, r.Name, r.Role, yesNo(r.Active), yesNo(r.Password), yesNo(r.TOTP), fmt.Sprint(r.RecoveryCodes), fmt.Sprint(r.Sessions)}
		})
	})
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

type accountSessionsCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Email      string `arg:"" optional:"" help:"E-mail of a person; everybody unless given."`
	Revoke     string `help:"End the session with this id; with \"all\" every session of the person." placeholder:"ID"`
}

// Help implements kong.HelpProvider.
func (accountSessionsCmd) Help() string {
	return examples("account sessions", "account sessions ana@example.com --output json", "account sessions --revoke 0b9f2c1e-7d0a-4f57-9a45-5b1c0e3a9f10",
		"account sessions ana@example.com --revoke all")
}

type accountSessionRow struct {
	ID        string    `json:"id"`
	Person    string    `json:"person"`
	Method    string    `json:"method"`
	Code      bool      `json:"code"`
	Device    string    `json:"device"`
	Address   string    `json:"address"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Run implements the command.
func (c *accountSessionsCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if c.Revoke != "" {
			return c.revoke(ctx, s, d)
		}
		if c.Email != "" {
			if _, err := d.store.Person(ctx, c.Email); err != nil {
				return err
			}
		}
		list, err := d.accounts.ListSessions(ctx, c.Email)
		if err != nil {
			return err
		}
		out := []accountSessionRow{}
		for _, n := range list {
			out = append(out, accountSessionRow{ID: n.ID, Person: n.Person, Method: string(n.Method), Code: n.Coded, Device: n.Device, Address: n.Address,
				CreatedAt: n.CreatedAt.UTC(), SeenAt: n.SeenAt.UTC(), ExpiresAt: n.ExpiresAt.UTC()})
		}
		return show(s, c.Output, out, []string{"ID", "PERSON", "METHOD", "DEVICE", "ADDRESS", "SINCE", "LAST USE", "UNTIL"}, func(r accountSessionRow) []string {
			who := r.Person
			if who == "" {
				who = "(administrator of the server)"
			}
			return []string{r.ID, who, r.Method, r.Device, r.Address, stamp(r.CreatedAt), stamp(r.SeenAt), stamp(r.ExpiresAt)}
		})
	})
}

func (c *accountSessionsCmd) revoke(ctx context.Context, s *streams, d *desk) error {
	if c.Revoke != "all" {
		if err := d.accounts.Revoke(ctx, c.Revoke); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "session %s ended\n", c.Revoke)
		return err
	}
	if c.Email == "" {
		return usageError{fmt.Errorf("--revoke all: name the person whose sessions are to end")}
	}
	n, err := d.accounts.RevokeOthers(ctx, c.Email, "")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d sessions of %s ended\n", n, strings.ToLower(c.Email))
	return err
}
