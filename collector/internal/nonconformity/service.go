package nonconformity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
)

// Deps is what the use-cases stand on. All fields are required.
type Deps struct {
	Tx       Transactor
	Records  Records
	Audit    audit.Log
	People   People
	Mail     Mailer
	Findings Findings
	Terms    func(ctx context.Context, site string) (Terms, error)
	Trail    func(ctx context.Context, number string) ([]audit.Entry, error)       // of the audit chain, the oldest first
	Scan     func(ctx context.Context, content []byte) (verdict string, err error) // "clean", "not-scanned", or Invalid "nonconformity.file-infected"
	Now      func() time.Time
}

// Service holds the use-cases of records. It is safe for concurrent use.
type Service struct {
	Deps
	wake chan struct{}
}

// New returns the use-cases over d.
func New(d Deps) *Service { return &Service{Deps: d, wake: make(chan struct{}, 1)} }

// partsOf tells which parts an actor has in a record now. parties are those of the
// directory as it is now.
func partsOf(a actor.Actor, n *Nonconformity, parties []Party) []string {
	var list []string
	if a.Kind == actor.Person && n.Person != "" && strings.EqualFold(a.ID, n.Person) {
		list = append(list, PartUser)
	}
	if a.Kind == actor.Person && slices.ContainsFunc(parties, func(p Party) bool { return p.Part == PartManager && strings.EqualFold(p.Email, a.ID) }) {
		list = append(list, PartManager)
	}
	switch {
	case a.Kind == actor.CLI, a.Kind == actor.Person && (a.Role == actor.Administrator || a.Role == actor.Technician):
		list = append(list, PartIT)
	case a.Kind == actor.Person && a.Role == actor.HR:
		list = append(list, PartHR)
	case a.Kind == actor.Person && a.Role == actor.GeneralManagement:
		list = append(list, PartManagement)
	}
	return list
}

// stepRule says whose a step is, which move it brings about, and whether IT may write
// it down for them.
type stepRule struct {
	part   string
	move   Move // empty: none
	behalf bool // IT may write down what the party said
	judges bool // nobody may take it in a record about themselves
}

var stepRules = map[string]stepRule{
	StepNotify:    {PartIT, Notify, false, false},
	StepStatement: {PartUser, "", true, false},
	StepCause:     {PartManager, Analyse, true, false},
	StepPlan:      {PartManager, Plan, true, false},
	StepImplement: {PartManager, Implement, true, false},
	StepMeasure:   {PartHR, "", true, true},
	StepVerify:    {PartIT, Verify, false, true},
	StepClose:     {PartIT, Close, false, true},
	StepWithdraw:  {PartIT, Withdraw, false, true},
	StepConcede:   {PartIT, Concede, false, true},
}

// Option is a step that an actor may take now.
type Option struct {
	Step     string
	OnBehalf bool
	Again    bool // it was taken already in this round, and may be put right
}

// Options lists the steps that the actor in ctx may take in a record now.
func (s *Service) Options(ctx context.Context, n Nonconformity) ([]Option, error) {
	parties, err := s.People.Parties(ctx, n.Person, n.Area)
	if err != nil {
		return nil, err
	}
	look, err := s.Records.LastLook(ctx, n.Machine)
	if err != nil {
		return nil, err
	}
	var list []Option
	for _, step := range []string{StepNotify, StepStatement, StepCause, StepPlan, StepImplement, StepMeasure, StepVerify, StepClose, StepConcede, StepWithdraw} {
		part, behalf, err := s.allowed(actor.From(ctx), &n, parties, step, look)
		if err == nil && part != "" {
			list = append(list, Option{step, behalf, n.Last(step) != nil})
		}
	}
	return list, nil
}

// repeatsOver is how far back repeats are counted.
const repeatsOver = 365 * 24 * time.Hour

