package inbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// How the way to the server is protected.
const (
	TLSStart = "starttls" // STARTTLS, which the server must offer
	TLSFirst = "tls"      // TLS from the first byte
	TLSNone  = "none"     // in clear
)

// Server is where letters are fetched (RFC 9051).
type Server struct {
	Host     string // empty: nowhere
	Port     int
	TLS      string
	User     string
	Password string
	Mailbox  string
	Vouches  string         // authserv-id whose Authentication-Results must pass; empty: not asked for
	RootCAs  *x509.CertPool // nil: the system's
}

const (
	maxLetter = 10 << 20        // a larger letter is not fetched, in bytes
	maxRound  = 50              // letters of one look
	maxWait   = 2 * time.Minute // of one look
)

// mailbox is one connection with the mailbox open.
type mailbox struct {
	client *imapclient.Client
	stop   func() bool
}

// open connects, signs in and opens the mailbox. When ctx ends, the connection is cut.
func (s Server) open(ctx context.Context) (*mailbox, error) {
	address := net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	conn, err := (&net.Dialer{Timeout: 30 * time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", address, err)
	}
	secure := &tls.Config{ServerName: s.Host, RootCAs: s.RootCAs, MinVersion: tls.VersionTLS12}
	options := &imapclient.Options{TLSConfig: secure}
	var c *imapclient.Client
	switch s.TLS {
	case TLSFirst:
		c = imapclient.New(tls.Client(conn, secure), options)
	case TLSNone:
		c = imapclient.New(conn, options)
	default:
		if c, err = imapclient.NewStartTLS(conn, options); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("STARTTLS with %s: %w", address, err)
		}
	}
	m := &mailbox{client: c, stop: context.AfterFunc(ctx, func() { _ = conn.Close() })}
	if err := c.Login(s.User, s.Password).Wait(); err != nil {
		m.close()
		return nil, fmt.Errorf("signing in to %s as %s: %w", address, s.User, err)
	}
	if _, err := c.Select(s.Mailbox, nil).Wait(); err != nil {
		m.close()
		return nil, fmt.Errorf("opening mailbox %s: %w", s.Mailbox, err)
	}
	return m, nil
}

func (m *mailbox) close() {
	m.stop()
	_ = m.client.Close()
}

// unseen lists the letters nobody has read, the oldest first, with their sizes.
func (m *mailbox) unseen() ([]*imapclient.FetchMessageBuffer, error) {
	found, err := m.client.UIDSearch(&imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagSeen, imap.FlagDeleted}}, nil).Wait()
	if err != nil {
		return nil, fmt.Errorf("looking for letters: %w", err)
	}
	uids := found.AllUIDs()
	if len(uids) == 0 {
		return nil, nil
	}
	list, err := m.client.Fetch(imap.UIDSetNum(uids[:min(len(uids), maxRound)]...), &imap.FetchOptions{UID: true, RFC822Size: true}).Collect()
	if err != nil {
		return nil, fmt.Errorf("listing letters: %w", err)
	}
	return list, nil
}

// fetch reads one letter without marking it.
func (m *mailbox) fetch(uid imap.UID) ([]byte, error) {
	whole := &imap.FetchItemBodySection{Peek: true}
	list, err := m.client.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{whole}}).Collect()
	if err != nil || len(list) != 1 {
		return nil, fmt.Errorf("reading letter %d: %d found, %w", uid, len(list), err)
	}
	return list[0].FindBodySection(whole), nil
}

// done marks a letter as read.
func (m *mailbox) done(uid imap.UID) error {
	err := m.client.Store(imap.UIDSetNum(uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close()
	if err != nil {
		return fmt.Errorf("marking letter %d as read: %w", uid, err)
	}
	return nil
}
