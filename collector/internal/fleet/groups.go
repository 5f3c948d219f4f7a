package fleet

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"vigia/collector/internal/apperr"
	"vigia/internal/policy"
)

// Bounds on the groups of one machine.
const (
	maxGroups    = 50
	maxGroupName = 100 // characters
)

// SetGroups puts a machine into groups and takes it out of others; names are the same
// whatever their case and accents. Its findings follow, in the same transaction. query
// is its id or hostname. Errors: Invalid "machine.group" with Args "field", "value" and
// "want"; Conflict "group.is-rule" for a group that a rule fills; NotFound "machine.unknown", Conflict "machine.several".
func (s *Service) SetGroups(ctx context.Context, query string, add, remove []string) (Machine, error) {
	for _, list := range []struct {
		field string
		names []string
	}{{"add", add}, {"remove", remove}} {
		for _, name := range list.names {
			if err := checkGroup(list.field, name); err != nil {
				return Machine{}, err
			}
		}
	}
	var m Machine
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		err := s.Findings.LockFindings(ctx)
		if err != nil {
			return err
		}
		if m, err = s.Machines.FindMachine(ctx, query); err != nil {
			return err
		}
		before := m.HandGroups
		m.HandGroups = changeGroups(before, add, remove)
		switch {
		case slices.Equal(before, m.HandGroups):
			return nil
		case len(m.HandGroups) > maxGroups:
			return badGroup("add", m.HandGroups[len(m.HandGroups)-1], "at most 50 groups of one machine")
		}
		if err := s.notByRule(ctx, before, m.HandGroups); err != nil {
			return err
		}
		if err := s.Machines.SetMachineGroups(ctx, m.ID, m.HandGroups); err != nil {
			return err
		}
		if err := s.Findings.FollowMachine(ctx, m.ID); err != nil {
			return err
		}
		if err := s.record(ctx, "machine.group", "machine/"+m.ID, map[string]any{"groups": before}, map[string]any{"groups": m.HandGroups}); err != nil {
			return err
		}
		if m, err = s.Machines.FindMachine(ctx, m.ID); err != nil {
			return err
		}
		return s.Changes.Notify(ctx, ChangePolicy, "groups of "+m.ID)
	})
	return m, err
}

// changeGroups returns groups with add and without remove, sorted, each once.
func changeGroups(groups, add, remove []string) []string {
	out := slices.Clone(groups)
	is := func(name string) func(string) bool {
		folded := policy.Fold(strings.TrimSpace(name))
		return func(x string) bool { return policy.Fold(x) == folded }
	}
	for _, name := range add {
		if !slices.ContainsFunc(out, is(name)) {
			out = append(out, strings.TrimSpace(name))
		}
	}
	for _, name := range remove {
		out = slices.DeleteFunc(out, is(name))
	}
	slices.Sort(out)
	return out
}

func checkGroup(field, name string) error {
	name = strings.TrimSpace(name)
	switch {
	case name == "" || policy.Fold(name) == "":
		return badGroup(field, name, "a name")
	case utf8.RuneCountInString(name) > maxGroupName:
		return badGroup(field, name[:20]+"…", "at most 100 characters")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return badGroup(field, strings.ToValidUTF8(name, "?"), "text without control characters")
	}
	return nil
}

func badGroup(field, value, want string) error {
	return apperr.New(apperr.Invalid, "machine.group", apperr.Args{"field": field, "value": value, "want": want})
}
