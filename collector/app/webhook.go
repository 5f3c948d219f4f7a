package app

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"vigia/collector/internal/locale"
	"vigia/collector/internal/notify/webhook"
)

// webhookTick is how often the outbox is looked at.
const webhookTick = time.Second

// webhooks is the use-case of other systems that are told of events.
func (d *desk) webhooks() *webhook.Service {
	return webhook.New(webhook.Deps{InTx: d.store.InTx, Store: d.store, Audit: d.store, Say: d.sayEvent, Now: d.now, NewID: newID,
		Sealer: func(create bool) (webhook.Sealer, error) { return secretKey(d.dataDir, create) }})
}

// newWebhookRunner tells hooks of events, as the collector called name.
func (d *desk) newWebhookRunner(name string) *webhook.Runner {
	return &webhook.Runner{Service: d.webhooks(), Name: name, Log: d.log, Random: rand.Float64, Tick: webhookTick}
}

// sayEvent puts an event into a sentence of lang, with the address where it is shown.
func (d *desk) sayEvent(ctx context.Context, lang string, e webhook.Event) (text, link string) {
	company, err := d.company(ctx)
	if err != nil {
		d.log.WarnContext(ctx, "an event is told without its address", "err", err)
	}
	if lang != locale.Spanish && lang != locale.English {
		lang = company.Language
	}
	p := d.mail.Texts.For(lang, company.Zone)
	key := "webhook.event." + e.Kind
	args := []any{"Kind", e.Kind, "Object", e.Object, "Actor", e.Actor, "At", e.At}
	switch group, rest, _ := strings.Cut(e.Kind, "."); {
	case d.mail.Texts.Has(p.Lang, key):
		text = p.T(key, args...)
	case group == "nonconformity" && d.mail.Texts.Has(p.Lang, "nc.event."+rest):
		text = e.Object + ": " + p.T("nc.event."+rest)
	default:
		text = p.T("webhook.event.other", args...)
	}
	if company.Console != "" {
		if path := eventPath(e.Object); path != "" {
			link = company.Console + path
		}
	}
	return text, link
}

// eventPath is the page of an object, where it has one of its own.
func eventPath(object string) string {
	kind, id, _ := strings.Cut(object, "/")
	switch {
	case strings.HasPrefix(object, "NC-"):
		return "/nonconformities/" + object
	case kind == "finding", kind == "webhook":
		return "/" + kind + "s/" + id
	case kind == "machine" && len(id) == 36:
		return "/machines/" + id
	}
	return ""
}
