package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store/internal/db"
)

// machineWhere adds what f asks of machine_view, or of machine and machine_seen joined.
// It tells none when nothing can match: an unknown site or area. whole asks for the
// table to be read whole rather than by the index of states, which is slower when most
// machines are in one.
func (s *Store) machineWhere(ctx context.Context, f fleet.MachineFilter, w *where, whole bool) (none bool, err error) {
	q := db.New(s.on(ctx))
	if f.After != "" {
		last, err := q.MachineByUUID(ctx, strings.ToLower(f.After))
		if err != nil {
			return false, unknown(err, "page.unknown", apperr.Args{"field": "after", "value": f.After})
		}
		w.add("(hostname_fold, uuid) > (?, ?)", last.HostnameFold, last.Uuid)
	}
	machineStates(f, w, whole)
	if f.Site != "" {
		site, err := q.SiteByFold(ctx, Fold(f.Site))
		if err != nil {
			return errors.Is(err, sql.ErrNoRows), ignoreNoRows(err)
		}
		w.add("site_id = ?", site.ID)
	}
	if f.Area != "" {
		area, err := q.AreaByFold(ctx, Fold(f.Area))
		if err != nil {
			return errors.Is(err, sql.ErrNoRows), ignoreNoRows(err)
		}
		w.add("area_id = ?", area.ID)
	}
	if f.OS != "" {
		w.add("os = ?", f.OS)
	}
	if f.Person != "" {
		w.add("person_id = (SELECT id FROM person WHERE email = ?)", strings.ToLower(f.Person))
	}
	if f.ID != "" {
		w.add("uuid = ?", strings.ToLower(f.ID))
	}
	if err := s.whereGroup(ctx, f, w); err != nil {
		return false, err
	}
	visibleMachines(w, f.Visible, "area_id", "person_id")
	if f.WithFindings {
		w.add("findings > ?", 0)
	}
	if f.Query != "" {
		p := like(f.Query)
		w.add(`(hostname_fold LIKE ? ESCAPE '\' OR serial_fold LIKE ? ESCAPE '\'
			OR person_id IN (SELECT id FROM person WHERE email LIKE ? ESCAPE '\' OR name_fold LIKE ? ESCAPE '\')
			OR site_id IN (SELECT id FROM site WHERE name_fold LIKE ? ESCAPE '\') OR area_id IN (SELECT id FROM area WHERE name_fold LIKE ? ESCAPE '\'))`, p, p, p, p, p, p)
	}
	return false, nil
}

// machineStates adds what f asks of the state.
func machineStates(f fleet.MachineFilter, w *where, whole bool) {
	state := "state"
	if whole {
		state = "cast(state AS TEXT)" // says the same, and is in no index of SQLite's
	}
	switch {
	case f.State != "":
		w.add(state+" = ?", string(f.State))
	case !f.Archived:
		w.add(state+" <> ?", string(fleet.Archived))
	}
	if !f.SilentSince.IsZero() {
		w.add(state+" = ? AND coalesce(nullif(last_seen, 0), enrolled_at) < ?", string(fleet.Active), micros(f.SilentSince))
	}
	if f.Failing {
		w.add("failing > ? AND "+state+" IN (?, ?)", 0, string(fleet.Active), string(fleet.Quarantined))
	}
}

func ignoreNoRows(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}
