package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/fleet"
)

// whereGroup keeps the machines of the group that f names, with its tag and its model.
func (s *Store) whereGroup(ctx context.Context, f fleet.MachineFilter, w *where) error {
	if f.Model != "" {
		w.add("model = ?", f.Model)
	}
	if f.Tag != "" {
		lists, err := s.listsWith(ctx, "tag_names", Fold(f.Tag))
		if err != nil {
			return err
		}
		within(w, "tag_names", lists)
	}
	if f.Group == "" {
		return nil
	}
	found, err := rows(ctx, s.on(ctx), groupColumns+" WHERE name_fold = $1", []any{Fold(f.Group)}, scanGroup)
	if err != nil {
		return s.mapError("reading a group", err)
	}
	if len(found) == 1 && found[0].ByRule() {
		return s.whereRule(ctx, &found[0].Rule, w)
	}
	lists, err := s.listsWith(ctx, "group_names", Fold(f.Group))
	if err != nil {
		return err
	}
	within(w, "group_names", lists)
	return nil
}

// whereRule keeps the machines that a rule of a group matches: it says in SQL what
// fleet.Grouping says of one machine.
func (s *Store) whereRule(ctx context.Context, r *fleet.Rule, w *where) error {
	folds := func(list []string) []string { return mapOf(list, Fold) }
	for _, f := range []struct {
		column, table string
		names         []string
	}{{"site_id", "site", r.Sites}, {"area_id", "area", r.Areas}} {
		if len(f.names) == 0 {
			continue
		}
		var ids []any
		for _, name := range folds(f.names) {
			var id int64
			err := s.on(ctx).QueryRowContext(ctx, "SELECT id FROM "+f.table+" WHERE name_fold = $1", name).Scan(&id)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			} else if err != nil {
				return s.mapError("reading a rule", err)
			}
			ids = append(ids, id)
		}
		within(w, f.column, ids)
	}
	for _, f := range []struct {
		column   string
		patterns []string
	}{{"os", r.OS}, {"model", r.Models}} {
		if len(f.patterns) == 0 {
			continue
		}
		patterns := folds(f.patterns)
		values, err := s.valuesOf(ctx, f.column, func(v string) bool {
			v = Fold(v)
			for _, p := range patterns {
				if fleet.MatchPattern(p, v) {
					return true
				}
			}
			return false
		})
		if err != nil {
			return err
		}
		within(w, f.column, values)
	}
	if len(r.Tags) > 0 {
		lists, err := s.listsWith(ctx, "tag_names", folds(r.Tags)...)
		if err != nil {
			return err
		}
		within(w, "tag_names", lists)
	}
	if len(r.Hostnames) > 0 {
		var conds []string
		var args []any
		for _, p := range folds(r.Hostnames) {
			conds, args = append(conds, `hostname_fold LIKE ? ESCAPE '\'`), append(args, likePattern(p))
		}
		w.add("("+strings.Join(conds, " OR ")+")", args...)
	}
	return nil
}

// within keeps the rows whose column has one of the values.
func within(w *where, column string, values []any) {
	if len(values) == 0 {
		w.add(nobodys)
		return
	}
	w.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", values...)
}

// likePattern is a folded pattern of a rule for LIKE … ESCAPE '\'.
func likePattern(p string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`, `*`, `%`, `?`, `_`).Replace(p)
}

// RuleMembers implements fleet.GroupStore.
func (s *Store) RuleMembers(ctx context.Context, r fleet.Rule, most int) ([]fleet.Machine, int, error) {
	if r.IsZero() {
		return nil, 0, nil
	}
	var w where
	w.add("state <> ?", string(fleet.Archived))
	if err := s.whereRule(ctx, &r, &w); err != nil {
		return nil, 0, err
	}
	n, err := countRows(ctx, s.on(ctx), machineFrom, w, 1<<30)
	if err != nil {
		return nil, 0, s.mapError("counting machines", err)
	}
	found, err := rows(ctx, s.on(ctx), machineColumns+machineFrom+w.clause()+" ORDER BY hostname_fold, uuid LIMIT "+strconv.Itoa(limit(most)), w.args, scanMachine)
	if err == nil {
		err = s.grouped(ctx, found)
	}
	return found, n, s.mapError("listing machines", err)
}

// SetAssignment implements fleet.Store.
func (s *Store) SetAssignment(ctx context.Context, id string, a fleet.Assignment) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		var site, area, person sql.NullInt64
		for _, f := range []struct {
			field, value, query string
			into                *sql.NullInt64
		}{
			{"site", a.Site, "SELECT id FROM site WHERE name_fold = $1", &site}, {"area", a.Area, "SELECT id FROM area WHERE name_fold = $1", &area},
			{"person", a.Person, "SELECT id FROM person WHERE email = $1", &person},
		} {
			if f.value == "" {
				continue
			}
			key := Fold(f.value)
			if f.field == "person" {
				key = strings.ToLower(f.value)
			}
			err := s.on(ctx).QueryRowContext(ctx, f.query, key).Scan(f.into)
			if err != nil {
				return s.mapError("assigning a machine", unknown(err, f.field+".unknown", apperr.Args{"field": f.field, "value": f.value, f.field: f.value}))
			}
		}
		tags, err := namesText(a.Tags)
		if err != nil {
			return s.mapError("assigning a machine", err)
		}
		groups, err := namesText(a.Groups)
		if err != nil {
			return s.mapError("assigning a machine", err)
		}
		_, err = s.txFrom(ctx).tx.ExecContext(ctx, `UPDATE machine SET site_id = $1, area_id = $2, person_id = $3, person_chosen = $4, tag_names = $5, group_names = $6
			WHERE uuid = $7`, site, area, person, person.Valid, tags, groups, strings.ToLower(id))
		return s.mapError("assigning a machine", err)
	})
}

// MachineTrail returns the lines of the audit log about a machine, newest first.
func (s *Store) MachineTrail(ctx context.Context, machine string, n int) ([]audit.Entry, error) {
	return s.AuditList(ctx, audit.Filter{Object: "machine/" + strings.ToLower(machine), Limit: n})
}
