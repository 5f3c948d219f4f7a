package web

import (
	"context"
	"net/http"
	"time"

	"vigia/collector/internal/notify"
)

// Wishes is what pages ask about how people are told; notify.Wishes has it.
type Wishes interface {
	Wish(ctx context.Context) (notify.Wish, error)
	Choose(ctx context.Context, w notify.Wish) error
}

// accountNotices keeps how the person wants to be told by mail.
func (c *console) accountNotices(w http.ResponseWriter, r *http.Request) error {
	if _, err := oneself(r); err != nil {
		return err
	}
	wish := notify.Wish{Delivery: notify.Delivery(posted(r, "delivery", 20)), Quiet: r.PostFormValue("quiet") == "yes",
		QuietFrom: clockOf(posted(r, "quiet_from", 5)), QuietTo: clockOf(posted(r, "quiet_to", 5))}
	if err := c.Wishes.Choose(r.Context(), wish); err != nil {
		return err
	}
	return c.done(w, r, "/account", "notices")
}

// clockOf is a time of the day after midnight; negative where it is none.
func clockOf(text string) time.Duration {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return -1
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}

// Deliveries is for the template.
func (accountPage) Deliveries() []notify.Delivery { return notify.Deliveries() }

// QuietFrom and QuietTo are for the template: what was chosen, else an evening and a
// morning to begin with.
func (p accountPage) QuietFrom() string { return quietText(p.Wish, p.Wish.QuietFrom, "21:00") }
func (p accountPage) QuietTo() string   { return quietText(p.Wish, p.Wish.QuietTo, "07:00") }

func quietText(w notify.Wish, d time.Duration, none string) string {
	if w.QuietFrom == w.QuietTo {
		return none
	}
	return time.Time{}.Add(d).Format("15:04")
}
