package webhook

import (
	"context"
	"encoding/json"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/paging"
)

// payload is the body of EventJSON.
type payload struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	At     string `json:"timestamp"` // RFC 3339, UTC
	Object string `json:"object"`
	Actor  string `json:"actor"`
	Detail string `json:"detail,omitempty"`
	Text   string `json:"text"`
	URL    string `json:"url,omitempty"`
}

// write puts an event into the words of a hook.
func (s *Service) write(ctx context.Context, h Hook, id string, e Event) (Delivery, error) {
	text, link := s.Say(ctx, h.Lang, e)
	var body any = payload{id, e.Kind, e.At.UTC().Format(time.RFC3339Nano), e.Object, e.Actor, e.Detail, text, link}
	if h.Format == ChatJSON {
		if link != "" {
			text += "\n" + link
		}
		body = map[string]string{"text": text}
	}
	b, err := json.Marshal(body)
	now := s.Now().UTC().Truncate(time.Microsecond)
	return Delivery{Hook: h.Row, UUID: id, Kind: e.Kind, Object: e.Object, Body: string(b), State: Waiting, CreatedAt: now, NextAt: now}, err
}

// FanOut turns up to limit events of the outbox into deliveries, and returns how many
// events it took. Each event is taken by one collector.
func (s *Service) FanOut(ctx context.Context, limit int) (int, error) {
	n := 0
	err := s.InTx(ctx, func(ctx context.Context) error {
		hooks, err := s.Store.Hooks(ctx)
		if err != nil {
			return err
		}
		events, err := s.Store.TakeEvents(ctx, limit)
		if err != nil {
			return err
		}
		n = len(events)
		for _, e := range events {
			id := s.NewID()
			for _, h := range hooks {
				if !h.Active || !h.Wants(e.Kind) {
					continue
				}
				d, err := s.write(ctx, h, id, e)
				if err != nil {
					return err
				}
				if _, err := s.Store.CreateDelivery(ctx, d); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return n, err
}

// Test queues an event of the kind "test" for one hook.
func (s *Service) Test(ctx context.Context, row int64) (Delivery, error) {
	if err := need(ctx, access.ChangeSettings); err != nil {
		return Delivery{}, err
	}
	h, err := s.Store.Hook(ctx, row)
	if err != nil {
		return Delivery{}, err
	}
	if !h.Active {
		return Delivery{}, apperr.New(apperr.Conflict, "webhook.inactive", apperr.Args{"name": h.Name})
	}
	d, err := s.write(ctx, h, s.NewID(), Event{At: s.Now(), Kind: "test", Object: "webhook", Actor: actor.From(ctx).String()})
	if err != nil {
		return d, err
	}
	return s.Store.CreateDelivery(ctx, d)
}

// Replay queues a delivery once more, with the id and the body that it had.
func (s *Service) Replay(ctx context.Context, row int64) (Delivery, error) {
	if err := need(ctx, access.ChangeSettings); err != nil {
		return Delivery{}, err
	}
	var d Delivery
	err := s.InTx(ctx, func(ctx context.Context) error {
		old, err := s.Store.Delivery(ctx, row)
		if err != nil {
			return err
		}
		if old.State == Waiting {
			return apperr.New(apperr.Conflict, "webhook.still-waiting", apperr.Args{"delivery": row})
		}
		now := s.Now().UTC().Truncate(time.Microsecond)
		d, err = s.Store.CreateDelivery(ctx, Delivery{Hook: old.Hook, UUID: old.UUID, Kind: old.Kind, Object: old.Object, Body: old.Body, Replays: old.Row, State: Waiting, CreatedAt: now, NextAt: now})
		return err
	})
	return d, err
}

// Delivery returns one delivery. NotFound "webhook.delivery-unknown".
func (s *Service) Delivery(ctx context.Context, row int64) (Delivery, error) {
	if err := need(ctx, access.SeeSettings); err != nil {
		return Delivery{}, err
	}
	return s.Store.Delivery(ctx, row)
}

// DeliveryPage returns a page of deliveries. Columns to sort by: "created".
func (s *Service) DeliveryPage(ctx context.Context, f Filter, o paging.Order) (paging.Page[Delivery], error) {
	if err := need(ctx, access.SeeSettings); err != nil {
		return paging.Page[Delivery]{}, err
	}
	return s.Store.DeliveryPage(ctx, f, o)
}

// CountDeliveries counts them, at most most.
func (s *Service) CountDeliveries(ctx context.Context, f Filter, most int) (int, error) {
	if err := need(ctx, access.SeeSettings); err != nil {
		return 0, err
	}
	return s.Store.CountDeliveries(ctx, f, most)
}
