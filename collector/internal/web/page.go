package web

import (
	"html/template"
	"net/http"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/web/form"
)

// languageCookie holds the language that the reader chose. It says nothing else.
const languageCookie = "vigia-language"

// languageHeader is the language of a page that refreshes a part of itself: the person
// may have chosen another one elsewhere since.
const languageHeader = "Vigia-Language"

// Page is what every template gets. Its printer writes in the reader's language.
type Page struct {
	*locale.Printer
	Title     string
	Section   string // of the rail, "" for none
	SignedIn  bool
	Sample    bool      // the data is invented: every page says so
	Rail      []section // that the reader may open
	Who       string    // e-mail, or empty
	Role      string    // in words
	Now       time.Time
	Languages []languageLink
	Theme     string // "light" or "dark" where the reader chose; empty: as the system has it
	Help      string // address of the manual's page about this one
	CSS, JS   string
	Favicon   string

	actor actor.Actor // the reader, when signed in
}

type languageLink struct {
	Code, Name, URL string
	Current         bool
}

// newPage must not need a session: failures are pages too.
func (c *console) newPage(w http.ResponseWriter, r *http.Request, section string) Page {
	p := Page{
		Printer: c.Texts.For(c.language(r), c.zone(r)), Section: section, Now: c.Now(),
		Sample: c.Sample, CSS: c.static.urls["console.css"], JS: c.static.urls["console.js"], Favicon: c.static.urls["favicon.svg"],
	}
	if a := actor.From(r.Context()); a.Kind == actor.Person {
		p.SignedIn, p.actor, p.Rail, p.Who = true, a, allowed(a, rail()), a.ID
		p.Role = p.Word("role", string(a.Role))
		if a.ID == operatorID {
			p.Who = p.T("operator")
		}
		st, _ := stateFrom(r.Context())
		p.Theme = string(st.Theme)
	}
	p.Help = c.helpFor(p.Lang, section)
	for _, lang := range locale.Languages() {
		q := r.URL.Query()
		q.Set("lang", lang)
		url := "?" + q.Encode() // relative: the path of a request is not to be trusted in a link
		if r.Method != http.MethodGet {
			url = form.Link("/", "lang", lang)
		}
		p.Languages = append(p.Languages, languageLink{Code: lang, Name: p.T("language." + lang), URL: url, Current: lang == p.Lang})
	}
	return p
}

// zone is the one in which times are shown: what the company chose, as it is now.
func (c *console) zone(r *http.Request) *time.Location {
	if c.ZoneNow != nil {
		if z := c.ZoneNow(r.Context()); z != nil {
			return z
		}
	}
	return c.Zone
}

// language is what the URL asks for, else that of the page which a part is for, else
// what the person chose, else the cookie, else the browser's header.
func (c *console) language(r *http.Request) string {
	cookie := ""
	if k, err := r.Cookie(languageCookie); err == nil {
		cookie = k.Value
	}
	st, _ := stateFrom(r.Context())
	return c.Texts.Match(r.Header.Get("Accept-Language"), r.URL.Query().Get("lang"), r.Header.Get(languageHeader), st.Language, cookie)
}

// rememberLanguage keeps a choice made in the URL: in the person's account, and in the
// browser for a year.
func (c *console) rememberLanguage(w http.ResponseWriter, r *http.Request) error {
	if lang := form.OneOf(r, "lang", locale.Languages()...); lang != "" {
		http.SetCookie(w, &http.Cookie{
			Name: languageCookie, Value: lang, Path: "/", MaxAge: 365 * 24 * 3600,
			Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		if st, ok := stateFrom(r.Context()); ok && st.Session.Person != "" && st.Language != lang {
			return c.Accounts.Prefer(r.Context(), st.Session.Person, lang, nil)
		}
	}
	return nil
}

// When writes a moment in full, for people and for machines.
func (p Page) When(t time.Time) template.HTML { return p.timeTag(t, p.DateTime(t), "") }

// Since writes how long ago a moment was; pointing at it shows the moment.
func (p Page) Since(t time.Time) template.HTML { return p.timeTag(t, p.Ago(t, p.Now), p.DateTime(t)) }

func (p Page) timeTag(t time.Time, text, title string) template.HTML {
	if t.IsZero() {
		return template.HTML(template.HTMLEscapeString(text))
	}
	s := `<time datetime="` + t.UTC().Format(time.RFC3339) + `"`
	if title != "" {
		s += ` title="` + template.HTMLEscapeString(title) + `"`
	}
	return template.HTML(s + ">" + template.HTMLEscapeString(text) + "</time>")
}

// OrNone is s, or a dash that is read out as "not told".
func (p Page) OrNone(s string) template.HTML {
	if s != "" {
		return template.HTML(template.HTMLEscapeString(s))
	}
	return template.HTML(`<span class="vg-muted">` + template.HTMLEscapeString(p.T("not-told")) + `</span>`)
}

// Number64 writes a count; templates cannot convert.
func (p Page) Number64(n int) string { return p.Number(int64(n)) }

// Less is a - b, for templates.
func (p Page) Less(a, b int) int { return a - b }
