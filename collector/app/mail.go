package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/setting"
)

// mailTick is how often the queue is looked at; what this collector queues itself is
// noticed at once.
const mailTick = 2 * time.Second

// newMail is the queue of mail.
func (d *desk) newMail() (*notify.Queuer, error) {
	texts, err := locale.Load()
	if err != nil {
		return nil, err
	}
	return notify.New(notify.Deps{InTx: d.store.InTx, Preference: d.mailPreference, Store: d.store, Texts: texts, Company: d.company, Now: d.now, NewID: newID}), nil
}

// newSender sends what the queue holds, as the collector called name.
func (d *desk) newSender(name string) *notify.Sender {
	return &notify.Sender{Queue: d.mail, Server: d.mailServer, Name: name, Log: d.log, Random: rand.Float64, Tick: mailTick}
}

// company is how mail speaks of where it comes from.
func (d *desk) company(ctx context.Context) (notify.Company, error) {
	v, err := d.values(ctx)
	if err != nil {
		return notify.Company{}, err
	}
	console, err := d.consoleAddress(ctx, v)
	return notify.Company{Name: v.Company.Name, Language: v.Company.Language, Zone: d.zoneOf(v), Console: console, Replies: d.imapURL != ""}, err
}

// zoneOf is the company's time zone: that of the flag, else the setting's, else the
// system's.
func (d *desk) zoneOf(v setting.Values) *time.Location {
	switch {
	case d.zone != nil:
		return d.zone
	case v.Company.Zone != nil:
		return v.Company.Zone
	}
	return time.Local
}

// zoneNow is the company's time zone as the settings tell it now; nil where they cannot
// be read.
func (d *desk) zoneNow(ctx context.Context) *time.Location {
	v, err := d.values(ctx)
	if err != nil {
		d.log.WarnContext(ctx, "the time zone cannot be read", "err", err)
		return nil
	}
	return d.zoneOf(v)
}

// consoleAddress is how people reach the console; empty where no collector ever ran.
func (d *desk) consoleAddress(ctx context.Context, v setting.Values) (string, error) {
	if v.ConsoleAddress != "" {
		return v.ConsoleAddress, nil
	}
	known, err := d.addresses(ctx)
	if err != nil || known.Web == "" {
		return "", err
	}
	return "https://" + known.Web, nil
}

// mailServer is where mail is handed over now: the flag's, else the settings'.
func (d *desk) mailServer(ctx context.Context) (notify.Server, error) {
	v, err := d.settings.Values(ctx)
	if d.smtpURL == "" {
		if err != nil {
			return notify.Server{}, err
		}
		return notify.Server{Host: v.Mail.Host, Port: v.Mail.Port, TLS: v.Mail.TLS, User: v.Mail.User, Password: v.Mail.Password, From: v.Mail.From}, nil
	}
	if err != nil && !apperr.Is(err, apperr.Conflict) {
		return notify.Server{}, err
	}
	s, err := parseSMTP(d.smtpURL)
	if err != nil {
		return s, err
	}
	if s.From == "" {
		s.From = v.Mail.From
	}
	if s.From == "" {
		console, err := d.consoleAddress(ctx, v)
		if err != nil {
			return s, err
		}
		s.From = "Vigía <vigia@" + senderHost(console) + ">"
	}
	return s, nil
}

// senderHost is the console's name, where it has one.
func senderHost(console string) string {
	u, err := url.Parse(console)
	if err != nil || u.Hostname() == "" || net.ParseIP(u.Hostname()) != nil {
		return "localhost"
	}
	return u.Hostname()
}

// mailReady is Conflict "mail.not-configured" when no mail can be sent: neither are there
// settings, nor were the collectors told by a flag.
func (d *desk) mailReady(ctx context.Context) error {
	s, err := d.mailServer(ctx)
	if err != nil || s.Host != "" {
		return err
	}
	known, err := d.addresses(ctx)
	if err == nil && !known.Mail {
		err = apperr.New(apperr.Conflict, "mail.not-configured", nil)
	}
	return err
}

// accountMail puts the messages of sign-in into the queue.
type accountMail struct{ d *desk }

var _ account.Mailer = accountMail{}

// Ready implements account.Mailer.
func (m accountMail) Ready(ctx context.Context) error { return m.d.mailReady(ctx) }

// Enqueue implements account.Mailer.
func (m accountMail) Enqueue(ctx context.Context, x account.Mail) error {
	sum := sha256.Sum256([]byte("mail\x00" + x.Secret))
	msg := notify.Message{Key: "link/" + hex.EncodeToString(sum[:16]), To: x.To, ToName: x.Name, Lang: x.Language, Template: notify.SigninLink,
		Path: "/signin/" + url.PathEscape(x.Secret), Secret: true, Expires: x.ExpiresAt}
	if x.Next != "" {
		msg.Path += "?next=" + url.QueryEscape(x.Next)
	}
	switch x.Purpose {
	case account.ForInvite:
		msg.Template, msg.Args = notify.Invitation, []any{"Inviter", m.inviter(x)}
	case account.ForReset:
		msg.Template = notify.PasswordReset
	}
	_, err := m.d.mail.Queue(ctx, msg)
	return err
}

func (m accountMail) inviter(x account.Mail) string {
	if x.By != "" {
		return x.By
	}
	return m.d.mail.Texts.For(x.Language, nil).Word("party", "it")
}

// parseSMTP reads smtp://[user:password@]host[:port][?tls=starttls|offered|none&from=…],
// or smtps://. Without a user, TLS is used where it is offered; with one it must be.
func parseSMTP(address string) (notify.Server, error) {
	bad := func() (notify.Server, error) {
		return notify.Server{}, apperr.New(apperr.Invalid, "mail.bad.url", apperr.Args{"field": "smtp-url", "value": redactURL(address)})
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return bad()
	}
	s := notify.Server{Host: u.Hostname(), Port: 587, TLS: notify.TLSOffer, From: u.Query().Get("from")}
	if u.User != nil {
		s.User = u.User.Username()
		s.Password, _ = u.User.Password()
		s.TLS = notify.TLSStart
	}
	if u.Scheme == "smtps" {
		s.Port, s.TLS = 465, notify.TLSFirst
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
	case notify.TLSStart, notify.TLSOffer, notify.TLSNone:
		if u.Scheme == "smtps" || mode != notify.TLSStart && s.User != "" {
			return bad()
		}
		s.TLS = mode
	default:
		return bad()
	}
	if d, _ := setting.Define(setting.MailFrom); s.From != "" {
		if s.From, err = d.Normalize(s.From); err != nil {
			return s, err
		}
	}
	return s, nil
}
