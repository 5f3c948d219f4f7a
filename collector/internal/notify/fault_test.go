package notify_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// The one case in which a message arrives twice: it was taken, and the collector died
// before it wrote that down. Both carry the same Message-ID.
func TestCrashAfterTheServersYesRepeatsTheSameMessage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b, c := newMailbox(t, nil), newClock()
		q := queue(t, s, c)
		m := put(t, q, invite("1", "luis@example.com"))
		now := c.now()
		if held, err := s.ClaimMail(t.Context(), "dies", now, now.Add(10*time.Minute), 0, 10); err != nil || len(held) != 1 {
			t.Fatalf("%d held, %v", len(held), err)
		}
		// What the dead one had sent, by the same code:
		other := sender(q, b, "other", notify.TLSStart)
		round(t, other)
		if len(b.all()) != 0 {
			t.Fatal("sent while another held it")
		}
		c.advance(11 * time.Minute) // its lease ends
		round(t, other)
		if mine, err := s.FinishMail(t.Context(), m.Row, "dies", notify.Result{State: notify.Waiting, At: now, NextAt: now}); err != nil || mine {
			t.Errorf("the dead collector's note counts: %v, %v", mine, err)
		}
		got := b.all()
		if len(got) != 1 || !strings.Contains(got[0].raw, "<"+m.MessageID+">") {
			t.Errorf("%d messages", len(got))
		}
		if m := state(t, s, m.Row); m.State != notify.Sent {
			t.Errorf("%+v", m)
		}
	})
}

func TestQueueSurvivesARestartAndAServerThatWasAway(t *testing.T) {
	dir := t.TempDir() + "/vigia.db"
	c := newClock()
	b := newMailbox(t, nil)
	away := b.server(notify.TLSStart)
	b.stop()
	first := storetest.Open(t, store.Config{Path: dir})
	q := queue(t, first, c)
	x := sender(q, b, "one", notify.TLSStart)
	x.Server = func(context.Context) (notify.Server, error) { return away, nil }
	var keys []string
	for i := range 15 {
		keys = append(keys, put(t, q, invite(fmt.Sprint("k", i), fmt.Sprintf("p%d@example.com", i))).MessageID)
	}
	round(t, x)
	if m := state(t, first, 1); m.State != notify.Waiting || m.Problem == "" {
		t.Fatalf("%+v", m)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	back := newMailbox(t, nil)
	second := storetest.Open(t, store.Config{Path: dir})
	round(t, sender(queue(t, second, c), back, "two", notify.TLSStart))
	got := back.all()
	if len(got) != 15 {
		t.Fatalf("%d of 15 arrived after the restart", len(got))
	}
	for _, id := range keys {
		if count(got, id) != 1 {
			t.Errorf("%s arrived %d times", id, count(got, id))
		}
	}
}

func TestMailPastItsTimeIsNotSent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b, c := newMailbox(t, nil), newClock()
		q := queue(t, s, c)
		late := invite("1", "luis@example.com")
		late.Expires = c.now().Add(15 * time.Minute)
		secret := put(t, q, late)
		plain := put(t, q, notify.Message{Key: "2", To: "ana@example.com", Template: notify.TestMessage, Args: []any{"Sender", "x"}, Expires: c.now().Add(15 * time.Minute)})
		c.advance(16 * time.Minute)
		round(t, sender(q, b, "one", notify.TLSStart))
		for _, row := range []int64{secret.Row, plain.Row} {
			if m := state(t, s, row); m.State != notify.Expired || (m.Text != "") != (row == plain.Row) {
				t.Errorf("%+v", m)
			}
		}
		if _, err := q.Retry(t.Context(), secret.Row); !apperr.Is(err, apperr.Conflict) {
			t.Errorf("a link past its time may be sent again: %v", err)
		}
		if _, err := q.Retry(t.Context(), plain.Row); err != nil {
			t.Error(err)
		}
		if _, err := q.Retry(t.Context(), 999); !apperr.Is(err, apperr.NotFound) {
			t.Error(err)
		}
		round(t, sender(q, b, "one", notify.TLSStart))
		if n := len(b.all()); n != 1 {
			t.Errorf("%d messages", n)
		}
		if _, err := q.Retry(t.Context(), plain.Row); !apperr.Is(err, apperr.Conflict) {
			t.Errorf("what was sent may be sent again: %v", err)
		}
		c.advance(40 * 24 * time.Hour)
		if err := q.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		if m := state(t, s, plain.Row); m.Text+m.HTML != "" {
			t.Error("the text is kept for ever")
		}
		c.advance(400 * 24 * time.Hour)
		if err := q.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		if list, err := s.MailList(t.Context(), notify.Filter{}); err != nil || len(list) != 0 {
			t.Errorf("%d left, %v", len(list), err)
		}
	})
}

