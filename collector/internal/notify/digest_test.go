package notify_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"vigia/collector/internal/notify"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

func hours(h, m int) time.Duration {
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
}

// TestWhen goes through preferences in Mexico City, six hours behind UTC; the 23rd of
// November 2026 is a Monday.
func TestWhen(t *testing.T) {
	mexico, err := time.LoadLocation("America/Mexico_City")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, h, m int) time.Time { return time.Date(2026, 11, day, h, m, 0, 0, mexico) }
	night := notify.Preference{Quiet: true, QuietFrom: hours(21, 0), QuietTo: hours(7, 0), Zone: mexico}
	siesta := notify.Preference{Quiet: true, QuietFrom: hours(14, 0), QuietTo: hours(16, 30), Zone: mexico}
	daily := notify.Preference{Delivery: notify.Daily, DigestAt: hours(8, 0), Zone: mexico}
	weekly := notify.Preference{Delivery: notify.Weekly, DigestAt: hours(8, 0), Zone: mexico}
	for i, c := range []struct {
		p      notify.Preference
		now    time.Time
		want   time.Time
		digest bool
	}{
		{notify.Preference{}, at(23, 3, 0), at(23, 3, 0), false},
		{night, at(23, 12, 0), at(23, 12, 0), false},
		{night, at(23, 21, 0), at(24, 7, 0), false},
		{night, at(23, 23, 59), at(24, 7, 0), false},
		{night, at(24, 6, 59), at(24, 7, 0), false},
		{night, at(24, 7, 0), at(24, 7, 0), false},
		{siesta, at(24, 13, 59), at(24, 13, 59), false},
		{siesta, at(24, 14, 0), at(24, 16, 30), false},
		{daily, at(23, 7, 59), at(23, 8, 0), true},
		{daily, at(23, 8, 0), at(24, 8, 0), true},
		{daily, at(27, 9, 0), at(30, 8, 0), true}, // Friday → Monday
		{weekly, at(23, 7, 0), at(23, 8, 0), true},
		{weekly, at(23, 8, 1), at(30, 8, 0), true},
	} {
		if got, digest := c.p.When(c.now.UTC()); !got.Equal(c.want) || digest != c.digest {
			t.Errorf("%d: %s at %s: %s %v, want %s %v", i, c.p.Delivery, c.now, got.In(mexico), digest, c.want, c.digest)
		}
	}
}

// TestDigestTellsEachNoticeOnce lets two collectors gather at once; a message with a key
// that was told of in a digest is not sent again.
func TestDigestTellsEachNoticeOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := newClock()
		p := notify.Preference{Delivery: notify.Weekly, DigestAt: hours(8, 0)}
		queues := [2]*notify.Queuer{queue(t, s, c), queue(t, s, c)}
		for _, q := range queues {
			q.Preference = func(_ context.Context, to string) (notify.Preference, error) {
				if to == "once@example.com" {
					return notify.Preference{}, nil
				}
				return p, nil
			}
		}
		ctx := t.Context()
		put := func(to, key string) notify.Mail {
			t.Helper()
			m, err := queues[0].Queue(ctx, notify.Message{Key: key, To: to, ToName: "Ana", Lang: "es", Template: notify.RecordTemplate("opened"), Args: recordArgs(), Path: "/nonconformities/NC-2026-0001", Thread: "NC-2026-0001"})
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		for i := range 5 {
			if m := put("ana@example.com", fmt.Sprint("k/", i)); !m.Digest || m.State != notify.Waiting {
				t.Fatalf("%+v", m)
			}
		}
		if m := put("once@example.com", "other"); m.Digest {
			t.Error("sent by digest against the preference")
		}
		now := c.now()
		for _, q := range queues {
			if err := q.Digests(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if list := mails(t, s, "ana@example.com"); len(list) != 5 {
			t.Fatalf("%d messages before the digest is due", len(list))
		}
		if due, err := s.ClaimMail(ctx, "x", now.Add(30*24*time.Hour), now.Add(31*24*time.Hour), 0, 100); err != nil || len(due) > 1 || len(due) == 1 && due[0].To != "once@example.com" {
			t.Fatalf("a message of a digest is sent by itself: %v %v", due, err)
		}
		c.advance(7 * 24 * time.Hour)
		var wg sync.WaitGroup
		for _, q := range queues {
			wg.Go(func() {
				if err := q.Digests(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		list := mails(t, s, "ana@example.com")
		digests := 0
		for _, m := range list {
			if m.Template == notify.Digest {
				digests++
				whole, err := s.MailByRow(ctx, m.Row)
				if err != nil || strings.Count(whole.Text, "/nonconformities/NC-2026-0001") != 5 || strings.Count(whole.HTML, "<li") != 5 || whole.State != notify.Waiting {
					t.Errorf("%v\n%s", err, whole.Text)
				}
			} else if m.State != notify.Sent || m.MergedInto == 0 {
				t.Errorf("%+v", m)
			}
		}
		if digests != 1 || len(list) != 6 {
			t.Errorf("%d digests, %d messages", digests, len(list))
		}
		p = notify.Preference{} // changes their mind: what was told stays told
		if m := put("ana@example.com", "k/1"); m.State != notify.Sent {
			t.Errorf("told again: %+v", m)
		}
	})
}

func mails(t *testing.T, s *store.Store, to string) []notify.Mail {
	t.Helper()
	list, err := s.MailList(t.Context(), notify.Filter{Query: to})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// recordArgs is a value for each of the sentences of letters.
func recordArgs() (args []any) {
	for _, name := range []string{"Number", "Person", "Hostname", "Area", "Programs", "Ask", "Step", "Due", "Behind", "By", "Text", "Lasts", "Recurrences"} {
		args = append(args, name, name)
	}
	return args
}
