package fleet

import (
	"context"
	"reflect"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
)

// maxTags bounds the tags of one machine.
const maxTags = 30

// Assignment is where a machine belongs.
type Assignment struct {
	Site, Area string // names; empty for none
	Person     string // e-mail; empty: nobody, until the directory says whose primary machine it is
	Tags       []string
	Groups     []string // by hand
}

// Assignment returns m's.
func (m *Machine) Assignment() Assignment {
	return Assignment{Site: m.Site, Area: m.Area, Person: m.Person, Tags: m.Tags, Groups: m.HandGroups}
}

// Assign says where a machine belongs, all at once. A person given here stays whatever
// the directory says of primary machines. Its findings follow, in the same transaction.
// query is its id or hostname. Errors: Invalid "group.wrong-…", NotFound "site.unknown",
// "area.unknown", "person.unknown" with Args "field" and "value"; Conflict
// "group.is-rule" for a group whose machines a rule tells; NotFound "machine.unknown",
// Conflict "machine.several"; Forbidden.
func (s *Service) Assign(ctx context.Context, query string, a Assignment) (Machine, error) {
	var m Machine
	if _, err := access.Need(ctx, access.ChangeMachines); err != nil {
		return m, err
	}
	a, err := tidyAssignment(a)
	if err != nil {
		return m, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Findings.LockFindings(ctx); err != nil {
			return err
		}
		var err error
		if m, err = s.Machines.FindMachine(ctx, query); err != nil {
			return err
		}
		before := m.Assignment()
		if sameAssignment(before, a) {
			return nil
		}
		if err := s.notByRule(ctx, before.Groups, a.Groups); err != nil {
			return err
		}
		if err := s.Machines.SetAssignment(ctx, m.ID, a); err != nil {
			return err
		}
		if err := s.Findings.FollowMachine(ctx, m.ID); err != nil {
			return err
		}
		if m, err = s.Machines.FindMachine(ctx, m.ID); err != nil {
			return err
		}
		if err := s.record(ctx, "machine.assign", "machine/"+m.ID, assignmentFacts(before), assignmentFacts(m.Assignment())); err != nil {
			return err
		}
		return s.Changes.Notify(ctx, ChangePolicy, "assignment of "+m.ID)
	})
	return m, err
}

func tidyAssignment(a Assignment) (Assignment, error) {
	var err error
	if a.Tags, err = tidyValues("tags", a.Tags); err != nil {
		return a, err
	}
	if len(a.Tags) > maxTags {
		return a, badField("tags", a.Tags[maxTags], "tags")
	}
	for _, name := range a.Groups {
		if checkGroup("groups", name) != nil {
			return a, badField("groups", name, "name")
		}
	}
	if a.Groups, err = tidyValues("groups", a.Groups); err != nil {
		return a, err
	}
	return a, nil
}

// notByRule refuses groups that were not there before and that a rule fills.
func (s *Service) notByRule(ctx context.Context, before, now []string) error {
	g, err := s.Groups.Grouping(ctx)
	if err != nil {
		return err
	}
	for _, name := range changeGroups(now, nil, before) {
		if g.isRule(name) {
			return apperr.New(apperr.Conflict, "group.is-rule", apperr.Args{"field": "groups", "value": name})
		}
	}
	return nil
}

func sameAssignment(a, b Assignment) bool {
	return a.Site == b.Site && a.Area == b.Area && a.Person == b.Person && len(a.Tags)+len(b.Tags) == 0 && len(a.Groups)+len(b.Groups) == 0 ||
		reflect.DeepEqual(assignmentFacts(a), assignmentFacts(b))
}

func assignmentFacts(a Assignment) map[string]any {
	return map[string]any{"site": a.Site, "area": a.Area, "person": a.Person, "tags": notNilStrings(a.Tags), "groups": notNilStrings(a.Groups)}
}

func notNilStrings(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
