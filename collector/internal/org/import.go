package org

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
)

// Transactor runs fn in one transaction that its context carries.
type Transactor interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Importer takes over rows of people from a file or any other source. All of it needs
// the right to change people; to give or take a role needs the right to change roles.
type Importer struct {
	Tx     Transactor
	Store  Store
	Audit  audit.Log
	Notify func(ctx context.Context) error // tells that who belongs where has changed, in ctx's transaction
	Now    func() time.Time
}

// Preview is what an import would do, or did.
type Preview struct {
	Sites, Areas, People Counts
	Changes              []Change // at most maxChanges, problems or not
	Problems             Problems // while there are any, nothing is saved
	Machines             int      // machines that got a responsible person or lost one; after Import only
	Sum                  [32]byte // of all that it would change; equal when nothing happened in between
}

// Counts are those of one kind of object.
type Counts struct{ New, Changed, Same int }

// Total is how many objects would be saved.
func (p Preview) Total() int {
	n := 0
	for _, c := range []Counts{p.Sites, p.Areas, p.People} {
		n += c.New + c.Changed
	}
	return n
}

// Change is one object that is new or differs.
type Change struct {
	Line   int    // of a person, 0 for sites and areas
	Kind   string // "site", "area", "person"
	Name   string // of the site or area; e-mail of the person
	New    bool
	Fields []FieldChange
}

// FieldChange is one field that differs; From is empty in a new object.
type FieldChange struct{ Field, From, To string }

// maxChanges bounds how many changes a preview lists.
const maxChanges = 1000

// Preview tells what Import would do. The problems of the file are among its Problems;
// an error is another one's.
func (i *Importer) Preview(ctx context.Context, f *File) (Preview, error) {
	if _, err := access.Need(ctx, access.ChangePeople); err != nil {
		return Preview{}, err
	}
	p, err := i.plan(ctx, f)
	return p.Preview, err
}

// Import saves the file as a whole, in one transaction. People who are not in it stay
// as they are. Errors: Invalid with Problems.
func (i *Importer) Import(ctx context.Context, f *File) (Preview, error) {
	return i.importIf(ctx, f, nil)
}

// ImportSame does the same when it would change what the preview with that Sum said.
// Errors: Conflict "org.import-changed" besides.
func (i *Importer) ImportSame(ctx context.Context, f *File, sum [32]byte) (Preview, error) {
	return i.importIf(ctx, f, &sum)
}

func (i *Importer) importIf(ctx context.Context, f *File, sum *[32]byte) (Preview, error) {
	if _, err := access.Need(ctx, access.ChangePeople); err != nil {
		return Preview{}, err
	}
	var p plan
	err := i.Tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		if p, err = i.plan(ctx, f); err != nil {
			return err
		}
		if err := p.Problems.inFile(); err != nil {
			return err
		}
		if sum != nil && *sum != p.Sum {
			return apperr.New(apperr.Conflict, "org.import-changed", nil)
		}
		if p.Total() == 0 {
			return nil
		}
		if err := i.save(ctx, &p); err != nil {
			return err
		}
		after := map[string]any{"sites": p.Sites, "areas": p.Areas, "people": p.People, "machines": p.Machines}
		err = i.Audit.Append(ctx, audit.Entry{At: i.Now().UTC().Truncate(time.Microsecond), Actor: actor.From(ctx).String(),
			Action: "org.import", Object: "org", Before: audit.JSON(p.before), After: audit.JSON(map[string]any{"counts": after, "changed": p.changed()})})
		if err != nil {
			return err
		}
		return i.Notify(ctx)
	})
	return p.Preview, err
}

// plan is what differs between a file and the directory.
type plan struct {
	Preview
	sites  []Site
	areas  []Area
	people []Person
	before []any // what stood where something changes
}

func (p *plan) changed() any {
	return map[string]any{"sites": p.sites, "areas": p.areas, "people": p.people}
}

// note counts an object and lists how it differs; it reports whether it does.
func (p *plan) note(c *Counts, known bool, change Change) bool {
	switch {
	case !known:
		c.New++
	case len(change.Fields) == 0:
		c.Same++
		return false
	default:
		c.Changed++
	}
	if change.New = !known; change.New {
		for i := range change.Fields {
			change.Fields[i].From = ""
		}
	}
	if len(p.Changes) < maxChanges {
		p.Changes = append(p.Changes, change)
	}
	return true
}

// seal computes the sum.
func (p *plan) seal() error {
	b, err := json.Marshal([]any{p.before, p.changed()})
	if err != nil {
		return fmt.Errorf("summing up an import: %w", err)
	}
	p.Sum = sha256.Sum256(b)
	return nil
}

func (i *Importer) save(ctx context.Context, p *plan) error {
	for _, s := range p.sites {
		if err := i.Store.SaveSite(ctx, s); err != nil {
			return err
		}
	}
	for _, a := range p.areas {
		if err := i.Store.SaveArea(ctx, a); err != nil {
			return err
		}
	}
	for _, x := range p.people {
		if err := i.Store.SavePerson(ctx, x); err != nil {
			return err
		}
	}
	n, err := i.Store.AssignPrimary(ctx)
	p.Machines = n
	return err
}
