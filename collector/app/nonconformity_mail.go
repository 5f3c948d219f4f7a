package app

import (
	"context"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/notify"
)

// recordMail is where every letter about a nonconformity leaves: whoever wants to gather,
// hold back or copy them does it here.
type recordMail struct{ d *desk }

var _ nonconformity.Mailer = recordMail{}

// Ready implements nonconformity.Mailer.
func (m recordMail) Ready(ctx context.Context) error {
	if err := m.d.mailReady(ctx); err != nil {
		return err
	}
	company, err := m.d.company(ctx)
	if err == nil && company.Console == "" {
		err = apperr.New(apperr.Conflict, "mail.no-address", nil)
	}
	return err
}

// Enqueue implements nonconformity.Mailer. What can never be sent, such as a malformed
// address of the directory, is left out with a line in the log: a record goes on.
func (m recordMail) Enqueue(ctx context.Context, l nonconformity.Letter) error {
	account, err := m.d.store.Account(ctx, l.To.Email)
	if err != nil {
		return err
	}
	company, err := m.d.company(ctx)
	if err != nil {
		return err
	}
	lang := account.Language
	if lang == "" {
		lang = company.Language
	}
	path := "/nonconformities/" + l.Record.Number
	if l.Step != "" && l.Kind != nonconformity.LetterEscalated && l.Step != nonconformity.StepContain && l.Step != nonconformity.StepRenew {
		path += "/steps/" + l.Step
	}
	_, err = m.d.mail.Queue(ctx, notify.Message{Key: l.Key, To: l.To.Email, ToName: l.To.Name, Lang: lang, Template: notify.RecordTemplate(string(l.Kind)),
		Args: letterArgs(m.d.mail.Texts.For(lang, company.Zone), l), Path: path, Thread: l.Record.Number})
	if apperr.Is(err, apperr.Invalid) {
		m.d.log.WarnContext(ctx, "a letter cannot be sent", "to", l.To.Email, "key", l.Key, "err", err)
		return nil
	}
	return err
}

// letterArgs is what the sentences of letters name.
func letterArgs(p *locale.Printer, l nonconformity.Letter) []any {
	n := l.Record
	person := n.PersonName
	if person == "" {
		person = n.Person
	}
	if person == "" {
		person = p.T("machine.nobody")
	}
	ask, due := p.T("mail.nc-ask.none"), ""
	if !l.Due.IsZero() {
		due = p.DateTime(l.Due)
	}
	step := ""
	if l.Step != "" {
		ask, step = p.T("mail.nc-ask."+l.Step, "Due", due), p.T("nc.step."+l.Step)
	}
	behind := ""
	if l.Behind != "" {
		behind = p.Word("party", l.Behind)
	}
	text := l.Text
	if text == "" {
		text = p.T("not-told")
	}
	until := ""
	if !n.Until.IsZero() {
		until = p.DateTime(n.Until)
	}
	by := l.By
	if by == "" {
		by = p.Word("party", nonconformity.PartIT)
	}
	return []any{"Number", n.Number, "Person", person, "Hostname", n.Hostname, "Area", n.Area, "Programs", letterPrograms(n), "Ask", ask, "Step", step,
		"Due", due, "Behind", behind, "By", by, "Text", text, "Lasts", until, "Recurrences", n.Recurrences}
}

// letterPrograms names the record's programs, the first five.
func letterPrograms(n *nonconformity.Nonconformity) string {
	var names []string
	for _, x := range n.Programs {
		if len(names) == 5 {
			return strings.Join(names, ", ") + " …"
		}
		names = append(names, strings.TrimSpace(x.Name+" "+x.Version))
	}
	return strings.Join(names, ", ")
}
