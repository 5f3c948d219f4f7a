package authorize

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// Bounds of what is typed, in bytes.
const (
	maxProgram = 300
	maxPurpose = 2000
	maxYears   = 5 // that something may be wanted for
)

// Draft is what somebody asks for.
type Draft struct {
	Program   string
	Publisher string
	Described string
	Person    string // whom it is for; empty: the actor
	Machine   string // id or hostname; empty: on every machine of the person
	Purpose   string
	Until     string // a day, 2027-01-31; empty: no end
	Money     int64
	Currency  string
	License   string
	Finding   int64
	Renews    string // number of a grant that ends
}

// Currencies lists those that a cost may have.
func Currencies() []string { return []string{"MXN", "USD", "EUR"} }

func bad(field, key string, args apperr.Args) error {
	if args == nil {
		args = apperr.Args{}
	}
	args["field"] = field
	return apperr.New(apperr.Invalid, key, args)
}

func tidy(s string) string { return strings.Join(strings.Fields(s), " ") }

// Ask makes a request on behalf of the actor in ctx. Errors: Invalid with the field;
// Conflict "request.pending" when the same is asked already; Forbidden when it is for
// somebody whom the actor may not ask for.
func (s *Service) Ask(ctx context.Context, d Draft) (request.Request, error) {
	a := actor.From(ctx)
	if a.Kind != actor.Person && a.Kind != actor.CLI {
		return request.Request{}, access.Refused(access.SeeRequests)
	}
	if d.Person == "" {
		d.Person = a.ID
	}
	d.Person = strings.ToLower(tidy(d.Person))
	r, err := s.read(ctx, d)
	if err != nil {
		return r, err
	}
	person, machine, err := s.whom(ctx, a, d)
	if err != nil {
		return r, err
	}
	r.Person, r.PersonName, r.Area, r.Site = person.Email, person.Name, person.Area, person.Site
	if machine.ID != "" {
		r.Machine, r.Hostname = machine.ID, machine.Hostname
		if machine.Area != "" && r.Area == "" {
			r.Area = machine.Area
		}
		if machine.Site != "" {
			r.Site = machine.Site
		}
	}
	r.State, r.AskedBy, r.AskedAt = request.Asked, a.ID, s.now()
	if err := s.route(ctx, &r); err != nil {
		return r, err
	}
	r.History = []request.Event{{At: r.AskedAt, Actor: a.String(), Kind: "asked", Detail: r.Purpose}}
	err = s.Requests.InTx(ctx, func(ctx context.Context) error {
		if err := s.unasked(ctx, r); err != nil {
			return err
		}
		made, err := s.Requests.CreateRequest(ctx, r)
		if err != nil {
			return err
		}
		if r = made; r.Renews != "" {
			if err := s.renewedBy(ctx, r.Renews, r.Number); err != nil {
				return err
			}
		}
		if err := s.record(ctx, "request.ask", nil, r); err != nil {
			return err
		}
		return s.tellNext(ctx, r)
	})
	return r, err
}

// read checks what was typed.
func (s *Service) read(ctx context.Context, d Draft) (request.Request, error) {
	r := request.Request{Program: tidy(d.Program), Publisher: tidy(d.Publisher), Described: strings.TrimSpace(d.Described), Purpose: strings.TrimSpace(d.Purpose),
		Money: d.Money, Currency: d.Currency, License: tidy(d.License), Finding: d.Finding, Renews: d.Renews}
	for _, f := range []struct {
		name, value string
		most        int
	}{{"program", r.Program, maxProgram}, {"publisher", r.Publisher, maxProgram}, {"described", r.Described, maxPurpose}, {"purpose", r.Purpose, maxPurpose}, {"license", r.License, maxProgram}} {
		if len(f.value) > f.most || !utf8.ValidString(f.value) {
			return r, bad(f.name, "request.bad.text", apperr.Args{"max": f.most})
		}
	}
	switch {
	case policy.Fold(r.Program) == "":
		return r, bad("program", "request.bad.program", nil)
	case r.Purpose == "":
		return r, bad("purpose", "request.bad.purpose", nil)
	case r.Money < 0:
		return r, bad("money", "request.bad.money", apperr.Args{"value": r.Money})
	}
	if r.Currency == "" {
		r.Currency = Currencies()[0]
	}
	known := false
	for _, c := range Currencies() {
		known = known || c == r.Currency
	}
	if !known {
		return r, bad("currency", "request.bad.currency", apperr.Args{"value": r.Currency})
	}
	var err error
	r.Wanted, err = s.dayEnd(ctx, "until", d.Until)
	return r, err
}

// dayEnd is the last second of a day in the company's zone; "" is the zero time. A day
// that is over, or too far away, is Invalid.
func (s *Service) dayEnd(ctx context.Context, field, day string) (time.Time, error) {
	day = strings.TrimSpace(day)
	if day == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, day, s.Zone(ctx))
	if err != nil {
		return t, bad(field, "request.bad.day", apperr.Args{"value": day})
	}
	t = t.AddDate(0, 0, 1).Add(-time.Second).UTC()
	switch now := s.now(); {
	case t.Before(now):
		return t, bad(field, "request.bad.past", apperr.Args{"value": day})
	case t.After(now.AddDate(maxYears, 0, 0)):
		return t, bad(field, "request.bad.far", apperr.Args{"value": day, "years": maxYears})
	}
	return t, nil
}

