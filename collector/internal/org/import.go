package org

import (
	"context"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/audit"
)

// Importer takes over a file of people.
type Importer struct {
	Tx interface {
		InTx(ctx context.Context, fn func(ctx context.Context) error) error
	}
	Store  Store
	Audit  audit.Log
	Notify func(ctx context.Context) error // tells that who belongs where has changed, in ctx's transaction
	Now    func() time.Time
}

// Preview is what an import would do, or did.
type Preview struct {
	Sites, Areas, People Counts
	Lines                []string // "new person ana@example.com", … at most maxPreview
	Machines             int      // machines that got a responsible person or lost one; after Import only
}

// Counts are those of one kind of object.
type Counts struct{ New, Changed, Same int }

const maxPreview = 50

// Preview tells what Import would do. Errors: Invalid with Problems for managers who
// are in neither the file nor the directory.
func (i *Importer) Preview(ctx context.Context, f *File) (Preview, error) {
	plan, err := i.plan(ctx, f)
	return plan.Preview, err
}

// Import saves the file as a whole, in one transaction. People who are not in it stay
// as they are.
func (i *Importer) Import(ctx context.Context, f *File) (Preview, error) {
	var p plan
	err := i.Tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		if p, err = i.plan(ctx, f); err != nil {
			return err
		}
		if err := i.save(ctx, &p); err != nil {
			return err
		}
		after := map[string]any{"sites": p.Sites, "areas": p.Areas, "people": p.People, "machines": p.Machines}
		err = i.Audit.Append(ctx, audit.Entry{At: i.Now().UTC().Truncate(time.Microsecond), Actor: actor.From(ctx).String(),
			Action: "org.import", Object: "org", Before: audit.JSON(p.before), After: audit.JSON(map[string]any{"counts": after, "changed": p.changes()})})
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

func (p *plan) changes() any {
	return map[string]any{"sites": p.sites, "areas": p.areas, "people": p.people}
}

func (p *plan) note(c *Counts, was, is any, kind, name string) bool {
	switch was {
	case nil:
		c.New++
		p.line("new " + kind + " " + name)
	case is:
		c.Same++
		return false
	default:
		c.Changed++
		p.before = append(p.before, was)
		p.line("changed " + kind + " " + name)
	}
	return true
}

func (p *plan) line(s string) {
	if len(p.Lines) < maxPreview {
		p.Lines = append(p.Lines, s)
	}
}

func (i *Importer) plan(ctx context.Context, f *File) (plan, error) {
	var p plan
	sites, err := i.Store.Sites(ctx)
	if err != nil {
		return p, err
	}
	areas, err := i.Store.Areas(ctx)
	if err != nil {
		return p, err
	}
	people, err := i.Store.People(ctx)
	if err != nil {
		return p, err
	}
	for _, s := range f.Sites {
		if p.note(&p.Sites, find(sites, func(x Site) bool { return strings.EqualFold(x.Name, s.Name) }), s, "site", s.Name) {
			p.sites = append(p.sites, s)
		}
	}
	for _, a := range f.Areas {
		was := find(areas, func(x Area) bool { return strings.EqualFold(x.Name, a.Name) })
		if old, ok := was.(Area); ok && a.Manager == "" {
			a.Manager = old.Manager // a file that names no manager takes none away
		}
		if p.note(&p.Areas, was, a, "area", a.Name) {
			p.areas = append(p.areas, a)
		}
	}
	known := map[string]any{}
	for _, x := range people {
		known[x.Email] = x
	}
	for _, x := range f.People {
		if p.note(&p.People, known[x.Email], x, "person", x.Email) {
			p.people = append(p.people, x)
		}
	}
	return p, checkManagers(f, known)
}

// find returns the element that matches, as any, or nil.
func find[T any](list []T, match func(T) bool) any {
	if n := slices.IndexFunc(list, match); n >= 0 {
		return list[n]
	}
	return nil
}

// checkManagers wants every manager to be somebody.
func checkManagers(f *File, known map[string]any) error {
	in := map[string]bool{}
	for _, x := range f.People {
		in[x.Email] = true
	}
	var bad Problems
	for _, a := range f.Areas {
		if a.Manager != "" && !in[a.Manager] && known[a.Manager] == nil {
			bad = append(bad, Problem{Line: 1, Field: "manager_email", Value: a.Manager, Want: "manages the area \"" + a.Name + "\" but is neither in the file nor in the directory"})
		}
	}
	if len(bad) > 0 {
		return bad.wrapped()
	}
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
