package title

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/paging"
)

// Row is one title as lists show it.
type Row struct {
	ID int64
	Key
	Versions  int // that are installed somewhere
	Names     int // under which machines told of it
	Machines  int // that have it now
	FirstSeen time.Time
}

// Filter narrows lists of titles that are installed somewhere.
type Filter struct {
	Query  string // part of a name or publisher
	Merged bool   // only those that several reported names are part of
}

// Version is one version of a title as it was reported.
type Version struct {
	Key
	Version   string
	Source    string
	Installs  int
	FirstSeen time.Time
}

// Place is a machine that has a title.
type Place struct {
	Machine  string // id
	Hostname string
	Site     string
	Area     string
	LastSeen time.Time
}

// Raw is a reported name with the title that it belongs to.
type Raw struct {
	ID    int64
	Told  Key
	Shown Key
}

// Store keeps titles and rules. Errors: NotFound "title.unknown" and "title.rules-unknown";
// Conflict "title.rules-changed" from SaveTitleRules when somebody was faster.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	ShownTitle(ctx context.Context, id int64) (Row, error)
	ShownTitlePage(ctx context.Context, f Filter, o paging.Order) (paging.Page[Row], error)
	CountShownTitles(ctx context.Context, f Filter, most int) (int, error)
	TitleVersions(ctx context.Context, id int64, most int) ([]Version, error) // most installed first
	TitleMachines(ctx context.Context, id int64, o paging.Order) (paging.Page[Place], error)

	TitleRules(ctx context.Context) (Ruleset, error)
	TitleRulesVersion(ctx context.Context, version int64) (Ruleset, error)
	// SaveTitleRules makes s the rules, s.Version being one more than that of the current
	// ones, and brings titles and their counts in line.
	SaveTitleRules(ctx context.Context, s Ruleset) error
	RawTitles(ctx context.Context, after int64, most int) ([]Raw, error) // ascending by ID
	MachinesWith(ctx context.Context, raw []int64) (int, error)          // that have any of the reported names
}

// Service is what people do with titles. Reading needs the right to see programs,
// changing rules the right to change the allowlist.
type Service struct {
	Store Store
	Audit audit.Log
	Now   func() time.Time
}

func see[T any](ctx context.Context, read func() (T, error)) (T, error) {
	if _, err := access.Need(ctx, access.SeePrograms); err != nil {
		var none T
		return none, err
	}
	return read()
}

// Title returns one title. NotFound "title.unknown".
func (s *Service) Title(ctx context.Context, id int64) (Row, error) {
	return see(ctx, func() (Row, error) { return s.Store.ShownTitle(ctx, id) })
}

// Page returns one page of the titles, sorted by "name" (the default), "publisher",
// "machines" or "seen".
func (s *Service) Page(ctx context.Context, f Filter, o paging.Order) (paging.Page[Row], error) {
	return see(ctx, func() (paging.Page[Row], error) { return s.Store.ShownTitlePage(ctx, f, o) })
}

// Count counts them, at most most.
func (s *Service) Count(ctx context.Context, f Filter, most int) (int, error) {
	return see(ctx, func() (int, error) { return s.Store.CountShownTitles(ctx, f, most) })
}

// Versions lists at most most versions of a title that are installed somewhere.
func (s *Service) Versions(ctx context.Context, id int64, most int) ([]Version, error) {
	return see(ctx, func() ([]Version, error) { return s.Store.TitleVersions(ctx, id, most) })
}

// Machines returns one page of the machines that have a title, by name. Those who see
// programs and not machines get none.
func (s *Service) Machines(ctx context.Context, id int64, o paging.Order) (paging.Page[Place], error) {
	scope, err := access.Need(ctx, access.SeeMachines)
	switch {
	case apperr.Is(err, apperr.Forbidden) || err == nil && !scope.All:
		return paging.Page[Place]{}, nil
	case err != nil:
		return paging.Page[Place]{}, err
	}
	return see(ctx, func() (paging.Page[Place], error) { return s.Store.TitleMachines(ctx, id, o) })
}

// Rules returns the rules in force.
func (s *Service) Rules(ctx context.Context) (Ruleset, error) {
	return see(ctx, func() (Ruleset, error) { return s.Store.TitleRules(ctx) })
}

// MaxNames is how many changed names a Preview tells.
const MaxNames = 200

// Preview is what a change of the rules does.
type Preview struct {
	Names   int      // reported names that are shown otherwise
	Titles  int      // titles that they become part of
	Changes []Change // at most MaxNames
	Merged  []Merged // the largest, at most 20
}

// Change is one reported name that is shown otherwise.
type Change struct {
	Told Key `json:"reported"`
	From Key `json:"from"`
	To   Key `json:"to"`
}

// Merged is one title as it is after the change.
type Merged struct {
	Key
	Names    int `json:"names"`
	Machines int `json:"machines"`
}

// PreviewAdd tells what adding a rule would do. Errors: Invalid.
func (s *Service) PreviewAdd(ctx context.Context, r Rule) (Preview, error) {
	next, err := s.added(ctx, r)
	if err != nil {
		return Preview{}, err
	}
	return s.preview(ctx, next)
}

// PreviewRemove tells what removing a rule would do. Errors: NotFound.
func (s *Service) PreviewRemove(ctx context.Context, id int64) (Preview, error) {
	next, _, err := s.removed(ctx, id)
	if err != nil {
		return Preview{}, err
	}
	return s.preview(ctx, next)
}

