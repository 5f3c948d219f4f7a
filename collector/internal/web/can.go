package web

import (
	"slices"
	"strings"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
)

// section is one part of the console, with the right that its first page asks for.
type section struct {
	Name  string // its text is "nav." and this
	URL   string
	Icon  string
	right access.Right
}

// rail lists the sections in the order of the rail.
func rail() []section {
	return []section{
		{"home", "/", "home", access.Oneself},
		{"my", "/my", "user", access.Oneself},
		{"machines", "/machines", "device-desktop", access.SeeMachines},
		{"software", "/software", "apps", access.SeePrograms},
		{"findings", "/findings", "alert-triangle", access.SeeFindings},
		{"authorizations", requestsPath, "shield-check", access.SeeRequests},
		{"nonconformities", "/nonconformities", "clipboard-text", access.SeeNonconformities},
		{"administration", "/administration", "settings", access.SeePeople}, // every role that sees one of its pages sees people
	}
}

// allowed returns those of the sections that a may open.
func allowed(a actor.Actor, all []section) []section {
	return slices.DeleteFunc(all, func(s section) bool { return !access.May(a, s.right) })
}

// MayOf reports whether the reader has the right over what is of person: whoever has it
// over their own only, has it over nobody else's.
func (p Page) MayOf(right, person string) (bool, error) {
	may, err := p.May(right)
	if access.ReachOf(p.actor, access.Right(right)) == access.Own {
		may = strings.EqualFold(person, p.actor.ID)
	}
	return may, err
}

// May reports whether the reader has the right, for templates. A name that is no right
// is a mistake in a template and fails the page.
func (p Page) May(right string) (bool, error) {
	if r := access.Right(right); access.Known(r) {
		return access.May(p.actor, r), nil
	}
	return false, access.Refused(access.Right(right))
}
