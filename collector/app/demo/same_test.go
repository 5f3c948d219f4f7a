package demo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/store"
)

func keyOf(err error) string {
	var e *apperr.Error
	if errors.As(err, &e) {
		return e.Key
	}
	return ""
}

// compare tells the first line in which two samples differ.
func compare(t *testing.T, x, y string) {
	t.Helper()
	a, b := strings.Split(x, "\n"), strings.Split(y, "\n")
	if len(a) < 300 {
		t.Errorf("%d lines: there is hardly anything to compare", len(a))
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("line %d of %d and %d:\n%s\n%s", i, len(a), len(b), a[i], b[i])
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d and %d lines", len(a), len(b))
	}
}

// describe is all that people see of a sample; keys, secrets and the numbers of rows are
// never the same.
func describe(t *testing.T, ctx context.Context, s *store.Store) string {
	t.Helper()
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	machines, err := s.Machines(ctx, fleet.MachineFilter{Archived: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range machines {
		add("machine %s %s %s %s %s %s %s %s %s %v %v %d %d %d", m.ID, m.Hostname, m.Serial, m.OS, m.Site, m.Area, m.Person, m.State, m.Agent, m.EnrolledAt, m.LastSeen, m.Programs, m.Findings, m.Spooled)
		docs, err := s.Documents(ctx, m.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			add("document %s %s %s", m.Hostname, d.Section, d.Digest)
		}
	}
	findings, err := s.Findings(ctx, authorization.FindingFilter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		add("finding %s %s %s %s %s %v %v %v %s %d", f.Hostname, f.Program, f.Version, f.State, f.Rule, f.FirstSeen, f.FoundAt, f.GoneAt, f.Nonconformity, f.Recurrences)
	}
	records, err := s.Nonconformities().List(ctx, nonconformity.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range records {
		add("record %s %s %s %v %v %d %v", n.Number, n.Hostname, n.Person, n.OpenedAt, n.ContainedAt, len(n.Evidence), n.Parties)
	}
	people, err := s.People(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		add("person %+v", p)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
