package rpcapi

import (
	"context"
	"maps"
	"slices"
	"time"

	"vigia/collector/internal/fleet"
)

// aliveEvery is how often this collector tells that it runs.
const aliveEvery = 15 * time.Second

// note keeps what is told of a connection until it is stored with others.
func (s *Server) note(a fleet.Agent) {
	s.noting.Lock()
	defer s.noting.Unlock()
	s.noted[a.Machine] = a
}

// left notes that the connection has ended, unless a newer one of the machine was noted.
func (c *stream) left() {
	c.link.EndedAt = c.s.Now().UTC()
	c.s.noting.Lock()
	defer c.s.noting.Unlock()
	if later, ok := c.s.noted[c.machine]; !ok || !later.ConnectedAt.After(c.link.ConnectedAt) {
		c.s.noted[c.machine] = c.link
	}
}

// keepNotes stores what was noted, in one go.
func (s *Server) keepNotes(ctx context.Context) {
	s.noting.Lock()
	notes := s.noted
	s.noted = map[string]fleet.Agent{}
	s.noting.Unlock()
	if len(notes) == 0 {
		return
	}
	err := s.Fleet.Agents.SaveAgents(ctx, slices.Collect(maps.Values(notes)))
	if err == nil || ctx.Err() != nil {
		return
	}
	s.Log.WarnContext(ctx, "connections not written down", "count", len(notes), "err", err)
	s.noting.Lock()
	defer s.noting.Unlock()
	for machine, a := range notes {
		if _, newer := s.noted[machine]; !newer {
			s.noted[machine] = a
		}
	}
}

// alive tells others and people that this collector runs.
func (s *Server) alive(ctx context.Context) {
	self := s.Self
	self.ID, self.AliveAt = s.Name, s.Now().UTC()
	if err := s.Fleet.Agents.SaveCollector(ctx, self); err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "sign of life not written down", "err", err)
	}
}

// gone tells that it does not run any more.
func (s *Server) gone(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	self := s.Self
	self.ID = s.Name
	if err := s.Fleet.Agents.SaveCollector(ctx, self); err != nil {
		s.Log.WarnContext(ctx, "end not written down", "err", err)
	}
}
