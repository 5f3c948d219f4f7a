package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/org"
	"vigia/internal/pki"
)

// address is what agents of the sample company dial.
const address = "vigia.example.com:7443"

// as returns ctx with who acts.
func as(ctx context.Context, email string, role actor.Role) context.Context {
	return actor.With(ctx, actor.Actor{Kind: actor.Person, ID: email, Role: role})
}

// planOffice is what people do at the console through the year.
func (y *history) planOffice() []event {
	ctx := as(y.ctx, "admin@example.com", actor.Administrator)
	var list []event
	on := func(day int, offset time.Duration, do func() error) {
		at := y.from.Add(time.Duration(day) * 24 * time.Hour).Truncate(24 * time.Hour).Add(15*time.Hour + offset)
		list = append(list, event{at: at, kind: evOffice, do: do})
	}
	list = append(list, event{at: y.from.Add(time.Minute), kind: evOffice, do: func() error { return y.importPeople(ctx) }},
		event{at: y.from.Add(2 * time.Minute), kind: evOffice, do: func() error { return y.makeTokens(ctx, "despliegue", 40*24*time.Hour) }})
	on(95, 0, func() error { return y.makeTokens(ctx, "equipos nuevos", 300*24*time.Hour) })
	on(96, 0, func() error { return y.revokeOneToken(ctx) })
	for i, s := range stages() {
		on(s.day, time.Duration(i)*40*time.Minute, func() error { return y.change(ctx, s) })
	}
	y.planRequests(on)
	list = append(list, y.planImports(ctx)...)
	list = append(list, y.planBoundaries()...)
	for _, m := range y.machines {
		list = append(list, y.planEnd(ctx, m)...)
		for _, group := range groupsOf(m) {
			list = append(list, event{at: m.born.Add(20 * time.Minute), kind: evOffice, do: func() error {
				_, err := y.fleet.SetGroups(ctx, m.id, []string{group}, nil)
				return err
			}})
		}
	}
	return list
}

// groupsOf are the groups that a machine is put into when it comes.
func groupsOf(m *machine) []string {
	switch {
	case m.n >= cohort:
		return nil
	case m.server():
		return []string{"Servidores"}
	case m.n%29 == 4:
		return []string{"Pilotos"}
	case m.person == nil:
		return []string{"Equipos de préstamo"}
	}
	return nil
}

// planImports hands the file of people in once a week while agents are rolled out;
// afterwards that is done when machines come.
func (y *history) planImports(ctx context.Context) []event {
	var list []event
	for day := 5; day <= dayRules; day += 7 {
		list = append(list, event{at: y.from.Add(time.Duration(day)*24*time.Hour + 30*time.Minute), kind: evOffice, do: func() error { return y.importPeople(ctx) }})
	}
	return list
}

// planBoundaries lets the findings follow rules that end, as the collector does by itself.
func (y *history) planBoundaries() []event {
	var list []event
	for _, r := range ruleBook(y.cat, y.from) {
		if end := r.ValidUntil; !end.IsZero() && end.Before(y.to) {
			list = append(list, event{at: end.Add(15 * time.Second), kind: evOffice, do: func() error { return y.follow(y.ctx, 0) }})
		}
	}
	return list
}

// planEnd is what becomes of a machine's identity.
func (y *history) planEnd(ctx context.Context, m *machine) []event {
	end := func(do func() error) []event {
		return []event{{at: m.ends.Add(26 * time.Hour), kind: evOffice, do: do}}
	}
	switch m.fate {
	case fateArchived:
		return end(func() error { _, err := y.fleet.Archive(ctx, m.id); return y.leave(m, err) })
	case fateRevoked:
		return end(func() error { _, err := y.fleet.Revoke(ctx, m.id); return y.leave(m, err) })
	case fateQuarantined:
		return []event{{at: m.ends.Add(5 * time.Second), kind: evOffice, do: func() error { return y.leave(m, y.fleet.Quarantine(y.ctx, m.id)) }}}
	}
	return nil
}

func (y *history) leave(m *machine, err error) error {
	if m.session != nil {
		m.session.Close()
		m.session = nil
	}
	return err
}

// importPeople hands the file of people in.
func (y *history) importPeople(ctx context.Context) error {
	f, err := org.ParseFile(strings.NewReader(y.company.csv()))
	if err != nil {
		return err
	}
	if _, err := y.people.Import(ctx, f); err != nil {
		return err
	}
	_, newest, err := y.store.Since(ctx, y.changes)
	if err != nil {
		return err
	}
	y.changes = newest
	return y.follow(ctx, newest)
}

// follow brings the findings in line with the allowlist and the directory.
func (y *history) follow(ctx context.Context, change int64) error {
	r, err := y.ingester.Reevaluate(ctx, change)
	if err == nil && !r.Done {
		err = errors.New("somebody else works on this database")
	}
	return err
}

// makeTokens makes one token for each site, which new machines use from now on.
func (y *history) makeTokens(ctx context.Context, note string, life time.Duration) error {
	for _, s := range y.company.sites {
		for _, area := range []string{"", areaIT} { // a machine without an area takes that of its user
			text := note + " " + s.name
			if area != "" {
				text += ", servidores"
			}
			_, line, err := y.fleet.CreateToken(ctx, fleet.NewToken{Site: s.name, Area: area, Uses: y.o.Machines + 50, Life: life, Note: text, Addresses: []string{address}})
			if err != nil {
				return err
			}
			parsed, err := pki.ParseToken(line)
			if err != nil {
				return err
			}
			y.tokens[s.name+"/"+area] = parsed.Secret
		}
	}
	return nil
}

// token returns the secret that m enrolls with.
func (y *history) token(m *machine) []byte {
	if m.person == nil {
		return y.tokens[m.site+"/"+areaIT]
	}
	return y.tokens[m.site+"/"]
}

// revokeOneToken makes a token that went to the wrong people, and takes it back.
func (y *history) revokeOneToken(ctx context.Context) error {
	t, _, err := y.fleet.CreateToken(ctx, fleet.NewToken{Site: y.company.sites[0].name, Uses: 5, Life: 48 * time.Hour, Note: "enviado por error", Addresses: []string{address}})
	if err != nil {
		return err
	}
	_, err = y.fleet.RevokeToken(ctx, t.ID)
	return err
}

// change is one change of the allowlist.
func (y *history) change(ctx context.Context, s stage) error {
	opts := allowlist.Options{Apply: true, MaxOpen: new(-1)}
	var p allowlist.Plan
	var err error
	switch {
	case s.undo:
		p, err = y.lists.Undo(ctx, opts)
	case s.mode != "":
		p, err = y.lists.SetMode(ctx, s.mode, opts)
	default:
		p, err = y.lists.Import(ctx, rulesOn(y.cat, y.from, s), s.file, opts)
	}
	if err == nil && !p.Applied {
		err = fmt.Errorf("version %d of the allowlist was not applied", p.Version)
	}
	y.rules = p.Rules
	return err
}
