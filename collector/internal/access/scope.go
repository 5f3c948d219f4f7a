package access

import (
	"context"
	"slices"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

// ReachOf tells how far a has the right. Whoever may run the collector's commands acts
// as administrator; machines and the collector itself have no right here, since they
// never ask on somebody's behalf.
func ReachOf(a actor.Actor, what Right) Reach {
	role := a.Role
	switch {
	case a.Kind == actor.CLI:
		role = actor.Administrator
	case a.Kind != actor.Person:
		if what == Anybody {
			return Everything
		}
		return Nothing
	}
	if what == Anybody || what == Oneself {
		return Everything
	}
	g := lineOf(what)
	switch {
	case g == nil:
		return Nothing
	case slices.Contains(g.all, role):
		return Everything
	case g.managed && role == actor.AreaManager:
		return Managed
	case g.own && slices.Contains(actor.Roles(), role):
		return Own
	}
	return Nothing
}

// May reports whether a has the right over anything at all.
func May(a actor.Actor, what Right) bool { return ReachOf(a, what) > Nothing }

// Scope is whose machines and records somebody sees. The zero Scope is nobody's.
type Scope struct {
	All     bool
	Manager string // e-mail: what belongs to the areas that this person manages
	Person  string // e-mail: what is this person's own
}

// ScopeOf is a's scope for the right.
func ScopeOf(a actor.Actor, what Right) Scope {
	switch ReachOf(a, what) {
	case Everything:
		return Scope{All: true}
	case Managed:
		return Scope{Manager: a.ID, Person: a.ID}
	case Own:
		return Scope{Person: a.ID}
	}
	return Scope{}
}

// Need returns the scope in which the actor in ctx has the right, or Forbidden.
func Need(ctx context.Context, what Right) (Scope, error) {
	a := actor.From(ctx)
	if !May(a, what) {
		return Scope{}, Refused(what)
	}
	return ScopeOf(a, what), nil
}

// Refused is the error for a right that somebody does not have.
func Refused(what Right) error {
	return apperr.New(apperr.Forbidden, "access.refused", apperr.Args{"right": string(what)})
}
