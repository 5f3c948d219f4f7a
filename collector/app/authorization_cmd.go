package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	requests "vigia/collector/internal/authorization/request"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/paging"
	"vigia/internal/policy"
)

type authorizationCmds struct {
	List    authorizationListCmd    `cmd:"" help:"List requests for authorization, newest first."`
	Show    authorizationShowCmd    `cmd:"" help:"Show one request whole."`
	Request authorizationRequestCmd `cmd:"" help:"Ask for a program on behalf of somebody."`
	Decide  authorizationDecideCmd  `cmd:"" help:"Take the next step of a request: approve, grant, refuse or withdraw."`
}

// requestRow is one request in JSON; checks from outside rely on the names.
type requestRow struct {
	Number     string           `json:"number"`
	State      string           `json:"state"`
	Awaits     string           `json:"awaits"` // manager, purchasing, it or empty
	Program    string           `json:"program"`
	Publisher  string           `json:"publisher"`
	Described  string           `json:"described"`
	Category   string           `json:"category"`
	Machine    string           `json:"machine"`
	Hostname   string           `json:"hostname"`
	Person     string           `json:"person"`
	PersonName string           `json:"person_name"`
	Area       string           `json:"area"`
	Site       string           `json:"site"`
	AskedBy    string           `json:"asked_by"`
	AskedAt    *time.Time       `json:"asked_at"`
	Purpose    string           `json:"purpose"`
	Wanted     *time.Time       `json:"wanted_until"`
	Cost       string           `json:"cost"`
	Currency   string           `json:"currency"`
	License    string           `json:"license"`
	Manager    bool             `json:"needs_manager"`
	Purchasing bool             `json:"needs_purchasing"`
	Finding    int64            `json:"finding"`
	Renews     string           `json:"renews"`
	RenewedBy  string           `json:"renewed_by"`
	DecidedAt  *time.Time       `json:"decided_at"`
	DecidedBy  string           `json:"decided_by"`
	Reason     string           `json:"reason"`
	Reach      string           `json:"scope"`
	ValidUntil *time.Time       `json:"valid_until"`
	RuleID     string           `json:"rule_id"`
	Rule       string           `json:"rule"`
	History    []requests.Event `json:"history,omitempty"`
}

func toRequestRow(r requests.Request) requestRow {
	return requestRow{Number: r.Number, State: string(r.State), Awaits: string(r.Awaits()), Program: r.Program, Publisher: r.Publisher, Described: r.Described, Category: string(r.Category),
		Machine: r.Machine, Hostname: r.Hostname, Person: r.Person, PersonName: r.PersonName, Area: r.Area, Site: r.Site, AskedBy: r.AskedBy, AskedAt: utc(r.AskedAt),
		Purpose: r.Purpose, Wanted: utc(r.Wanted), Cost: fmt.Sprintf("%d.%02d", r.Money/100, r.Money%100), Currency: r.Currency, License: r.License,
		Manager: r.Needs.Manager, Purchasing: r.Needs.Purchasing, Finding: r.Finding, Renews: r.Renews, RenewedBy: r.RenewedBy, DecidedAt: utc(r.DecidedAt), DecidedBy: r.DecidedBy,
		Reason: r.Reason, Reach: string(r.Reach), ValidUntil: utc(r.ValidUntil), RuleID: r.RuleID, Rule: r.RuleName, History: r.History}
}

type authorizationListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" help:"Part of a number, program, person, hostname or area."`
	State      string `help:"Only in this state." enum:",asked,manager-approved,purchasing-approved,granted,refused,withdrawn,expired" default:""`
	Awaits     string `help:"Only what waits for this party." enum:",manager,purchasing,it" default:""`
	Person     string `help:"Only for this person: e-mail."`
}

// Help implements kong.HelpProvider.
func (authorizationListCmd) Help() string {
	return examples("authorization list --awaits it", "authorization list --person ana@example.com --output json")
}

// Run implements the command.
func (c *authorizationListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		f := requests.Filter{Query: c.Query, State: requests.State(c.State), Awaits: requests.Party(c.Awaits), Person: strings.ToLower(c.Person)}
		rows := []requestRow{}
		for o := (paging.Order{Limit: pageSize}); ; {
			page, err := d.requests().Page(ctx, f, o)
			if err != nil {
				return err
			}
			for _, r := range page.Rows {
				rows = append(rows, toRequestRow(r))
			}
			if o.After = page.Next; o.After.IsZero() {
				break
			}
		}
		return show(s, c.Output, rows, []string{"NUMBER", "STATE", "AWAITS", "PROGRAM", "PERSON", "HOSTNAME", "ASKED", "VALID UNTIL", "RULE"}, func(r requestRow) []string {
			return []string{r.Number, r.State, r.Awaits, r.Program, r.Person, r.Hostname, optional(r.AskedAt), optional(r.ValidUntil), r.Rule}
		})
	})
}

type authorizationShowCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Number     string `arg:"" help:"Its number, such as AUT-2026-0001."`
}

// Help implements kong.HelpProvider.
func (authorizationShowCmd) Help() string { return examples("authorization show AUT-2026-0001") }

// Run implements the command.
func (c *authorizationShowCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		r, err := d.requests().Request(ctx, strings.ToUpper(c.Number))
		if err != nil {
			return err
		}
		return c.tell(s, toRequestRow(r))
	})
}

