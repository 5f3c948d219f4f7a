package notify

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"vigia/collector/internal/locale"
)

// Templates lists every template.
func Templates() []Template {
	list := []Template{Invitation, PasswordReset, SigninLink, TestMessage, Digest}
	for _, kind := range recordKinds {
		list = append(list, RecordTemplate(kind))
	}
	return append(list, requestTemplates()...)
}

// recordKinds are the kinds of letters about a nonconformity.
var recordKinds = [...]string{"opened", "recurred", "lapsed", "contained", "verified", "closed", "withdrawn", "concession", "comment", "reminder", "overdue", "escalated"}

// RecordTemplate is the template of a kind of letter about a nonconformity.
func RecordTemplate(kind string) Template { return Template("nc-" + kind) }

// known reports whether t is a template.
func (t Template) known() bool { return slices.Contains(Templates(), t) }

// content is a message in words.
type content struct {
	Subject    string
	Lang       string
	Greeting   string
	Paragraphs []string
	Items      []Item
	Action     string // label of the one button; empty: none
	URL        string
	Other      string // label of a second button; empty: none
	OtherURL   string
	LinkHelp   string
	Footer     string
}

// say fills the template's sentences.
func say(p *locale.Printer, m Message, from Company, url, other string) (content, error) {
	name := string(m.Template)
	c := content{Lang: p.Lang, URL: url, Items: m.Items, LinkHelp: p.T("mail.link-help"), Subject: oneLine(p.T("mail."+name+".subject", m.Args...))}
	if c.Greeting = p.T("mail.greeting-nobody"); m.ToName != "" {
		c.Greeting = p.T("mail.greeting", "Name", oneLine(m.ToName))
	}
	company := ""
	if from.Name != "" {
		company = " · " + oneLine(from.Name)
	}
	if c.Footer = p.T("mail.footer", "Company", company); from.Replies && strings.HasPrefix(m.Thread, "NC-") {
		c.Footer = p.T("mail.footer-reply", "Company", company, "Record", m.Thread)
	}
	for text := range strings.SplitSeq(p.T("mail."+name+".text", m.Args...), "\n\n") {
		c.Paragraphs = append(c.Paragraphs, text)
	}
	if url != "" {
		c.Action = p.T("mail."+name+".action", m.Args...)
	}
	if other != "" {
		c.OtherURL, c.Other = other, p.T("mail."+name+".other", m.Args...)
	}
	for _, s := range append([]string{c.Subject, c.Action, c.Other, c.Footer}, c.Paragraphs...) {
		if strings.Contains(s, "‹") || strings.Contains(s, "<no value>") {
			return c, fmt.Errorf("mail template %s in %s lacks a sentence or a value: %s", name, p.Lang, s)
		}
	}
	return c, nil
}

// oneLine is s without control characters: what goes into a header stays in it.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// plain is the text part.
func (c content) plain() string {
	var b strings.Builder
	b.WriteString(c.Greeting + "\n\n")
	for _, p := range c.Paragraphs {
		b.WriteString(p + "\n\n")
	}
	for _, x := range c.Items {
		b.WriteString("- " + x.Subject + "\n")
		if x.URL != "" {
			b.WriteString("  " + x.URL + "\n")
		}
	}
	if len(c.Items) > 0 {
		b.WriteString("\n")
	}
	if c.URL != "" {
		b.WriteString(c.Action + ":\n" + c.URL + "\n\n")
	}
	if c.OtherURL != "" {
		b.WriteString(c.Other + ":\n" + c.OtherURL + "\n\n")
	}
	b.WriteString("-- \n" + c.Footer + "\n")
	return b.String()
}

// page is the HTML part: tables and inline styles, which is what mail programs read; no
// picture and nothing fetched from anywhere.
const page = `<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>{{.Subject}}</title></head>
<body style="margin:0;padding:24px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;font-size:16px;line-height:1.5">
<table role="presentation" width="100%" cellspacing="0" cellpadding="0" style="max-width:560px;margin:0 auto"><tr><td>
<p style="margin:0 0 24px;font-weight:700">Vigía</p>
<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">{{.Subject}}</h1>
<p style="margin:0 0 16px">{{.Greeting}}</p>
{{range .Paragraphs}}<p style="margin:0 0 16px">{{.}}</p>
{{end}}{{if .Items}}<ul style="margin:0 0 16px;padding-left:20px">{{range .Items}}<li style="margin:0 0 8px">{{if .URL}}<a href="{{.URL}}">{{.Subject}}</a>{{else}}{{.Subject}}{{end}}</li>
{{end}}</ul>{{end}}{{if .URL}}<p style="margin:24px 0"><a href="{{.URL}}" style="display:inline-block;padding:12px 20px;border-radius:6px;background:#1a5fb4;color:#ffffff;text-decoration:none;font-weight:600">{{.Action}}</a>{{if .OtherURL}} <a href="{{.OtherURL}}" style="display:inline-block;padding:12px 20px;border-radius:6px;background:#3d4a5c;color:#ffffff;text-decoration:none;font-weight:600">{{.Other}}</a>{{end}}</p>
<p style="margin:0 0 16px;font-size:13px">{{.LinkHelp}}<br><a href="{{.URL}}" style="word-break:break-all">{{.URL}}</a>{{if .OtherURL}}<br><a href="{{.OtherURL}}" style="word-break:break-all">{{.OtherURL}}</a>{{end}}</p>
{{end}}<hr style="border:0;border-top:1px solid #c4cad3;margin:24px 0 12px">
<p style="margin:0;font-size:13px">{{.Footer}}</p>
</td></tr></table></body></html>
`

// html is the HTML part; every value is escaped where it stands.
func (c content) html() (string, error) {
	t, err := template.New("mail").Option("missingkey=error").Parse(page)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, c); err != nil {
		return "", fmt.Errorf("writing the HTML part: %w", err)
	}
	return b.String(), nil
}
