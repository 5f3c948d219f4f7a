package org

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

// DraftLife is how long a file waits to be confirmed.
const DraftLife = time.Hour

// Draft is a file that somebody looked at and has not confirmed yet.
type Draft struct {
	ID        string
	Actor     string // actor.Actor.String() of who brought it: nobody else gets it
	Name      string // of the file
	CreatedAt time.Time
	ExpiresAt time.Time
	Sum       [32]byte // of the preview that was shown
	Body      []byte   // JSON of what the file says
}

// DraftStore keeps files until they are confirmed.
type DraftStore interface {
	SaveDraft(ctx context.Context, d Draft) error                 // in place of the actor's earlier one; drops what expired before d.CreatedAt
	Draft(ctx context.Context, id string) (Draft, error)          // NotFound
	SealDraft(ctx context.Context, id string, sum [32]byte) error // the preview shown is another now
	DropDraft(ctx context.Context, id string) error
}

// Drafts is how a file is looked at first and taken over afterwards, on any collector.
type Drafts struct {
	Importer *Importer
	Store    DraftStore
	NewID    func() string
}

// body is what a draft keeps of a file.
type body struct {
	Rows  []Row
	Early Problems
}

// Bring keeps a file of that name and returns the draft's id.
func (d *Drafts) Bring(ctx context.Context, name string, f *File) (string, error) {
	p, err := d.Importer.Preview(ctx, f)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(body{f.rows, f.early[:min(len(f.early), maxProblems)]})
	if err != nil {
		return "", fmt.Errorf("keeping a file of people: %w", err)
	}
	if len(name) > maxField || !plainText(name) {
		name = ""
	}
	now := d.Importer.Now().UTC().Truncate(time.Microsecond)
	draft := Draft{ID: d.NewID(), Actor: actor.From(ctx).String(), Name: name, CreatedAt: now, ExpiresAt: now.Add(DraftLife), Sum: p.Sum, Body: b}
	return draft.ID, d.Store.SaveDraft(ctx, draft)
}

// Look returns a draft with what importing it now would do. Errors: NotFound when it is
// another person's, expired or done.
func (d *Drafts) Look(ctx context.Context, id string) (Draft, Preview, error) {
	draft, f, err := d.draft(ctx, id)
	if err != nil {
		return draft, Preview{}, err
	}
	p, err := d.Importer.Preview(ctx, f)
	if err != nil || p.Sum == draft.Sum {
		return draft, p, err
	}
	return draft, p, d.Store.SealDraft(ctx, id, p.Sum) // what is shown now is what may be confirmed
}

// Confirm imports a draft as it was last shown. Errors: those of Look and of
// Importer.ImportSame.
func (d *Drafts) Confirm(ctx context.Context, id string) (Preview, error) {
	draft, f, err := d.draft(ctx, id)
	if err != nil {
		return Preview{}, err
	}
	var p Preview
	err = d.Importer.Tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		if p, err = d.Importer.ImportSame(ctx, f, draft.Sum); err != nil {
			return err
		}
		return d.Store.DropDraft(ctx, id)
	})
	return p, err
}

func (d *Drafts) draft(ctx context.Context, id string) (Draft, *File, error) {
	if _, err := access.Need(ctx, access.ChangePeople); err != nil {
		return Draft{}, nil, err
	}
	if id == "" || !plainText(id) {
		return Draft{}, nil, apperr.New(apperr.NotFound, "org.no-draft", nil)
	}
	draft, err := d.Store.Draft(ctx, id)
	if err != nil {
		return draft, nil, err
	}
	if draft.Actor != actor.From(ctx).String() || !d.Importer.Now().Before(draft.ExpiresAt) {
		return Draft{}, nil, apperr.New(apperr.NotFound, "org.no-draft", nil)
	}
	var b body
	if err := json.Unmarshal(draft.Body, &b); err != nil {
		return draft, nil, fmt.Errorf("reading a kept file of people: %w", err)
	}
	f := FromRows(b.Rows)
	f.notes(b.Early)
	return draft, f, nil
}

// notes puts problems found before the rows were read among the file's.
func (f *File) notes(early Problems) {
	f.early = append(f.early, early...)
	f.Problems = append(f.Problems, early...)
	slices.SortStableFunc(f.Problems, func(a, b Problem) int { return a.Line - b.Line })
}
