package nonconformity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
)

// atOnce is how many records one round of the clock reads at a time.
const atOnce = 100

// retry is how long the clock waits for what it cannot do yet: mail that is not
// configured, a machine that does not report.
const retry = time.Minute

// Nudge has Run look at once.
func (s *Service) Nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run lets time pass over the records until ctx ends.
func (s *Service) Run(ctx context.Context, tick time.Duration, failed func(error)) error {
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for {
		if _, err := s.Round(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-s.wake:
		}
	}
}

// Round does what time and reports ask for: it tells parties of new records, reminds,
// escalates, proves effectiveness and ends concessions. It may run on several collectors
// at once and be repeated: what was done is not done again. It returns how many records
// it looked at. One that fails does not stop the others.
func (s *Service) Round(ctx context.Context) (done int, err error) {
	ctx = actor.With(ctx, actor.Actor{Kind: actor.System, ID: "nonconformity"})
	for {
		numbers, err := s.Records.Due(ctx, s.Now(), atOnce)
		if err != nil {
			return done, err
		}
		var first error
		for _, number := range numbers {
			if err := s.tick(ctx, number); err != nil && first == nil {
				first = fmt.Errorf("record %s: %w", number, err)
			}
			done++
		}
		if first != nil || len(numbers) < atOnce {
			return done, first
		}
	}
}

// tick does what is due in one record.
func (s *Service) tick(ctx context.Context, number string) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		n, err := s.Records.Take(ctx, number)
		if err != nil {
			return err
		}
		now := s.Now().UTC().Truncate(time.Microsecond)
		if n.NextAt.After(now) {
			return nil // another collector was faster
		}
		if err := s.settle(ctx, &n, now); err != nil {
			return err
		}
		return s.Records.Save(ctx, n)
	})
}

// settle does in n what is due now, and schedules the rest.
func (s *Service) settle(ctx context.Context, n *Nonconformity, now time.Time) error {
	terms, err := s.Terms(ctx, n.Site)
	if err != nil {
		return err
	}
	later := Never
	wait := func() { later = now.Add(retry) }
	if n.State == Concession && n.Present() && !now.Before(n.Until) {
		if err := n.Apply(Lapse, PartSystem, now); err != nil {
			return err
		}
		s.note(n, now, "lapsed", "")
	}
	if n.NotifiedAt.IsZero() && n.Can(Notify, PartSystem) {
		told, err := s.tellOpened(ctx, n, terms, now)
		if err != nil {
			return err
		}
		if !told {
			wait()
		}
	}
	if !n.ContainedAt.IsZero() && !n.NotifiedAt.IsZero() && !n.State.Ended() {
		if err := s.tellContained(ctx, n); err != nil {
			return err
		}
	}
	if end := n.Period(terms); n.State == Implemented && !end.IsZero() && !now.Before(end) {
		proven, err := s.prove(ctx, n, end, now)
		if err != nil {
			return err
		}
		if !proven {
			wait()
		}
	}
	if err := s.call(ctx, n, terms, now); err != nil {
		return err
	}
	if err := s.anchor(ctx, n, now); err != nil {
		return err
	}
	n.Schedule(terms)
	if later.Before(n.NextAt) {
		n.NextAt = later
	}
	return nil
}

// note adds a line by the collector itself to the history.
func (s *Service) note(n *Nonconformity, now time.Time, kind, detail string) {
	n.History = append(n.History, Event{At: now, Actor: actor.Actor{Kind: actor.System, ID: "nonconformity"}.String(), Kind: kind, Detail: detail})
}

// prove takes the newest look at the machine as proof that its programs stayed away,
// where it is not older than the end of the period.
func (s *Service) prove(ctx context.Context, n *Nonconformity, end, now time.Time) (bool, error) {
	look, err := s.Records.LastLook(ctx, n.Machine)
	if err != nil || look.At.Before(end) || look.Retired || n.Present() {
		return false, err
	}
	if err := n.Apply(Verify, PartSystem, now); err != nil {
		return false, err
	}
	n.Evidence = append(n.Evidence, Evidence{Kind: "absent", Report: look.Report, At: look.At})
	s.note(n, now, "verified", "")
	_, heads, err := s.People.Heads(ctx)
	if err != nil {
		return false, err
	}
	for _, p := range heads {
		if err := s.send(ctx, n, Letter{Kind: LetterVerified, To: p, Part: PartIT, Step: StepClose}, ""); err != nil {
			return false, err
		}
	}
	return true, nil
}

// call tells what is due about tasks: each notice once, and of several about one task,
// which is so after a time without any collector, only the highest by mail.
func (s *Service) call(ctx context.Context, n *Nonconformity, terms Terms, now time.Time) error {
	calls := n.CallsDue(terms, now)
	for i, c := range calls {
		n.Notices = append(n.Notices, Notice{Round: n.Round, Step: c.Step, Since: c.Since, Level: c.Level, At: now})
		if c.Level > LevelRemind {
			s.note(n, now, [...]string{"", "overdue", "escalated", "escalated-far"}[c.Level], c.Step)
		}
		if i+1 < len(calls) && calls[i+1].Step == c.Step {
			continue
		}
		if err := s.tellCall(ctx, n, c); err != nil {
			return err
		}
	}
	return nil
}

// anchor binds what reports and the clock wrote into the audit chain.
func (s *Service) anchor(ctx context.Context, n *Nonconformity, now time.Time) error {
	lines := len(n.History) + len(n.Evidence)
	if lines == n.Anchored {
		return nil
	}
	doc, err := canonical(struct {
		History  []Event    `json:"history"`
		Evidence []Evidence `json:"evidence"`
	}{utcEvents(n.History), utcEvidence(n.Evidence)})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(doc)
	who := actor.Actor{Kind: actor.System, ID: "nonconformity"}
	n.Anchored = lines
	return s.Audit.Append(ctx, audit.Entry{At: now, Actor: who.String(), Action: "nonconformity.record", Object: "nonconformity/" + n.Number,
		After: audit.JSON(map[string]any{"state": n.State, "round": n.Round, "history": len(n.History), "evidence": len(n.Evidence), "sha256": hex.EncodeToString(sum[:])})})
}

func utcEvents(list []Event) []Event {
	out := append([]Event{}, list...)
	for i := range out {
		out[i].At = out[i].At.UTC().Truncate(time.Microsecond)
	}
	return out
}

func utcEvidence(list []Evidence) []Evidence {
	out := append([]Evidence{}, list...)
	for i := range out {
		out[i].At = out[i].At.UTC().Truncate(time.Microsecond)
	}
	return out
}

// ready reports whether letters can be sent.
func (s *Service) ready(ctx context.Context) (bool, error) {
	err := s.Mail.Ready(ctx)
	if apperr.Is(err, apperr.Conflict) {
		return false, nil
	}
	return err == nil, err
}

// send queues one letter; more tells it from others of its kind in this round.
func (s *Service) send(ctx context.Context, n *Nonconformity, l Letter, more string) error {
	if ok, err := s.ready(ctx); err != nil || !ok || l.To.Email == "" {
		return err
	}
	l.Record = n
	to := sha256.Sum256([]byte(strings.ToLower(l.To.Email)))
	l.Key = strings.Join([]string{"nc", n.Number, fmt.Sprint(n.Round), string(l.Kind), l.Step, more, hex.EncodeToString(to[:8])}, "/")
	return s.Mail.Enqueue(ctx, l)
}
