package authorize_test

import (
	"context"
	"testing"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// TestOpeningPausesAboveTheCap: the record above the cap is not opened, the administrators
// are told once, and whoever resumes decides what becomes of what was held back.
func TestOpeningPausesAboveTheCap(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.mode(authorization.Enforce)
		b := &authorize.Brakes{Store: s, Records: w.in, Mail: w.mail, Audit: s, Now: func() time.Time { return w.clock },
			People: func(context.Context) ([]authorize.Mail, error) {
				return []authorize.Mail{{To: "sofia@example.com"}}, nil
			}}
		if err := b.SetCap(w.as("ana"), 1); !apperr.Is(err, apperr.Forbidden) {
			t.Errorf("a technician sets the cap: %v", err)
		}
		if err := b.SetCap(w.as("sofia"), 1); err != nil {
			t.Fatal(err)
		}
		w.tells(1, "AnyDesk")
		w.tells(2, "AnyDesk")
		f := w.findings()
		if f["pc-1 AnyDesk"].Nonconformity == "" || f["pc-2 AnyDesk"].Nonconformity != "" || f["pc-2 AnyDesk"].State != authorization.Open {
			t.Fatalf("%+v", f)
		}
		for range 2 {
			if err := b.Alarm(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.mail.take(); got != "sofia:brake-on" {
			t.Fatal(got)
		}
		x, held, err := b.Look(w.as("ana"))
		if err != nil || !x.Paused() || x.Opened != 1 || len(held) != 1 || held[0].Hostname != "pc-2" {
			t.Fatalf("%+v, %+v, %v", x, held, err)
		}
		if _, err := b.Resume(w.as("luis"), false); !apperr.Is(err, apperr.Forbidden) {
			t.Errorf("an employee resumes: %v", err)
		}
		if n, err := b.Resume(w.as("ana"), true); err != nil || n != 1 {
			t.Fatalf("%d, %v", n, err)
		}
		if f = w.findings(); f["pc-2 AnyDesk"].Nonconformity == "" {
			t.Fatalf("held back and forgotten: %+v", f)
		}
		if _, err := b.Resume(w.as("ana"), false); !apperr.Is(err, apperr.Conflict) {
			t.Errorf("resumed twice: %v", err)
		}
		w.clock = epoch.AddDate(0, 0, 2) // past the time in which findings join a record
		w.tells(1, "AnyDesk", "uTorrent")
		if f = w.findings(); f["pc-1 uTorrent"].Nonconformity == "" {
			t.Fatalf("the next hour begins anew: %+v", f)
		}
	})
}
