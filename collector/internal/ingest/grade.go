package ingest

import (
	"context"
	"slices"

	"vigia/collector/internal/authorization"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// judges is what programs are judged and graded by.
type judges struct {
	policy *policyState
	grader *authorization.Grader
}

// graderFor returns what grades by a version of the catalogue, in ctx's transaction where
// it must be read.
func (in *Ingester) graderFor(ctx context.Context, version int64) (*authorization.Grader, error) {
	if g := in.grader.Load(); g != nil && g.Version == version {
		return g, nil
	}
	c, err := in.cfg.Store.CurrentCatalogue(ctx)
	if err != nil {
		return nil, err
	}
	g, err := c.Grader()
	if err == nil {
		in.grader.Store(g)
	}
	return g, err
}

// grade says what f's program is, where nobody said it of this version yet.
func (f *Finding) grade(g *authorization.Grader, p *inventory.Program, moved bool) {
	if f.Graded == g.Version+1 && !moved {
		return
	}
	is := g.Grade(p)
	f.Category, f.Severity, f.Graded = is.Category, is.Severity, g.Version+1
}

// gather puts new findings of one report under the one that brought them: a dependency
// under a program of the same source that somebody asked for, whose name it has most in
// common with; the same program in a second place under the first. In the first report of
// a machine nothing tells what brought what.
func gather(fresh []*Finding, list []flagged, first bool) {
	if len(fresh) < 2 {
		return
	}
	programs := make(map[int64]*inventory.Program, len(list))
	for i := range list {
		programs[list[i].item] = list[i].program
	}
	heads := make(map[string]*Finding)
	for _, f := range fresh {
		p := programs[f.Item]
		if p == nil {
			continue
		}
		if name := policy.Fold(p.Name) + "\x00" + policy.Fold(p.Publisher); heads[name] == nil {
			heads[name] = f
		} else {
			f.along = heads[name]
		}
	}
	if first {
		return
	}
	for _, f := range fresh {
		p := programs[f.Item]
		if p == nil || p.Requested || f.along != nil {
			continue
		}
		best := -1
		for _, g := range fresh {
			q := programs[g.Item]
			if q == nil || !q.Requested || q.Source != p.Source || g.along != nil {
				continue
			}
			if n := common(policy.Fold(p.Name), policy.Fold(q.Name)); n > best {
				best, f.along = n, g
			}
		}
	}
}

// common is how many bytes two names begin with alike.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// gradeBatch is how many findings one transaction grades again.
const gradeBatch = 500

// Regrade grades the findings that an older version of the catalogue graded, or nobody,
// in bounded transactions. It returns how many there were.
func (in *Ingester) Regrade(ctx context.Context) (int, error) {
	total := 0
	for {
		n := 0
		err := in.cfg.Store.InTx(ctx, func(ctx context.Context) error {
			store := in.cfg.Store
			if err := store.Lock(ctx); err != nil {
				return err
			}
			e, err := store.Evaluation(ctx)
			if err != nil {
				return err
			}
			g, err := in.graderFor(ctx, e.Catalogue)
			if err != nil {
				return err
			}
			list, programs, err := store.FindingsToGrade(ctx, g.Version+1, gradeBatch)
			if err != nil || len(list) == 0 {
				n = 0
				return err
			}
			for i, f := range list {
				is := g.Grade(&programs[i])
				f.Category, f.Severity, f.Graded = is.Category, is.Severity, g.Version+1
			}
			n = len(list)
			return store.SaveGrades(ctx, slices.Clip(list))
		})
		total += n
		if err != nil || n == 0 || ctx.Err() != nil {
			return total, err
		}
	}
}
