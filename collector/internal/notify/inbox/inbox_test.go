package inbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/notify/inbox"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// desk is two collectors' readers over one database, and the comments they made.
type desk struct {
	t        *testing.T
	store    *store.Store
	queue    *notify.Queuer
	readers  [2]*inbox.Reader
	server   inbox.Server
	mu       sync.Mutex
	comments []string
}

func newDesk(t *testing.T, s *store.Store) *desk {
	texts, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, store: s}
	d.queue = notify.New(notify.Deps{InTx: s.InTx, Store: s, Texts: texts, Now: time.Now, NewID: uuid.NewString, Company: func(context.Context) (notify.Company, error) {
		return notify.Company{Language: "es", Console: "https://vigia.example.com", Replies: true}, nil
	}})
	for i := range d.readers {
		d.readers[i] = &inbox.Reader{InTx: s.InTx, Store: s, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Server: func(context.Context) (inbox.Server, error) { return d.server, nil },
			Person: func(_ context.Context, email string) (actor.Actor, error) {
				if email == "gone@example.com" {
					return actor.Actor{}, apperr.New(apperr.NotFound, "person.unknown", nil)
				}
				return actor.Actor{Kind: actor.Person, ID: email, Role: actor.Employee}, nil
			},
			Comment: func(ctx context.Context, record, text string) error {
				if strings.Contains(text, "refuse me") {
					return apperr.New(apperr.Forbidden, "nonconformity.not-yours", nil)
				}
				d.mu.Lock()
				defer d.mu.Unlock()
				d.comments = append(d.comments, actor.From(ctx).ID+" "+record+" "+text)
				return nil
			}}
	}
	return d
}

// sent is a mail of a record that was sent to somebody.
func (d *desk) sent(to, thread string) notify.Mail {
	d.t.Helper()
	m, err := d.queue.Queue(d.t.Context(), notify.Message{Key: uuid.NewString(), To: to, Lang: "es", Template: notify.TestMessage, Args: []any{"Sender", "x"}, Path: "/x", Thread: thread})
	if err != nil {
		d.t.Fatal(err)
	}
	if thread != "" && !strings.Contains(m.Text, "queda como comentario en "+thread) {
		d.t.Errorf("the mail does not say that it can be answered:\n%s", m.Text)
	}
	if _, err := d.store.ClaimMail(d.t.Context(), "x", time.Now(), time.Now().Add(time.Hour), m.Row, 1); err != nil {
		d.t.Fatal(err)
	}
	if ok, err := d.store.FinishMail(d.t.Context(), m.Row, "x", notify.Result{State: notify.Sent, At: time.Now()}); err != nil || !ok {
		d.t.Fatal(ok, err)
	}
	return m
}

func (d *desk) received() map[inbox.Outcome]int {
	d.t.Helper()
	page, err := d.store.ReceivedPage(d.t.Context(), inbox.Filter{}, paging.Order{})
	if err != nil {
		d.t.Fatal(err)
	}
	out := map[inbox.Outcome]int{}
	for _, r := range page.Rows {
		out[r.Outcome]++
	}
	return out
}

func letter(from, answers, text string, more ...string) string {
	return "From: " + from + "\r\nTo: vigia@example.com\r\nSubject: Re: =?utf-8?q?No_conformidad?=\r\nMessage-ID: <" + uuid.NewString() + "@example.com>\r\nIn-Reply-To: <" + answers + ">\r\nDate: Mon, 23 Nov 2026 12:00:00 -0600\r\n" +
		strings.Join(append(more, "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8"), "\r\n") + "\r\n\r\n" + text + "\r\n"
}

func bounce(id, action, code string) string {
	return "From: MAILER-DAEMON@mx.example.com\r\nTo: vigia@example.com\r\nSubject: Undelivered\r\nMessage-ID: <" + uuid.NewString() + "@mx>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; ana@example.com\r\nAction: " + action + "\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; " + code + " no such user\r\n\r\n" +
		"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <" + id + ">\r\nSubject: x\r\n--b--\r\n"
}