func TestNothingGetsIntoAHeader(t *testing.T) {
	b, c := newMailbox(t, nil), newClock()
	s := storetest.SQLite(t)
	q := queue(t, s, c)
	evil := "Luis\r\nBcc: thief@example.com\r\n\r\n<script>alert(1)</script>\x00\u2028\xff"
	m := invite("1", "luis@example.com")
	m.ToName, m.Args = evil, []any{"Inviter", evil}
	put(t, q, m)
	round(t, sender(q, b, "one", notify.TLSStart))
	got := b.all()
	if len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
	h, body := parts(t, got[0].raw)
	if h.Get("Bcc") != "" || len(h["To"]) != 1 || strings.Contains(body["text/html"], "<script") {
		t.Errorf("injected: %v\n%s", h, body["text/html"])
	}
	for _, bad := range []notify.Message{
		{Key: "x", To: "a@example.com, b@example.com", Template: notify.TestMessage},
		{Key: "x", To: "a@example.com\r\nBcc: b@example.com", Template: notify.TestMessage},
		{Key: "x", To: "Ana <a@example.com>", Template: notify.TestMessage},
		{Key: "x", To: "", Template: notify.TestMessage},
		{Key: "x\r\n", To: "a@example.com", Template: notify.TestMessage},
		{Key: "", To: "a@example.com", Template: notify.TestMessage},
		{Key: strings.Repeat("k", 201), To: "a@example.com", Template: notify.TestMessage},
		{Key: "x", To: "a@example.com", Template: "unheard-of"},
		{Key: "x", To: "a@example.com", Template: notify.TestMessage, Thread: "NC\r\nX: 1"},
		{Key: "x", To: "a@example.com", Template: notify.TestMessage, Path: "//evil.example.com/"},
		{Key: "x", To: "a@example.com", Template: notify.TestMessage, Path: "https://evil.example.com/"},
		{Key: "x", To: "a@example.com", Template: notify.TestMessage, Args: []any{"Sender", strings.Repeat("x", 300<<10)}},
	} {
		_, err := q.Queue(asAna(t), bad)
		var e *apperr.Error
		if !errors.As(err, &e) || e.Code != apperr.Invalid || e.Args["field"] == nil {
			t.Errorf("%.60q %.60q: %v", bad.Key, bad.To, err)
		}
	}
}

