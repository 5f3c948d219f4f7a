package rpcapi

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

const (
	pollEvery  = 500 * time.Millisecond // how often the log of changes is read
	checkEvery = time.Second            // how often contests are judged
)

type announcement struct {
	machine string
	nonce   fleet.Nonce
}

// announce queues the notice of a new connection for the other collectors.
func (s *Server) announce(machine string, nonce fleet.Nonce) {
	if !s.Shared {
		return
	}
	s.announcing.Lock()
	defer s.announcing.Unlock()
	s.announced = append(s.announced, announcement{machine, nonce})
}

// flush tells the other collectors of new connections, in one transaction.
func (s *Server) flush(ctx context.Context) {
	s.announcing.Lock()
	list := s.announced
	s.announced = nil
	s.announcing.Unlock()
	if len(list) == 0 {
		return
	}
	err := s.Fleet.Tx.InTx(ctx, func(ctx context.Context) error {
		for _, a := range list {
			if err := s.Fleet.Changes.Notify(ctx, fleet.ChangeConnection, s.Name+" "+a.machine+" "+hex.EncodeToString(a.nonce[:])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.Log.WarnContext(ctx, "connections not announced", "count", len(list), "err", err)
		s.announcing.Lock()
		s.announced = append(list, s.announced...)
		s.announced = s.announced[:min(len(s.announced), s.Limits.Connections)]
		s.announcing.Unlock()
	}
}

// Watch follows what other collectors and commands change, until ctx ends: revoked
// machines are cut off, commands delivered, policies pushed, clones found. from is the
// number of the newest change already known.
func (s *Server) Watch(ctx context.Context, from int64) error {
	poll, check, alive := time.NewTicker(pollEvery), time.NewTicker(checkEvery), time.NewTicker(aliveEvery)
	defer poll.Stop()
	defer check.Stop()
	defer alive.Stop()
	s.alive(ctx)
	defer s.gone(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-alive.C:
			s.alive(ctx)
		case <-check.C:
			s.judge(ctx)
		case <-poll.C:
			s.flush(ctx)
			s.keepNotes(ctx)
			changes, newest, err := s.Fleet.Changes.Since(ctx, from)
			if err != nil {
				if ctx.Err() == nil {
					s.Log.WarnContext(ctx, "log of changes not read", "err", err)
				}
				continue
			}
			if s.obey(ctx, changes) {
				from = newest
			}
			if len(changes) > 0 {
				s.Observe(ctx, changes)
			}
		}
	}
}

// judge sets apart identities that are in two places.
func (s *Server) judge(ctx context.Context) {
	for _, machine := range s.Presence.Clones(s.Now()) {
		s.Log.WarnContext(ctx, "one identity on two live connections: quarantined", "machine", machine)
		if err := s.Fleet.Quarantine(ctx, machine); err != nil {
			s.Log.ErrorContext(ctx, "quarantine not stored", "machine", machine, "err", err)
			continue
		}
		s.Presence.Close(machine, fleet.ReasonQuarantined)
	}
}

// obey acts on changes and reports whether they are done with; if not they are read again.
func (s *Server) obey(ctx context.Context, changes []fleet.Change) bool {
	machines := map[string]bool{}
	for _, c := range changes {
		switch c.Kind {
		case fleet.ChangeMachine:
			machines[c.Subject] = true
		case fleet.ChangePolicy:
			s.Policies.Changed()
			s.pushSoon()
		case fleet.ChangeCommand:
			if st, ok := s.Presence.Current(c.Subject).(*stream); ok {
				s.pushCommands(ctx, st)
			}
		case fleet.ChangeTrust:
			if err := s.reloadTrust(ctx); err != nil {
				s.Log.ErrorContext(ctx, "cas not read again", "err", err)
				return false
			}
		case fleet.ChangeConnection:
			s.elsewhere(c.Subject)
		case fleet.ChangeAsked:
			if err := s.Fleet.Asked(ctx, c.Subject); err != nil {
				s.Log.WarnContext(ctx, "another collector's question not answered", "err", err)
			}
		case fleet.ChangeAnswered:
			s.Fleet.Answered(c.Subject)
		}
	}
	if len(machines) == 0 {
		return true
	}
	if err := s.Revocations.Reload(ctx); err != nil {
		s.Log.ErrorContext(ctx, "revoked certificates not read again", "err", err)
		return false
	}
	for id := range machines {
		s.recheck(ctx, id)
	}
	return true
}

// recheck closes the connections of a machine that may no longer have them.
func (s *Server) recheck(ctx context.Context, machine string) {
	cur, ok := s.Presence.Current(machine).(*stream)
	if !ok {
		return
	}
	m, err := s.Fleet.Machines.Machine(ctx, machine)
	switch {
	case err != nil && !apperr.Is(err, apperr.NotFound):
		s.Log.ErrorContext(ctx, "machine not read again", "machine", machine, "err", err)
	case err == nil && m.State == fleet.Active && !s.Revocations.Revoked(cur.serial):
	case err == nil && m.State == fleet.Quarantined:
		s.Presence.Close(machine, fleet.ReasonQuarantined)
	default:
		s.Log.InfoContext(ctx, "connection closed: no longer allowed", "machine", machine, "state", m.State)
		s.Presence.Close(machine, fleet.ReasonRevoked)
	}
}

// elsewhere takes the notice of a connection: "collector machine nonce".
func (s *Server) elsewhere(subject string) {
	f := strings.Fields(subject)
	if len(f) != 3 {
		return
	}
	raw, err := hex.DecodeString(f[2])
	if err != nil || len(raw) != len(fleet.Nonce{}) {
		return
	}
	if f[0] == s.Name {
		s.Presence.Announced(f[1], fleet.Nonce(raw))
		return
	}
	s.Presence.Elsewhere(f[1], fleet.Nonce(raw), s.Now())
}

// pushSoon makes PushPolicies look at every connected agent once more.
func (s *Server) pushSoon() {
	select {
	case s.dirty <- struct{}{}:
	default: // it is to look anyway
	}
}

// PushPolicies sends every connected agent the policy it is to have, whenever rules or
// the organisation change, until ctx ends. It is a task of its own, so that thousands
// of agents do not delay a revocation.
func (s *Server) PushPolicies(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.dirty:
			for _, c := range s.Presence.All() {
				if st, ok := c.(*stream); ok && ctx.Err() == nil {
					s.pushPolicy(ctx, st)
				}
			}
		}
	}
}

