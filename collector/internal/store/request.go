package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/paging"
)

var _ request.Store = (*Store)(nil)

const requestColumns = `SELECT r.id, r.number, r.state, r.program, r.publisher, r.described, r.category, r.machine, r.hostname, r.person, r.person_name,
	r.area, r.site, r.asked_by, r.asked_at, r.purpose, r.wanted_until, r.money, r.currency, r.license, r.needs_manager, r.needs_purchase, r.manager,
	r.finding, r.renews, r.renewed_by, r.decided_at, r.decided_by, r.reason, r.scope, r.valid_until, r.rule_id, r.rule_name, r.reminded`

const requestFrom = " FROM request r"

func scanRequest(rows *sql.Rows, r *request.Request, more ...any) error {
	var asked, wanted, manager, purchase, decided, until int64
	err := rows.Scan(append([]any{&r.Row, &r.Number, &r.State, &r.Program, &r.Publisher, &r.Described, &r.Category, &r.Machine, &r.Hostname, &r.Person, &r.PersonName,
		&r.Area, &r.Site, &r.AskedBy, &asked, &r.Purpose, &wanted, &r.Money, &r.Currency, &r.License, &manager, &purchase, &r.Manager,
		&r.Finding, &r.Renews, &r.RenewedBy, &decided, &r.DecidedBy, &r.Reason, &r.Reach, &until, &r.RuleID, &r.RuleName, &r.Reminded}, more...)...)
	r.AskedAt, r.Wanted, r.DecidedAt, r.ValidUntil = fromMicros(asked), fromMicros(wanted), fromMicros(decided), fromMicros(until)
	r.Needs = request.Route{Manager: manager != 0, Purchasing: purchase != 0}
	return err
}

func scanRequestAlone(rows *sql.Rows, r *request.Request) error { return scanRequest(rows, r) }

func number01(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// CreateRequest implements request.Store. A transaction that fails gives the number back.
func (s *Store) CreateRequest(ctx context.Context, r request.Request) (request.Request, error) {
	err := s.InTx(ctx, func(ctx context.Context) error {
		tx := s.txFrom(ctx).tx
		year, n := r.AskedAt.UTC().Year(), 0
		err := tx.QueryRowContext(ctx, `INSERT INTO request_counter (year, last) VALUES ($1, 1)
			ON CONFLICT (year) DO UPDATE SET last = request_counter.last + 1 RETURNING last`, year).Scan(&n)
		if err != nil {
			return s.mapError("numbering a request", err)
		}
		r.Number = request.FormatNumber(year, n)
		search := Fold(strings.Join([]string{r.Number, r.Program, r.Publisher, r.Person, r.PersonName, r.Hostname, r.Area, r.Site}, "\n"))
		err = tx.QueryRowContext(ctx, `INSERT INTO request (number, state, program, publisher, described, category, machine, hostname, person, person_name,
			area, site, asked_by, asked_at, purpose, wanted_until, money, currency, license, needs_manager, needs_purchase, manager,
			finding, renews, renewed_by, decided_at, decided_by, reason, scope, valid_until, rule_id, rule_name, reminded, search)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, '', 0, '', '', '', 0, '', '', 0, $25) RETURNING id`,
			r.Number, string(r.State), storable(r.Program), storable(r.Publisher), storable(r.Described), string(r.Category), r.Machine, r.Hostname, r.Person, r.PersonName,
			r.Area, r.Site, r.AskedBy, micros(r.AskedAt), storable(r.Purpose), micros(r.Wanted), r.Money, r.Currency, storable(r.License), number01(r.Needs.Manager), number01(r.Needs.Purchasing), r.Manager,
			r.Finding, r.Renews, storable(search)).Scan(&r.Row)
		if err != nil {
			return s.mapError("storing a request", err)
		}
		return s.addRequestEvents(ctx, r, 0)
	})
	return r, err
}

func (s *Store) addRequestEvents(ctx context.Context, r request.Request, from int) error {
	for i := from; i < len(r.History); i++ {
		e := r.History[i]
		_, err := s.txFrom(ctx).tx.ExecContext(ctx, "INSERT INTO request_event (request_id, position, at, actor, kind, detail) VALUES ($1, $2, $3, $4, $5, $6)",
			r.Row, i, micros(e.At), storable(e.Actor), e.Kind, storable(e.Detail))
		if err != nil {
			return s.mapError("storing a request's history", err)
		}
	}
	return nil
}

// LockRequest implements request.Store by the lock of the ledger, which every change takes
// for its entry anyway.
func (s *Store) LockRequest(ctx context.Context, number string) (request.Request, error) {
	if err := s.lockLedger(ctx); err != nil {
		return request.Request{}, err
	}
	return s.Request(ctx, number)
}

// SaveRequest implements request.Store. Conflict "request.changed" when r knows less than
// is stored.
func (s *Store) SaveRequest(ctx context.Context, r request.Request) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		old, err := s.LockRequest(ctx, r.Number)
		if err != nil {
			return err
		}
		if len(r.History) < len(old.History) {
			return apperr.New(apperr.Conflict, "request.changed", apperr.Args{"number": r.Number})
		}
		_, err = s.txFrom(ctx).tx.ExecContext(ctx, `UPDATE request SET state = $1, renewed_by = $2, decided_at = $3, decided_by = $4, reason = $5, scope = $6,
			valid_until = $7, rule_id = $8, rule_name = $9, reminded = $10 WHERE id = $11`,
			string(r.State), r.RenewedBy, micros(r.DecidedAt), r.DecidedBy, storable(r.Reason), string(r.Reach), micros(r.ValidUntil), r.RuleID, storable(r.RuleName), r.Reminded, old.Row)
		if err != nil {
			return s.mapError("storing a request", err)
		}
		r.Row = old.Row
		return s.addRequestEvents(ctx, r, len(old.History))
	})
}