// Outlook tells what the actor in ctx, who sees the record, is to know beside it.
func (s *Service) Outlook(ctx context.Context, n Nonconformity) (Outlook, error) {
	var o Outlook
	terms, err := s.Terms(ctx, n.Site)
	if err != nil {
		return o, err
	}
	o.Tasks, o.Period = n.Tasks(terms), n.Period(terms)
	if o.Look, err = s.Records.LastLook(ctx, n.Machine); err != nil {
		return o, err
	}
	if o.Repeats, err = s.Records.Repeats(ctx, n, s.Now().Add(-repeatsOver)); err != nil {
		return o, err
	}
	parties, err := s.People.Parties(ctx, n.Person, n.Area)
	if err != nil {
		return o, err
	}
	_, err = partTaken(ctx, &n, parties)
	o.Speaks = err == nil
	o.Options, err = s.Options(ctx, n)
	return o, err
}

// allowed returns the part in which an actor takes a step, and whether on its behalf.
func (s *Service) allowed(a actor.Actor, n *Nonconformity, parties []Party, step string, look Look) (part string, behalf bool, err error) {
	rule, known := stepRules[step]
	if !known {
		return "", false, apperr.New(apperr.NotFound, "nonconformity.no-step", apperr.Args{"step": step})
	}
	have := partsOf(a, n, parties)
	switch {
	case slices.Contains(have, rule.part):
	case rule.behalf && slices.Contains(have, PartIT):
		behalf = true
	default:
		return "", false, apperr.New(apperr.Forbidden, "nonconformity.not-yours", apperr.Args{"number": n.Number, "event": step})
	}
	if rule.judges && slices.Contains(have, PartUser) {
		return "", false, apperr.New(apperr.Forbidden, "nonconformity.own", apperr.Args{"number": n.Number})
	}
	if rule.move != "" {
		if err := n.may(rule.move, rule.part); err != nil {
			return "", false, err
		}
	} else if n.State.Ended() {
		return "", false, n.notNow(step)
	}
	switch {
	case step == StepStatement && n.Person == "", step == StepVerify && !look.Retired:
		return "", false, n.notNow(step)
	case step == StepClose && n.has(PartHR) && n.Last(StepMeasure) == nil:
		return "", false, apperr.New(apperr.Conflict, "nonconformity.no-measure", apperr.Args{"number": n.Number})
	}
	return rule.part, behalf, nil
}

func (n *Nonconformity) notNow(step string) error {
	return apperr.New(apperr.Conflict, "nonconformity.not-now", apperr.Args{"number": n.Number, "state": string(n.State), "event": step})
}

// visible is NotFound where the actor does not see the record.
func visible(ctx context.Context, n *Nonconformity, parties []Party) error {
	a := actor.From(ctx)
	switch access.ReachOf(a, access.SeeNonconformities) {
	case access.Everything:
		return nil
	case access.Managed, access.Own:
		if len(partsOf(a, n, parties)) > 0 {
			return nil
		}
	}
	return apperr.New(apperr.NotFound, "nonconformity.unknown", apperr.Args{"number": n.Number})
}

// Take has the actor in ctx take a step; address is where they are. Errors: NotFound,
// Forbidden, Conflict as Apply; Invalid with Args["field"].
func (s *Service) Take(ctx context.Context, number, step string, a Answer, address string) (Nonconformity, error) {
	return s.change(ctx, number, func(ctx context.Context, n *Nonconformity, parties []Party, now time.Time) error {
		look, err := s.Records.LastLook(ctx, n.Machine)
		if err != nil {
			return err
		}
		part, behalf, err := s.allowed(actor.From(ctx), n, parties, step, look)
		if err != nil {
			return err
		}
		if a, err = a.clean(step); err != nil {
			return err
		}
		if err := s.before(ctx, n, step, a, now); err != nil {
			return err
		}
		if err := s.write(ctx, n, Step{Kind: step, Part: part, OnBehalf: behalf, Address: address, Answer: a}, now); err != nil {
			return err
		}
		if move := stepRules[step].move; move != "" {
			if err := n.Apply(move, part, now); err != nil {
				return err
			}
		}
		return s.after(ctx, n, step, a)
	})
}

