package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
)

type tokenCmds struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token and print it, alone, on standard output. It is shown this once."`
	List   tokenListCmd   `cmd:"" help:"List tokens, without their secrets."`
	Revoke tokenRevokeCmd `cmd:"" help:"Take a token back."`
}

type tokenCreateCmd struct {
	dataFlags        `embed:""`
	Site             string        `help:"Site of the machines that enroll with it."`
	Area             string        `help:"Area of the machines that enroll with it."`
	Uses             int           `help:"How many machines it lets in." default:"1"`
	Expires          time.Duration `help:"How long it holds, such as 72h." default:"24h"`
	Serial           []string      `help:"Hardware serial numbers it is for; any unless given."`
	Note             string        `help:"What it is for."`
	CollectorAddress []string      `help:"What agents dial, host:port; that of the running collector unless given." env:"VIGIA_COLLECTOR_ADDRESS" placeholder:"ADDR"`
}

// Help implements kong.HelpProvider.
func (tokenCreateCmd) Help() string {
	return examples("token create --site Querétaro --area Ventas --uses 20 --expires 72h",
		"token create --serial 5CD1234XYZ --collector-address vigia.example.com:7443")
}

// Run implements the command.
func (c *tokenCreateCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		dial := c.CollectorAddress
		known, err := d.addresses(ctx)
		if err != nil {
			return err
		}
		if len(dial) == 0 {
			dial = known.Agents
		}
		if len(dial) == 0 {
			return apperr.New(apperr.Invalid, "cli.no-address", apperr.Args{"field": "collector-address"})
		}
		site, area := strings.TrimSpace(c.Site), strings.TrimSpace(c.Area)
		_, line, err := d.fleet.CreateToken(ctx, fleet.NewToken{Site: site, Area: area, Uses: c.Uses,
			Life: c.Expires, Serials: c.Serial, Note: c.Note, Addresses: dial})
		if err != nil {
			return err
		}
		if len(c.CollectorAddress) > 0 { // the certificate must be for the name that agents dial
			if _, err := d.changeAddresses(ctx, func(a *addresses) { a.addNames(dial...) }); err != nil {
				return err
			}
		}
		if _, err = fmt.Fprintln(s.out, line); err != nil {
			return err
		}
		return d.notePlaces(ctx, s.errOut, site, area)
	})
}

type tokenListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (tokenListCmd) Help() string { return examples("token list", "token list --output json") }

type tokenRow struct {
	ID        string    `json:"id"`
	State     string    `json:"state"`
	Site      string    `json:"site"`
	Area      string    `json:"area"`
	UsesLeft  int       `json:"uses_left"`
	Uses      int       `json:"uses"`
	ExpiresAt time.Time `json:"expires_at"`
	Serials   []string  `json:"serials"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
	Note      string    `json:"note"`
	CA        string    `json:"ca"`
}

// Run implements the command.
func (c *tokenListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		list, err := d.fleet.ListTokens(ctx)
		if err != nil {
			return err
		}
		trusted, out := d.fleet.Trusted(), []tokenRow{}
		for _, t := range list {
			out = append(out, tokenRow{ID: t.ID, State: string(t.StateAt(d.now(), trusted)), Site: t.Site, Area: t.Area, UsesLeft: t.UsesLeft, Uses: t.Uses, CA: t.CA, ExpiresAt: t.ExpiresAt.UTC(),
				Serials: notNil(t.Serials), CreatedAt: t.CreatedAt.UTC(), CreatedBy: t.CreatedBy, Note: t.Note})
		}
		return show(s, c.Output, out, []string{"ID", "STATE", "SITE", "AREA", "USES LEFT", "EXPIRES", "CREATED BY", "NOTE"}, func(r tokenRow) []string {
			return []string{r.ID, r.State, r.Site, r.Area, fmt.Sprint(r.UsesLeft), stamp(r.ExpiresAt), r.CreatedBy, r.Note}
		})
	})
}

type tokenRevokeCmd struct {
	dataFlags `embed:""`
	ID        string `arg:"" help:"Name of the token, such as T7."`
}

// Help implements kong.HelpProvider.
func (tokenRevokeCmd) Help() string { return examples("token revoke T7") }

// Run implements the command.
func (c *tokenRevokeCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		t, err := d.fleet.RevokeToken(ctx, c.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "token %s revoked\n", t.ID)
		return err
	})
}
