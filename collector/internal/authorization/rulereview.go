package authorization

import (
	"context"
	"time"
)

// ReviewEvery is how long a rule may stand without anybody saying that it is still needed:
// half a year (CIS Controls v8, 2.1).
const ReviewEvery = 182 * 24 * time.Hour

// RuleReview is when a rule was made and when it was looked at last.
type RuleReview struct {
	RuleID     string
	MadeAt     time.Time
	MadeBy     string // actor.Actor.String()
	ReviewedAt time.Time
	ReviewedBy string // actor.Actor.String()
	Note       string
	Due        time.Time
}

// ReviewStore keeps reviews. Writes join the transaction in ctx.
type ReviewStore interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	RuleReviews(ctx context.Context) (map[string]RuleReview, error) // by the rule's id
	SaveRuleReview(ctx context.Context, r RuleReview) error
	// ReviewedUpTo returns the newest version of the allowlist whose rules are known, under
	// a lock where ctx carries a transaction.
	ReviewedUpTo(ctx context.Context) (int64, error)
	SetReviewedUpTo(ctx context.Context, version int64) error
}
