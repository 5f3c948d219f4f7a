package notify

import (
	"context"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

// Wish is what somebody chose of how to be told; the zero value leaves everything as
// their role is told.
type Wish struct {
	Delivery  Delivery // "": as the role
	Quiet     bool
	QuietFrom time.Duration // after midnight, whole minutes below 24 h
	QuietTo   time.Duration
}

// WishStore keeps wishes.
type WishStore interface {
	Wish(ctx context.Context, person string) (Wish, error) // the zero value where nothing was chosen
	PutWish(ctx context.Context, person string, w Wish) error
}

// Wishes lets people choose how they are told: each their own.
type Wishes struct{ Store WishStore }

// Wish returns what the actor chose.
func (s Wishes) Wish(ctx context.Context) (Wish, error) {
	a := actor.From(ctx)
	if a.Kind != actor.Person {
		return Wish{}, nil
	}
	return s.Store.Wish(ctx, strings.ToLower(a.ID))
}

// Choose keeps w for the actor. Invalid with Args["field"] "delivery", "quiet_from" or
// "quiet_to".
func (s Wishes) Choose(ctx context.Context, w Wish) error {
	a := actor.From(ctx)
	if a.Kind != actor.Person {
		return apperr.New(apperr.Forbidden, "mail.wish.nobody", nil)
	}
	if w.Delivery != "" && w.Delivery != AtOnce && w.Delivery != Daily && w.Delivery != Weekly {
		return apperr.New(apperr.Invalid, "mail.wish.choice", apperr.Args{"field": "delivery", "value": string(w.Delivery)})
	}
	for field, d := range map[string]time.Duration{"quiet_from": w.QuietFrom, "quiet_to": w.QuietTo} {
		if d < 0 || d >= 24*time.Hour || d%time.Minute != 0 {
			return apperr.New(apperr.Invalid, "mail.wish.clock", apperr.Args{"field": field, "value": d.String()})
		}
	}
	return s.Store.PutWish(ctx, strings.ToLower(a.ID), w)
}
