package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/calendar"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
	"vigia/collector/internal/scan"
)

// recordTick is how often the clock of the records looks whether something is due.
const recordTick = 2 * time.Second

// newRecords puts the use-cases of nonconformities together.
func (d *desk) newRecords() *nonconformity.Service {
	return nonconformity.New(nonconformity.Deps{
		Tx: d.store, Records: d.store.Nonconformities(), Audit: d.store, People: recordPeople{d}, Mail: recordMail{d}, Findings: recordFindings{d},
		Terms: d.terms, Trail: d.trailOf, Scan: d.scan, Now: d.now,
	})
}

// runRecords lets time pass over the records.
func (a *App) runRecords(ctx context.Context) error {
	return a.desk.records.Run(ctx, recordTick, func(err error) { a.cfg.Log.ErrorContext(ctx, "the clock of the records failed", "err", err) })
}

// terms is how long things take at a site, by the settings and its calendar.
func (d *desk) terms(ctx context.Context, site string) (nonconformity.Terms, error) {
	v, err := d.values(ctx)
	if err != nil {
		return nonconformity.Terms{}, err
	}
	cal, err := d.calendarOf(ctx, site)
	limits := map[nonconformity.Severity]nonconformity.Limits{}
	for severity, days := range v.Nonconformity.Days {
		limits[nonconformity.Severity(severity)] = days
	}
	return nonconformity.Terms{Limits: limits, Calendar: cal, Period: v.Nonconformity.Period, Escalate: v.Nonconformity.Escalate}, err
}

// calendarOf is the calendar of a site; a name that none has is the company's.
func (d *desk) calendarOf(ctx context.Context, site string) (calendar.Calendar, error) {
	v, err := d.values(ctx)
	if err != nil {
		return calendar.Calendar{}, err
	}
	zone := d.zoneOf(v)
	if site != "" {
		sites, err := d.store.Sites(ctx)
		if err != nil {
			return calendar.Calendar{}, err
		}
		for _, s := range sites {
			if l, err := time.LoadLocation(s.Zone); s.Name == site && s.Zone != "" && err == nil {
				zone = l
			}
		}
	}
	list, err := d.store.Exceptions(ctx, site)
	return calendar.New(zone, v.Nonconformity.Saturdays, site, list), err
}

// scan asks ClamAV. Where it is broken, the file counts as not scanned, as it does where
// there is none; the log says why.
func (d *desk) scan(ctx context.Context, content []byte) (string, error) {
	v, virus, err := scan.System().Scan(ctx, content)
	if err != nil {
		d.log.WarnContext(ctx, "an attachment could not be scanned", "err", err)
	}
	if v == scan.Infected {
		return "", apperr.New(apperr.Invalid, "nonconformity.file-infected", apperr.Args{"field": "file", "virus": virus})
	}
	return string(v), nil
}

// recordPeople asks the directory who has a part in a record.
type recordPeople struct{ d *desk }

var _ nonconformity.People = recordPeople{}

// Parties implements nonconformity.People: only those who are active.
func (p recordPeople) Parties(ctx context.Context, person, area string) ([]nonconformity.Party, error) {
	var list []nonconformity.Party
	add := func(part, email string) error {
		x, err := p.person(ctx, email)
		if err == nil && x.Active {
			list = append(list, nonconformity.Party{Part: part, Email: x.Email, Name: x.Name})
		}
		return err
	}
	if err := add(nonconformity.PartUser, person); err != nil {
		return nil, err
	}
	areas, err := p.d.store.Areas(ctx)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(areas, func(a org.Area) bool { return a.Name == area }); i >= 0 && area != "" {
		if err := add(nonconformity.PartManager, areas[i].Manager); err != nil {
			return nil, err
		}
	}
	hr, err := p.d.store.PeopleByRole(ctx, actor.HR)
	for _, x := range hr {
		if x.Active {
			list = append(list, nonconformity.Party{Part: nonconformity.PartHR, Email: x.Email, Name: x.Name})
		}
	}
	return list, err
}

// person is somebody of the directory; who is not in it is nobody.
func (p recordPeople) person(ctx context.Context, email string) (org.Person, error) {
	if email == "" {
		return org.Person{}, nil
	}
	x, err := p.d.store.Person(ctx, strings.ToLower(email))
	if apperr.Is(err, apperr.NotFound) {
		return org.Person{}, nil
	}
	return x, err
}

// Heads implements nonconformity.People.
func (p recordPeople) Heads(ctx context.Context) (management, administrators []nonconformity.Someone, err error) {
	of := func(role actor.Role) (list []nonconformity.Someone, err error) {
		found, err := p.d.store.PeopleByRole(ctx, role)
		for _, x := range found {
			if x.Active {
				list = append(list, nonconformity.Someone{Email: x.Email, Name: x.Name})
			}
		}
		return list, err
	}
	if management, err = of(actor.GeneralManagement); err != nil {
		return nil, nil, err
	}
	administrators, err = of(actor.Administrator)
	return management, administrators, err
}

// Name implements nonconformity.People.
func (p recordPeople) Name(ctx context.Context, email string) (string, error) {
	x, err := p.person(ctx, email)
	return x.Name, err
}

// recordFindings frees findings by the use-case that owns them.
type recordFindings struct{ d *desk }

// Release implements nonconformity.Findings.
func (f recordFindings) Release(ctx context.Context, number string) error {
	return f.d.newIngester("release "+newID()).ReleaseRecord(ctx, number)
}

// trailOf is what the audit chain has of a record, the oldest first.
func (d *desk) trailOf(ctx context.Context, number string) ([]audit.Entry, error) {
	var all []audit.Entry
	f := audit.Filter{Object: "nonconformity/" + number, Limit: 1000}
	for {
		list, err := d.store.AuditList(ctx, f)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if len(list) < f.Limit {
			slices.Reverse(all)
			return all, nil
		}
		f.Before = list[len(list)-1].Seq
	}
}
