package calendar

import (
	"context"
	"strings"
	"time"
	"unicode"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
)

// Deps is what the use-case stands on. All fields are required.
type Deps struct {
	InTx  func(ctx context.Context, fn func(ctx context.Context) error) error
	Store Store
	Audit audit.Log
	Sites func(ctx context.Context) ([]string, error) // names
	Now   func() time.Time
}

// Service reads and changes which days are worked, with the rights of whoever asks.
type Service struct{ Deps }

// maxName bounds the reason of an exception, in bytes.
const maxName = 100

// Exceptions lists those of a site and those of every site; "" is those of every site.
func (s *Service) Exceptions(ctx context.Context, site string) ([]Exception, error) {
	if _, err := access.Need(ctx, access.SeeSettings); err != nil {
		return nil, err
	}
	return s.Store.Exceptions(ctx, site)
}

// Save keeps an exception, in place of one for the same site and day. Errors: Invalid
// with Args["field"] "site", "day" or "name".
func (s *Service) Save(ctx context.Context, e Exception) error {
	if _, err := access.Need(ctx, access.ChangeSettings); err != nil {
		return err
	}
	e.Name = strings.TrimSpace(e.Name)
	bad := func(field, key, value string) error {
		if len(value) > maxName {
			value = strings.ToValidUTF8(value[:maxName], "") + "…"
		}
		return apperr.New(apperr.Invalid, key, apperr.Args{"field": field, "value": value})
	}
	if y := e.Day.Year(); y < 2000 || y > 2100 {
		return bad("day", "calendar.bad.day", e.Day.String())
	}
	if e.Name == "" || len(e.Name) > maxName || strings.ContainsFunc(e.Name, unicode.IsControl) {
		return bad("name", "calendar.bad.name", e.Name)
	}
	known, err := s.known(ctx, e.Site)
	if err != nil {
		return err
	}
	if !known {
		return bad("site", "calendar.bad.site", e.Site)
	}
	return s.change(ctx, e.Site, e.Day, &e)
}

// Remove takes an exception away. NotFound "calendar.unknown".
func (s *Service) Remove(ctx context.Context, site string, day Day) error {
	if _, err := access.Need(ctx, access.ChangeSettings); err != nil {
		return err
	}
	return s.change(ctx, site, day, nil)
}

func (s *Service) known(ctx context.Context, site string) (bool, error) {
	if site == "" {
		return true, nil
	}
	sites, err := s.Sites(ctx)
	for _, x := range sites {
		if x == site {
			return true, nil
		}
	}
	return false, err
}

// change puts an exception, or takes it away where next is nil, and writes that down.
func (s *Service) change(ctx context.Context, site string, day Day, next *Exception) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		list, err := s.Store.Exceptions(ctx, site)
		if err != nil {
			return err
		}
		var old *Exception
		for i := range list {
			if list[i].Site == site && list[i].Day == day {
				old = &list[i]
			}
		}
		action := "calendar.save"
		switch {
		case next != nil:
			err = s.Store.SaveException(ctx, *next)
		case old == nil:
			return apperr.New(apperr.NotFound, "calendar.unknown", apperr.Args{"day": day.String()})
		default:
			action, err = "calendar.remove", s.Store.RemoveException(ctx, site, day)
		}
		if err != nil {
			return err
		}
		return s.Audit.Append(ctx, audit.Entry{At: s.Now().UTC().Truncate(time.Microsecond), Actor: actor.From(ctx).String(), Action: action,
			Object: "calendar/" + day.String(), Before: audit.JSON(tell(old)), After: audit.JSON(tell(next))})
	})
}

// told is what the audit chain keeps of an exception.
type told struct {
	Site    string `json:"site"`
	Day     string `json:"day"`
	Working bool   `json:"working"`
	Name    string `json:"name"`
}

func tell(e *Exception) any {
	if e == nil {
		return nil
	}
	return told{e.Site, e.Day.String(), e.Working, e.Name}
}
