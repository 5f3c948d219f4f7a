package web

import (
	"net/http"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/notify"
)

type mailServerPage struct {
	Page
	Tabs    []headLink
	Server  notify.Server
	Where   string // host:port
	Broken  string // why the server cannot be told
	Counts  []mailCount
	Oldest  notify.Counts
	To      string
	Problem string
	Test    bool // the reader may send one
}

// User is who signs in at the server, in words.
func (p mailServerPage) User() string {
	if p.Server.User == "" {
		return p.T("mail.no-user")
	}
	return p.Server.User
}

// mailCount is one state with how many messages have it.
type mailCount struct{ N, Text, URL string }

// mailServer shows where mail goes, how the queue stands, and sends a test message.
func (c *console) mailServer(w http.ResponseWriter, r *http.Request) error {
	return c.mailServerForm(w, r, "", nil)
}

// mailTest queues a test message to one address.
func (c *console) mailTest(w http.ResponseWriter, r *http.Request) error {
	to := posted(r, "to", maxEmail)
	p := c.newPage(w, r, "")
	m, err := c.Mail.TestMail(r.Context(), to, p.Lang)
	if apperr.Is(err, apperr.Invalid) || apperr.Is(err, apperr.Conflict) {
		return c.mailServerForm(w, r, to, err)
	} else if err != nil {
		return err
	}
	c.sessions.Put(r.Context(), sessionNotice, p.T("mail.tested"))
	http.Redirect(w, r, mailPath(m), http.StatusSeeOther)
	return nil
}

func (c *console) mailServerForm(w http.ResponseWriter, r *http.Request, to string, failure error) error {
	ctx := r.Context()
	p := mailServerPage{Page: c.newPage(w, r, "administration"), To: to}
	p.Title, p.Tabs, p.Test = p.T("mail.server"), mailTabs(&p.Page), access.May(p.actor, access.ChangeSettings)
	var err error
	p.Server, err = c.Mail.MailServer(ctx)
	if apperr.Is(err, apperr.Conflict) { // the password cannot be opened: the page says what to do
		p.Broken = p.Error(err)
	} else if err != nil {
		return err
	}
	p.Where = p.Server.Host + ":" + strconv.Itoa(p.Server.Port)
	if p.Oldest, err = c.Mail.MailCounts(ctx); err != nil {
		return err
	}
	for _, s := range notify.States() {
		n := p.Oldest.ByState[s]
		p.Counts = append(p.Counts, mailCount{p.Number64(n), p.Word("mail.state", string(s)), "/mail?state=" + string(s)})
	}
	status := http.StatusOK
	if failure != nil {
		p.Problem, status = p.Error(failure), http.StatusUnprocessableEntity
	}
	return c.execute(w, status, "mail_server", "layout", p)
}