func TestWaysToTheServer(t *testing.T) {
	plain := func(srv *smtp.Server, _ *mailbox) { srv.TLSConfig = nil }
	first := func(srv *smtp.Server, b *mailbox) { srv.Addr, b.needs = "tls", "secret" }
	for name, x := range map[string]struct {
		change func(*smtp.Server, *mailbox)
		mode   string
		user   string
		state  notify.State
		secure bool
	}{
		"starttls":                 {nil, notify.TLSStart, "", notify.Sent, true},
		"starttls not offered":     {plain, notify.TLSStart, "", notify.Waiting, false},
		"offered":                  {nil, notify.TLSOffer, "", notify.Sent, true},
		"offered, server has none": {plain, notify.TLSOffer, "", notify.Sent, false},
		"none":                     {plain, notify.TLSNone, "", notify.Sent, false},
		"tls with a password":      {first, notify.TLSFirst, "vigia", notify.Sent, true},
		"password never in clear": {func(s *smtp.Server, b *mailbox) {
			s.TLSConfig, s.AllowInsecureAuth, b.needs, b.host = nil, true, "secret", "127.0.0.2"
		}, notify.TLSOffer, "vigia", notify.Waiting, false},
		"certificate of no one": {nil, "untrusted", "", notify.Waiting, false},
		"starttls, tls server":  {first, notify.TLSStart, "", notify.Waiting, false},
	} {
		t.Run(name, func(t *testing.T) {
			b, c, s := newMailbox(t, x.change), newClock(), storetest.SQLite(t)
			q := queue(t, s, c)
			y := sender(q, b, "one", x.mode)
			y.SMTP.Timeout = 2 * time.Second
			server := b.server(x.mode)
			if x.mode == "untrusted" {
				server.TLS, y.SMTP.RootCAs = notify.TLSStart, nil
			}
			if x.user != "" {
				server.User, server.Password = x.user, "secret"
			}
			y.Server = func(context.Context) (notify.Server, error) { return server, nil }
			m := put(t, q, invite("1", "luis@example.com"))
			round(t, y)
			if m = state(t, s, m.Row); m.State != x.state {
				t.Fatalf("%+v", m)
			}
			if got := b.all(); x.state == notify.Sent && (len(got) != 1 || got[0].secure != x.secure || got[0].user != x.user) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A server that accepts and says nothing must not hold up the end of the program.
func TestSilentServerDoesNotHoldUpTheEnd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 4)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	c, s := newClock(), storetest.SQLite(t)
	q := queue(t, s, c)
	m := put(t, q, invite("1", "luis@example.com"))
	x := sender(q, &mailbox{}, "one", notify.TLSNone)
	x.SMTP.Timeout = time.Hour
	x.Server = func(context.Context) (notify.Server, error) {
		return notify.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: notify.TLSNone, From: "vigia@example.com"}, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- x.Run(ctx) }()
	conn := <-accepted
	defer conn.Close()
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the sender does not stop")
	}
	if m = state(t, s, m.Row); m.State != notify.Waiting || m.Attempts != 0 {
		t.Errorf("%+v", m)
	}
	if list, err := s.ClaimMail(t.Context(), "next", c.now(), c.now().Add(time.Minute), 0, 10); err != nil || len(list) != 1 {
		t.Errorf("it is still held: %d, %v", len(list), err)
	}
}

func TestQueueJoinsTheTransactionAndIsBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		q := queue(t, s, newClock())
		wrong := errors.New("the cause did not happen")
		err := s.InTx(asAna(t), func(ctx context.Context) error {
			if _, err := q.Queue(ctx, invite("1", "luis@example.com")); err != nil {
				return err
			}
			return wrong
		})
		list, lerr := s.MailList(t.Context(), notify.Filter{})
		if !errors.Is(err, wrong) || lerr != nil || len(list) != 0 {
			t.Errorf("%v, %v: %d messages without a cause", err, lerr, len(list))
		}
		for i := range 3 {
			put(t, q, invite(fmt.Sprint(i), fmt.Sprintf("persona%d@example.com", i)))
		}
		list, err = s.MailList(t.Context(), notify.Filter{Query: "PERSONA1", State: notify.Waiting, Limit: 5})
		if err != nil || len(list) != 1 || list[0].To != "persona1@example.com" || list[0].Text != "" {
			t.Errorf("%v: %+v", err, list)
		}
		if list, err = s.MailList(t.Context(), notify.Filter{After: 3, Limit: 1}); err != nil || len(list) != 1 || list[0].Row >= 3 {
			t.Errorf("%v: %+v", err, list)
		}
		n, err := s.MailCounts(t.Context())
		if err != nil || n.ByState[notify.Waiting] != 3 || n.Oldest.IsZero() {
			t.Errorf("%v: %+v", err, n)
		}
	})
}