// tell prints one request.
func (f outputFlag) tell(s *streams, r requestRow) error {
	if f.Output == "json" {
		r.History = notNil(r.History)
		return printJSON(s.out, r)
	}
	for _, kv := range [][2]string{{"number", r.Number}, {"state", r.State}, {"awaits", r.Awaits}, {"program", r.Program + " " + r.Publisher}, {"category", r.Category}, {"described", r.Described},
		{"for", r.PersonName + " " + r.Person}, {"machine", r.Hostname}, {"area", r.Area}, {"asked", optional(r.AskedAt) + " by " + r.AskedBy}, {"purpose", r.Purpose}, {"wanted until", optional(r.Wanted)},
		{"cost", r.Cost + " " + r.Currency}, {"license", r.License}, {"decided", optional(r.DecidedAt) + " " + r.DecidedBy}, {"reason", r.Reason}, {"scope", r.Reach}, {"valid until", optional(r.ValidUntil)},
		{"rule", r.Rule}, {"renews", r.Renews}, {"renewed by", r.RenewedBy}} {
		fmt.Fprintf(s.out, "%-14s%s\n", kv[0], plain(strings.TrimSpace(kv[1])))
	}
	fmt.Fprintln(s.out)
	return show(s, "table", r.History, []string{"AT", "WHO", "WHAT", "DETAIL"}, func(e requests.Event) []string {
		return []string{optional(utc(e.At)), e.Actor, e.Kind, plain(e.Detail)}
	})
}

type authorizationRequestCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Program    string `arg:"" help:"Name of the program."`
	Person     string `help:"Whom it is for: e-mail." required:""`
	Purpose    string `help:"Why it is needed." required:""`
	Publisher  string `help:"Who publishes it."`
	Describe   string `help:"What it is, in plain words."`
	Machine    string `help:"Only for this machine: hostname or id."`
	Until      string `help:"Until this day, such as 2027-01-31; no end unless given."`
	Cost       string `help:"What it costs, such as 1250.50."`
	Currency   string `help:"MXN, USD or EUR." enum:"MXN,USD,EUR" default:"MXN"`
	License    string `help:"What is known of its license."`
	Renews     string `help:"Number of the authorization that this one prolongs."`
}

// Help implements kong.HelpProvider.
func (authorizationRequestCmd) Help() string {
	return examples(`authorization request "7-Zip" --person ana@example.com --machine pc-017 --purpose "Archives of clients"`)
}

// Run implements the command.
func (c *authorizationRequestCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		money, err := money(c.Cost)
		if err != nil {
			return err
		}
		r, err := d.requests().Ask(ctx, authorize.Draft{Program: c.Program, Publisher: c.Publisher, Described: c.Describe, Person: c.Person, Machine: c.Machine, Purpose: c.Purpose, Until: c.Until,
			Money: money, Currency: c.Currency, License: c.License, Renews: strings.ToUpper(c.Renews)})
		if err != nil {
			return err
		}
		return c.tell(s, toRequestRow(r))
	})
}

// money reads an amount as hundredths.
func money(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	var whole, cents int64
	n, err := fmt.Sscanf(text+".00", "%d.%2d", &whole, &cents)
	if err != nil || n != 2 || whole < 0 || whole > 1e12 {
		return 0, usageError{fmt.Errorf("--cost %q is no amount; write it such as 1250.50", text)}
	}
	return whole*100 + cents, nil
}

type authorizationDecideCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Number     string `arg:"" help:"Its number, such as AUT-2026-0001."`
	Action     string `arg:"" help:"approve (the manager's or Purchasing's step, whichever is next), grant, refuse or withdraw." enum:"approve,grant,refuse,withdraw"`
	Reason     string `help:"Why; grant and refuse need it."`
	Scope      string `help:"Of a grant: machine, user, area, site or all." enum:"machine,user,area,site,all" default:"user"`
	Until      string `help:"Of a grant: until this day; as long as was asked for unless given, never to end it with 'never'."`
	Match      string `help:"Of a grant: pattern of the names it covers, with * and ?; the program's name unless given."`
	Publisher  string `help:"Of a grant: pattern of the publisher."`
	Versions   string `help:"Of a grant: range of versions, such as '>=2 <3'."`
}

// Help implements kong.HelpProvider.
func (authorizationDecideCmd) Help() string {
	return examples(`authorization decide AUT-2026-0001 approve`, `authorization decide AUT-2026-0001 grant --scope machine --until 2027-01-31 --reason "Client project"`)
}

// Run implements the command.
func (c *authorizationDecideCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		svc, number := d.requests(), strings.ToUpper(c.Number)
		r, err := svc.Request(ctx, number)
		if err != nil {
			return err
		}
		x := authorize.Decision{Action: requests.Action(c.Action), Reason: c.Reason, Reach: requests.Reach(c.Scope), Until: c.Until, Match: policy.Match{Name: c.Match, Publisher: c.Publisher, Version: c.Versions}}
		if c.Action == "approve" {
			if x.Action = requests.ApprovePurchasing; r.Awaits() == requests.Manager {
				x.Action = requests.ApproveManager
			}
		}
		if c.Until == "never" {
			x.Until = ""
		} else if c.Until == "" && !r.Wanted.IsZero() {
			x.Until = r.Wanted.In(d.zoneOrLocal(ctx)).Format(time.DateOnly)
		}
		r, _, err = svc.Decide(ctx, number, x)
		if err != nil {
			return err
		}
		return c.tell(s, toRequestRow(r))
	})
}
