package app

import (
	"context"
	"slices"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/org"
)

// mailPreference is how somebody is told: as they chose, else as their role is, in the
// time of their site.
func (d *desk) mailPreference(ctx context.Context, to string) (notify.Preference, error) {
	v, err := d.values(ctx)
	if err != nil {
		return notify.Preference{}, err
	}
	p := notify.Preference{Delivery: notify.AtOnce, DigestAt: max(v.Mail.DigestAt, 0), Zone: d.zoneOf(v),
		Quiet: v.Mail.QuietFrom >= 0 && v.Mail.QuietTo >= 0, QuietFrom: v.Mail.QuietFrom, QuietTo: v.Mail.QuietTo}
	person, err := d.store.Person(ctx, to)
	if apperr.Is(err, apperr.NotFound) {
		return p, nil
	} else if err != nil {
		return p, err
	}
	switch {
	case v.Mail.DigestAt < 0:
	case slices.Contains(v.Mail.Weekly, person.Role):
		p.Delivery = notify.Weekly
	case slices.Contains(v.Mail.Daily, person.Role):
		p.Delivery = notify.Daily
	}
	w, err := d.store.Wish(ctx, person.Email)
	if err != nil {
		return p, err
	}
	if w.Delivery != "" {
		p.Delivery = w.Delivery
	}
	if w.Quiet {
		p.Quiet, p.QuietFrom, p.QuietTo = true, w.QuietFrom, w.QuietTo
	}
	return p, d.siteZone(ctx, person.Site, &p.Zone)
}

// siteZone sets zone to that of a site, where it has one of its own.
func (d *desk) siteZone(ctx context.Context, site string, zone **time.Location) error {
	if site == "" {
		return nil
	}
	sites, err := d.store.Sites(ctx)
	if i := slices.IndexFunc(sites, func(x org.Site) bool { return x.Name == site }); i >= 0 && sites[i].Zone != "" {
		if l, lerr := time.LoadLocation(sites[i].Zone); lerr == nil {
			*zone = l
		}
	}
	return err
}
