package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
)

var _ fleet.GroupStore = (*Store)(nil)

const groupColumns = "SELECT id, name, about, rule, created_at, created_by, changed_at, changed_by FROM machine_group"

func scanGroup(r *sql.Rows, g *fleet.GroupRow) error {
	var rule string
	var created, changed int64
	if err := r.Scan(&g.Row, &g.Name, &g.About, &rule, &created, &g.CreatedBy, &changed, &g.ChangedBy); err != nil {
		return err
	}
	g.CreatedAt, g.ChangedAt = fromMicros(created), fromMicros(changed)
	if rule == "" {
		return nil
	}
	return json.Unmarshal([]byte(rule), &g.Rule)
}

// Grouping implements fleet.GroupStore. It is read with them, so that a
// machine is in a group by rule as soon as what the rule asks about is stored.
func (s *Store) Grouping(ctx context.Context) (*fleet.Grouping, error) {
	found, err := rows(ctx, s.on(ctx), groupColumns+" WHERE rule <> '' ORDER BY name_fold", nil, scanGroup)
	groups := make([]fleet.Group, len(found))
	for i := range found {
		groups[i] = found[i].Group
	}
	return fleet.NewGrouping(groups), err
}

// grouped sets the groups of machines that were read.
func (s *Store) grouped(ctx context.Context, list []fleet.Machine) error {
	if len(list) == 0 {
		return nil
	}
	g, err := s.Grouping(ctx)
	for i := range list {
		list[i].Groups = g.Of(list[i].Traits())
	}
	return err
}

// groupedOne is grouped for one machine, after the error of reading it.
func (s *Store) groupedOne(ctx context.Context, m fleet.Machine, err error) (fleet.Machine, error) {
	if err != nil {
		return m, err
	}
	list := []fleet.Machine{m}
	err = s.grouped(ctx, list)
	return list[0], s.mapError("reading groups", err)
}

// traits returns what rules ask about every machine but archived ones.
func (s *Store) traits(ctx context.Context) ([]fleet.Traits, error) {
	return rows(ctx, s.on(ctx), `SELECT m.hostname, m.os, m.model, coalesce(s.name, ''), coalesce(a.name, ''), m.tag_names, m.group_names
		FROM machine m LEFT JOIN site s ON s.id = m.site_id LEFT JOIN area a ON a.id = m.area_id WHERE m.state <> 'archived'`, nil,
		func(r *sql.Rows, t *fleet.Traits) error {
			var tags, groups string
			err := r.Scan(&t.Hostname, &t.OS, &t.Model, &t.Site, &t.Area, &tags, &groups)
			t.Tags, t.HandGroups = groupsOf(tags), groupsOf(groups)
			return err
		})
}

// GroupRows implements fleet.GroupStore: the groups that were made, and those that
// machines were put into without.
func (s *Store) GroupRows(ctx context.Context) ([]fleet.GroupRow, error) {
	list, err := rows(ctx, s.on(ctx), groupColumns, nil, scanGroup)
	if err != nil {
		return nil, s.mapError("listing groups", err)
	}
	machines, err := s.traits(ctx)
	if err != nil {
		return nil, s.mapError("listing groups", err)
	}
	byFold, groups := make(map[string]int, len(list)), make([]fleet.Group, len(list))
	for i := range list {
		byFold[Fold(list[i].Name)], groups[i] = i, list[i].Group
	}
	g := fleet.NewGrouping(groups)
	at := make(map[string]int, len(list)) // by name, so that few names are folded
	for _, m := range machines {
		for _, name := range g.Of(m) {
			i, ok := at[name]
			if !ok {
				if i, ok = byFold[Fold(name)]; !ok {
					i = len(list)
					list, byFold[Fold(name)] = append(list, fleet.GroupRow{Group: fleet.Group{Name: name}}), i
				}
				at[name] = i
			}
			list[i].Machines++
		}
	}
	slices.SortFunc(list, func(a, b fleet.GroupRow) int { return strings.Compare(Fold(a.Name), Fold(b.Name)) })
	return list, nil
}