// before sets what a step says of the record itself.
func (s *Service) before(ctx context.Context, n *Nonconformity, step string, a Answer, now time.Time) error {
	terms, err := s.Terms(ctx, n.Site)
	if err != nil {
		return err
	}
	zone := terms.Calendar.Zone
	if zone == nil {
		zone = time.UTC
	}
	end := func(date string) time.Time {
		t, _ := time.ParseInLocation(time.DateOnly, date, zone)
		return t.AddDate(0, 0, 1).UTC()
	}
	switch step {
	case StepPlan:
		n.PlanBy = time.Time{}
		for i, x := range a.Actions {
			by := end(x.By)
			if !by.After(now) || by.After(now.AddDate(2, 0, 0)) {
				return apperr.New(apperr.Invalid, "nonconformity.bad-date", apperr.Args{"field": "by" + string(rune('1'+i)), "value": x.By})
			}
			if by.After(n.PlanBy) {
				n.PlanBy = by
			}
		}
	case StepConcede:
		n.Until = end(a.Until)
		if !n.Until.After(now) || n.Until.After(now.AddDate(2, 0, 0)) {
			return apperr.New(apperr.Invalid, "nonconformity.bad-date", apperr.Args{"field": "until", "value": a.Until})
		}
	}
	return nil
}

// after tells the parties of a step that ends the record, or frees its findings.
func (s *Service) after(ctx context.Context, n *Nonconformity, step string, a Answer) error {
	switch step {
	case StepClose:
		return s.tellParties(ctx, n, LetterClosed, a.Text)
	case StepConcede:
		return s.tellParties(ctx, n, LetterConcession, a.Text)
	case StepWithdraw:
		return s.tellParties(ctx, n, LetterWithdrawn, a.Text)
	}
	return nil
}

// write adds a signed step to the record, to its history and to the audit chain.
func (s *Service) write(ctx context.Context, n *Nonconformity, x Step, now time.Time) error {
	who := actor.From(ctx)
	x.Round, x.At, x.Author = n.Round, now, who.String()
	if who.Kind == actor.Person {
		name, err := s.People.Name(ctx, who.ID)
		if err != nil {
			return err
		}
		x.AuthorName = name
	}
	if err := x.sign(n); err != nil {
		return err
	}
	n.Steps = append(n.Steps, x)
	n.History = append(n.History, Event{At: now, Actor: x.Author, Kind: x.Kind, Detail: detailOf(x)})
	return s.Audit.Append(ctx, audit.Entry{At: now, Actor: x.Author, Action: "nonconformity." + x.Kind, Object: "nonconformity/" + n.Number,
		After: audit.JSON(map[string]any{"round": x.Round, "part": x.Part, "on_behalf": x.OnBehalf, "sha256": x.Hash})})
}

// detailOf is a step in one line of history.
func detailOf(x Step) string {
	if x.Answer.Attachment != nil {
		return x.Answer.Attachment.Name
	}
	return cut(strings.ReplaceAll(x.Answer.Text, "\n", " "), 200)
}

// change runs one change of a record by somebody who sees it, and stores it.
func (s *Service) change(ctx context.Context, number string, do func(context.Context, *Nonconformity, []Party, time.Time) error) (Nonconformity, error) {
	var n Nonconformity
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		if n, err = s.Records.Take(ctx, number); err != nil {
			return err
		}
		parties, err := s.People.Parties(ctx, n.Person, n.Area)
		if err != nil {
			return err
		}
		if err := visible(ctx, &n, parties); err != nil {
			return err
		}
		now := s.Now().UTC().Truncate(time.Microsecond)
		if err := do(ctx, &n, parties, now); err != nil {
			return err
		}
		if err := s.settle(ctx, &n, now); err != nil {
			return err
		}
		released := n.State == Withdrawn && slices.ContainsFunc(n.Programs, func(p Program) bool { return p.State != "withdrawn" })
		if err := s.Records.Save(ctx, n); err != nil || !released {
			return err
		}
		if err := s.Findings.Release(ctx, n.Number); err != nil {
			return err
		}
		n, err = s.Records.ByNumber(ctx, number)
		return err
	})
	if err == nil {
		s.Nudge()
	}
	return n, err
}

