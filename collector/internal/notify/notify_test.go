package notify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/uuid"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// clock is a time that tests move.
type clock struct{ ns atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ns.Store(time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC).UnixNano())
	return c
}
func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func queue(t *testing.T, s *store.Store, c *clock) *notify.Queuer {
	t.Helper()
	texts, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("America/Mexico_City")
	if err != nil {
		t.Fatal(err)
	}
	return notify.New(notify.Deps{InTx: s.InTx, Store: s, Texts: texts, Now: c.now, NewID: uuid.NewString, Company: func(context.Context) (notify.Company, error) {
		return notify.Company{Name: "Empresa Ejemplo", Language: "es", Zone: zone, Console: "https://vigia.example.com:7080"}, nil
	}})
}

func sender(q *notify.Queuer, b *mailbox, name, mode string) *notify.Sender {
	return &notify.Sender{Queue: q, SMTP: notify.SMTP{RootCAs: b.roots, Timeout: 10 * time.Second}, Name: name, Random: func() float64 { return 0.5 }, Tick: 20 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Server: func(context.Context) (notify.Server, error) { return b.server(mode), nil }}
}

func asAna(t *testing.T) context.Context {
	return actor.With(t.Context(), actor.Actor{Kind: actor.Person, ID: "ana@example.com", Role: actor.Administrator})
}

func invite(key, to string) notify.Message {
	return notify.Message{Key: key, To: to, ToName: "Luis Ñandú", Lang: "es", Template: notify.Invitation, Args: []any{"Inviter", "ana@example.com"}, Path: "/invite/s3cret", Secret: true}
}

func put(t *testing.T, q *notify.Queuer, m notify.Message) notify.Mail {
	t.Helper()
	out, err := q.Queue(asAna(t), m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func state(t *testing.T, s *store.Store, row int64) notify.Mail {
	t.Helper()
	m, err := s.MailByRow(t.Context(), row)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func round(t *testing.T, s *notify.Sender) {
	t.Helper()
	if err := s.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// parts reads a message as a mail program does.
func parts(t *testing.T, raw string) (mail.Header, map[string]string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s: %v", kind, err)
	}
	out := map[string]string{}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m.Header, out
		} else if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		b, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		out[kind] = strings.ReplaceAll(string(b), "\r\n", "\n")
	}
}

func TestMessageArrivesWholeInTheReadersLanguage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b, c := newMailbox(t, nil), newClock()
		q := queue(t, s, c)
		m := invite("invitation/1", "luis@example.com")
		m.Thread = "NC-2026-0001"
		kept := put(t, q, m)
		if kept.State != notify.Waiting || kept.CreatedBy != "person:ana@example.com" {
			t.Fatalf("%+v", kept)
		}
		english := put(t, q, notify.Message{Key: "t/2", To: "mary@example.com", Lang: "en", Template: notify.TestMessage, Args: []any{"Sender", "ana@example.com"}, Path: "/admin/mail", Thread: "NC-2026-0001"})
		round(t, sender(q, b, "one", notify.TLSStart))
		got := b.all()
		if len(got) != 2 || !got[0].secure || got[0].from != "vigia@example.com" {
			t.Fatalf("%d messages: %+v", len(got), got)
		}
		h, body := parts(t, got[0].raw)
		dec := new(mime.WordDecoder)
		subject, _ := dec.DecodeHeader(h.Get("Subject"))
		to, err := mail.ParseAddress(h.Get("To"))
		if err != nil || to.Name != "Luis Ñandú" || to.Address != "luis@example.com" || subject != "Invitación a Vigía" || h.Get("Content-Language") != "es" {
			t.Errorf("subject %q to %+v", subject, to)
		}
		if h.Get("Message-Id") != "<"+kept.MessageID+">" || !strings.HasSuffix(kept.MessageID, "@vigia.example.com") || h.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("headers %v", h)
		}
		if at, err := h.Date(); err != nil || !at.Equal(c.now()) {
			t.Errorf("date %v, %v", at, err)
		}
		for _, kind := range []string{"text/plain", "text/html"} {
			for _, want := range []string{"Luis Ñandú", "https://vigia.example.com:7080/invite/s3cret", "28 nov 2026", "Aceptar la invitación", "Empresa Ejemplo"} {
				if !strings.Contains(body[kind], want) {
					t.Errorf("%s lacks %q:\n%s", kind, want, body[kind])
				}
			}
		}
		if strings.Count(body["text/html"], "<a ") != 2 || strings.Contains(body["text/html"], "<img") || strings.Contains(body["text/html"], "<script") {
			t.Errorf("the HTML part: %s", body["text/html"])
		}
		other, otherBody := parts(t, got[1].raw)
		if other.Get("References") == "" || other.Get("References") != h.Get("References") || other.Get("In-Reply-To") != h.Get("In-Reply-To") || other.Get("Message-Id") == h.Get("Message-Id") {
			t.Errorf("no thread: %v and %v", h, other)
		}
		if !strings.Contains(otherBody["text/plain"], "There is nothing to do") {
			t.Errorf("not English: %s", otherBody["text/plain"])
		}
		sent, kept2 := state(t, s, kept.Row), state(t, s, english.Row)
		if sent.State != notify.Sent || sent.Attempts != 1 || sent.Text+sent.HTML != "" || kept2.Text == "" {
			t.Errorf("after sending: %+v, %+v", sent, kept2)
		}
	})
}