// GroupNames implements fleet.GroupStore.
func (s *Store) GroupNames(ctx context.Context) ([]fleet.Group, error) {
	made, err := rows(ctx, s.on(ctx), groupColumns, nil, scanGroup)
	if err != nil {
		return nil, s.mapError("listing groups", err)
	}
	known, list := make(map[string]bool, len(made)), make([]fleet.Group, 0, len(made))
	for _, g := range made {
		known[Fold(g.Name)], list = true, append(list, g.Group)
	}
	lists, err := column(ctx, s.on(ctx), "SELECT DISTINCT group_names FROM machine WHERE group_names <> '[]' AND state <> 'archived'")
	if err != nil {
		return nil, s.mapError("listing groups", err)
	}
	for _, text := range lists {
		for _, name := range groupsOf(text) {
			if !known[Fold(name)] {
				known[Fold(name)], list = true, append(list, fleet.Group{Name: name})
			}
		}
	}
	slices.SortFunc(list, func(a, b fleet.Group) int { return strings.Compare(Fold(a.Name), Fold(b.Name)) })
	return list, nil
}

// GroupRow implements fleet.GroupStore.
func (s *Store) GroupRow(ctx context.Context, name string) (fleet.GroupRow, error) {
	list, err := s.GroupRows(ctx)
	if err != nil {
		return fleet.GroupRow{}, err
	}
	for _, g := range list {
		if Fold(g.Name) == Fold(name) {
			return g, nil
		}
	}
	return fleet.GroupRow{}, apperr.New(apperr.NotFound, "group.unknown", apperr.Args{"group": name})
}

// SaveGroup implements fleet.GroupStore.
func (s *Store) SaveGroup(ctx context.Context, g fleet.Group) error {
	rule := ""
	if g.ByRule() {
		text, err := json.Marshal(g.Rule)
		if err != nil {
			return s.mapError("saving a group", err)
		}
		rule = string(text)
	}
	return s.InTx(ctx, func(ctx context.Context) error {
		_, err := s.txFrom(ctx).tx.ExecContext(ctx, `INSERT INTO machine_group (name, name_fold, about, rule, created_at, created_by, changed_at, changed_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name_fold) DO UPDATE SET
			about = excluded.about, rule = excluded.rule, changed_at = excluded.changed_at, changed_by = excluded.changed_by`,
			g.Name, Fold(g.Name), g.About, rule, micros(g.CreatedAt), g.CreatedBy, micros(g.ChangedAt), g.ChangedBy)
		return s.mapError("saving a group", err)
	})
}

// DropGroup implements fleet.GroupStore. Machines that share a list of groups change
// together.
func (s *Store) DropGroup(ctx context.Context, name string) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		tx := s.txFrom(ctx).tx
		if _, err := tx.ExecContext(ctx, "DELETE FROM machine_group WHERE name_fold = $1", Fold(name)); err != nil {
			return s.mapError("forgetting a group", err)
		}
		lists, err := s.listsWith(ctx, "group_names", Fold(name))
		for _, old := range lists {
			rest := slices.DeleteFunc(groupsOf(old.(string)), func(g string) bool { return Fold(g) == Fold(name) })
			text, merr := namesText(rest)
			if merr != nil {
				return s.mapError("forgetting a group", merr)
			}
			if _, err := tx.ExecContext(ctx, "UPDATE machine SET group_names = $1 WHERE group_names = $2", text, old); err != nil {
				return s.mapError("forgetting a group", err)
			}
		}
		return err
	})
}

// listsWith returns the distinct values of a column of names that hold one of these
// folded names.
func (s *Store) listsWith(ctx context.Context, columnOf string, names ...string) ([]any, error) {
	return s.valuesOf(ctx, columnOf, func(text string) bool {
		return slices.ContainsFunc(groupsOf(text), func(n string) bool { return slices.Contains(names, Fold(n)) })
	})
}

// valuesOf returns the distinct values of a column of machines that fit. They are few
// beside the machines, so that conditions are tried on them and not on every machine.
func (s *Store) valuesOf(ctx context.Context, columnOf string, fits func(string) bool) ([]any, error) {
	all, err := column(ctx, s.on(ctx), "SELECT DISTINCT "+columnOf+" FROM machine")
	var out []any
	for _, v := range all {
		if fits(v) {
			out = append(out, v)
		}
	}
	return out, s.mapError("looking at machines", err)
}

// namesText writes a column of names.
func namesText(names []string) (string, error) {
	if names == nil {
		names = []string{}
	}
	text, err := json.Marshal(names)
	return string(text), err
}