// Comment adds a comment by anybody who has a part in the record; it may have ended.
func (s *Service) Comment(ctx context.Context, number, text, address string) (Nonconformity, error) {
	return s.change(ctx, number, func(ctx context.Context, n *Nonconformity, parties []Party, now time.Time) error {
		part, err := partTaken(ctx, n, parties)
		if err != nil {
			return err
		}
		a, err := Answer{Text: text}.clean(StepComment)
		if err != nil {
			return err
		}
		if err := s.write(ctx, n, Step{Kind: StepComment, Part: part, Address: address, Answer: a}, now); err != nil {
			return err
		}
		return s.tellComment(ctx, n)
	})
}

// partTaken is the part in which somebody speaks.
func partTaken(ctx context.Context, n *Nonconformity, parties []Party) (string, error) {
	have := partsOf(actor.From(ctx), n, parties)
	if len(have) == 0 {
		return "", apperr.New(apperr.Forbidden, "nonconformity.not-yours", apperr.Args{"number": n.Number, "event": StepComment})
	}
	return have[0], nil
}

// Attach adds a file by anybody who has a part in the record. Errors: Invalid
// "nonconformity.file-type", "file-size", "file-infected", "file-room".
func (s *Service) Attach(ctx context.Context, number, name string, content []byte, address string) (Nonconformity, error) {
	fact, err := inspect(name, content)
	if err != nil {
		return Nonconformity{}, err
	}
	if err := s.seen(ctx, number); err != nil { // before the costly scan
		return Nonconformity{}, err
	}
	if fact.Scan, err = s.Scan(ctx, content); err != nil {
		return Nonconformity{}, err
	}
	sum := sha256.Sum256(content)
	fact.SHA256 = hex.EncodeToString(sum[:])
	return s.change(ctx, number, func(ctx context.Context, n *Nonconformity, parties []Party, now time.Time) error {
		part, err := partTaken(ctx, n, parties)
		if err != nil {
			return err
		}
		size, files, err := s.Records.FilesSize(ctx, n.Number)
		if err != nil {
			return err
		}
		if size+len(content) > maxFiles || files >= maxFileCount {
			return apperr.New(apperr.TooMany, "nonconformity.file-room", apperr.Args{"field": "file", "max": maxFiles >> 20, "files": maxFileCount})
		}
		if err := s.Records.AddFile(ctx, n.Number, File{fact, content}, now); err != nil {
			return err
		}
		return s.write(ctx, n, Step{Kind: StepAttachment, Part: part, Address: address, Answer: Answer{Attachment: &fact}}, now)
	})
}

// seen is an error where the actor has no part in the record or does not see it.
func (s *Service) seen(ctx context.Context, number string) error {
	n, err := s.Records.ByNumber(ctx, number)
	if err != nil {
		return err
	}
	parties, err := s.People.Parties(ctx, n.Person, n.Area)
	if err != nil {
		return err
	}
	if err := visible(ctx, &n, parties); err != nil {
		return err
	}
	_, err = partTaken(ctx, &n, parties)
	return err
}

// Trail returns what the audit chain has of a record that the actor sees, the oldest
// first.
func (s *Service) Trail(ctx context.Context, number string) ([]audit.Entry, error) {
	n, err := s.Records.ByNumber(ctx, number)
	if err != nil {
		return nil, err
	}
	parties, err := s.People.Parties(ctx, n.Person, n.Area)
	if err != nil {
		return nil, err
	}
	if err := visible(ctx, &n, parties); err != nil {
		return nil, err
	}
	return s.Deps.Trail(ctx, n.Number)
}

// File returns an attachment of a record that the actor sees.
func (s *Service) File(ctx context.Context, number, sha256 string) (File, error) {
	n, err := s.Records.ByNumber(ctx, number)
	if err != nil {
		return File{}, err
	}
	parties, err := s.People.Parties(ctx, n.Person, n.Area)
	if err != nil {
		return File{}, err
	}
	if err := visible(ctx, &n, parties); err != nil {
		return File{}, err
	}
	return s.Records.File(ctx, n.Number, sha256)
}
