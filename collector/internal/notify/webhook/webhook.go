// Package webhook owns what other systems are told by HTTP: which address hears of
// which events, the signed requests, trying again, and the log of deliveries with their
// replay. It refuses to decide what happened: triggers of the database write each event
// into the outbox in the transaction that causes it, so that no use-case can forget to.
//
// Requests follow the Standard Webhooks specification (standardwebhooks.com, 1.0): the
// headers webhook-id, webhook-timestamp and webhook-signature, HMAC-SHA256 under a
// secret that is shown once. Delivery is at least once: the id of an event stays the
// same through every try and replay, so a receiver can tell.
package webhook

import (
	"context"
	"path"
	"time"

	"vigia/collector/internal/paging"
)

// Format is how an event is put.
type Format string

// The formats.
const (
	EventJSON Format = "event" // {"id", "type", "timestamp", "object", "actor", "detail", "text", "url"}
	ChatJSON  Format = "chat"  // {"text"}: what incoming webhooks of chat systems take
)

// Hook is one address that is told of events.
type Hook struct {
	Row       int64
	Name      string
	URL       string
	Secret    string // sealed; in what Create returns: in clear, once
	Format    Format
	Kinds     []string // patterns such as "nonconformity.*"
	Lang      string   // of the text
	Active    bool
	CreatedAt time.Time
	CreatedBy string // actor.Actor.String()
}

// Wants reports whether the hook is told of events of a kind.
func (h Hook) Wants(kind string) bool {
	for _, k := range h.Kinds {
		if ok, err := path.Match(k, kind); ok && err == nil {
			return true
		}
	}
	return false
}

// Event is something that happened.
type Event struct {
	At     time.Time
	Kind   string // "nonconformity.opened", "finding.opened", "token.create" …
	Object string // "NC-2026-0001", "finding/7", "token/3"
	Actor  string
	Detail string
}

// State is what became of a delivery.
type State string

// The states.
const (
	Waiting   State = "waiting"   // to be sent, or to be tried again
	Delivered State = "delivered" // the receiver answered 2xx
	Failed    State = "failed"    // given up; can be replayed
)

// States lists every state, in the order in which they are offered.
func States() []State { return []State{Waiting, Failed, Delivered} }

// Delivery is one event on its way to one hook.
type Delivery struct {
	Row       int64
	Hook      int64
	HookName  string // in lists
	UUID      string // the event's, through every try and replay
	Kind      string
	Object    string
	Body      string
	Replays   int64 // row of the delivery that this one repeats; 0: none
	State     State
	Attempts  int
	CreatedAt time.Time
	NextAt    time.Time
	EndedAt   time.Time
	Status    int    // of the last answer; 0: there was none
	Problem   string // of the last try
}

// Filter narrows a list of deliveries, newest first. Zero means "any".
type Filter struct {
	Hook  int64
	State State
	Query string // part of an object or a kind
}

// Result is how one try ended.
type Result struct {
	State   State
	NextAt  time.Time
	At      time.Time // when it ended for good; zero while Waiting
	Status  int
	Problem string
}

// Store keeps hooks, the outbox and deliveries. Its writes join the transaction in ctx.
type Store interface {
	Hooks(ctx context.Context) ([]Hook, error)
	Hook(ctx context.Context, row int64) (Hook, error)          // NotFound "webhook.unknown"
	CreateHook(ctx context.Context, h Hook) (Hook, error)       // Conflict "webhook.name-taken"
	ChangeHook(ctx context.Context, h Hook) error               // NotFound, Conflict as above
	DeleteHook(ctx context.Context, row int64) error            // with its deliveries; NotFound
	TakeEvents(ctx context.Context, limit int) ([]Event, error) // removes them: in one transaction with their deliveries
	CreateDelivery(ctx context.Context, d Delivery) (Delivery, error)
	Delivery(ctx context.Context, row int64) (Delivery, error) // NotFound "webhook.delivery-unknown"
	DeliveryPage(ctx context.Context, f Filter, o paging.Order) (paging.Page[Delivery], error)
	CountDeliveries(ctx context.Context, f Filter, most int) (int, error)
	// ClaimDeliveries takes due deliveries of active hooks that nobody holds.
	ClaimDeliveries(ctx context.Context, holder string, now, until time.Time, limit int) ([]Delivery, error)
	// FinishDelivery writes down a try; false when holder lost it meanwhile.
	FinishDelivery(ctx context.Context, row int64, holder string, r Result) (bool, error)
	ReleaseDeliveries(ctx context.Context, holder string) error
	PruneDeliveries(ctx context.Context, before time.Time, limit int) (int, error)
}