// preview compares the titles as they are with what next makes of them.
func (s *Service) preview(ctx context.Context, next Ruleset) (Preview, error) {
	var p Preview
	members, touched := map[Key][]int64{}, map[Key]bool{}
	const page = 1000
	for after := int64(0); ; {
		list, err := s.Store.RawTitles(ctx, after, page)
		if err != nil {
			return p, err
		}
		for _, raw := range list {
			after = raw.ID
			to, _ := next.Show(raw.Told)
			members[to] = append(members[to], raw.ID)
			if to == raw.Shown {
				continue
			}
			p.Names++
			touched[to] = true
			if len(p.Changes) < MaxNames {
				p.Changes = append(p.Changes, Change{raw.Told, raw.Shown, to})
			}
		}
		if len(list) < page {
			break
		}
	}
	p.Titles = len(touched)
	for k := range touched {
		p.Merged = append(p.Merged, Merged{Key: k, Names: len(members[k])})
	}
	slices.SortFunc(p.Merged, func(a, b Merged) int {
		return cmp.Or(cmp.Compare(b.Names, a.Names), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Publisher, b.Publisher))
	})
	p.Merged = p.Merged[:min(len(p.Merged), 20)]
	for i := range p.Merged {
		var err error
		if p.Merged[i].Machines, err = s.Store.MachinesWith(ctx, members[p.Merged[i].Key]); err != nil {
			return p, err
		}
	}
	return p, nil
}

// Add adds a rule at the end. Errors: Invalid; TooMany; Conflict when somebody was faster.
func (s *Service) Add(ctx context.Context, r Rule) (Ruleset, error) {
	return s.change(ctx, "title.rule-add", func(ctx context.Context) (Ruleset, error) { return s.added(ctx, r) })
}

// Remove takes a rule away. Errors: NotFound; Conflict when somebody was faster.
func (s *Service) Remove(ctx context.Context, id int64) (Ruleset, error) {
	return s.change(ctx, "title.rule-remove", func(ctx context.Context) (Ruleset, error) {
		next, _, err := s.removed(ctx, id)
		return next, err
	})
}

// Undo takes the last change back; a second one does that change again. Conflict
// "title.nothing-to-undo" when nothing was ever changed.
func (s *Service) Undo(ctx context.Context) (Ruleset, error) {
	return s.change(ctx, "title.rule-undo", func(ctx context.Context) (Ruleset, error) {
		current, err := s.Store.TitleRules(ctx)
		if err != nil {
			return current, err
		}
		if current.Version == 0 {
			return current, apperr.New(apperr.Conflict, "title.nothing-to-undo", nil)
		}
		next := Ruleset{}
		if current.Version > 1 {
			if next, err = s.Store.TitleRulesVersion(ctx, current.Version-1); err != nil {
				return next, err
			}
		}
		next.Version, next.Undoes, next.Cause = current.Version+1, current.Version, fmt.Sprintf("undo of %d", current.Version)
		return next, nil
	})
}

func (s *Service) added(ctx context.Context, r Rule) (Ruleset, error) {
	next, err := s.mine(ctx)
	if err != nil {
		return next, err
	}
	r = r.tidy()
	if err := r.check(); err != nil {
		return next, err
	}
	if len(next.Rules) >= MaxRules {
		return next, apperr.New(apperr.TooMany, "title.rules-too-many", apperr.Args{"most": MaxRules})
	}
	r.ID = next.Version + 1 // never given twice, since every version adds one rule at most
	next.Version, next.Rules, next.Cause = next.Version+1, append(slices.Clone(next.Rules), r), "add"
	return next, nil
}

func (s *Service) removed(ctx context.Context, id int64) (Ruleset, Rule, error) {
	next, err := s.mine(ctx)
	if err != nil {
		return next, Rule{}, err
	}
	n := slices.IndexFunc(next.Rules, func(r Rule) bool { return r.ID == id })
	if n < 0 {
		return next, Rule{}, apperr.New(apperr.NotFound, "title.rule-unknown", apperr.Args{"rule": id})
	}
	gone := next.Rules[n]
	next.Version, next.Rules, next.Cause = next.Version+1, slices.Delete(slices.Clone(next.Rules), n, n+1), "remove"
	return next, gone, nil
}

// mine returns the current rules to somebody who may change them.
func (s *Service) mine(ctx context.Context) (Ruleset, error) {
	if _, err := access.Need(ctx, access.ChangeAllowlist); err != nil {
		return Ruleset{}, err
	}
	return s.Store.TitleRules(ctx)
}

// change saves what make makes of the rules, with its audit entry, in one transaction.
func (s *Service) change(ctx context.Context, action string, make func(ctx context.Context) (Ruleset, error)) (Ruleset, error) {
	var next Ruleset
	if _, err := access.Need(ctx, access.ChangeAllowlist); err != nil {
		return next, err
	}
	err := s.Store.InTx(ctx, func(ctx context.Context) error {
		before, err := s.Store.TitleRules(ctx)
		if err != nil {
			return err
		}
		if next, err = make(ctx); err != nil {
			return err
		}
		next.CreatedAt, next.CreatedBy = s.Now().UTC(), actor.From(ctx).String()
		if err := s.Store.SaveTitleRules(ctx, next); err != nil {
			return err
		}
		return s.Audit.Append(ctx, audit.Entry{At: next.CreatedAt, Actor: next.CreatedBy, Action: action, Object: "title-rules",
			Before: audit.JSON(before.Rules), After: audit.JSON(next.Rules)})
	})
	return next, err
}
