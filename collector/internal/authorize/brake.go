package authorize

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
)

// BrakeStore keeps the brake, and finds what was held back.
type BrakeStore interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	Brake(ctx context.Context) (authorization.Brake, error)
	SaveBrake(ctx context.Context, b authorization.Brake) error
	Findings(ctx context.Context, f authorization.FindingFilter) ([]authorization.Finding, error)
}

// Brakes is the use-case of the cap on nonconformities that open by themselves. All fields
// are required.
type Brakes struct {
	Store   BrakeStore
	Records Records
	People  func(ctx context.Context) ([]Mail, error) // a message without kind for each administrator
	Mail    Mailer
	Audit   audit.Log
	Now     func() time.Time
}

// maxHeld bounds what one resumption opens.
const maxHeld = 1000

// Look returns the brake, and the open findings without a record that were found since it
// was pulled.
func (b *Brakes) Look(ctx context.Context) (authorization.Brake, []authorization.Finding, error) {
	if _, err := access.Need(ctx, access.SeeAllowlist); err != nil {
		return authorization.Brake{}, nil, err
	}
	x, err := b.Store.Brake(ctx)
	if err != nil || !x.Paused() {
		return x, nil, err
	}
	held, err := b.held(ctx, x)
	return x, held, err
}

func (b *Brakes) held(ctx context.Context, x authorization.Brake) ([]authorization.Finding, error) {
	all, err := b.Store.Findings(ctx, authorization.FindingFilter{State: authorization.Open, Limit: maxHeld})
	if err != nil {
		return nil, err
	}
	var held []authorization.Finding
	for _, f := range all {
		if f.Nonconformity == "" && !f.FoundAt.Before(x.PausedAt) {
			held = append(held, f)
		}
	}
	return held, nil
}

// Resume lets nonconformities open again; with open, also for what was held back. It
// returns how many records that opened. Conflict "brake.not-paused".
func (b *Brakes) Resume(ctx context.Context, open bool) (int, error) {
	if _, err := access.Need(ctx, access.ChangeAllowlist); err != nil {
		return 0, err
	}
	opened := 0
	err := b.Store.InTx(ctx, func(ctx context.Context) error {
		if err := b.Records.LockFindings(ctx); err != nil {
			return err
		}
		x, err := b.Store.Brake(ctx)
		if err != nil {
			return err
		}
		if !x.Paused() {
			return apperr.New(apperr.Conflict, "brake.not-paused", nil)
		}
		if open {
			held, err := b.held(ctx, x)
			if err != nil {
				return err
			}
			numbers, err := b.Records.OpenRecords(ctx, held)
			if err != nil {
				return err
			}
			distinct := map[string]bool{}
			for _, n := range numbers {
				distinct[n] = true
			}
			opened = len(distinct)
		}
		was := x
		x.PausedAt, x.Told, x.ResumedAt, x.By = time.Time{}, false, b.now(), actor.From(ctx).String()
		return b.save(ctx, "brake.resume", was, x)
	})
	return opened, err
}

// SetCap says how many may open in an hour; 0 is the default. Invalid "brake.bad-cap".
func (b *Brakes) SetCap(ctx context.Context, limit int) error {
	if _, err := access.Need(ctx, access.ChangeSettings); err != nil {
		return err
	}
	if limit < 0 || limit > 100_000 {
		return bad("cap", "brake.bad-cap", apperr.Args{"value": limit})
	}
	return b.Store.InTx(ctx, func(ctx context.Context) error {
		x, err := b.Store.Brake(ctx)
		if err != nil {
			return err
		}
		was := x
		x.Cap, x.By = limit, actor.From(ctx).String()
		return b.save(ctx, "brake.cap", was, x)
	})
}

func (b *Brakes) save(ctx context.Context, action string, was, is authorization.Brake) error {
	if err := b.Store.SaveBrake(ctx, is); err != nil {
		return err
	}
	return b.Audit.Append(ctx, audit.Entry{At: b.now(), Actor: actor.From(ctx).String(), Action: action, Object: "brake", Before: audit.JSON(was), After: audit.JSON(is)})
}

// Alarm tells the administrators once that the brake was pulled.
func (b *Brakes) Alarm(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Actor{Kind: actor.System, ID: "brake"})
	if x, err := b.Store.Brake(ctx); err != nil || !x.Paused() || x.Told {
		return err
	}
	return b.Store.InTx(ctx, func(ctx context.Context) error {
		if err := b.Records.LockFindings(ctx); err != nil {
			return err
		}
		x, err := b.Store.Brake(ctx)
		if err != nil || !x.Paused() || x.Told {
			return err
		}
		people, err := b.People(ctx)
		if err != nil {
			return err
		}
		for _, m := range people {
			m.Key, m.Kind, m.Path, m.Args = fmt.Sprintf("brake/%d/%s", x.PausedAt.UnixMicro(), m.To), "brake-on", "/authorizations/brake", []any{"Opened", x.Opened, "Cap", x.Limit()}
			if err := b.Mail.Queue(ctx, m); err != nil {
				return err
			}
		}
		x.Told = true
		return b.Store.SaveBrake(ctx, x)
	})
}

func (b *Brakes) now() time.Time { return b.Now().UTC().Truncate(time.Microsecond) }
