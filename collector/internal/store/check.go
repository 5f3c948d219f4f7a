package store

import (
	"context"
	"errors"
	"strconv"

	"vigia/collector/internal/audit"
	"vigia/collector/internal/store/internal/db"
)

// Problem is one thing that Check found wrong.
type Problem struct {
	Part   string // "database", "audit", "nonconformities", "inventory"
	Object string // what is wrong: an entry, a year; empty where Detail names it
	Detail string // key or the engine's words: "gap", "link", "content", …
}

// Check goes through the whole database: the engine's own integrity and references,
// the audit chain, the numbering of nonconformities, and what is counted as reports
// come in against what is there. It reads only, but the last part keeps reports waiting
// while it counts; on a large database all of it takes minutes.
func (s *Store) Check(ctx context.Context) ([]Problem, error) {
	var all []Problem
	for _, part := range []func(context.Context) ([]Problem, error){
		s.checkDatabase, s.checkAudit, s.checkNumbers, s.checkInventory,
	} {
		found, err := part(ctx)
		if err != nil {
			return all, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (s *Store) checkDatabase(ctx context.Context) (out []Problem, err error) {
	texts, err := s.dialect.integrity(ctx, s.reader)
	for _, t := range texts {
		out = append(out, Problem{Part: "database", Object: s.Engine(), Detail: t})
	}
	return out, s.mapError("checking the database", err)
}

func (s *Store) checkAudit(ctx context.Context) ([]Problem, error) {
	_, err := s.VerifyAudit(ctx)
	var broken *audit.Broken
	if errors.As(err, &broken) {
		return []Problem{{Part: "audit", Object: strconv.FormatInt(broken.Seq, 10), Detail: broken.Problem}}, nil
	}
	return nil, err
}

func (s *Store) checkNumbers(ctx context.Context) (out []Problem, err error) {
	err = s.read(ctx, "checking the numbers of nonconformities", func(q *db.Queries) error {
		found, err := q.NumberingProblems(ctx)
		for _, p := range found {
			out = append(out, Problem{
				Part: "nonconformities", Object: strconv.FormatInt(p.Year, 10),
				Detail: "counter " + strconv.FormatInt(p.Last, 10) + ", highest " + strconv.FormatInt(p.Highest, 10) + ", records " + strconv.FormatInt(p.Records, 10),
			})
		}
		return err
	})
	return out, err
}

func (s *Store) checkInventory(ctx context.Context) (out []Problem, err error) {
	texts, err := s.CheckInventory(ctx)
	for _, t := range texts {
		out = append(out, Problem{Part: "inventory", Detail: t})
	}
	return out, s.mapError("checking the inventories", err)
}