// Request implements request.Store.
func (s *Store) Request(ctx context.Context, number string) (request.Request, error) {
	list, err := rows(ctx, s.on(ctx), requestColumns+requestFrom+" WHERE r.number = $1", []any{number}, scanRequestAlone)
	if err != nil {
		return request.Request{}, s.mapError("reading a request", err)
	}
	if len(list) == 0 {
		return request.Request{}, apperr.New(apperr.NotFound, "request.unknown", apperr.Args{"number": number})
	}
	r := list[0]
	r.History, err = rows(ctx, s.on(ctx), "SELECT at, actor, kind, detail FROM request_event WHERE request_id = $1 ORDER BY position", []any{r.Row},
		func(rows *sql.Rows, e *request.Event) error {
			var at int64
			err := rows.Scan(&at, &e.Actor, &e.Kind, &e.Detail)
			e.At = fromMicros(at)
			return err
		})
	return r, s.mapError("reading a request", err)
}

const pendingStates = "r.state IN ('asked', 'manager-approved', 'purchasing-approved')"

func requestWhere(f request.Filter) where {
	var w where
	if f.Query != "" {
		w.add(`r.search LIKE ? ESCAPE '\'`, like(f.Query))
	}
	if f.State != "" {
		w.add("r.state = ?", string(f.State))
	}
	if f.Pending {
		w.add(pendingStates)
	}
	switch f.Awaits {
	case request.Manager:
		w.add("r.state = 'asked' AND r.needs_manager = 1")
		if f.Manager != "" {
			w.add("fold(r.area) IN (SELECT name_fold FROM area WHERE manager = ?)", strings.ToLower(f.Manager))
		}
	case request.Purchasing:
		w.add("r.needs_purchase = 1 AND (r.state = 'asked' AND r.needs_manager = 0 OR r.state = 'manager-approved')")
	case request.IT:
		w.add(pendingStates + " AND (r.needs_manager = 0 OR r.state <> 'asked') AND (r.needs_purchase = 0 OR r.state = 'purchasing-approved')")
	}
	if f.Person != "" {
		w.add("r.person = ?", strings.ToLower(f.Person))
	}
	if f.Finding != 0 {
		w.add("r.finding = ? AND r.finding > 0", f.Finding)
	}
	if !f.Ending.IsZero() {
		w.add("r.state = 'granted' AND r.valid_until > 0 AND r.valid_until < ?", micros(f.Ending))
	}
	visibleRequests(&w, f.Visible)
	return w
}

