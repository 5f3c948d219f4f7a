package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/locale"
)

const (
	// life is how long a message is tried: RFC 5321, 4.5.4.1, asks for 4–5 days.
	life = 5 * 24 * time.Hour
	// maxBody bounds each of the two texts of a message, in bytes.
	maxBody = 128 << 10
	// maxKey bounds keys and threads, in bytes.
	maxKey = 200
	// maxSubject bounds a subject, in bytes.
	maxSubject = 300
)

// Company is how mail speaks of where it comes from.
type Company struct {
	Name     string
	Language string         // of readers whose own is not known
	Zone     *time.Location // of times in texts; nil: UTC
	Console  string         // https://host[:port]; empty where it is not known
	Replies  bool           // answers are read: they become comments on the record
}

// Deps is what the queue stands on. All fields are required but Preference.
type Deps struct {
	InTx    func(ctx context.Context, fn func(ctx context.Context) error) error
	Store   Store
	Texts   *locale.Catalogue
	Company func(ctx context.Context) (Company, error)
	Now     func() time.Time
	NewID   func() string // UUID text

	// Preference is how a reader wants to be told; nil: everybody at once.
	Preference func(ctx context.Context, to string) (Preference, error)
}

// Queuer puts messages into the queue.
type Queuer struct {
	Deps
	wake chan struct{}
}

// New returns a queue over d.
func New(d Deps) *Queuer { return &Queuer{Deps: d, wake: make(chan struct{}, 1)} }

// Queue puts a message into the queue, in the transaction that ctx carries, and returns
// it. A second one with the same key is not queued: the first is returned. Errors:
// Invalid with Args["field"]; TooMany "mail.queue-full"; Unavailable "mail.no-address"
// where a button is asked for and nobody knows the console's address.
func (q *Queuer) Queue(ctx context.Context, m Message) (Mail, error) {
	if err := m.check(); err != nil {
		return Mail{}, err
	}
	company, err := q.Company(ctx)
	if err != nil {
		return Mail{}, err
	}
	out, err := q.write(ctx, m, company)
	if err != nil {
		return Mail{}, err
	}
	if err := q.schedule(ctx, m, &out); err != nil {
		return Mail{}, err
	}
	kept, queued, err := q.Store.QueueMail(ctx, out)
	if err == nil && queued {
		q.nudge()
	}
	return kept, err
}

// nudge tells the sender beside this queue that there is work. The transaction may not
// be committed yet: the sender looks again by itself.
func (q *Queuer) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (m *Message) check() error {
	bad := func(field, key, value string) error {
		if len(value) > 100 {
			value = strings.ToValidUTF8(value[:100], "") + "…"
		}
		return apperr.New(apperr.Invalid, key, apperr.Args{"field": field, "value": value})
	}
	if m.Key == "" || len(m.Key) > maxKey || m.Key != oneLine(m.Key) {
		return bad("key", "mail.bad.key", m.Key)
	}
	if len(m.Thread) > maxKey || m.Thread != oneLine(m.Thread) {
		return bad("thread", "mail.bad.thread", m.Thread)
	}
	if !m.Template.known() {
		return bad("template", "mail.bad.template", string(m.Template))
	}
	for _, p := range []string{m.Path, m.Second} {
		if u, err := url.Parse(p); err != nil || p != "" && (!strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || u.Host != "" || p != oneLine(p)) {
			return bad("path", "mail.bad.path", p)
		}
	}
	if err := CheckAddress(m.To); err != nil {
		return err
	}
	return nil
}

// CheckAddress tells whether mail can be sent to an address: one, without a name.
// Invalid "mail.bad.to" otherwise.
func CheckAddress(to string) error {
	a, err := mail.ParseAddress(to)
	if err != nil || a.Name != "" || a.Address != to || len(to) > 254 || to != oneLine(to) {
		if len(to) > 100 {
			to = strings.ToValidUTF8(to[:100], "") + "…"
		}
		return apperr.New(apperr.Invalid, "mail.bad.to", apperr.Args{"field": "to", "value": oneLine(to)})
	}
	return nil
}

// write puts a message into words.
func (q *Queuer) write(ctx context.Context, m Message, company Company) (Mail, error) {
	now := q.Now().UTC().Truncate(time.Microsecond)
	expires := m.Expires
	if expires.IsZero() || expires.After(now.Add(life)) {
		expires = now.Add(life)
	}
	action, other := "", ""
	if m.Path != "" {
		if company.Console == "" {
			return Mail{}, apperr.New(apperr.Unavailable, "mail.no-address", nil)
		}
		action = company.Console + m.Path
	}
	if m.Second != "" && action != "" {
		other = company.Console + m.Second
	}
	lang := m.Lang
	if lang != locale.Spanish && lang != locale.English {
		lang = company.Language
	}
	printer := q.Texts.For(lang, company.Zone)
	m.Args = append(append([]any(nil), m.Args...), "Until", expires)
	c, err := say(printer, m, company, action, other)
	if err != nil {
		return Mail{}, apperr.Wrap(err, apperr.Internal, "code.internal", nil)
	}
	html, err := c.html()
	if err != nil {
		return Mail{}, err
	}
	text := c.plain()
	if m.Secret { // a path that lets somebody in is in the text alone, which is wiped
		m.Path = ""
	}
	if len(text) > maxBody || len(html) > maxBody {
		return Mail{}, apperr.New(apperr.Invalid, "mail.too-large", apperr.Args{"field": "text", "max": maxBody})
	}
	if len(c.Subject) > maxSubject {
		c.Subject = strings.ToValidUTF8(c.Subject[:maxSubject-3], "") + "…"
	}
	name := oneLine(m.ToName)
	if len(name) > maxKey {
		name = strings.ToValidUTF8(name[:maxKey], "")
	}
	return Mail{Key: m.Key, MessageID: q.NewID() + "@" + domain(company.Console), Thread: m.Thread, To: m.To, ToName: name, Lang: printer.Lang,
		Template: m.Template, Subject: c.Subject, Text: text, HTML: html, Secret: m.Secret, State: Waiting,
		CreatedAt: now, CreatedBy: actor.From(ctx).String(), ExpiresAt: expires, NextAt: now, Path: m.Path}, nil
}

// domain is the right side of message ids.
func domain(console string) string {
	u, err := url.Parse(console)
	if err != nil || u.Hostname() == "" {
		return "vigia.invalid" // RFC 2606
	}
	switch ip := net.ParseIP(u.Hostname()); {
	case ip == nil:
		return u.Hostname()
	case ip.To4() != nil:
		return "[" + ip.String() + "]" // RFC 5321, 4.1.3
	default:
		return "[IPv6:" + ip.String() + "]"
	}
}

// threadID is the message id that the mails of one record refer to, the same for good.
func threadID(thread, messageID string) string {
	_, host, _ := strings.Cut(messageID, "@")
	sum := sha256.Sum256([]byte("vigia thread\x00" + thread))
	return "thread." + hex.EncodeToString(sum[:12]) + "@" + host
}
