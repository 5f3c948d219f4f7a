// Package org owns the company's parties: sites, areas with their managers, people; how
// they are changed one by one and taken over from a file or another directory. It
// refuses to know machines beyond the name of a person's primary one, and how anybody
// signs in.
package org

import (
	"context"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/paging"
)

// Site is a place. A remote site's visits need a travel request.
type Site struct {
	Name     string
	Remote   bool
	Zone     string // IANA name of its time zone; empty: the company's
	Inactive bool   // no longer offered; what belongs to it stays
}

// Area is a part of the company with somebody who answers for it.
type Area struct {
	Name     string
	Manager  string // e-mail; empty when nobody answers for it yet
	Inactive bool   // no longer offered; what belongs to it stays
}

// Person is somebody of the company.
type Person struct {
	Email          string // lower case; the key
	Name           string
	Area           string
	Site           string
	PrimaryMachine string // hostname or machine id, as the directory has it
	Role           actor.Role
	Active         bool
}

// Store keeps the directory. NotFound where there is none.
type Store interface {
	SaveSite(ctx context.Context, s Site) error // insert or change, by name folded
	SaveArea(ctx context.Context, a Area) error
	SavePerson(ctx context.Context, p Person) error
	RenameSite(ctx context.Context, from, to string) error // Conflict when another has the name
	RenameArea(ctx context.Context, from, to string) error
	Sites(ctx context.Context) ([]Site, error)
	Areas(ctx context.Context) ([]Area, error)
	People(ctx context.Context) ([]Person, error)
	Person(ctx context.Context, email string) (Person, error)
	PeopleByRole(ctx context.Context, role actor.Role) ([]Person, error)
	// AssignPrimary makes the person responsible for the machines whose hostname or id
	// is their PrimaryMachine, and takes over their area and site where the machine has none.
	AssignPrimary(ctx context.Context) (changed int, err error)
}

// SiteRow is a site as it is listed.
type SiteRow struct {
	Site
	ID       int64
	People   int // active ones
	Machines int // all but archived
}

// AreaRow is an area as it is listed.
type AreaRow struct {
	Area
	ID          int64
	ManagerName string
	People      int // active ones
	Machines    int // all but archived
}

// PersonRow is a person as they are listed.
type PersonRow struct {
	Person
	ID       int64
	Machines int // that they are responsible for, all but archived
}

// PersonFilter narrows a list of people. Zero means "any".
type PersonFilter struct {
	Query    string // folded part of name, e-mail, area, site or primary machine
	Area     string
	Site     string
	Role     actor.Role
	Active   bool // only active ones
	Inactive bool // only inactive ones
}

// Lister reads the directory for lists. NotFound where there is none.
type Lister interface {
	SiteRows(ctx context.Context) ([]SiteRow, error) // by name
	SiteRow(ctx context.Context, id int64) (SiteRow, error)
	AreaRows(ctx context.Context) ([]AreaRow, error)
	AreaRow(ctx context.Context, id int64) (AreaRow, error)
	PersonRow(ctx context.Context, id int64) (PersonRow, error)
	// PersonPage is sorted by "name" (the default), "email", "area", "site", "role",
	// "machine", "machines" or "active".
	PersonPage(ctx context.Context, f PersonFilter, o paging.Order) (paging.Page[PersonRow], error)
	CountPeople(ctx context.Context, f PersonFilter, most int) (int, error)
}