// visibleRequests keeps what somebody may see.
func visibleRequests(w *where, v *request.Visible) {
	if v == nil || v.All {
		return
	}
	var conds []string
	var args []any
	if v.Purchasing {
		conds = append(conds, "r.needs_purchase = 1")
	}
	if v.Manager != "" {
		conds, args = append(conds, "fold(r.area) IN (SELECT name_fold FROM area WHERE manager = ?)"), append(args, strings.ToLower(v.Manager))
	}
	if v.Person != "" {
		conds, args = append(conds, "r.person = ?", "r.asked_by = ?"), append(args, strings.ToLower(v.Person), strings.ToLower(v.Person))
	}
	if len(conds) == 0 {
		w.add(nobodys)
		return
	}
	w.add("("+strings.Join(conds, " OR ")+")", args...)
}

// RequestPage implements request.Store.
func (s *Store) RequestPage(ctx context.Context, f request.Filter, o paging.Order) (paging.Page[request.Request], error) {
	by := sorting{key: "r.id", numericKey: true}
	switch o.By {
	case "", "number":
		by.expr, by.number = "r.id", true
		o.Desc = o.Desc || o.By == ""
	case "program":
		by.expr = "lower(r.program)"
	case "person":
		by.expr = "lower(r.person_name)"
	case "asked":
		by.expr, by.number = "r.asked_at", true
	case "until":
		by.expr, by.number = "r.valid_until", true
	case "state":
		by.expr = "r.state"
	default:
		return paging.Page[request.Request]{}, paging.Unknown(o.By)
	}
	page, err := readPage(ctx, s.on(ctx), requestColumns, requestFrom, requestWhere(f), by, o, scanRequest)
	return page, s.mapError("listing requests", err)
}

// CountRequests implements request.Store.
func (s *Store) CountRequests(ctx context.Context, f request.Filter, most int) (int, error) {
	n, err := countRows(ctx, s.on(ctx), requestFrom, requestWhere(f), most)
	return n, s.mapError("counting requests", err)
}

// RequestsOfRules implements request.Store.
func (s *Store) RequestsOfRules(ctx context.Context, rules []string) (map[string]string, error) {
	out := make(map[string]string, len(rules))
	wanted := make(map[string]bool, len(rules))
	for _, id := range rules {
		wanted[id] = true
	}
	_, err := rows(ctx, s.on(ctx), "SELECT rule_id, number FROM request WHERE rule_id <> '' ORDER BY id", nil, func(r *sql.Rows, _ *struct{}) error {
		var id, number string
		err := r.Scan(&id, &number)
		if wanted[id] {
			out[id] = number
		}
		return err
	})
	return out, s.mapError("reading requests of rules", err)
}

// DueRequests implements request.Store: those that wait and whose day is over, and grants
// that end within the longest time ahead, without those whose last reminder was sent.
func (s *Store) DueRequests(ctx context.Context, now time.Time, most int) ([]request.Request, error) {
	list, err := rows(ctx, s.on(ctx), requestColumns+requestFrom+` WHERE `+pendingStates+` AND r.wanted_until > 0 AND r.wanted_until < $1
		UNION ALL `+requestColumns+requestFrom+` WHERE r.state = 'granted' AND r.valid_until > 0 AND (r.valid_until < $2 OR r.renewed_by = '' AND (
			r.reminded = 0 AND r.valid_until <= $3 OR r.reminded > 7 AND r.valid_until <= $4 OR r.reminded > 1 AND r.valid_until <= $5)) LIMIT $6`,
		[]any{micros(now), micros(now), micros(now.AddDate(0, 0, 30)), micros(now.AddDate(0, 0, 7)), micros(now.AddDate(0, 0, 1)), limit(most)}, scanRequestAlone)
	return list, s.mapError("reading requests that are due", err)
}

// CommonTitles returns the names of the titles that most machines have, each once, by name.
func (s *Store) CommonTitles(ctx context.Context, most int) ([]string, error) {
	list, err := column(ctx, s.on(ctx), "SELECT DISTINCT name FROM (SELECT name FROM title WHERE machines > 0 AND name <> '' ORDER BY machines DESC, id LIMIT $1) AS common ORDER BY name", limit(most))
	return list, s.mapError("listing titles", err)
}
