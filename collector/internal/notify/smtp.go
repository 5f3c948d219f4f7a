package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// How the way to the server is protected.
const (
	TLSStart = "starttls" // STARTTLS must be offered
	TLSOffer = "offered"  // STARTTLS where it is offered, in clear otherwise
	TLSFirst = "tls"      // TLS from the first byte
	TLSNone  = "none"     // in clear
)

// Server is where mail is handed over.
type Server struct {
	Host     string // empty: mail is not configured
	Port     int
	TLS      string
	User     string // empty: without signing in
	Password string
	From     string // RFC 5322 address, with or without a name
}

// SMTP hands messages to a server by SMTP (RFC 5321).
type SMTP struct {
	RootCAs *x509.CertPool // nil: the system's
	Timeout time.Duration  // of each step; 0 means 30 s
}

// refusal is what the server answered, or why it could not be asked.
type refusal struct {
	permanent bool // trying the same message again is of no use
	server    bool // not of this message: every other would fail too
	code      int
	err       error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// session is one connection.
type session struct {
	client *mail.Client
	from   string
	stop   func() bool
}

// dial connects and signs in. Any error is of the server, not of a message. When ctx
// ends, the connection is cut, whatever it waits for.
func (s SMTP) dial(ctx context.Context, to Server) (*session, error) {
	timeout := s.Timeout
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	out := &session{from: to.From, stop: func() bool { return true }}
	secure := &tls.Config{ServerName: to.Host, RootCAs: s.RootCAs, MinVersion: tls.VersionTLS12}
	options := []mail.Option{
		mail.WithPort(to.Port), mail.WithTimeout(timeout), mail.WithHELO(ownName()), mail.WithoutNoop(), mail.WithTLSConfig(secure),
		mail.WithDialContextFunc(func(ctx2 context.Context, network, address string) (net.Conn, error) {
			conn, err := connect(ctx2, network, address, to.TLS == TLSFirst, secure)
			if err == nil {
				out.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
			}
			return conn, err
		}),
	}
	switch to.TLS {
	case TLSFirst:
		options = append(options, mail.WithSSL())
	case TLSNone:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	case TLSOffer:
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if to.User != "" { // PLAIN and LOGIN are refused on a connection in clear
		options = append(options, mail.WithUsername(to.User), mail.WithPassword(to.Password), mail.WithOpportunisticSMTPAuth(
			mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5))
	}
	client, err := mail.NewClient(to.Host, options...)
	if err != nil {
		return nil, &refusal{server: true, err: fmt.Errorf("preparing the connection to %s: %w", to.Host, err)}
	}
	out.client = client
	if err := client.DialWithContext(ctx); err != nil {
		out.stop()
		return nil, &refusal{server: true, code: codeOf(err), err: fmt.Errorf("connecting to %s: %w", net.JoinHostPort(to.Host, strconv.Itoa(to.Port)), err)}
	}
	return out, nil
}

func connect(ctx context.Context, network, address string, first bool, secure *tls.Config) (net.Conn, error) {
	if first {
		return (&tls.Dialer{Config: secure}).DialContext(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// ownName is what the server is greeted with.
func ownName() string {
	if name, err := os.Hostname(); err == nil && name != "" && !strings.ContainsAny(name, " \t\r\n") {
		return name
	}
	return "localhost"
}

// close takes leave. What was sent was sent, whatever the server says to that.
func (s *session) close() {
	_ = s.client.Close()
	s.stop()
}

// send hands one message over. The error is a *refusal.
func (s *session) send(m Mail) error {
	msg, err := s.message(m)
	if err != nil {
		return &refusal{permanent: true, err: err}
	}
	err = s.client.Send(msg)
	if err == nil || msg.IsDelivered() { // the library also fails where the server ends the connection after its "250"
		return nil
	}
	r := &refusal{code: codeOf(err), err: err}
	var failed *mail.SendError
	if !errors.As(err, &failed) {
		r.server = true
		return r
	}
	switch failed.Reason {
	case mail.ErrSMTPRcptTo, mail.ErrSMTPData, mail.ErrSMTPDataClose:
		r.permanent = r.code >= 500
	default: // the connection, or the sender: a setting, not this message
		r.server = true
	}
	if r.code == 0 || r.code == 421 {
		r.permanent, r.server = false, true
	}
	return r
}

// message puts a mail into its form on the way. The library encodes every header.
func (s *session) message(m Mail) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithCharset(mail.CharsetUTF8), mail.WithEncoding(mail.EncodingQP), mail.WithNoDefaultUserAgent())
	if err := msg.From(s.from); err != nil {
		return nil, fmt.Errorf("sender %q: %w", s.from, err)
	}
	to := (&netmail.Address{Name: m.ToName, Address: m.To}).String()
	if err := msg.To(to); err != nil {
		return nil, fmt.Errorf("recipient %q: %w", m.To, err)
	}
	msg.SetMessageIDWithValue(m.MessageID)
	msg.SetDateWithValue(m.CreatedAt)
	msg.Subject(m.Subject)
	if m.Thread != "" {
		root := "<" + threadID(m.Thread, m.MessageID) + ">"
		msg.SetGenHeader(mail.HeaderInReplyTo, root)
		msg.SetGenHeader(mail.HeaderReferences, root)
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: answer with no holiday notice
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetGenHeader(mail.HeaderContentLang, m.Lang)
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	return msg, nil
}

// codeOf returns the SMTP code in err's chain, 0 where the server said nothing.
func codeOf(err error) int {
	var failed *mail.SendError
	if errors.As(err, &failed) && failed.ErrorCode() > 0 {
		return failed.ErrorCode()
	}
	var proto *textproto.Error
	if errors.As(err, &proto) {
		return proto.Code
	}
	return 0
}