func TestEveryTemplateHasItsSentences(t *testing.T) {
	s := storetest.SQLite(t)
	q, now := queue(t, s, newClock()), time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	second := func(x notify.Template) string {
		if x == notify.AskUser {
			return "/y"
		}
		return ""
	}
	for _, lang := range locale.Languages() {
		for _, template := range notify.Templates() {
			m := put(t, q, notify.Message{Key: lang + string(template), To: "ana@example.com", Lang: lang, Template: template, Path: "/x", Second: second(template), Args: []any{"Inviter", "a", "Sender", "b", "Minutes", 15, "Program", "AnyDesk", "Purpose", "c", "Reason", "d", "Ends", now, "Machine", "pc-1", "Since", now, "Opened", 51, "Cap", 50, "Numbers", "NC-1", "Number", "NC-2026-0001", "Person", "Ana", "Hostname", "pc-001",
				"Area", "Ventas", "Programs", "uTorrent", "Ask", "x", "Step", "x", "Due", "x", "Behind", "x", "By", "x", "Text", "x", "Lasts", "x", "Recurrences", 1, "Count", 3}})
			if template == notify.AskUser && (!strings.Contains(m.Text, "/y") || strings.Count(m.HTML, "/y") != 3) { // a button, and the address as link and text
				t.Errorf("%s %s: no second button:\n%s", template, lang, m.HTML)
			}
			for _, text := range []string{m.Subject, m.Text, m.HTML} {
				if text == "" || strings.Contains(text, "‹") || strings.Contains(text, "no value") {
					t.Errorf("%s %s: %q", template, lang, text)
				}
			}
		}
	}
}

func TestSameKeyIsSentOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b, c := newMailbox(t, nil), newClock()
		q := queue(t, s, c)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for i := range 10 {
					if _, err := q.Queue(asAna(t), invite(fmt.Sprint("k/", i), fmt.Sprintf("p%d@example.com", i))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for i := range 4 { // several collectors at once
			wg.Go(func() {
				x := sender(q, b, fmt.Sprint("collector-", i), notify.TLSStart)
				if err := x.Round(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := b.all(); len(got) != 10 {
			t.Errorf("%d messages for 10 keys", len(got))
		}
		if _, err := q.Queue(asAna(t), invite("k/0", "p0@example.com")); err != nil {
			t.Fatal(err)
		}
		round(t, sender(q, b, "later", notify.TLSStart))
		if n := count(b.all(), "p0@example.com"); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}

func TestRefusalsBounceAndDelaysRetry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b, c := newMailbox(t, nil), newClock()
		q := queue(t, s, c)
		x := sender(q, b, "one", notify.TLSStart)
		b.set(func(stage, to string) error {
			switch {
			case stage == "rcpt" && to == "gone@example.com":
				return refuse(550, "no such mailbox")
			case stage == "rcpt" && to == "grey@example.com":
				return refuse(451, "come back later")
			case stage == "data" && to == "spam@example.com":
				return refuse(554, "not wanted")
			}
			return nil
		})
		gone, grey := put(t, q, invite("1", "gone@example.com")), put(t, q, invite("2", "grey@example.com"))
		spam, good := put(t, q, invite("3", "spam@example.com")), put(t, q, invite("4", "good@example.com"))
		round(t, x)
		for _, m := range []notify.Mail{gone, spam} {
			if m = state(t, s, m.Row); m.State != notify.Bounced || m.Code < 550 || m.Problem == "" || m.EndedAt.IsZero() {
				t.Errorf("%s: %+v", m.To, m)
			}
		}
		if m := state(t, s, good.Row); m.State != notify.Sent {
			t.Errorf("one refusal stopped another: %+v", m)
		}
		m := state(t, s, grey.Row)
		if m.State != notify.Waiting || m.Code != 451 || !m.NextAt.Equal(c.now().Add(22500*time.Millisecond)) {
			t.Fatalf("%+v at %s", m, c.now())
		}
		round(t, x)
		if again := state(t, s, grey.Row); again.Attempts != 1 {
			t.Error("tried before its time")
		}
		b.set(nil)
		c.advance(time.Minute)
		round(t, x)
		if m := state(t, s, grey.Row); m.State != notify.Sent || m.Attempts != 2 || m.Problem != "" {
			t.Errorf("%+v", m)
		}
	})
}

func TestServersFaultBouncesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b, c := newMailbox(t, func(_ *smtp.Server, b *mailbox) { b.needs = "right" }), newClock()
		q := queue(t, s, c)
		x := sender(q, b, "one", notify.TLSStart)
		server := b.server(notify.TLSStart)
		server.User, server.Password = "vigia", "wrong-pass-word"
		x.Server = func(context.Context) (notify.Server, error) { return server, nil }
		var rows []int64
		for i := range 25 {
			rows = append(rows, put(t, q, invite(fmt.Sprint(i), fmt.Sprintf("p%d@example.com", i))).Row)
		}
		for range 3 {
			round(t, x)
		}
		if b.dials > 2 {
			t.Errorf("a failing server was asked %d times at once", b.dials)
		}
		m := state(t, s, rows[0])
		if m.State != notify.Waiting || m.Code != 535 || strings.Contains(m.Problem, "wrong-pass-word") {
			t.Errorf("%+v", m)
		}
		b.set(func(stage, _ string) error {
			if stage == "mail" {
				return refuse(553, "sender not allowed")
			}
			return nil
		})
		server.Password = "right"
		c.advance(10 * time.Minute)
		round(t, x)
		b.set(nil)
		c.advance(3 * time.Hour)
		round(t, x)
		if got := b.all(); len(got) != 25 || got[0].user != "vigia" {
			t.Errorf("%d of 25 arrived", len(got))
		}
		for _, r := range rows {
			if m := state(t, s, r); m.State != notify.Sent {
				t.Errorf("%+v", m)
			}
		}
	})
}
