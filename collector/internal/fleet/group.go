package fleet

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/internal/policy"
)

// Bounds on groups.
const (
	maxGroupsByName = 500 // groups that are listed
	maxAbout        = 500 // characters
	maxValues       = 50  // values of one field of a rule
	maxValue        = 200 // characters of one value
)

// GroupRow is a group as it is listed. One that was only ever named when a machine was
// put into it has the Row 0.
type GroupRow struct {
	Group
	Machines int // all but archived
}

// GroupStore keeps groups. NotFound "group.unknown" where there is none.
type GroupStore interface {
	GroupRows(ctx context.Context) ([]GroupRow, error) // by name
	GroupNames(ctx context.Context) ([]Group, error)   // the same, without looking at every machine
	GroupRow(ctx context.Context, name string) (GroupRow, error)
	Grouping(ctx context.Context) (*Grouping, error) // what tells the groups of a machine
	SaveGroup(ctx context.Context, g Group) error    // by name, folded: inserted or changed
	// DropGroup forgets a group, and takes machines out of it that were put into it by hand.
	DropGroup(ctx context.Context, name string) error
	// RuleMembers returns the first machines, by hostname, that a rule matches now, and
	// how many there are in all. Archived ones do not count.
	RuleMembers(ctx context.Context, r Rule, most int) ([]Machine, int, error)
}

// CreateGroup makes a group. Machines that are in one of that name by hand stay known
// as such: when it is by rule, the rule decides. Errors: Invalid "group.field" and
// Conflict "group.exists" with Args "field", "value" and "want"; Forbidden.
func (s *Service) CreateGroup(ctx context.Context, g Group) (Group, error) {
	g, err := tidyGroup(g)
	if err != nil {
		return g, err
	}
	err = s.changeGroup(ctx, func(ctx context.Context) (string, any, any, error) {
		old, err := s.Groups.GroupRow(ctx, g.Name)
		switch {
		case err == nil && old.Row != 0:
			return "", nil, nil, apperr.New(apperr.Conflict, "group.exists", apperr.Args{"field": "name", "value": g.Name})
		case err != nil && !apperr.Is(err, apperr.NotFound):
			return "", nil, nil, err
		case err == nil:
			g.Name = old.Name // as machines have it
		}
		all, err := s.Groups.GroupRows(ctx)
		if err != nil {
			return "", nil, nil, err
		}
		if len(all) >= maxGroupsByName {
			return "", nil, nil, badField("name", g.Name, "most-groups")
		}
		g.CreatedAt, g.CreatedBy = s.Now().UTC().Truncate(time.Microsecond), actor.From(ctx).String()
		g.ChangedAt, g.ChangedBy = g.CreatedAt, g.CreatedBy
		return "group.create", nil, groupFacts(&g), s.Groups.SaveGroup(ctx, g)
	}, g.Name)
	return g, err
}

// ChangeGroup changes what is said about a group and its rule; its name stays. Without
// a rule it is by hand. Errors: NotFound "group.unknown"; else as CreateGroup.
func (s *Service) ChangeGroup(ctx context.Context, g Group) error {
	g, err := tidyGroup(g)
	if err != nil {
		return err
	}
	return s.changeGroup(ctx, func(ctx context.Context) (string, any, any, error) {
		old, err := s.Groups.GroupRow(ctx, g.Name)
		if err != nil {
			return "", nil, nil, err
		}
		if old.About == g.About && reflect.DeepEqual(old.Rule, g.Rule) {
			return "", nil, nil, nil
		}
		g.Name, g.CreatedAt, g.CreatedBy = old.Name, old.CreatedAt, old.CreatedBy
		g.ChangedAt, g.ChangedBy = s.Now().UTC().Truncate(time.Microsecond), actor.From(ctx).String()
		if old.Row == 0 {
			g.CreatedAt, g.CreatedBy = g.ChangedAt, g.ChangedBy
		}
		return "group.change", groupFacts(&old.Group), groupFacts(&g), s.Groups.SaveGroup(ctx, g)
	}, g.Name)
}

// DeleteGroup forgets a group: rules of the allowlist that name it cover nobody by it
// any more. Errors: NotFound "group.unknown"; Forbidden.
func (s *Service) DeleteGroup(ctx context.Context, name string) error {
	return s.changeGroup(ctx, func(ctx context.Context) (string, any, any, error) {
		old, err := s.Groups.GroupRow(ctx, name)
		if err != nil {
			return "", nil, nil, err
		}
		before := groupFacts(&old.Group)
		before["machines"] = old.Machines
		return "group.delete", before, nil, s.Groups.DropGroup(ctx, old.Name)
	}, name)
}

// changeGroup runs one change with its audit entry (none where the action is empty),
// and has the findings of all machines follow.
func (s *Service) changeGroup(ctx context.Context, do func(ctx context.Context) (action string, before, after any, err error), name string) error {
	if _, err := access.Need(ctx, access.ChangeMachines); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Findings.LockFindings(ctx); err != nil {
			return err
		}
		action, before, after, err := do(ctx)
		if err != nil || action == "" {
			return err
		}
		if err := s.record(ctx, action, "group/"+name, before, after); err != nil {
			return err
		}
		return s.Changes.Notify(ctx, ChangePolicy, "group "+name)
	})
}

func groupFacts(g *Group) map[string]any {
	facts := map[string]any{"name": g.Name, "about": g.About}
	if g.ByRule() {
		facts["rule"] = g.Rule
	}
	return facts
}

// tidyGroup returns g with spaces and repetitions taken away, or what is wrong with it.
func tidyGroup(g Group) (Group, error) {
	g.Name, g.About = strings.TrimSpace(g.Name), strings.TrimSpace(g.About)
	if checkGroup("name", g.Name) != nil {
		return g, badField("name", g.Name, "name")
	}
	if utf8.RuneCountInString(g.About) > maxAbout || !plainLine(g.About) {
		return g, badField("about", g.About, "about")
	}
	for _, f := range []struct {
		name   string
		values *[]string
	}{{"sites", &g.Rule.Sites}, {"areas", &g.Rule.Areas}, {"os", &g.Rule.OS}, {"models", &g.Rule.Models}, {"hostnames", &g.Rule.Hostnames}, {"tags", &g.Rule.Tags}} {
		var err error
		if *f.values, err = tidyValues(f.name, *f.values); err != nil {
			return g, err
		}
	}
	return g, nil
}

// tidyValues returns values without empty ones and repetitions, sorted.
func tidyValues(field string, values []string) ([]string, error) {
	var out []string
	for _, v := range values {
		v = strings.TrimSpace(v)
		f := policy.Fold(v)
		switch {
		case v == "":
			continue
		case f == "" || utf8.RuneCountInString(v) > maxValue || !plainLine(v):
			return nil, badField(field, v, "value")
		case slices.ContainsFunc(out, func(x string) bool { return policy.Fold(x) == f }):
			continue
		}
		out = append(out, v)
	}
	if len(out) > maxValues {
		return nil, badField(field, out[maxValues], "values")
	}
	slices.Sort(out)
	return out, nil
}

// plainLine reports whether s is text without control characters.
func plainLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// badField is what is wrong with one field of a form; want is the key of what it asks for.
func badField(field, value, want string) error {
	if r := []rune(strings.ToValidUTF8(value, "?")); len(r) > 60 {
		value = string(r[:60]) + "…"
	} else {
		value = string(r)
	}
	return apperr.New(apperr.Invalid, "group.wrong-"+want, apperr.Args{"field": field, "value": value})
}
