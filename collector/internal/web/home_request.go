package web

import (
	"context"

	"vigia/collector/internal/access"
	"vigia/collector/internal/authorization/promise"
	"vigia/collector/internal/authorization/request"
)

// requestCounts are what of requests and questions waits for the reader's own hand.
func (c *console) requestCounts(ctx context.Context, p *homePage) ([]count, error) {
	var list []count
	add := func(n int, key, url string) {
		if n > 0 {
			list = append(list, count{N: p.Number(int64(n)), Text: p.N(key, n), URL: url, Due: true})
		}
	}
	if access.May(p.actor, access.DecideRequests) {
		n, err := c.Requests.Count(ctx, c.Requests.Tray(ctx), maxCount)
		if err != nil {
			return nil, err
		}
		add(n, "count.requests.tray", requestsPath+"?tray=me")
	}
	if !access.May(p.actor, access.SeeRequests) {
		return list, nil
	}
	_, questions, err := c.Requests.List(ctx, promise.Filter{Person: p.actor.ID, Limit: myRows})
	if err != nil {
		return nil, err
	}
	waiting := 0
	for i := range questions {
		if questions[i].Waiting(p.Now) {
			waiting++
		}
	}
	add(waiting, "count.questions", "/my")
	ending, err := c.Requests.Count(ctx, request.Filter{Person: p.actor.ID, Ending: p.Now.AddDate(0, 0, request.Ahead()[0])}, maxCount)
	if err != nil {
		return nil, err
	}
	add(ending, "count.requests.ending", requestsPath+"?tray=ending")
	return list, nil
}
