package ingest

import (
	"context"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
)

// person returns a person of the directory; one that is not there has no name.
func (k *recordKeeper) person(ctx context.Context, email string) (org.Person, error) {
	if email == "" {
		return org.Person{}, nil
	}
	if p, ok := k.people[email]; ok {
		return p, nil
	}
	p, err := k.in.cfg.Directory.Person(ctx, email)
	if apperr.Is(err, apperr.NotFound) {
		p, err = org.Person{Email: email}, nil
	}
	if err == nil {
		k.people[email] = p
	}
	return p, err
}

// partiesOf returns who has a part in a record: the user, who answers for the area, and
// everybody active of Human Resources.
func (k *recordKeeper) partiesOf(ctx context.Context, person org.Person, area string) ([]nonconformity.Party, error) {
	var list []nonconformity.Party
	if person.Email != "" {
		list = append(list, nonconformity.Party{Part: "user", Email: person.Email, Name: person.Name})
	}
	manager, err := k.managerOf(ctx, area)
	if err != nil {
		return nil, err
	}
	if manager.Email != "" {
		list = append(list, nonconformity.Party{Part: "area-manager", Email: manager.Email, Name: manager.Name})
	}
	if k.hr == nil {
		if k.hr, err = k.in.cfg.Directory.PeopleByRole(ctx, actor.HR); err != nil {
			return nil, err
		}
	}
	for _, p := range k.hr {
		if p.Active {
			list = append(list, nonconformity.Party{Part: "hr", Email: p.Email, Name: p.Name})
		}
	}
	return list, nil
}

func (k *recordKeeper) managerOf(ctx context.Context, area string) (org.Person, error) {
	if area == "" {
		return org.Person{}, nil
	}
	if k.managers == nil {
		areas, err := k.in.cfg.Directory.Areas(ctx)
		if err != nil {
			return org.Person{}, err
		}
		k.managers = make(map[string]string, len(areas))
		for _, a := range areas {
			k.managers[a.Name] = a.Manager
		}
	}
	return k.person(ctx, k.managers[area])
}
