package view

import (
	"context"

	"vigia/collector/internal/access"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/fleet"
)

// Groups are scopes of the allowlist: who sees that sees them.

// GroupRows lists the groups of machines, by name.
func (r Reader) GroupRows(ctx context.Context) ([]fleet.GroupRow, error) {
	return within(ctx, access.SeeAllowlist, func(*access.Scope) ([]fleet.GroupRow, error) { return r.store.GroupRows(ctx) })
}

// GroupNames lists the groups of machines, by name, without counting.
func (r Reader) GroupNames(ctx context.Context) ([]fleet.Group, error) {
	return within(ctx, access.SeeAllowlist, func(*access.Scope) ([]fleet.Group, error) { return r.store.GroupNames(ctx) })
}

// GroupRow returns one group. NotFound "group.unknown".
func (r Reader) GroupRow(ctx context.Context, name string) (fleet.GroupRow, error) {
	return within(ctx, access.SeeAllowlist, func(*access.Scope) (fleet.GroupRow, error) { return r.store.GroupRow(ctx, name) })
}

// members is what RuleMembers answers.
type members struct {
	list []fleet.Machine
	n    int
}

// RuleMembers returns the first machines that a rule matches, and how many there are.
func (r Reader) RuleMembers(ctx context.Context, rule fleet.Rule, most int) ([]fleet.Machine, int, error) {
	m, err := within(ctx, access.SeeAllowlist, func(*access.Scope) (members, error) {
		list, n, err := r.store.RuleMembers(ctx, rule, most)
		return members{list, n}, err
	})
	return m.list, m.n, err
}

// Commands returns what was asked of a machine, newest first.
func (r Reader) Commands(ctx context.Context, machine string, limit int) ([]fleet.Command, error) {
	return seen(ctx, r, machine, func() ([]fleet.Command, error) { return r.store.Commands(ctx, machine, limit) })
}

// History implements fleet.HistoryReader.
func (r Reader) History(ctx context.Context, machine string, f fleet.EventFilter) ([]fleet.Event, error) {
	return seen(ctx, r, machine, func() ([]fleet.Event, error) { return r.store.History(ctx, machine, f) })
}

// MachineTrail returns what people and the collector did with a machine, newest first:
// the lines of the audit log about it.
func (r Reader) MachineTrail(ctx context.Context, machine string, limit int) ([]audit.Entry, error) {
	return seen(ctx, r, machine, func() ([]audit.Entry, error) {
		return r.store.MachineTrail(ctx, machine, limit)
	})
}
