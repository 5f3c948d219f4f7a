// Package authorize owns the way from "I need this program" to a rule of the allowlist:
// asking, the approvals in their order, the grant that becomes a rule by itself, reminders
// before it ends, and the end. Every step is one transaction with its audit entry and the
// mail that it causes, so that none is told twice. It refuses to evaluate programs, to
// send mail (Mailer does) and to speak a language.
package authorize

import (
	"context"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
	"vigia/internal/policy"
)

// Rules is the allowlist, as far as grants need it; allowlist.Service has it.
type Rules interface {
	Current(ctx context.Context) (authorization.Allowlist, error)
	InForce(ctx context.Context) (authorization.Allowlist, error) // on nobody's behalf
	AddRules(ctx context.Context, rules []policy.Rule, opts allowlist.Options) (allowlist.Plan, error)
}

// Machines returns machines in the scope of the actor in ctx; NotFound for others.
type Machines interface {
	Machine(ctx context.Context, id string) (fleet.Machine, error)
	Machines(ctx context.Context, f fleet.MachineFilter) ([]fleet.Machine, error)
}

// Directory is who is who.
type Directory interface {
	Person(ctx context.Context, email string) (org.Person, error)
	Areas(ctx context.Context) ([]org.Area, error)
	PeopleByRole(ctx context.Context, role actor.Role) ([]org.Person, error)
}

// Catalogues tells what kind of program something is.
type Catalogues interface {
	CurrentCatalogue(ctx context.Context) (authorization.Catalogue, error)
}

// Titles names programs that are known.
type Titles interface {
	CommonTitles(ctx context.Context, most int) ([]string, error)
}

// Mail is a message that a step causes. Kind names its sentences.
type Mail struct {
	Key      string // tells it from every other for good
	To, Name string
	Kind     string // "request-asked", "request-decided", "request-ending" …
	Args     []any
	Path     string // where its button leads
	Second   string // where its second button leads; empty: it has one
	Thread   string
	Secret   bool // Path lets somebody in
	Expires  time.Time
}

// Mailer queues mail in ctx's transaction.
type Mailer interface {
	Queue(ctx context.Context, m Mail) error
}

// Deps is what a Service stands on. All fields are required.
type Deps struct {
	Requests   request.Store
	Rules      Rules
	Machines   Machines
	Directory  Directory
	Catalogues Catalogues
	Titles     Titles
	Audit      audit.Log
	Mail       Mailer
	Zone       func(ctx context.Context) *time.Location // in which days end
	Now        func() time.Time
}

// Service is the use-case.
type Service struct{ Deps }

// New returns a Service.
func New(d Deps) *Service { return &Service{d} }

// visible is whose requests the actor sees; Forbidden when nobody's.
func visible(ctx context.Context) (*request.Visible, error) {
	a := actor.From(ctx)
	if a.Kind == actor.Person && a.Role == actor.Purchasing {
		return &request.Visible{Purchasing: true, Person: a.ID}, nil
	}
	s, err := access.Need(ctx, access.SeeRequests)
	return &request.Visible{All: s.All, Manager: s.Manager, Person: s.Person}, err
}

// Page lists requests that the actor may see.
func (s *Service) Page(ctx context.Context, f request.Filter, o paging.Order) (paging.Page[request.Request], error) {
	var err error
	if f.Visible, err = visible(ctx); err != nil {
		return paging.Page[request.Request]{}, err
	}
	return s.Requests.RequestPage(ctx, f, o)
}

// Count counts them, at most most.
func (s *Service) Count(ctx context.Context, f request.Filter, most int) (int, error) {
	var err error
	if f.Visible, err = visible(ctx); err != nil {
		return 0, err
	}
	return s.Requests.CountRequests(ctx, f, most)
}

// Request returns one. NotFound "request.unknown", also for one that is not theirs.
func (s *Service) Request(ctx context.Context, number string) (request.Request, error) {
	v, err := visible(ctx)
	if err != nil {
		return request.Request{}, err
	}
	r, err := s.Requests.Request(ctx, number)
	if err != nil {
		return r, err
	}
	ok, err := s.sees(ctx, v, r)
	if err == nil && !ok {
		return request.Request{}, apperr.New(apperr.NotFound, "request.unknown", apperr.Args{"number": number})
	}
	return r, err
}

func (s *Service) sees(ctx context.Context, v *request.Visible, r request.Request) (bool, error) {
	if v.All || v.Purchasing && r.Needs.Purchasing || v.Person != "" && (r.Person == v.Person || r.AskedBy == v.Person) {
		return true, nil
	}
	if v.Manager == "" {
		return false, nil
	}
	manager, err := s.managerOf(ctx, r.Area)
	return err == nil && strings.EqualFold(manager, v.Manager), err
}

// Tray is what waits for the actor's own step.
func (s *Service) Tray(ctx context.Context) request.Filter {
	a := actor.From(ctx)
	switch {
	case a.Kind == actor.CLI || a.Role == actor.Administrator || a.Role == actor.Technician:
		return request.Filter{Awaits: request.IT}
	case a.Role == actor.AreaManager:
		return request.Filter{Awaits: request.Manager, Manager: a.ID}
	case a.Role == actor.Purchasing:
		return request.Filter{Awaits: request.Purchasing}
	}
	return request.Filter{Pending: true, Person: a.ID}
}

// OfRules returns the numbers of the requests that rules came from, by the rules' ids.
func (s *Service) OfRules(ctx context.Context, rules []string) (map[string]string, error) {
	if _, err := access.Need(ctx, access.SeeAllowlist); err != nil {
		return nil, err
	}
	return s.Requests.RequestsOfRules(ctx, rules)
}

// managerOf is who answers for an area now; "" for nobody.
func (s *Service) managerOf(ctx context.Context, area string) (string, error) {
	if area == "" {
		return "", nil
	}
	areas, err := s.Directory.Areas(ctx)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(areas, func(a org.Area) bool { return policy.Fold(a.Name) == policy.Fold(area) })
	if i < 0 {
		return "", nil
	}
	return areas[i].Manager, nil
}

// person returns somebody of the directory; NotFound reads as nobody.
func (s *Service) person(ctx context.Context, email string) (org.Person, error) {
	p, err := s.Directory.Person(ctx, email)
	if apperr.Is(err, apperr.NotFound) {
		return org.Person{Email: email}, nil
	}
	return p, err
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// it reports whether the actor is of IT.
func it(a actor.Actor) bool {
	return a.Kind == actor.CLI || a.Kind == actor.Person && (a.Role == actor.Administrator || a.Role == actor.Technician)
}

func chief(a actor.Actor) bool {
	return a.Kind == actor.CLI || a.Kind == actor.Person && a.Role == actor.Administrator
}
