package app

import (
	"context"
	"net"
	"net/url"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/jobs"
	"vigia/collector/internal/notify/inbox"
)

const (
	// inboxEvery is how often letters are fetched.
	inboxEvery = 10 * time.Second
	// inboxLease is longer than fetching takes.
	inboxLease = 5 * time.Minute
	// keepReceived is how long letters are known, and their ids, so that one that a mail
	// server shows as new again has no effect.
	keepReceived = 400 * 24 * time.Hour
)

// newInbox fetches letters and has them taken up.
func (d *desk) newInbox() *inbox.Reader {
	return &inbox.Reader{InTx: d.store.InTx, Store: d.store, Now: d.now, Log: d.log,
		Server: func(context.Context) (inbox.Server, error) { return parseIMAP(d.imapURL) },
		Person: d.writer,
		Comment: func(ctx context.Context, record, text string) error {
			_, err := d.records.Comment(ctx, record, text, "mail")
			return err
		}}
}

// writer is who has an address, as they would act. NotFound where nobody active has it.
func (d *desk) writer(ctx context.Context, email string) (actor.Actor, error) {
	p, err := d.store.Person(ctx, email)
	if err == nil && !p.Active {
		err = apperr.New(apperr.NotFound, "person.unknown", apperr.Args{"person": email})
	}
	return actor.Actor{Kind: actor.Person, ID: p.Email, Role: p.Role}, err
}

// runInbox fetches letters, by one collector at a time. Without an address to fetch
// them from it waits for the end.
func (a *App) runInbox(ctx context.Context) error {
	if a.cfg.IMAPURL == "" {
		<-ctx.Done()
		return nil
	}
	r := jobs.Runner{Store: leases{a.desk.store}, Name: a.name, Now: a.cfg.Now, Log: a.cfg.Log, Tick: inboxEvery / 2}
	return r.Run(ctx, []job{{Name: "mail-inbox", Every: inboxEvery, Lease: inboxLease, Run: a.desk.newInbox().Round}})
}

// parseIMAP reads imap://[user:password@]host[:port][/mailbox][?tls=starttls|none&vouches=server],
// or imaps://. STARTTLS is needed, but for a server on the same machine.
func parseIMAP(address string) (inbox.Server, error) {
	bad := func() (inbox.Server, error) {
		return inbox.Server{}, apperr.New(apperr.Invalid, "mail.bad.imap-url", apperr.Args{"field": "imap-url", "value": redactURL(address)})
	}
	if address == "" {
		return inbox.Server{}, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User == nil || u.Scheme != "imap" && u.Scheme != "imaps" {
		return bad()
	}
	s := inbox.Server{Host: u.Hostname(), Port: 143, TLS: inbox.TLSStart, User: u.User.Username(), Mailbox: strings.Trim(u.Path, "/"), Vouches: u.Query().Get("vouches")}
	s.Password, _ = u.User.Password()
	if s.Mailbox == "" {
		s.Mailbox = "INBOX"
	}
	if ip := net.ParseIP(s.Host); s.Host == "localhost" || ip != nil && ip.IsLoopback() {
		s.TLS = inbox.TLSNone
	}
	if u.Scheme == "imaps" {
		s.Port, s.TLS = 993, inbox.TLSFirst
	}
	if p := u.Port(); p != "" {
		n, err := net.LookupPort("tcp", p)
		if err != nil || n == 0 {
			return bad()
		}
		s.Port = n
	}
	switch mode := u.Query().Get("tls"); mode {
	case "":
	case inbox.TLSStart, inbox.TLSNone:
		if u.Scheme == "imaps" {
			return bad()
		}
		s.TLS = mode
	default:
		return bad()
	}
	return s, nil
}