// whom returns the person and the machine that a request is for, when the actor may ask
// for them: oneself, a manager for the people of their areas, IT for anybody.
func (s *Service) whom(ctx context.Context, a actor.Actor, d Draft) (org.Person, fleet.Machine, error) {
	var m fleet.Machine
	p, err := s.Directory.Person(ctx, d.Person)
	if apperr.Is(err, apperr.NotFound) || err == nil && !p.Active {
		return p, m, bad("person", "request.bad.person", apperr.Args{"value": d.Person})
	} else if err != nil {
		return p, m, err
	}
	if !it(a) && p.Email != a.ID {
		manager, err := s.managerOf(ctx, p.Area)
		if err != nil {
			return p, m, err
		}
		if a.Role != actor.AreaManager || !strings.EqualFold(manager, a.ID) {
			return p, m, apperr.New(apperr.Forbidden, "request.not-yours", nil)
		}
	}
	if d.Machine == "" {
		return p, m, nil
	}
	m, err = s.machine(ctx, d.Machine)
	if apperr.Is(err, apperr.NotFound) {
		return p, m, bad("machine", "request.bad.machine", apperr.Args{"value": d.Machine})
	} else if err != nil {
		return p, m, err
	}
	if !it(a) && !strings.EqualFold(m.Person, p.Email) { // a manager sees more machines than their people's
		return p, m, bad("machine", "request.bad.machine", apperr.Args{"value": d.Machine})
	}
	return p, m, nil
}

// machine finds one in the actor's scope by its id or its whole hostname.
func (s *Service) machine(ctx context.Context, query string) (fleet.Machine, error) {
	m, err := s.Machines.Machine(ctx, query)
	if err == nil || !apperr.Is(err, apperr.NotFound) {
		return m, err
	}
	list, err := s.Machines.Machines(ctx, fleet.MachineFilter{Query: query, Limit: 20})
	if err != nil {
		return m, err
	}
	for _, x := range list {
		if strings.EqualFold(x.Hostname, query) {
			return x, nil
		}
	}
	return m, apperr.New(apperr.NotFound, "machine.unknown", apperr.Args{"machine": query})
}

// route finds out what is asked for and who has to approve it.
func (s *Service) route(ctx context.Context, r *request.Request) error {
	c, err := s.Catalogues.CurrentCatalogue(ctx)
	if err != nil {
		return err
	}
	g, err := c.Grader()
	if err != nil {
		return err
	}
	r.Category = g.Grade(&inventory.Program{Name: r.Program, Publisher: r.Publisher}).Category
	if r.Manager, err = s.managerOf(ctx, r.Area); err != nil {
		return err
	}
	r.Needs = request.RouteOf(c, r.Category, r.Money, r.Manager, r.Person, r.AskedBy)
	return nil
}

// unasked refuses what the same person asked already, for the same machine.
func (s *Service) unasked(ctx context.Context, r request.Request) error {
	page, err := s.Requests.RequestPage(ctx, request.Filter{Person: r.Person, Pending: true}, paging.Order{Limit: 200})
	if err != nil {
		return err
	}
	for _, x := range page.Rows {
		if policy.Fold(x.Program) == policy.Fold(r.Program) && x.Machine == r.Machine {
			return apperr.New(apperr.Conflict, "request.pending", apperr.Args{"number": x.Number})
		}
	}
	return nil
}

// renewedBy notes on a grant which request prolongs it, or with "" that none does.
func (s *Service) renewedBy(ctx context.Context, number, by string) error {
	old, err := s.Requests.LockRequest(ctx, number)
	if err != nil {
		return err
	}
	if by != "" && (old.State != request.Granted && old.State != request.Expired || old.RenewedBy != "") {
		return apperr.New(apperr.Conflict, "request.not-renewable", apperr.Args{"number": number})
	}
	old.RenewedBy = by
	return s.Requests.SaveRequest(ctx, old)
}

// Renewal is the draft that prolongs a grant, filled in from it. Errors: as Request;
// Conflict "request.not-renewable".
func (s *Service) Renewal(ctx context.Context, number string) (Draft, error) {
	r, err := s.Request(ctx, number)
	if err != nil {
		return Draft{}, err
	}
	if r.State != request.Granted && r.State != request.Expired || r.RenewedBy != "" {
		return Draft{}, apperr.New(apperr.Conflict, "request.not-renewable", apperr.Args{"number": number})
	}
	return Draft{Program: r.Program, Publisher: r.Publisher, Described: r.Described, Person: r.Person, Machine: r.Machine, Purpose: r.Purpose,
		Money: r.Money, Currency: r.Currency, License: r.License, Renews: r.Number}, nil
}

// record writes a change to the audit log.
func (s *Service) record(ctx context.Context, action string, before *request.Request, r request.Request) error {
	e := audit.Entry{At: s.now(), Actor: actor.From(ctx).String(), Action: action, Object: "request/" + r.Number, After: audit.JSON(summary(r))}
	if before != nil {
		e.Before = audit.JSON(summary(*before))
	}
	return s.Audit.Append(ctx, e)
}

// summary is what the audit log keeps of a request.
func summary(r request.Request) any {
	return map[string]any{"state": r.State, "program": r.Program, "person": r.Person, "machine": r.Machine, "purpose": r.Purpose, "until": r.Wanted, "cost": fmt.Sprintf("%d %s", r.Money, r.Currency),
		"reason": r.Reason, "reach": r.Reach, "valid_until": r.ValidUntil, "rule": r.RuleID, "renews": r.Renews}
}

// maxKnown is how many names are offered to who asks.
const maxKnown = 300

// Known lists the names of programs that the company has most of, for whoever asks: a
// name alone says nothing of anybody.
func (s *Service) Known(ctx context.Context) ([]string, error) {
	if a := actor.From(ctx); a.Kind != actor.Person && a.Kind != actor.CLI {
		return nil, access.Refused(access.SeeRequests)
	}
	return s.Titles.CommonTitles(ctx, maxKnown)
}