// pushPolicy queues the policy for one agent where it has another.
func (s *Server) pushPolicy(ctx context.Context, c *stream) {
	have := c.policy.Load()
	version, body, err := s.Policies.For(ctx, c.machine, *have)
	if err != nil {
		if ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "policy not sent", "machine", c.machine, "err", err)
		}
		return
	}
	if version == *have || !c.policy.CompareAndSwap(have, &version) {
		return // it has it, or somebody else is sending it
	}
	var ms []*vigiav1.FromCollector
	for _, p := range wire.Split([]byte(version), body) {
		ms = append(ms, &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Policy{Policy: p}})
	}
	c.queue(ms...)
}

// pushCommands queues the commands that wait for the agent and were not yet sent to it.
func (s *Server) pushCommands(ctx context.Context, c *stream) {
	waiting, err := s.Fleet.Commands.PendingCommands(ctx, c.machine)
	if err != nil {
		if ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "commands not read", "machine", c.machine, "err", err)
		}
		return
	}
	for _, cmd := range waiting {
		c.mu.Lock()
		sent := c.commands[cmd.ID]
		if c.commands == nil {
			c.commands = map[string]bool{}
		}
		c.commands[cmd.ID] = true
		c.mu.Unlock()
		if !sent {
			c.queue(&vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Command{Command: &vigiav1.Command{Id: cmd.ID, Kind: cmd.Kind, Args: cmd.Args}}})
		}
	}
}

// queue sends without waiting; an agent that does not read is cut off.
func (c *stream) queue(ms ...*vigiav1.FromCollector) {
	if !c.out.later(ms...) {
		c.s.Log.Warn("an agent does not read what it is sent: cut off", "machine", c.machine)
		_ = c.conn.Close()
	}
}
