package nonconformity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/actor"
)

// firstStep is the step that each party is asked for first.
func firstStep(part string) string {
	switch part {
	case PartUser:
		return StepStatement
	case PartManager:
		return StepCause
	case PartHR:
		return StepMeasure
	}
	return ""
}

// tellOpened tells the parties of a round that began. It is false where nobody can be
// told: no mail, or no parties. IT then tells them by other means.
func (s *Service) tellOpened(ctx context.Context, n *Nonconformity, t Terms, now time.Time) (bool, error) {
	ok, err := s.ready(ctx)
	if err != nil || !ok {
		return false, err
	}
	parties, err := s.People.Parties(ctx, n.Person, n.Area)
	if err != nil || len(parties) == 0 {
		return false, err
	}
	for _, p := range parties { // who came into a part since the record was opened has it now
		if !slices.ContainsFunc(n.Parties, func(x Party) bool { return x.Part == p.Part && strings.EqualFold(x.Email, p.Email) }) {
			n.Parties = append(n.Parties, p)
		}
	}
	if err := n.Apply(Notify, PartSystem, now); err != nil {
		return false, err
	}
	kind := LetterOpened
	if n.Round > 1 {
		kind = LetterRecurred
		if i := slices.IndexFunc(n.History, func(e Event) bool { return e.Kind == "lapsed" && !e.At.Before(n.RoundAt) }); i >= 0 {
			kind = LetterLapsed
		}
	}
	tasks := n.Tasks(t)
	var names []string
	for _, p := range parties {
		l := Letter{Kind: kind, To: Someone{p.Email, p.Name}, Part: p.Part}
		if i := slices.IndexFunc(tasks, func(x Task) bool { return x.Step == firstStep(p.Part) && x.Part == p.Part }); i >= 0 {
			l.Step, l.Due = tasks[i].Step, tasks[i].Due
		}
		if err := s.send(ctx, n, l, p.Part); err != nil {
			return false, err
		}
		names = append(names, p.Email)
	}
	s.note(n, now, "notified", strings.Join(names, ", "))
	return true, nil
}

// tellContained tells user and manager, once a round, that the agent proved it.
func (s *Service) tellContained(ctx context.Context, n *Nonconformity) error {
	told := Notice{Round: n.Round, Step: StepContain, Since: n.ContainedAt, Level: levels}
	if slices.ContainsFunc(n.Notices, func(x Notice) bool { return x.Round == n.Round && x.Step == StepContain && x.Level == levels }) {
		return nil
	}
	told.At = s.Now().UTC().Truncate(time.Microsecond)
	n.Notices = append(n.Notices, told)
	return s.tellTo(ctx, n, LetterContained, "", PartUser, PartManager)
}

// tellParties tells everybody who has a part.
func (s *Service) tellParties(ctx context.Context, n *Nonconformity, kind LetterKind, text string) error {
	return s.tellTo(ctx, n, kind, text, PartUser, PartManager, PartHR)
}

func (s *Service) tellTo(ctx context.Context, n *Nonconformity, kind LetterKind, text string, parts ...string) error {
	parties, err := s.People.Parties(ctx, n.Person, n.Area)
	if err != nil {
		return err
	}
	for _, p := range parties {
		if !slices.Contains(parts, p.Part) {
			continue
		}
		if err := s.send(ctx, n, Letter{Kind: kind, To: Someone{p.Email, p.Name}, Part: p.Part, Text: text}, p.Part); err != nil {
			return err
		}
	}
	return nil
}

// tellComment tells user and manager, and whoever spoke before, of the newest comment.
func (s *Service) tellComment(ctx context.Context, n *Nonconformity) error {
	x := n.Steps[len(n.Steps)-1]
	parties, err := s.People.Parties(ctx, n.Person, n.Area)
	if err != nil {
		return err
	}
	sent := []string{strings.TrimPrefix(x.Author, string(actor.Person)+":")}
	tell := func(to Someone, part string) error {
		if slices.ContainsFunc(sent, func(e string) bool { return strings.EqualFold(e, to.Email) }) {
			return nil
		}
		sent = append(sent, to.Email)
		return s.send(ctx, n, Letter{Kind: LetterComment, To: to, Part: part, By: x.AuthorName, Text: x.Answer.Text}, fmt.Sprint(len(n.Steps)))
	}
	for _, p := range parties {
		spoke := slices.ContainsFunc(n.Steps, func(y Step) bool { return strings.EqualFold(y.Author, string(actor.Person)+":"+p.Email) })
		if p.Part != PartHR || spoke {
			if err := tell(Someone{p.Email, p.Name}, p.Part); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellCall sends what is due about a task to whom its level asks for.
func (s *Service) tellCall(ctx context.Context, n *Nonconformity, c Call) error {
	parties, err := s.People.Parties(ctx, n.Person, n.Area)
	if err != nil {
		return err
	}
	management, administrators, err := s.People.Heads(ctx)
	if err != nil {
		return err
	}
	of := func(part string) []Someone {
		switch part {
		case PartIT:
			return administrators
		case PartManagement:
			return management
		}
		var list []Someone
		for _, p := range parties {
			if p.Part == part {
				list = append(list, Someone{p.Email, p.Name})
			}
		}
		return list
	}
	kind, to := LetterReminder, []string{c.Part}
	switch c.Level {
	case LevelOverdue:
		kind = LetterOverdue
	case LevelEscalate:
		kind, to = LetterEscalated, above(c.Part)
	case LevelManage:
		kind, to = LetterEscalated, []string{PartManagement, PartIT}
	}
	sent := map[string]bool{}
	for _, part := range to {
		for _, p := range of(part) {
			if sent[p.Email] {
				continue
			}
			sent[p.Email] = true
			l := Letter{Kind: kind, To: p, Part: part, Step: c.Step, Due: c.Due}
			if kind == LetterEscalated {
				l.Behind = c.Part
			}
			if err := s.send(ctx, n, l, fmt.Sprint(c.Level, "/", c.Since.UnixMicro())); err != nil {
				return err
			}
		}
	}
	return nil
}

// above is the next level over a part.
func above(part string) []string {
	if part == PartUser {
		return []string{PartManager}
	}
	return []string{PartManagement, PartIT}
}
