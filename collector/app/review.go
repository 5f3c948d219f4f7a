package app

import (
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/review"
)

// reviews is the use-case of those who review findings, over the rules of the console.
func (d *desk) reviews(rules *allowlist.Service) *review.Service {
	return review.New(review.Config{Store: d.store, Rules: rules, Records: d.newIngester("review " + newID()), Audit: d.store, Now: d.now})
}
