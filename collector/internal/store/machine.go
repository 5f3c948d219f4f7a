package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store/internal/db"
)

var _ fleet.Store = (*Store)(nil)

func toMachine(v db.MachineView) fleet.Machine {
	return fleet.Machine{
		Row: v.ID, ID: v.Uuid, Hostname: v.Hostname, Serial: v.Serial, UUID: v.HardwareUuid, MachineID: v.MachineID,
		OS: v.Os, Site: v.Site, Area: v.Area, Person: v.Person, State: fleet.State(v.State), StateReason: v.StateReason,
		EnrolledAt: fromMicros(v.EnrolledAt), LastSeen: fromMicros(v.LastSeen), LastReport: fromMicros(v.LastReport),
		HandGroups: groupsOf(v.GroupNames), Tags: groupsOf(v.TagNames), Model: v.Model, StateBefore: fleet.State(v.StateBefore), StateAt: fromMicros(v.StateAt),
		Failing: int(v.Failing), Agent: v.AgentVersion, Programs: int(v.Programs), Findings: int(v.Findings), Spooled: int(v.Spooled),
	}
}

func toMachines(views []db.MachineView) []fleet.Machine {
	out := make([]fleet.Machine, len(views))
	for i, v := range views {
		out[i] = toMachine(v)
	}
	return out
}

func noMachine(id string) (string, apperr.Args) {
	return "machine.unknown", apperr.Args{"machine": id}
}

// CreateMachine implements fleet.Store. A site or area that is not known yet is made;
// the person must be known.
func (s *Store) CreateMachine(ctx context.Context, m fleet.Machine) (fleet.Machine, error) {
	err := s.write(ctx, "creating a machine", func(ctx context.Context, q *db.Queries) error {
		site, err := siteID(ctx, q, m.Site)
		if err != nil {
			return err
		}
		area, err := areaID(ctx, q, m.Area)
		if err != nil {
			return err
		}
		var person sql.NullInt64
		if m.Person != "" {
			p, err := q.PersonByEmail(ctx, m.Person)
			if err != nil {
				return unknown(err, "person.unknown", apperr.Args{"person": m.Person})
			}
			person = sql.NullInt64{Int64: p.ID, Valid: true}
		}
		m.Row, err = q.InsertMachine(ctx, db.InsertMachineParams{
			Uuid: strings.ToLower(m.ID), Hostname: m.Hostname, HostnameFold: Fold(m.Hostname), Serial: m.Serial, SerialFold: Fold(m.Serial),
			HardwareUuid: m.UUID, MachineID: m.MachineID, Os: m.OS, SiteID: site, AreaID: area, PersonID: person,
			State: string(m.State), StateReason: m.StateReason, StateAt: micros(m.EnrolledAt), EnrolledAt: micros(m.EnrolledAt),
			Programs: int64(m.Programs), Findings: int64(m.Findings),
		})
		return err
	})
	m.StateAt = m.EnrolledAt
	return m, err
}

// Machine implements fleet.Store.
func (s *Store) Machine(ctx context.Context, id string) (m fleet.Machine, err error) {
	err = s.read(ctx, "reading a machine", func(q *db.Queries) error {
		v, err := q.MachineByUUID(ctx, strings.ToLower(id))
		m = toMachine(v)
		key, args := noMachine(id)
		return unknown(err, key, args)
	})
	return s.groupedOne(ctx, m, err)
}

// FindMachine implements fleet.Store. Among several of one hostname, a single one that
// is not archived is meant.
func (s *Store) FindMachine(ctx context.Context, query string) (fleet.Machine, error) {
	m, err := s.Machine(ctx, query)
	if !apperr.Is(err, apperr.NotFound) {
		return m, err
	}
	var same []fleet.Machine
	err = s.read(ctx, "looking for a machine", func(q *db.Queries) error {
		views, err := q.MachinesByHostname(ctx, Fold(query))
		same = toMachines(views)
		return err
	})
	if err != nil {
		return fleet.Machine{}, err
	}
	var live []fleet.Machine
	for _, m := range same {
		if m.State != fleet.Archived {
			live = append(live, m)
		}
	}
	switch {
	case len(live) == 1:
		return s.groupedOne(ctx, live[0], nil)
	case len(same) == 1:
		return s.groupedOne(ctx, same[0], nil)
	case len(same) == 0:
		return fleet.Machine{}, apperr.New(apperr.NotFound, "machine.unknown", apperr.Args{"machine": query})
	}
	return fleet.Machine{}, apperr.New(apperr.Conflict, "machine.several", apperr.Args{"machine": query, "count": len(same)})
}

// MachineByHardware implements fleet.Store: both facts must be given. Of several, an
// active one comes first, then the newest.
func (s *Store) MachineByHardware(ctx context.Context, serial, uuid string) (m fleet.Machine, err error) {
	err = s.read(ctx, "looking for a machine by its hardware", func(q *db.Queries) error {
		if serial == "" || uuid == "" {
			return apperr.New(apperr.NotFound, "machine.unknown", apperr.Args{"serial": serial})
		}
		v, err := q.MachineByHardware(ctx, db.MachineByHardwareParams{Serial: serial, HardwareUuid: uuid})
		m = toMachine(v)
		return unknown(err, "machine.unknown", apperr.Args{"serial": serial})
	})
	return s.groupedOne(ctx, m, err)
}

// SetMachineFacts implements fleet.Store. What is equal already writes nothing.
func (s *Store) SetMachineFacts(ctx context.Context, id string, hostname, serial, uuid, machineID, os string) error {
	m, err := s.Machine(ctx, id)
	if err != nil {
		return err
	}
	if m.Hostname == hostname && m.Serial == serial && m.UUID == uuid && m.MachineID == machineID && m.OS == os {
		return nil
	}
	return s.write(ctx, "changing a machine's facts", func(ctx context.Context, q *db.Queries) error {
		return q.UpdateMachineFacts(ctx, db.UpdateMachineFactsParams{
			Hostname: hostname, HostnameFold: Fold(hostname), Serial: serial, SerialFold: Fold(serial),
			HardwareUuid: uuid, MachineID: machineID, Os: os, Uuid: m.ID,
		})
	})
}

// SetMachineState implements fleet.Store.
func (s *Store) SetMachineState(ctx context.Context, id string, state fleet.State, reason string, at time.Time) error {
	m, err := s.Machine(ctx, id)
	if err != nil || m.State == state && m.StateReason == reason {
		return err
	}
	return s.write(ctx, "changing a machine's state", func(ctx context.Context, q *db.Queries) error {
		return q.UpdateMachineState(ctx, db.UpdateMachineStateParams{
			State: string(state), StateReason: reason, StateAt: micros(at), Uuid: m.ID,
		})
	})
}
