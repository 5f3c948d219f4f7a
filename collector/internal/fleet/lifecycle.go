package fleet

import (
	"context"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

// event is what can happen to the identity of a machine.
type event string

const (
	evRevoke     event = "revoke"
	evArchive    event = "archive"
	evQuarantine event = "quarantine"
	evRelease    event = "release"
	evRestore    event = "unarchive"
)

// transitions lists what may happen in which state, and where it leads. What is not
// here is refused. Enrolling again leads to Active from every state.
var transitions = map[State]map[event]State{
	Active:      {evRevoke: Revoked, evArchive: Archived, evQuarantine: Quarantined},
	Quarantined: {evRevoke: Revoked, evArchive: Archived, evRelease: Active},
	Revoked:     {evArchive: Archived},
	Archived:    {evRestore: Active}, // or what it was before, see Restore
}

// Revoke takes a machine's certificates away: refused at once here, within a second on
// other collectors, and its connection is closed. Its open findings leave the queue
// until it is enrolled again. query is its id or hostname.
// Errors: NotFound "machine.unknown", Conflict "machine.several", "machine.wrong-state".
func (s *Service) Revoke(ctx context.Context, query string) (Machine, error) {
	return s.change(ctx, query, evRevoke, "revoked-by")
}

// Archive retires a machine: its history stays, its certificates end, its open findings
// leave the queue until it is enrolled again. Errors as Revoke.
func (s *Service) Archive(ctx context.Context, query string) (Machine, error) {
	return s.change(ctx, query, evArchive, "archived-by")
}

// Restore takes an archiving back: the machine is again what it was before, and the
// certificates that ended with it are believed again. Errors as Revoke.
func (s *Service) Restore(ctx context.Context, query string) (Machine, error) {
	return s.change(ctx, query, evRestore, "")
}

// Release ends a quarantine: the machine's reports are taken again. Errors as Revoke.
func (s *Service) Release(ctx context.Context, query string) (Machine, error) {
	return s.change(ctx, query, evRelease, "")
}

// Quarantine sets a machine apart because two live connections used its identity.
// One that is not active stays as it is.
func (s *Service) Quarantine(ctx context.Context, id string) error {
	ctx = actor.With(ctx, actor.Actor{Kind: actor.System, ID: "liveness"})
	_, err := s.change(ctx, id, evQuarantine, "two-connections")
	if apperr.Is(err, apperr.Conflict) {
		return nil
	}
	return err
}

func (s *Service) change(ctx context.Context, query string, ev event, reason string) (Machine, error) {
	var m Machine
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		err := s.Findings.LockFindings(ctx)
		if err != nil {
			return err
		}
		if m, err = s.Machines.FindMachine(ctx, query); err != nil {
			return err
		}
		to, ok := transitions[m.State][ev]
		if !ok {
			return apperr.New(apperr.Conflict, "machine.wrong-state", apperr.Args{"machine": m.Hostname, "state": m.State, "action": string(ev)})
		}
		if ev == evRestore {
			if to, reason, err = s.restored(ctx, &m); err != nil {
				return err
			}
		}
		now := s.Now().UTC().Truncate(time.Microsecond)
		if ev != evRestore && (to == Revoked || to == Archived) {
			if err := s.Certificates.RevokeCertificates(ctx, m.ID, now); err != nil {
				return err
			}
		}
		if err := s.Machines.SetMachineState(ctx, m.ID, to, reason, now); err != nil {
			return err
		}
		if err := s.Findings.FollowMachine(ctx, m.ID); err != nil {
			return err
		}
		before := map[string]any{"state": m.State, "reason": m.StateReason}
		m.StateBefore, m.State, m.StateReason, m.StateAt = m.State, to, reason, now
		if err := s.record(ctx, "machine."+string(ev), "machine/"+m.ID, before, map[string]any{"state": to, "reason": reason}); err != nil {
			return err
		}
		return s.Changes.Notify(ctx, ChangeMachine, m.ID)
	})
	return m, err
}

// restored believes the certificates of an archived machine again that ended when it was
// archived, and returns the state that it goes back to, with its reason.
func (s *Service) restored(ctx context.Context, m *Machine) (State, string, error) {
	to, reason := Active, ""
	switch m.StateBefore {
	case Revoked:
		to, reason = Revoked, "revoked-by"
	case Quarantined:
		to, reason = Quarantined, "two-connections"
	}
	return to, reason, s.Certificates.RestoreCertificates(ctx, m.ID, m.StateAt)
}

// Find returns the machine that query names, its id or its hostname. Errors: NotFound
// "machine.unknown", Conflict "machine.several".
func (s *Service) Find(ctx context.Context, query string) (Machine, error) {
	return s.Machines.FindMachine(ctx, query)
}

// Ask queues a command for a machine; it is delivered when the machine is connected.
func (s *Service) Ask(ctx context.Context, query, kind string, args map[string]string) (Command, error) {
	var c Command
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		m, err := s.Machines.FindMachine(ctx, query)
		if err != nil {
			return err
		}
		c = Command{ID: s.NewID(), Machine: m.ID, Kind: kind, Args: args, CreatedAt: s.Now().UTC().Truncate(time.Microsecond), CreatedBy: actor.From(ctx).String()}
		if err := s.Commands.QueueCommand(ctx, c); err != nil {
			return err
		}
		if err := s.record(ctx, "machine.command", "machine/"+m.ID, nil, map[string]any{"command": c.ID, "kind": kind}); err != nil {
			return err
		}
		return s.Changes.Notify(ctx, ChangeCommand, m.ID)
	})
	return c, err
}
