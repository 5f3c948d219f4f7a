package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/notify/webhook"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store/internal/db"
)

var _ webhook.Store = (*Store)(nil)

func toHook(v db.Webhook) webhook.Hook {
	return webhook.Hook{Row: v.ID, Name: v.Name, URL: v.Url, Secret: v.Secret, Format: webhook.Format(v.Format), Kinds: strings.Split(v.Kinds, "\n"),
		Lang: v.Lang, Active: v.Active != 0, CreatedAt: fromMicros(v.CreatedAt), CreatedBy: v.CreatedBy}
}

func toDelivery(v db.WebhookDelivery) webhook.Delivery {
	return webhook.Delivery{Row: v.ID, Hook: v.WebhookID, UUID: v.Uuid, Kind: v.Kind, Object: v.Object, Body: v.Body, Replays: v.Replays,
		State: webhook.State(v.State), Attempts: int(v.Attempts), CreatedAt: fromMicros(v.CreatedAt), NextAt: fromMicros(v.NextAt),
		EndedAt: fromMicros(v.EndedAt), Status: int(v.Status), Problem: v.Problem}
}

func toDeliveries(list []db.WebhookDelivery) (out []webhook.Delivery) {
	for _, v := range list {
		out = append(out, toDelivery(v))
	}
	return out
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Hooks implements webhook.Store.
func (s *Store) Hooks(ctx context.Context) (out []webhook.Hook, err error) {
	err = s.read(ctx, "listing webhooks", func(q *db.Queries) error {
		list, err := q.Webhooks(ctx)
		for _, v := range list {
			out = append(out, toHook(v))
		}
		return err
	})
	return out, err
}

// Hook implements webhook.Store.
func (s *Store) Hook(ctx context.Context, row int64) (h webhook.Hook, err error) {
	err = s.read(ctx, "reading a webhook", func(q *db.Queries) error {
		v, err := q.WebhookByID(ctx, row)
		h = toHook(v)
		return unknown(err, "webhook.unknown", apperr.Args{"webhook": row})
	})
	return h, err
}

// CreateHook implements webhook.Store.
func (s *Store) CreateHook(ctx context.Context, h webhook.Hook) (webhook.Hook, error) {
	err := s.write(ctx, "keeping a webhook", func(ctx context.Context, q *db.Queries) (err error) {
		if err := hookNameFree(ctx, q, h); err != nil {
			return err
		}
		h.Row, err = q.InsertWebhook(ctx, db.InsertWebhookParams{Name: h.Name, NameFold: Fold(h.Name), Url: h.URL, Secret: h.Secret, Format: string(h.Format),
			Kinds: strings.Join(h.Kinds, "\n"), Lang: h.Lang, Active: number(h.Active), CreatedAt: micros(h.CreatedAt), CreatedBy: storable(h.CreatedBy)})
		return err
	})
	return h, err
}

// hookNameFree is Conflict "webhook.name-taken" where another hook has the name.
func hookNameFree(ctx context.Context, q *db.Queries, h webhook.Hook) error {
	list, err := q.Webhooks(ctx)
	if slices.ContainsFunc(list, func(v db.Webhook) bool { return v.ID != h.Row && v.NameFold == Fold(h.Name) }) {
		return apperr.New(apperr.Conflict, "webhook.name-taken", apperr.Args{"field": "name", "value": h.Name})
	}
	return err
}

// ChangeHook implements webhook.Store.
func (s *Store) ChangeHook(ctx context.Context, h webhook.Hook) error {
	return s.write(ctx, "changing a webhook", func(ctx context.Context, q *db.Queries) error {
		if err := hookNameFree(ctx, q, h); err != nil {
			return err
		}
		n, err := q.UpdateWebhook(ctx, db.UpdateWebhookParams{Name: h.Name, NameFold: Fold(h.Name), Url: h.URL, Secret: h.Secret, Format: string(h.Format),
			Kinds: strings.Join(h.Kinds, "\n"), Lang: h.Lang, Active: number(h.Active), ID: h.Row})
		return noHook(n, err, h.Row)
	})
}

// DeleteHook implements webhook.Store.
func (s *Store) DeleteHook(ctx context.Context, row int64) error {
	return s.write(ctx, "removing a webhook", func(ctx context.Context, q *db.Queries) error {
		if _, err := q.DeleteWebhookDeliveries(ctx, row); err != nil {
			return err
		}
		n, err := q.DeleteWebhook(ctx, row)
		return noHook(n, err, row)
	})
}

func noHook(n int64, err error, row int64) error {
	if err == nil && n == 0 {
		return apperr.New(apperr.NotFound, "webhook.unknown", apperr.Args{"webhook": row})
	}
	return err
}

// TakeEvents implements webhook.Store.
func (s *Store) TakeEvents(ctx context.Context, max int) (out []webhook.Event, err error) {
	some, err := column(ctx, s.on(ctx), "SELECT '1' FROM outbox LIMIT 1")
	if err != nil || len(some) == 0 { // most looks end here and write nothing
		return nil, s.mapError("looking for events", err)
	}
	err = s.write(ctx, "taking events", func(ctx context.Context, q *db.Queries) error {
		list, err := q.TakeOutbox(ctx, int32(limit(max)))
		slices.SortFunc(list, func(a, b db.Outbox) int { return int(a.ID - b.ID) })
		for _, v := range list {
			out = append(out, webhook.Event{At: fromMicros(v.At), Kind: v.Kind, Object: v.Object, Actor: v.Actor, Detail: v.Detail})
		}
		return err
	})
	return out, err
}

// CreateDelivery implements webhook.Store.
func (s *Store) CreateDelivery(ctx context.Context, d webhook.Delivery) (webhook.Delivery, error) {
	err := s.write(ctx, "keeping a delivery", func(ctx context.Context, q *db.Queries) (err error) {
		d.Row, err = q.InsertDelivery(ctx, db.InsertDeliveryParams{WebhookID: d.Hook, Uuid: d.UUID, Kind: d.Kind, Object: d.Object, Body: d.Body, Replays: d.Replays,
			CreatedAt: micros(d.CreatedAt), NextAt: micros(d.NextAt)})
		return err
	})
	return d, err
}

// Delivery implements webhook.Store.
func (s *Store) Delivery(ctx context.Context, row int64) (d webhook.Delivery, err error) {
	err = s.read(ctx, "reading a delivery", func(q *db.Queries) error {
		v, err := q.DeliveryByID(ctx, row)
		d = toDelivery(v)
		return unknown(err, "webhook.delivery-unknown", apperr.Args{"delivery": row})
	})
	return d, err
}

// ClaimDeliveries implements webhook.Store.
func (s *Store) ClaimDeliveries(ctx context.Context, holder string, now, until time.Time, max int) (out []webhook.Delivery, err error) {
	due, err := column(ctx, s.on(ctx), `SELECT '1' FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id
		WHERE d.state = 'waiting' AND d.next_at <= $1 AND d.held_until <= $1 AND w.active = 1 LIMIT 1`, micros(now))
	if err != nil || len(due) == 0 { // most looks end here and write nothing
		return nil, s.mapError("looking for deliveries", err)
	}
	err = s.write(ctx, "taking deliveries", func(ctx context.Context, q *db.Queries) error {
		list, err := q.ClaimDeliveries(ctx, db.ClaimDeliveriesParams{HeldBy: holder, HeldUntil: micros(until), NextAt: micros(now), Limit: int32(limit(max))})
		slices.SortFunc(list, func(a, b db.WebhookDelivery) int { return int(a.ID - b.ID) })
		out = toDeliveries(list)
		return err
	})
	return out, err
}

// FinishDelivery implements webhook.Store.
func (s *Store) FinishDelivery(ctx context.Context, row int64, holder string, r webhook.Result) (mine bool, err error) {
	err = s.write(ctx, "noting what became of a delivery", func(ctx context.Context, q *db.Queries) error {
		n, err := q.FinishDelivery(ctx, db.FinishDeliveryParams{State: string(r.State), NextAt: micros(r.NextAt), EndedAt: micros(r.At), Status: int64(r.Status),
			Problem: storable(r.Problem), ID: row, HeldBy: holder})
		mine = n == 1
		return err
	})
	return mine, err
}

// ReleaseDeliveries implements webhook.Store.
func (s *Store) ReleaseDeliveries(ctx context.Context, holder string) error {
	return s.write(ctx, "letting go of deliveries", func(ctx context.Context, q *db.Queries) error { return q.ReleaseDeliveries(ctx, holder) })
}

// PruneDeliveries implements webhook.Store.
func (s *Store) PruneDeliveries(ctx context.Context, before time.Time, max int) (n int, err error) {
	err = s.write(ctx, "forgetting deliveries", func(ctx context.Context, q *db.Queries) error {
		gone, err := q.PruneDeliveries(ctx, db.PruneDeliveriesParams{EndedAt: micros(before), Limit: int32(limit(max))})
		n = int(gone)
		return err
	})
	return n, err
}

const deliveryFrom = " FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id"

func deliveryWhere(f webhook.Filter) where {
	var w where
	if f.Hook > 0 {
		w.add("d.webhook_id = ?", f.Hook)
	}
	if f.State != "" {
		w.add("d.state = ?", string(f.State))
	}
	if f.Query != "" {
		w.add(`fold(d.kind || ' ' || d.object) LIKE ? ESCAPE '\'`, like(f.Query))
	}
	return w
}

// DeliveryPage implements webhook.Store.
func (s *Store) DeliveryPage(ctx context.Context, f webhook.Filter, o paging.Order) (paging.Page[webhook.Delivery], error) {
	if o.By != "" && o.By != "created" {
		return paging.Page[webhook.Delivery]{}, paging.Unknown(o.By)
	}
	if o.By == "" {
		o.Desc = true
	}
	by := sorting{expr: "d.id", key: "d.id", number: true, numericKey: true}
	columns := "SELECT d.id, d.webhook_id, d.uuid, d.kind, d.object, d.body, d.replays, d.state, d.attempts, d.created_at, d.next_at, d.ended_at, d.status, d.problem, w.name"
	page, err := readPage(ctx, s.on(ctx), columns, deliveryFrom, deliveryWhere(f), by, o, func(r *sql.Rows, d *webhook.Delivery, more ...any) error {
		var v db.WebhookDelivery
		var name string
		err := r.Scan(append([]any{&v.ID, &v.WebhookID, &v.Uuid, &v.Kind, &v.Object, &v.Body, &v.Replays, &v.State, &v.Attempts, &v.CreatedAt, &v.NextAt, &v.EndedAt, &v.Status, &v.Problem, &name}, more...)...)
		*d = toDelivery(v)
		d.HookName = name
		return err
	})
	return page, s.mapError("listing deliveries", err)
}

// CountDeliveries implements webhook.Store.
func (s *Store) CountDeliveries(ctx context.Context, f webhook.Filter, most int) (int, error) {
	n, err := countRows(ctx, s.on(ctx), deliveryFrom, deliveryWhere(f), most)
	return n, s.mapError("counting deliveries", err)
}
