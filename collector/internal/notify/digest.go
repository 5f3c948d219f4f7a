package notify

import (
	"context"
	"fmt"
	"time"
)

// Delivery is how soon somebody is told.
type Delivery string

// The deliveries.
const (
	AtOnce Delivery = "at-once"
	Daily  Delivery = "daily"  // one message each working day
	Weekly Delivery = "weekly" // one message each Monday
)

// Deliveries lists them, from the soonest on.
func Deliveries() []Delivery { return []Delivery{AtOnce, Daily, Weekly} }

// Preference is how a reader wants to be told.
type Preference struct {
	Delivery  Delivery
	DigestAt  time.Duration  // after midnight
	Quiet     bool           // nothing comes from QuietFrom until QuietTo
	QuietFrom time.Duration  // after midnight
	QuietTo   time.Duration  // after midnight; before QuietFrom: of the next day
	Zone      *time.Location // of these; nil: UTC
}

// When is when a message of now is due, and whether it is part of a digest.
func (p Preference) When(now time.Time) (at time.Time, digest bool) {
	zone := p.Zone
	if zone == nil {
		zone = time.UTC
	}
	local := now.In(zone)
	clock := func(days int, d time.Duration) time.Time {
		y, m, day := local.Date()
		return time.Date(y, m, day+days, int(d/time.Hour), int(d%time.Hour/time.Minute), 0, 0, zone)
	}
	if p.Delivery == Daily || p.Delivery == Weekly {
		for days := 0; ; days++ {
			at := clock(days, p.DigestAt)
			wanted := at.Weekday() == time.Monday || p.Delivery == Daily && at.Weekday() != time.Saturday && at.Weekday() != time.Sunday
			if wanted && at.After(now) {
				return at.UTC(), true
			}
		}
	}
	if !p.Quiet || p.QuietFrom == p.QuietTo {
		return now, false
	}
	if p.QuietFrom < p.QuietTo {
		if from, to := clock(0, p.QuietFrom), clock(0, p.QuietTo); !now.Before(from) && now.Before(to) {
			return to.UTC(), false
		}
		return now, false
	}
	if to := clock(0, p.QuietTo); now.Before(to) { // since yesterday
		return to.UTC(), false
	}
	if !now.Before(clock(0, p.QuietFrom)) {
		return clock(1, p.QuietTo).UTC(), false
	}
	return now, false
}

// personal reports whether somebody waits for a message of this kind just now: it is
// sent at once whatever its reader prefers.
func (m *Message) personal() bool {
	switch m.Template {
	case Invitation, PasswordReset, SigninLink, TestMessage, Digest:
		return true
	}
	return m.Secret
}

// schedule sets when a message is sent, as its reader prefers.
func (q *Queuer) schedule(ctx context.Context, m Message, out *Mail) error {
	if q.Preference == nil || m.personal() {
		return nil
	}
	p, err := q.Preference(ctx, m.To)
	if err != nil {
		return err
	}
	out.NextAt, out.Digest = p.When(out.CreatedAt)
	if wait := out.NextAt.Sub(out.CreatedAt); wait > 0 && out.ExpiresAt.Sub(out.NextAt) < life && m.Expires.IsZero() {
		out.ExpiresAt = out.NextAt.Add(life)
	}
	if out.Digest && !out.ExpiresAt.After(out.NextAt) { // the digest would come too late
		out.NextAt, out.Digest = out.CreatedAt, false
	}
	return nil
}

// maxItems bounds how many messages one digest tells of; what is more waits for the
// next look.
const maxItems = 200

// Digests puts together every digest that is due.
func (q *Queuer) Digests(ctx context.Context) error {
	for {
		now := q.Now().UTC().Truncate(time.Microsecond)
		readers, err := q.Store.DigestReaders(ctx, now, 100)
		if err != nil || len(readers) == 0 {
			return err
		}
		for _, to := range readers {
			if err := q.InTx(ctx, func(ctx context.Context) error { return q.digest(ctx, to, now) }); err != nil {
				return fmt.Errorf("writing the digest of %s: %w", to, err)
			}
		}
	}
}

// digest queues one message that tells of what waits for a reader, and ends that.
func (q *Queuer) digest(ctx context.Context, to string, now time.Time) error {
	list, err := q.Store.TakeDigest(ctx, to, now, maxItems)
	if err != nil || len(list) == 0 {
		return err
	}
	company, err := q.Company(ctx)
	if err != nil {
		return err
	}
	last := list[len(list)-1]
	m := Message{Key: fmt.Sprintf("digest/%s/%d-%d", to, list[0].Row, last.Row), To: to, ToName: last.ToName, Lang: last.Lang, Template: Digest,
		Args: []any{"Count", len(list)}, Path: "/"}
	for _, x := range list {
		item := Item{Subject: x.Subject}
		if x.Path != "" && company.Console != "" {
			item.URL = company.Console + x.Path
		}
		m.Items = append(m.Items, item)
	}
	kept, err := q.Queue(ctx, m)
	for _, x := range list {
		if err != nil {
			return err
		}
		err = q.Store.MergeMail(ctx, x.Row, kept.Row)
	}
	return err
}
