package store

import (
	"context"
	"encoding/json"

	"vigia/collector/internal/store/internal/db"
)

// groupsOf reads the column group_names.
func groupsOf(text string) []string {
	if text == "" || text == "[]" {
		return nil
	}
	var out []string
	if json.Unmarshal([]byte(text), &out) != nil {
		return nil // this store writes nothing but arrays of names
	}
	return out
}

// SetMachineGroups implements fleet.Store.
func (s *Store) SetMachineGroups(ctx context.Context, id string, groups []string) error {
	m, err := s.Machine(ctx, id)
	if err != nil {
		return err
	}
	if groups == nil {
		groups = []string{}
	}
	text, err := json.Marshal(groups)
	if err != nil {
		return s.mapError("changing a machine's groups", err)
	}
	return s.write(ctx, "changing a machine's groups", func(ctx context.Context, q *db.Queries) error {
		return q.UpdateMachineGroups(ctx, db.UpdateMachineGroupsParams{GroupNames: string(text), Uuid: m.ID})
	})
}
