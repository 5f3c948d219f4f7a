package inbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/mail"
	"regexp"
	"strconv"
	"strings"

	"github.com/jhillyerd/enmime/v2"
)

const (
	maxText = 10_000 // of a comment, in bytes; the rest is cut, and said to be
	maxIDs  = 50     // Message-IDs that a letter answers
)

// Letter is what is taken from a message.
type Letter struct {
	MessageID string
	From      string // one address, lower case
	Subject   string
	Answers   []string // Message-IDs without brackets, the nearest first
	Auto      bool     // written by a program (RFC 3834)
	Checks    []string // Authentication-Results, the topmost first
	Text      string   // without what it quotes
	Bounce    *Bounce
}

// Bounce is what a delivery status notification tells (RFC 3464).
type Bounce struct {
	MessageID string // of the mail that did not arrive
	Code      int    // SMTP code, 0 where it tells none
	Problem   string
	Final     bool // "failed", not "delayed"
}

// Parse reads a message. Parts that cannot be read are left out.
func Parse(raw []byte) (l Letter, err error) {
	defer func() {
		if p := recover(); p != nil { // a message from outside ends nothing
			err = fmt.Errorf("reading a message: %v", p)
		}
	}()
	e, err := enmime.NewParser(enmime.SkipMalformedParts(true), enmime.MaxStoredPartErrors(10)).ReadEnvelope(bytes.NewReader(raw))
	if err != nil {
		return l, fmt.Errorf("reading a message: %w", err)
	}
	sum := sha256.Sum256(raw)
	if l.MessageID = firstID(e.GetHeader("Message-Id")); l.MessageID == "" {
		l.MessageID = "sha256:" + hex.EncodeToString(sum[:])
	}
	if from, err := e.AddressList("From"); err == nil && len(from) == 1 {
		l.From = strings.ToLower(clean(from[0].Address))
	}
	l.Subject = limit(clean(e.GetHeader("Subject")), 300)
	l.Answers = append(ids(e.GetHeader("In-Reply-To")), backwards(ids(e.GetHeader("References")))...)
	l.Answers = l.Answers[:min(len(l.Answers), maxIDs)]
	auto := strings.ToLower(strings.TrimSpace(e.GetHeader("Auto-Submitted")))
	l.Auto = auto != "" && auto != "no" || e.GetHeader("List-Id") != "" || strings.EqualFold(e.GetHeader("Precedence"), "bulk") || e.GetHeader("X-Autoreply") != ""
	l.Checks = e.GetHeaderValues("Authentication-Results")
	l.Text = Reply(e.Text)
	l.Bounce = bounceOf(e)
	return l, nil
}

var idPattern = regexp.MustCompile(`<([^<>\s]{3,250})>`)

func ids(header string) (out []string) {
	for _, m := range idPattern.FindAllStringSubmatch(limit(header, 16<<10), maxIDs) {
		out = append(out, clean(m[1]))
	}
	return out
}

func firstID(header string) string {
	if list := ids(header); len(list) > 0 {
		return list[0]
	}
	return ""
}

func backwards(list []string) []string {
	out := make([]string, 0, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, list[i])
	}
	return out
}

// quoted are first lines of what mail programs put above what they quote, in Spanish and
// English, and marks of signatures.
var quoted = regexp.MustCompile(`(?i)^\s*(>|On .{5,200} wrote:\s*$|El .{5,200} escribió:\s*$|-{2,}\s*(Original Message|Mensaje original|Forwarded message|Mensaje reenviado)|_{10,}\s*$|--\s?$|(From|De):\s.+@|(Sent from my|Enviado desde mi)\b)`)

// wrapped is the beginning of such a line that goes on in the next one.
var wrapped = regexp.MustCompile(`(?i)^\s*(On|El)\s.{5,200}$`)

// ended is its end.
var ended = regexp.MustCompile(`(?i)(wrote|escribió):\s*$`)

// Reply is what was written above what a message quotes.
func Reply(text string) string {
	lines := strings.Split(strings.ReplaceAll(clean(text), "\r\n", "\n"), "\n")
	for i, line := range lines {
		if quoted.MatchString(line) || wrapped.MatchString(line) && i+1 < len(lines) && ended.MatchString(lines[i+1]) {
			lines = lines[:i]
			break
		}
	}
	out := strings.TrimSpace(strings.Join(lines, "\n"))
	if len(out) > maxText {
		out = strings.ToValidUTF8(out[:maxText], "") + " […]"
	}
	return out
}

// bounceOf reads a delivery status notification, nil where e is none.
func bounceOf(e *enmime.Envelope) *Bounce {
	if e.Root == nil || !strings.Contains(strings.ToLower(e.GetHeader("Content-Type")), "delivery-status") {
		return nil
	}
	b := &Bounce{}
	for p := e.Root.FirstChild; p != nil; p = p.NextSibling {
		switch text := limit(string(p.Content), 64<<10); strings.ToLower(p.ContentType) {
		case "message/delivery-status":
			b.read(text)
		case "message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers":
			if m, err := mail.ReadMessage(strings.NewReader(text + "\r\n\r\n")); err == nil {
				b.MessageID = firstID(m.Header.Get("Message-Id"))
			}
		}
	}
	if b.MessageID == "" {
		return nil
	}
	return b
}

// read takes what a notification's fields tell.
func (b *Bounce) read(text string) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		value = limit(clean(strings.TrimSpace(value)), 400)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "action":
			b.Final = b.Final || strings.EqualFold(value, "failed")
		case "diagnostic-code":
			_, said, found := strings.Cut(value, ";")
			if !found {
				said = value
			}
			b.Problem = strings.TrimSpace(said)
			if n, err := strconv.Atoi(b.Problem[:min(3, len(b.Problem))]); err == nil && n >= 200 && n < 600 {
				b.Code = n
			}
		case "status":
			if b.Problem == "" {
				b.Problem = value
			}
		}
	}
}

// clean is text that every part of the collector can hold: valid, without controls but
// for line breaks and tabs. Mail in Latin-1 that does not say so arrives broken.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func limit(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
