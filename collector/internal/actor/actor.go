// Package actor owns the answer to "who acts, and with what role". It refuses to
// decide what a role may do: that is the use-case's business.
package actor

import "context"

// Role is what a person is to the process.
type Role string

// The roles. An area manager manages the areas whose manager they are.
const (
	Administrator     Role = "administrator"
	Technician        Role = "technician"
	AreaManager       Role = "area-manager"
	HR                Role = "hr"
	Purchasing        Role = "purchasing"
	Treasury          Role = "treasury"
	GeneralManagement Role = "general-management"
	Employee          Role = "employee"
	Auditor           Role = "auditor"
)

// Roles lists every role, in the order in which they are offered.
func Roles() []Role {
	return []Role{Administrator, Technician, AreaManager, HR, Purchasing, Treasury, GeneralManagement, Employee, Auditor}
}

// Kind tells what sort of thing acts.
type Kind string

// Kinds of actors.
const (
	Person  Kind = "person"  // signed in to the console
	Machine Kind = "machine" // an agent
	CLI     Kind = "cli"     // whoever may run vigia-collector on the server
	System  Kind = "system"  // the collector itself: jobs
)

// Actor is who acts.
type Actor struct {
	Kind Kind
	ID   string // person's e-mail, machine's id, OS account, or the job's name
	Role Role   // of a person; the CLI acts as Administrator
}

// String is the form the audit log keeps: "person:ana@example.com".
func (a Actor) String() string { return string(a.Kind) + ":" + a.ID }

type key struct{}

// With returns ctx carrying a.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, key{}, a) }

// From returns the actor in ctx, or System "unknown" where none was put: an actor
// without any right.
func From(ctx context.Context) Actor {
	if a, ok := ctx.Value(key{}).(Actor); ok {
		return a
	}
	return Actor{Kind: System, ID: "unknown"}
}
