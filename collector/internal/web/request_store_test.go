package web_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/store"
	"vigia/collector/internal/view"
	"vigia/collector/internal/web"
)

// noMail sends nothing.
type noMail struct{}

func (noMail) Queue(context.Context, authorize.Mail) error { return nil }

// newRequests is the use-case of requests over a real store.
func newRequests(t *testing.T, s *store.Store) *authorize.Questions {
	t.Helper()
	at := func() time.Time { return now }
	in := ingest.New(ingest.Config{Store: s, Allowlists: s, Records: s.Nonconformities(), Directory: s, Now: at, Name: "requests"})
	rules := allowlist.New(allowlist.Config{Tx: s, Allowlists: s, Changes: s, Audit: s, Findings: in, Programs: s, Now: at, NewID: func() (string, error) { return rand.Text(), nil }})
	svc := authorize.New(authorize.Deps{Requests: s, Rules: rules, Machines: view.New(s), Directory: s, Catalogues: s, Titles: s, Audit: s, Mail: noMail{},
		Zone: func(context.Context) *time.Location { return time.UTC }, Now: at})
	return authorize.NewQuestions(svc, authorize.Asking{Promises: s, Findings: view.New(s), Machines: s, Records: in, Secret: func() (string, error) { return rand.Text(), nil }})
}

// newReviews is the review of rules over the same store.
func newReviews(s *store.Store, q *authorize.Questions) *authorize.Reviews {
	return &authorize.Reviews{Reviews: s, Allowlists: s, Rules: q.Rules.(authorize.RuleList), Requests: s, Audit: s, Now: func() time.Time { return now }}
}

// askFor makes a request of the laptop's person, and asks them about their finding.
func askFor(t *testing.T, s *store.Store, r web.Requests, person string) {
	t.Helper()
	p, err := s.Person(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	ctx := actor.With(t.Context(), actor.Actor{Kind: actor.Person, ID: p.Email, Role: p.Role})
	if _, err := r.Ask(ctx, authorize.Draft{Program: "AnyDesk", Machine: "pc-017", Purpose: "Soporte", Money: 100}); err != nil {
		t.Fatal(err)
	}
	root := actor.With(t.Context(), actor.Actor{Kind: actor.CLI, ID: "root", Role: actor.Administrator})
	granted, err := r.Ask(ctx, authorize.Draft{Program: "gimp", Purpose: "Fotos"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Decide(root, granted.Number, authorize.Decision{Action: request.Grant, Reason: "sí", Reach: request.ForUser, Until: now.AddDate(0, 1, 0).Format(time.DateOnly)}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.AskUser(root, findingOf(t, s, laptop).Row); err != nil {
		t.Fatal(err)
	}
}
