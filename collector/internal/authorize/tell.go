package authorize

import (
	"context"
	"fmt"
	"strings"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/org"
)

// path is a request's page.
func path(r request.Request) string { return "/authorizations/" + r.Number }

// awaited lists who takes the next step.
func (s *Service) awaited(ctx context.Context, r request.Request) ([]org.Person, error) {
	var list []org.Person
	switch r.Awaits() {
	case request.Manager:
		manager, err := s.managerOf(ctx, r.Area)
		if err != nil || manager == "" {
			return nil, err
		}
		p, err := s.person(ctx, manager)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	case request.Purchasing:
		return s.of(ctx, actor.Purchasing)
	case request.IT:
		return s.of(ctx, actor.Administrator, actor.Technician)
	}
	return list, nil
}

// of lists the active people of roles.
func (s *Service) of(ctx context.Context, roles ...actor.Role) ([]org.Person, error) {
	var list []org.Person
	for _, role := range roles {
		people, err := s.Directory.PeopleByRole(ctx, role)
		if err != nil {
			return nil, err
		}
		for _, p := range people {
			if p.Active {
				list = append(list, p)
			}
		}
	}
	return list, nil
}

// tellNext tells whoever takes the next step.
func (s *Service) tellNext(ctx context.Context, r request.Request) error {
	people, err := s.awaited(ctx, r)
	if err != nil {
		return err
	}
	for _, p := range people {
		if err := s.send(ctx, r, p.Email, p.Name, "request-asked", string(r.State), "Program", r.Program, "Person", nameOf(r), "Number", r.Number, "Purpose", r.Purpose); err != nil {
			return err
		}
	}
	return nil
}

// tellDecided tells whom it is for, and who asked for them.
func (s *Service) tellDecided(ctx context.Context, r request.Request) error {
	kind := map[request.State]string{request.Granted: "request-granted", request.Refused: "request-refused", request.Expired: "request-overdue"}[r.State]
	to := []string{r.Person}
	if r.AskedBy != r.Person && strings.Contains(r.AskedBy, "@") {
		to = append(to, r.AskedBy)
	}
	for _, email := range to {
		p, err := s.person(ctx, email)
		if err != nil {
			return err
		}
		if err := s.send(ctx, r, email, p.Name, kind, string(r.State), "Program", r.Program, "Number", r.Number, "Reason", r.Reason); err != nil {
			return err
		}
	}
	return nil
}

// tellEnding reminds the person that a grant ends.
func (s *Service) tellEnding(ctx context.Context, r request.Request, days int) error {
	p, err := s.person(ctx, r.Person)
	if err != nil {
		return err
	}
	return s.send(ctx, r, r.Person, p.Name, "request-ending", fmt.Sprintf("remind-%d", days), "Program", r.Program, "Number", r.Number, "Ends", r.ValidUntil)
}

// send queues one message of a request; step tells it from the request's others.
func (s *Service) send(ctx context.Context, r request.Request, to, name, kind, step string, args ...any) error {
	return s.Mail.Queue(ctx, Mail{Key: "request/" + r.Number + "/" + step + "/" + to, To: to, Name: name, Kind: kind, Args: args, Path: path(r), Thread: r.Number})
}

func nameOf(r request.Request) string {
	if r.PersonName != "" {
		return r.PersonName
	}
	return r.Person
}
