package web_test

import (
	"context"

	"vigia/collector/internal/notify/inbox"
	"vigia/collector/internal/paging"
)

// fakeInbox has one letter of every outcome.
type fakeInbox struct{ f *fake }

func (x fakeInbox) ReceivedPage(_ context.Context, f inbox.Filter, o paging.Order) (paging.Page[inbox.Received], error) {
	var list []inbox.Received
	for i, outcome := range inbox.Outcomes() {
		if !x.f.empty && (f.Outcome == "" || f.Outcome == outcome) {
			list = append(list, inbox.Received{Row: int64(i + 1), From: "marta@example.com", Subject: "Re: " + markup, At: ago(day), Outcome: outcome, Object: "NC-2026-0001", Problem: markup})
		}
	}
	return pageOf(list, o, x.f.broken)
}

func (x fakeInbox) ReceivedCount(ctx context.Context, f inbox.Filter, _ int) (int, error) {
	page, err := x.ReceivedPage(ctx, f, paging.Order{})
	return len(page.Rows), err
}
