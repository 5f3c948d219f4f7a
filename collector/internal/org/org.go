// Package org owns the company's parties: sites, areas with their managers, people.
// It refuses to know machines beyond the name of a person's primary one.
package org

import (
	"context"

	"vigia/collector/internal/actor"
)

// Site is a place. A remote site's visits need a travel request.
type Site struct {
	Name   string
	Remote bool
}

// Area is a part of the company with somebody who answers for it.
type Area struct {
	Name    string
	Manager string // e-mail; empty when nobody answers for it yet
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
	Sites(ctx context.Context) ([]Site, error)
	Areas(ctx context.Context) ([]Area, error)
	People(ctx context.Context) ([]Person, error)
	Person(ctx context.Context, email string) (Person, error)
	PeopleByRole(ctx context.Context, role actor.Role) ([]Person, error)
	// AssignPrimary makes the person responsible for the machines whose hostname or id
	// is their PrimaryMachine, and takes over their area and site where the machine has none.
	AssignPrimary(ctx context.Context) (changed int, err error)
}