// TestLettersOnRealServers: each letter has the effect of once, through two collectors
// that look at one mailbox at the same time, and only its rightful sender's counts.
func TestLettersOnRealServers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d, box := newDesk(t, s), startDovecot(t)
		d.server = box.Server
		ana, luis, other := d.sent("ana@example.com", "NC-2026-0001"), d.sent("luis@example.com", "NC-2026-0002"), d.sent("ana@example.com", "")
		gone := d.sent("gone@example.com", "NC-2026-0003")
		box.comes(letter("Ana Ñandú <Ana@example.com>", ana.MessageID, "Ya lo quité.\r\n\r\nGracias\r\n\r\nEl lun, 23 nov 2026 a las 12:00, Vigía <vigia@example.com>\r\nescribió:\r\n> Se abrió"))
		box.comes(letter("eva@example.com", ana.MessageID, "Soy Ana"))                                               // not the reader
		box.comes(letter("luis@example.com", "made.up@vigia.example.com", "hola"))                                   // no such mail
		box.comes(letter("luis@example.com", luis.MessageID, "Estoy de vacaciones", "Auto-Submitted: auto-replied")) //
		box.comes(letter("luis@example.com", luis.MessageID, "> nothing else"))                                      //
		box.comes(letter("luis@example.com", luis.MessageID, "refuse me"))                                           //
		box.comes(letter("ana@example.com", other.MessageID, "about no record"))                                     //
		box.comes(letter("gone@example.com", gone.MessageID, "no longer here"))                                      //
		box.comes(bounce(luis.MessageID, "failed", "550"))
		box.comes(bounce(ana.MessageID, "delayed", "451"))
		box.comes("From: ana@example.com\r\nIn-Reply-To: <" + ana.MessageID + ">\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xe9st\x00e es latin1\r\n")
		box.comes("\x00\xff\x00garbage")
		for range 2 {
			var wg sync.WaitGroup
			for _, r := range d.readers {
				wg.Go(func() {
					if err := r.Round(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		if len(d.comments) != 2 || !strings.Contains(strings.Join(d.comments, "|"), "ana@example.com NC-2026-0001 Ya lo quité.\n\nGracias") || strings.Contains(strings.Join(d.comments, ""), "\x00") {
			t.Errorf("comments: %q", d.comments)
		}
		got := d.received()
		for outcome, n := range map[inbox.Outcome]int{inbox.Commented: 2, inbox.Stranger: 2, inbox.Automatic: 2, inbox.Empty: 1, inbox.Refused: 1, inbox.NoRecord: 1, inbox.Bounced: 1} {
			if got[outcome] != n {
				t.Errorf("%s: %d, want %d in %v", outcome, got[outcome], n, got)
			}
		}
		if m, err := s.MailByRow(t.Context(), luis.Row); err != nil || m.State != notify.Bounced || m.Code != 550 || !strings.Contains(m.Problem, "no such user") {
			t.Errorf("%+v %v", m, err)
		}
		if m, _ := s.MailByRow(t.Context(), ana.Row); m.State != notify.Sent {
			t.Errorf("a delay counts as a bounce: %+v", m)
		}
	})
}

func TestTheServerMustVouchWhereAskedTo(t *testing.T) {
	d := newDesk(t, storetest.SQLite(t))
	d.server = inbox.Server{Vouches: "mx.example.com", Mailbox: "INBOX"}
	m := d.sent("ana@example.com", "NC-2026-0001")
	for i, c := range []struct {
		header string
		want   inbox.Outcome
	}{
		{"X-None: x", inbox.Unproven},
		{"Authentication-Results: evil.example.com; dmarc=pass", inbox.Unproven},
		{"Authentication-Results: mx.example.com; spf=pass; dmarc=fail\r\nAuthentication-Results: mx.example.com; dmarc=pass", inbox.Unproven},
		{"Authentication-Results: mx.example.com; dkim=pass header.d=example.com; dmarc=pass header.from=example.com", inbox.Commented},
	} {
		before := d.received()[c.want]
		if err := d.readers[0].Take(t.Context(), d.server, []byte(letter("ana@example.com", m.MessageID, "hola", c.header)), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
		if got := d.received(); got[c.want] != before+1 {
			t.Errorf("%d: %v, want %s", i, got, c.want)
		}
	}
	if err := d.readers[0].Take(t.Context(), d.server, nil, "INBOX/99"); err != nil || d.received()[inbox.TooLarge] != 1 {
		t.Errorf("too large: %v %v", err, d.received())
	}
}

func TestReplyLeavesOutWhatIsQuoted(t *testing.T) {
	for text, want := range map[string]string{
		"Ya está.\n\nOn Mon, Nov 23, 2026 at 12:00 PM Vigía <v@example.com> wrote:\n> x": "Ya está.",
		"Listo\n-- \nAna":                          "Listo",
		"uno\n\n-----Mensaje original-----\nDe: x": "uno",
		"uno\n________________________________\nDe: Vigía <v@example.com>": "uno",
		"> solo\n> cita": "",
		"El equipo está listo.\nEl programa también.": "El equipo está listo.\nEl programa también.",
		strings.Repeat("a", 20_000):                   strings.Repeat("a", 10_000) + " […]",
	} {
		if got := inbox.Reply(text); got != want {
			t.Errorf("%.60q: %.80q, want %.80q", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(letter("ana@example.com", "x@y", "hola")))
	f.Add([]byte(bounce("x@y", "failed", "550")))
	f.Add([]byte("From: =?x?q?\r\nContent-Type: multipart/report; boundary=\"\r\n\r\n--\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := inbox.Parse(raw)
		if err == nil && (l.MessageID == "" || len(l.Text) > 10_100 || len(l.Answers) > 50 || strings.ContainsRune(l.Text+l.From+l.Subject, 0)) {
			t.Fatalf("%+v", l)
		}
	})
}
