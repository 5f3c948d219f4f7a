package web

import (
	"bytes"
	"encoding/json"
	"net/http"

	"vigia/collector/internal/access"
	"vigia/collector/internal/notify/webhook"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/web/form"
)

type webhookShowPage struct {
	Page
	Hook       webhook.Hook
	Crumbs     []headLink
	Language   string
	Saved      string
	Secret     string // in clear, this once
	May        bool
	Path       string
	Deliveries []webhook.Delivery
}

// webhookShow shows one hook with its latest deliveries.
func (c *console) webhookShow(w http.ResponseWriter, r *http.Request) error {
	h, err := c.hook(r)
	if err != nil {
		return err
	}
	p := webhookShowPage{Page: c.newPage(w, r, "administration"), Hook: h, Path: webhookPath(h.Row)}
	p.Title, p.May, p.Crumbs = h.Name, access.May(p.actor, access.ChangeSettings), p.crumbs("/webhooks", "admin.webhooks")
	if done := form.OneOf(r, "done", "saved", "tested"); done != "" {
		p.Saved = p.Word("webhook.done", done)
	}
	p.Secret = c.sessions.PopString(r.Context(), sessionHookSecret)
	if p.Language = p.T("webhook.language.company"); h.Lang != "" {
		p.Language = p.T("language." + h.Lang)
	}
	page, err := c.Webhooks.DeliveryPage(r.Context(), webhook.Filter{Hook: h.Row}, paging.Order{Limit: 10})
	if err != nil {
		return err
	}
	p.Deliveries = page.Rows
	return c.render(w, r, "webhook_show", p)
}

// DeliveryPath is the page of a delivery.
func (webhookShowPage) DeliveryPath(d webhook.Delivery) string { return deliveryPath(d.Row) }

// sessionHookSecret carries a new secret to the page that shows it, once.
const sessionHookSecret = "hook-secret"

func (c *console) hook(r *http.Request) (webhook.Hook, error) {
	row, err := number(r, "n", "webhook.unknown")
	if err != nil {
		return webhook.Hook{}, err
	}
	return c.Webhooks.Get(r.Context(), row)
}

// webhookTest queues a test event.
func (c *console) webhookTest(w http.ResponseWriter, r *http.Request) error {
	h, err := c.hook(r)
	if err != nil {
		return err
	}
	if _, err := c.Webhooks.Test(r.Context(), h.Row); err != nil {
		return err
	}
	return c.done(w, r, webhookPath(h.Row), "tested")
}

// webhookSecret draws the secret anew; the next page shows it.
func (c *console) webhookSecret(w http.ResponseWriter, r *http.Request) error {
	h, err := c.hook(r)
	if err != nil {
		return err
	}
	if h, err = c.Webhooks.Change(r.Context(), h, true); err != nil {
		return err
	}
	c.sessions.Put(r.Context(), sessionHookSecret, h.Secret)
	http.Redirect(w, r, webhookPath(h.Row), http.StatusSeeOther)
	return nil
}

type webhookDeletePage struct {
	Page
	Crumbs     []headLink
	Hook       webhook.Hook
	Path       string
	Deliveries int
}

// webhookDeleteForm says what will be lost.
func (c *console) webhookDeleteForm(w http.ResponseWriter, r *http.Request) error {
	h, err := c.hook(r)
	if err != nil {
		return err
	}
	p := webhookDeletePage{Page: c.newPage(w, r, "administration"), Hook: h, Path: webhookPath(h.Row)}
	p.Title = p.T("webhook.delete.title", "Name", h.Name)
	p.Crumbs = append(p.crumbs("/webhooks", "admin.webhooks"), headLink{URL: p.Path, Text: h.Name})
	if p.Deliveries, err = c.Webhooks.CountDeliveries(r.Context(), webhook.Filter{Hook: h.Row}, maxCount); err != nil {
		return err
	}
	return c.render(w, r, "webhook_delete", p)
}

// webhookDelete removes a hook.
func (c *console) webhookDelete(w http.ResponseWriter, r *http.Request) error {
	h, err := c.hook(r)
	if err != nil {
		return err
	}
	if err := c.Webhooks.Delete(r.Context(), h.Row); err != nil {
		return err
	}
	return c.done(w, r, "/webhooks", "deleted")
}

type deliveryShowPage struct {
	Page
	Crumbs   []headLink
	Delivery webhook.Delivery
	Hook     webhook.Hook
	HookPath string
	Body     string
	Replays  string // address of the delivery that this one repeats
	Replay   string // address of the form; "" where it cannot be
	Saved    string
}

// deliveryShow shows one delivery: what was sent, and what was answered.
func (c *console) deliveryShow(w http.ResponseWriter, r *http.Request) error {
	row, err := number(r, "n", "webhook.delivery-unknown")
	if err != nil {
		return err
	}
	p := deliveryShowPage{Page: c.newPage(w, r, "administration")}
	if p.Delivery, err = c.Webhooks.Delivery(r.Context(), row); err != nil {
		return err
	}
	if p.Hook, err = c.Webhooks.Get(r.Context(), p.Delivery.Hook); err != nil {
		return err
	}
	p.Title, p.HookPath = p.Delivery.Kind+" · "+p.Delivery.Object, webhookPath(p.Hook.Row)
	p.Crumbs = append(p.crumbs("/webhooks", "admin.webhooks"), headLink{URL: "/deliveries", Text: p.T("webhook.deliveries")})
	if done := form.OneOf(r, "done", "replayed"); done != "" {
		p.Saved = p.Word("webhook.done", done)
	}
	if p.Delivery.State != webhook.Waiting && access.May(p.actor, access.ChangeSettings) {
		p.Replay = deliveryPath(row) + "/replay"
	}
	if p.Delivery.Replays > 0 {
		p.Replays = deliveryPath(p.Delivery.Replays)
	}
	p.Body = p.Delivery.Body
	var b bytes.Buffer
	if json.Indent(&b, []byte(p.Body), "", "  ") == nil {
		p.Body = b.String()
	}
	return c.render(w, r, "webhook_delivery", p)
}

// deliveryReplay sends it once more.
func (c *console) deliveryReplay(w http.ResponseWriter, r *http.Request) error {
	row, err := number(r, "n", "webhook.delivery-unknown")
	if err != nil {
		return err
	}
	d, err := c.Webhooks.Replay(r.Context(), row)
	if err != nil {
		return err
	}
	return c.done(w, r, deliveryPath(d.Row), "replayed")
}
