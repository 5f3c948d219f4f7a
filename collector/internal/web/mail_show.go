package web

import (
	"net/http"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/notify"
)

type mailShowPage struct {
	Page
	Mail   notify.Mail
	Kind   string // what sort of message, in words
	Notice string
	Digest string // address of the digest that told of it
	Retry  string // address of the form; "" where it cannot be sent again
}

// mailShow shows one message and what became of it.
func (c *console) mailShow(w http.ResponseWriter, r *http.Request) error {
	p := mailShowPage{Page: c.newPage(w, r, "administration")}
	var err error
	if p.Mail, err = c.mail(r); err != nil {
		return err
	}
	p.Title, p.Notice = p.Mail.Subject, c.sessions.PopString(r.Context(), sessionNotice)
	if p.Mail.MergedInto > 0 {
		p.Digest = "/mail/" + strconv.FormatInt(p.Mail.MergedInto, 10)
	}
	p.Kind = p.Word("mail.template", string(p.Mail.Template))
	spent := p.Mail.Text == "" || p.Mail.Secret && !p.Now.Before(p.Mail.ExpiresAt)
	if p.Mail.State != notify.Sent && !spent && access.May(p.actor, access.ChangeSettings) {
		p.Retry = mailPath(p.Mail) + "/retry"
	}
	return c.render(w, r, "mail_show", p)
}

func (c *console) mail(r *http.Request) (notify.Mail, error) {
	row, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil || row < 1 {
		return notify.Mail{}, apperr.New(apperr.NotFound, "mail.unknown", apperr.Args{"mail": r.PathValue("n")})
	}
	return c.Mail.MailByRow(r.Context(), row)
}

// mailRetry makes a message wait again.
func (c *console) mailRetry(w http.ResponseWriter, r *http.Request) error {
	m, err := c.mail(r)
	if err != nil {
		return err
	}
	if m, err = c.Mail.RetryMail(r.Context(), m.Row); err != nil {
		return err
	}
	c.sessions.Put(r.Context(), sessionNotice, c.newPage(w, r, "").T("mail.retried"))
	http.Redirect(w, r, mailPath(m), http.StatusSeeOther)
	return nil
}
