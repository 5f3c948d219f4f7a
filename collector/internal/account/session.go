package account

import (
	"context"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

// touchEvery is how often a session's last use is written down.
const touchEvery = time.Minute

// Started is a session that just began.
type Started struct {
	Session Session
	Device  string // secret for the device's cookie; empty where it keeps the one it has
}

// Begin starts the session of a proof that is complete, writes the sign-in down and
// remembers the device. A proof that still needs a code is Unauthenticated.
func (s *Service) Begin(ctx context.Context, p Proof, coded bool, c Client) (Started, error) {
	if p.NeedsCode && !coded {
		return Started{}, wrong()
	}
	set, err := s.Rules.AccountRules(ctx)
	if err != nil {
		return Started{}, err
	}
	now := s.now()
	out := Started{Session: Session{ID: s.NewID(), Person: p.Person, Method: p.Method, Coded: coded || p.Method == ByOperator, Device: DeviceName(c.Agent),
		Address: c.Address, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(set.life())}}
	device, remember := c.Device, p.Person != "" && p.Method != ByOperator // a link of the server proves nothing about a device
	if remember {
		known := false
		if device != "" {
			if known, err = s.Guard.KnowsDevice(ctx, p.Person, hashOf(device)); err != nil {
				return Started{}, err
			}
		}
		if !known && len(device) < 40 { // a browser that several people use keeps its one secret
			if device, err = s.secret(); err != nil {
				return Started{}, err
			}
			out.Device = device
		}
	}
	ctx = s.user(ctx, Link{Person: p.Person, CreatedBy: "operator"})
	return out, s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Sessions.CreateSession(ctx, out.Session); err != nil {
			return err
		}
		if remember {
			if err := s.Guard.SaveDevice(ctx, p.Person, hashOf(device), now); err != nil {
				return err
			}
		}
		return s.record(ctx, "signin.success", "person/"+p.Person, nil, map[string]any{
			"method": p.Method, "code": coded, "session": out.Session.ID, "address": c.Address, "device": out.Session.Device})
	})
}

// State is a session that holds, with what its person chose.
type State struct {
	Session  Session
	Language string
	Theme    Theme
	HasTOTP  bool
	// MustSetTOTP: the person's role asks for a second factor and there is none.
	MustSetTOTP bool
}

// State returns the session with id when it holds, and takes note of its use where touch
// is set. role is the person's, as the directory has it now. Errors: Unauthenticated
// "account.session-ended".
func (s *Service) State(ctx context.Context, id string, role actor.Role, touch bool) (State, error) {
	ended := apperr.New(apperr.Unauthenticated, "account.session-ended", nil)
	one, err := s.Sessions.Session(ctx, id)
	if apperr.Is(err, apperr.NotFound) {
		return State{}, ended
	} else if err != nil {
		return State{}, err
	}
	set, err := s.Rules.AccountRules(ctx)
	if err != nil {
		return State{}, err
	}
	now := s.now()
	if !now.Before(one.ExpiresAt) || now.Sub(one.SeenAt) >= set.idle() || now.Sub(one.CreatedAt) >= set.life() {
		return State{}, ended
	}
	if touch && now.Sub(one.SeenAt) >= touchEvery {
		if err := s.Sessions.TouchSession(ctx, id, now); err != nil {
			return State{}, err
		}
		one.SeenAt = now
	}
	st := State{Session: one}
	if one.Person == "" {
		return st, nil
	}
	a, err := s.Accounts.Account(ctx, one.Person)
	st.Language, st.Theme, st.HasTOTP = a.Language, a.Theme, a.TOTP != nil
	st.MustSetTOTP = set.requires(role) && !st.HasTOTP && one.Method != ByOperator
	return st, err
}

// End ends a session of whoever signs out.
func (s *Service) End(ctx context.Context, id string) error {
	one, err := s.Sessions.Session(ctx, id)
	if apperr.Is(err, apperr.NotFound) {
		return nil
	} else if err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Sessions.DropSession(ctx, id); err != nil {
			return err
		}
		return s.record(ctx, "signin.end", "person/"+one.Person, map[string]any{"session": id}, nil)
	})
}

// ListSessions returns the sessions that hold: one's own, or an administrator's view of
// anybody's; with an empty person everybody's.
func (s *Service) ListSessions(ctx context.Context, person string) ([]Session, error) {
	if err := s.ownOr(ctx, person); err != nil {
		return nil, err
	}
	set, err := s.Rules.AccountRules(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.Sessions.ListSessions(ctx, clean(person), person == "")
	if err != nil {
		return nil, err
	}
	now, out := s.now(), []Session{}
	for _, one := range all {
		if now.Before(one.ExpiresAt) && now.Sub(one.SeenAt) < set.idle() {
			out = append(out, one)
		}
	}
	return out, nil
}

// ownOr lets a person at what is theirs, and administrators at everybody's.
func (s *Service) ownOr(ctx context.Context, person string) error {
	if a := actor.From(ctx); person != "" && a.Kind == actor.Person && a.ID == clean(person) {
		return nil
	}
	return may(ctx)
}

// Revoke ends the session with id: one's own, or anybody's for administrators. Errors:
// NotFound "account.session-unknown", also for one that is somebody else's.
func (s *Service) Revoke(ctx context.Context, id string) error {
	one, err := s.Sessions.Session(ctx, id)
	if err != nil {
		return err
	}
	if s.ownOr(ctx, one.Person) != nil {
		return apperr.New(apperr.NotFound, "account.session-unknown", apperr.Args{"session": id})
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Sessions.DropSession(ctx, id); err != nil {
			return err
		}
		return s.record(ctx, "account.session-revoked", "person/"+one.Person, map[string]any{"session": id, "device": one.Device, "address": one.Address}, nil)
	})
}

// RevokeOthers ends all of a person's sessions but one; with an empty one all of them.
func (s *Service) RevokeOthers(ctx context.Context, person, but string) (ended int, err error) {
	if err := s.ownOr(ctx, person); err != nil {
		return 0, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if ended, err = s.Sessions.DropSessions(ctx, clean(person), but); err != nil {
			return err
		}
		return s.record(ctx, "account.sessions-revoked", object(clean(person)), map[string]any{"sessions": ended}, nil)
	})
	return ended, err
}
