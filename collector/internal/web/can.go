package web

import "vigia/collector/internal/actor"

// right is what a page asks for.
type right string

// seeEverything is to read every machine, finding and record of the company.
const seeEverything right = "see-everything"

// can is the one place that says what a role may do on the console. Roles that see only
// their own machines, area or tray get nothing until their pages exist.
func can(a actor.Actor, what right) bool {
	if a.Kind != actor.Person {
		return false
	}
	switch what {
	case seeEverything:
		return a.Role == actor.Administrator || a.Role == actor.Technician || a.Role == actor.Auditor
	}
	return false
}
