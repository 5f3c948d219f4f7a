package web_test

import (
	"context"
	"encoding/json"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/fleet"
	"vigia/internal/policy"
)

func (f *fake) Commands(_ context.Context, machine string, _ int) ([]fleet.Command, error) {
	if machine != laptop {
		return nil, f.broken
	}
	return []fleet.Command{{ID: "1", Machine: laptop, Kind: "report-now", CreatedAt: ago(time.Minute), CreatedBy: "person:ana@example.com"}}, f.broken
}

func (f *fake) MachineTrail(_ context.Context, machine string, _ int) ([]audit.Entry, error) {
	if machine != laptop {
		return nil, f.broken
	}
	return []audit.Entry{{At: ago(2 * day), Actor: "person:ana@example.com", Action: "machine.assign", Object: "machine/" + laptop,
		Before: json.RawMessage(`{"site":"","tags":[]}`), After: json.RawMessage(`{"site":"Querétaro","tags":["kiosco"]}`)},
		{At: ago(90 * day), Actor: "machine:" + laptop, Action: "machine.enroll", Object: "machine/" + laptop, Before: json.RawMessage("null"), After: json.RawMessage("{}")}}, f.broken
}

func (f *fake) History(ctx context.Context, machine string, q fleet.EventFilter) ([]fleet.Event, error) {
	return f.Events(ctx, machine, q.Before, q.Limit)
}

func (f *fake) GroupRows(context.Context) ([]fleet.GroupRow, error) {
	if f.empty {
		return nil, f.broken
	}
	return []fleet.GroupRow{
		{Group: fleet.Group{Name: "kioscos " + markup}, Machines: 2},
		{Group: fleet.Group{Row: 1, Name: "portátiles", About: "los que viajan", Rule: fleet.Rule{Models: []string{"*thinkpad*", "*elitebook*"}, Sites: []string{"Querétaro"}},
			ChangedAt: ago(day), ChangedBy: "person:ana@example.com"}, Machines: 60},
	}, f.broken
}

func (f *fake) GroupNames(ctx context.Context) ([]fleet.Group, error) {
	rows, err := f.GroupRows(ctx)
	var list []fleet.Group
	for _, g := range rows {
		list = append(list, g.Group)
	}
	return list, err
}

func (f *fake) GroupRow(ctx context.Context, name string) (fleet.GroupRow, error) {
	rows, err := f.GroupRows(ctx)
	for _, g := range rows {
		if policy.Fold(g.Name) == policy.Fold(name) {
			return g, err
		}
	}
	return fleet.GroupRow{}, apperr.New(apperr.NotFound, "group.unknown", nil)
}

func (f *fake) RuleMembers(context.Context, fleet.Rule, int) ([]fleet.Machine, int, error) {
	return f.machines, 60, f.broken
}

func (f *fake) Verdicts(_ context.Context, _ string, programs []fleet.Install) ([]policy.Verdict, error) {
	out := make([]policy.Verdict, len(programs))
	for i := range out {
		out[i] = policy.Verdict{Kind: policy.Unauthorized, Key: policy.KeyNothing}
		if i%2 == 0 {
			out[i] = policy.Verdict{Kind: policy.Denied, RuleName: "acceso remoto", Key: policy.KeyDenied}
		}
	}
	return out, f.broken
}

func (f *fake) Assign(_ context.Context, query string, a fleet.Assignment) (fleet.Machine, error) {
	f.asked = append(f.asked, query+" assign "+a.Site)
	return fleet.Machine{}, f.broken
}

func (f *fake) Archive(_ context.Context, query string) (fleet.Machine, error) {
	f.asked = append(f.asked, query+" archive")
	return fleet.Machine{}, f.broken
}

func (f *fake) Restore(_ context.Context, query string) (fleet.Machine, error) {
	f.asked = append(f.asked, query+" restore")
	return fleet.Machine{}, f.broken
}

func (f *fake) CreateGroup(_ context.Context, g fleet.Group) (fleet.Group, error) { return g, f.broken }
func (f *fake) ChangeGroup(context.Context, fleet.Group) error                    { return f.broken }
func (f *fake) DeleteGroup(context.Context, string) error                         { return f.broken }
