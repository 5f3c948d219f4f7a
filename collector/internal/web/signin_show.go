package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"vigia/collector/internal/account"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/web/form"
)

type signinPage struct {
	Page
	Email   string
	Next    string
	Mail    bool   // links can be mailed
	Notice  string // why the page is shown
	Problem problem
}

// problem is what is wrong with a form, and with which of its fields.
type problem struct{ Field, Text string }

// Of reports whether the problem is with that field, for templates.
func (p problem) Of(field string) bool { return p.Text != "" && p.Field == field }

// problemOf says what err means for a form. An error of ours, or one that no field of a
// form can mend, comes back.
func (p Page) problemOf(err error) (problem, error) {
	switch apperr.CodeOf(err) {
	case apperr.Internal:
		return problem{}, err
	}
	return problem{Field: fieldOf(err), Text: p.Error(err)}, nil
}

// fieldOf is the field that err is about, or "".
func fieldOf(err error) string {
	var e *apperr.Error
	if errors.As(err, &e) {
		name, _ := e.Args["field"].(string)
		return name
	}
	return ""
}

// formStatus is statusOf for a form that is shown again.
func formStatus(err error) int {
	if code := apperr.CodeOf(err); code != apperr.Invalid {
		return statusOf(code)
	}
	return http.StatusUnprocessableEntity
}

// posted returns a form's value: valid text of at most that many bytes, trimmed.
func posted(r *http.Request, name string, most int) string {
	s := strings.TrimSpace(strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == utf8.RuneError {
			return -1
		}
		return c
	}, r.PostFormValue(name)))
	if len(s) > most {
		return ""
	}
	return s
}

// signinForm shows where to sign in. Who is in goes on.
func (c *console) signinForm(w http.ResponseWriter, r *http.Request) error {
	next := local(form.Text(r, "next"))
	if actor.From(r.Context()).Kind == actor.Person {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	return c.showSignin(w, r, http.StatusOK, signinPage{Page: c.newPage(w, r, ""), Next: next, Email: form.Text(r, "email")})
}

func (c *console) showSignin(w http.ResponseWriter, r *http.Request, status int, p signinPage) error {
	p.Mail = c.Accounts.MailReady(r.Context()) == nil
	p.Title = p.T("signin.title")
	return c.execute(w, status, "signin", "layout", p)
}

// signinAsk is the sign-in page in place of one that needs a session.
func (c *console) signinAsk(w http.ResponseWriter, r *http.Request, err error) error {
	p := signinPage{Page: c.newPage(w, r, ""), Notice: ""}
	p.Notice = p.Error(err)
	if r.Method == http.MethodGet {
		p.Next = local(r.URL.RequestURI())
	}
	return c.showSignin(w, r, http.StatusUnauthorized, p)
}

// signinPassword takes the e-mail address and the password.
func (c *console) signinPassword(w http.ResponseWriter, r *http.Request) error {
	email, next := posted(r, "email", 254), local(posted(r, "next", 2000))
	proof, err := c.Accounts.SignIn(r.Context(), email, r.PostFormValue("password"), c.client(r))
	if err != nil {
		p, status := signinPage{Page: c.newPage(w, r, ""), Email: email, Next: next}, formStatus(err)
		if p.Problem, err = p.problemOf(err); err != nil {
			return err
		}
		return c.showSignin(w, r, status, p)
	}
	return c.proven(w, r, proof, next)
}

type codePage struct {
	Page
	Email   string
	Problem problem
}

// signinCodeForm asks for the second step.
func (c *console) signinCodeForm(w http.ResponseWriter, r *http.Request) error {
	return c.showCode(w, r, http.StatusOK, problem{})
}

func (c *console) showCode(w http.ResponseWriter, r *http.Request, status int, bad problem) error {
	proof, _, err := c.pending(r)
	if err != nil {
		return err
	}
	p := codePage{Page: c.newPage(w, r, ""), Email: proof.Person, Problem: bad}
	p.Title = p.T("signin.code.title")
	return c.execute(w, status, "signin_code", "layout", p)
}

// signinCode takes the six digits, or a recovery code.
func (c *console) signinCode(w http.ResponseWriter, r *http.Request) error {
	proof, next, err := c.pending(r)
	if err != nil {
		return err
	}
	if err := c.Accounts.Code(r.Context(), proof.Person, posted(r, "code", 64), c.client(r)); err != nil {
		status := formStatus(err)
		bad, err := c.newPage(w, r, "").problemOf(err)
		if err != nil {
			return err
		}
		return c.showCode(w, r, status, bad)
	}
	return c.begin(w, r, proof, true, next)
}

type mailPage struct {
	Page
	Action  string // where the form goes
	Kind    string // "link" or "reset", which chooses the sentences
	Email   string
	Next    string // page that the link leads to
	Sent    bool
	Problem problem
}

// signinMailForm asks for the address that a link goes to.
func (c *console) signinMailForm(purpose account.Purpose) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		p := c.mailPage(w, r, purpose)
		p.Email, p.Next = form.Text(r, "email"), elsewhere(local(r.URL.Query().Get("next")))
		if err := c.Accounts.MailReady(r.Context()); err != nil {
			p.Problem = problem{Text: p.Error(err)}
		}
		return c.render(w, r, "signin_mail", p)
	}
}

func (c *console) mailPage(w http.ResponseWriter, r *http.Request, purpose account.Purpose) mailPage {
	p := mailPage{Page: c.newPage(w, r, ""), Action: "/signin/link", Kind: "link"}
	if purpose == account.ForReset {
		p.Action, p.Kind = "/signin/reset", "reset"
	}
	p.Title = p.T("signin." + p.Kind + ".title")
	return p
}

// signinMail mails a link, and says the same to everybody.
func (c *console) signinMail(purpose account.Purpose) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		p := c.mailPage(w, r, purpose)
		p.Email, p.Next = posted(r, "email", 254), elsewhere(local(posted(r, "next", 2000)))
		from := c.client(r)
		from.Next = p.Next
		err := c.Accounts.RequestLink(r.Context(), p.Email, purpose, from)
		if err == nil {
			p.Sent = true
			return c.render(w, r, "signin_mail", p)
		}
		status := formStatus(err)
		if p.Problem, err = p.problemOf(err); err != nil {
			return err
		}
		return c.execute(w, status, "signin_mail", "layout", p)
	}
}

// linkAddress is where a link's form goes.
func linkAddress(r *http.Request) string { return "/signin/" + url.PathEscape(r.PathValue("secret")) }

// elsewhere is a page, or nothing where it is the home page, which needs no naming.
func elsewhere(page string) string {
	if page == "/" {
		return ""
	}
	return page
}
