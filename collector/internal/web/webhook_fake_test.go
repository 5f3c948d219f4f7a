package web_test

import (
	"context"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/notify/webhook"
	"vigia/collector/internal/paging"
)

// fakeWebhooks has one address for each format, with a delivery in every state.
type fakeWebhooks struct{ f *fake }

func (w fakeWebhooks) List(context.Context) ([]webhook.Hook, error) {
	if w.f.empty {
		return nil, w.f.broken
	}
	return []webhook.Hook{
		{Row: 1, Name: "Tickets " + markup, URL: "https://tickets.example.com/hooks/vigia", Format: webhook.EventJSON, Kinds: []string{"nonconformity.*", "token.*"}, Active: true, CreatedAt: ago(day), CreatedBy: "person:sofia@example.com"},
		{Row: 2, Name: "Chat", URL: "https://chat.example.com/hooks/1", Format: webhook.ChatJSON, Kinds: []string{"finding.opened"}, Lang: "en", CreatedAt: ago(day), CreatedBy: "cli:root"},
	}, w.f.broken
}

func (w fakeWebhooks) Get(ctx context.Context, row int64) (webhook.Hook, error) {
	list, err := w.List(ctx)
	if row > int64(len(list)) {
		return webhook.Hook{}, apperr.New(apperr.NotFound, "webhook.unknown", nil)
	}
	return list[row-1], err
}

func (w fakeWebhooks) Create(_ context.Context, h webhook.Hook) (webhook.Hook, error) {
	h, err := webhook.Check(h)
	h.Row, h.Secret = 1, "whsec_muestra"
	return h, err
}

func (w fakeWebhooks) Change(_ context.Context, h webhook.Hook, renew bool) (webhook.Hook, error) {
	h, err := webhook.Check(h)
	if renew {
		h.Secret = "whsec_renovado"
	}
	return h, err
}

func (w fakeWebhooks) Delete(context.Context, int64) error { return w.f.broken }

func (w fakeWebhooks) Test(context.Context, int64) (webhook.Delivery, error) {
	return w.all()[0], w.f.broken
}

func (w fakeWebhooks) Replay(context.Context, int64) (webhook.Delivery, error) {
	return w.all()[0], w.f.broken
}

func (w fakeWebhooks) all() []webhook.Delivery {
	return []webhook.Delivery{
		{Row: 1, Hook: 1, HookName: "Tickets", UUID: "0193-1", Kind: "nonconformity.opened", Object: "NC-2026-0001", Body: `{"text":"` + "NC" + `"}`, State: webhook.Waiting, Attempts: 2, Status: 503, Problem: "503 Service Unavailable: " + markup, CreatedAt: ago(day), NextAt: now},
		{Row: 2, Hook: 1, HookName: "Tickets", UUID: "0193-2", Kind: "token.create", Object: "token/1", Body: `{"text":"x"}`, State: webhook.Delivered, Attempts: 1, Status: 200, CreatedAt: ago(day), EndedAt: ago(day)},
		{Row: 3, Hook: 2, HookName: "Chat", UUID: "0193-3", Kind: "finding.opened", Object: "finding/7", Body: `{"text":"x"}`, Replays: 2, State: webhook.Failed, Attempts: 16, Status: 410, Problem: "410 Gone: ", CreatedAt: ago(day), EndedAt: now},
	}
}

func (w fakeWebhooks) Delivery(_ context.Context, row int64) (webhook.Delivery, error) {
	if row > 3 {
		return webhook.Delivery{}, apperr.New(apperr.NotFound, "webhook.delivery-unknown", nil)
	}
	return w.all()[row-1], w.f.broken
}

func (w fakeWebhooks) DeliveryPage(_ context.Context, f webhook.Filter, o paging.Order) (paging.Page[webhook.Delivery], error) {
	var list []webhook.Delivery
	for _, d := range w.all() {
		if !w.f.empty && (f.State == "" || d.State == f.State) && (f.Hook == 0 || d.Hook == f.Hook) {
			list = append(list, d)
		}
	}
	return pageOf(list, o, w.f.broken)
}

func (w fakeWebhooks) CountDeliveries(ctx context.Context, f webhook.Filter, _ int) (int, error) {
	page, err := w.DeliveryPage(ctx, f, paging.Order{})
	return len(page.Rows), err
}
