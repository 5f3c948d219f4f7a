package web_test

import (
	"context"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/calendar"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/store"
)

// terms are those of the tests.
func terms(context.Context, string) (nonconformity.Terms, error) {
	return nonconformity.Terms{Calendar: calendar.Calendar{}, Period: 30 * day, Escalate: 2, Limits: map[nonconformity.Severity]nonconformity.Limits{
		nonconformity.Major: {"cause": 5, "plan": 8, "implement": 20, "measure": 8, "statement": 3, "contain": 2}}}, nil
}

// fakeSteps shows records as their use-case does, and keeps nothing.
type fakeSteps struct{ *fake }

func (f fakeSteps) Outlook(ctx context.Context, n nonconformity.Nonconformity) (nonconformity.Outlook, error) {
	t, _ := terms(ctx, "")
	o := nonconformity.Outlook{Tasks: n.Tasks(t), Period: n.Period(t), Speaks: true, Repeats: nonconformity.Repeats{Person: 2, Program: 3, Area: 14}}
	for _, step := range []string{nonconformity.StepStatement, nonconformity.StepCause, nonconformity.StepPlan, nonconformity.StepMeasure, nonconformity.StepConcede, nonconformity.StepWithdraw} {
		o.Options = append(o.Options, nonconformity.Option{Step: step, OnBehalf: step == nonconformity.StepStatement, Again: n.Last(step) != nil})
	}
	return o, nil
}

func (f fakeSteps) Take(ctx context.Context, number, step string, a nonconformity.Answer, _ string) (nonconformity.Nonconformity, error) {
	if a.Text == "" {
		return nonconformity.Nonconformity{}, apperr.New(apperr.Invalid, "nonconformity.missing.text", apperr.Args{"field": "text"})
	}
	return f.ByNumber(ctx, number)
}

func (f fakeSteps) Comment(ctx context.Context, number, _, _ string) (nonconformity.Nonconformity, error) {
	return f.ByNumber(ctx, number)
}

func (f fakeSteps) Attach(ctx context.Context, number, _ string, _ []byte, _ string) (nonconformity.Nonconformity, error) {
	return f.ByNumber(ctx, number)
}

func (f fakeSteps) File(context.Context, string, string) (nonconformity.File, error) {
	return nonconformity.File{}, notFound()
}

func (f fakeSteps) Trail(context.Context, string) ([]audit.Entry, error) {
	return []audit.Entry{{Seq: 7, At: now, Actor: "person:luis@example.com", Action: "nonconformity.statement"}}, nil
}

func (f *fake) Whole(ctx context.Context, q nonconformity.Filter) ([]nonconformity.Nonconformity, error) {
	return f.List(ctx, q)
}

// sampleSteps is what the parties of the first record wrote, with markup in it.
func sampleSteps() []nonconformity.Step {
	return []nonconformity.Step{
		{Kind: nonconformity.StepStatement, Round: 1, Part: nonconformity.PartUser, Author: "person:luis@example.com", AuthorName: "Luis Peña", At: ago(20 * time.Hour), Address: "192.0.2.7", Hash: sha,
			Answer: nonconformity.Answer{Text: "Lo instalé para ayudar a un cliente.\n" + markup}},
		{Kind: nonconformity.StepCause, Round: 1, Part: nonconformity.PartManager, Author: "person:ana@example.com", AuthorName: "Ana Ruiz", OnBehalf: true, At: ago(10 * time.Hour), Hash: sha,
			Answer: nonconformity.Answer{Whys: []string{"No había herramienta", markup}, Cause: "need"}},
		{Kind: nonconformity.StepPlan, Round: 1, Part: nonconformity.PartManager, Author: "person:marta@example.com", AuthorName: "Marta Ibáñez", At: ago(9 * time.Hour), Address: "192.0.2.9", Hash: sha,
			Answer: nonconformity.Answer{Actions: []nonconformity.Action{{What: "Pedir una herramienta autorizada", Who: markup, By: "2026-12-15"}}}},
		{Kind: nonconformity.StepComment, Round: 1, Part: nonconformity.PartHR, Author: "person:rosa@example.com", AuthorName: "Rosa", At: ago(8 * time.Hour), Hash: sha, Answer: nonconformity.Answer{Text: markup}},
		{Kind: nonconformity.StepAttachment, Round: 1, Part: nonconformity.PartUser, Author: "person:luis@example.com", AuthorName: "Luis Peña", At: ago(7 * time.Hour), Hash: sha,
			Answer: nonconformity.Answer{Attachment: &nonconformity.FileFact{Name: "correo del cliente.pdf", Type: "application/pdf", Size: 34_567, SHA256: sha, Scan: "not-scanned"}}},
	}
}

// storePeople is the directory of a store, as the collector's app reads it.
type storePeople struct{ s *store.Store }

func (p storePeople) Parties(ctx context.Context, person, area string) ([]nonconformity.Party, error) {
	var list []nonconformity.Party
	if x, err := p.s.Person(ctx, person); err == nil {
		list = append(list, nonconformity.Party{Part: nonconformity.PartUser, Email: x.Email, Name: x.Name})
	}
	areas, err := p.s.Areas(ctx)
	for _, a := range areas {
		if a.Name == area && a.Manager != "" {
			list = append(list, nonconformity.Party{Part: nonconformity.PartManager, Email: a.Manager})
		}
	}
	if err != nil {
		return nil, err
	}
	hr, err := p.s.PeopleByRole(ctx, actor.HR)
	for _, x := range hr {
		list = append(list, nonconformity.Party{Part: nonconformity.PartHR, Email: x.Email, Name: x.Name})
	}
	return list, err
}

func (p storePeople) Heads(context.Context) (management, administrators []nonconformity.Someone, err error) {
	return nil, nil, nil
}

func (p storePeople) Name(ctx context.Context, email string) (string, error) {
	x, err := p.s.Person(ctx, email)
	if apperr.Is(err, apperr.NotFound) {
		err = nil
	}
	return x.Name, err
}

// noRecordMail is a company without mail.
type noRecordMail struct{}

func (noRecordMail) Ready(context.Context) error {
	return apperr.New(apperr.Conflict, "mail.not-configured", nil)
}
func (noRecordMail) Enqueue(context.Context, nonconformity.Letter) error { return nil }

// noFindings frees nothing.
type noFindings struct{}

func (noFindings) Release(context.Context, string) error { return nil }

// recordSteps is the use-case over a store.
func recordSteps(t testing.TB, s *store.Store) *nonconformity.Service {
	t.Helper()
	return nonconformity.New(nonconformity.Deps{Tx: s, Records: s.Nonconformities(), Audit: s, People: storePeople{s}, Mail: noRecordMail{}, Findings: noFindings{}, Terms: terms,
		Trail: func(context.Context, string) ([]audit.Entry, error) { return nil, nil },
		Scan:  func(context.Context, []byte) (string, error) { return "not-scanned", nil }, Now: func() time.Time { return now }})
}
