package review

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/paging"
	"vigia/internal/policy"
)

// Group is the findings that one decision settles: one program, from one origin, with
// one verdict, in all its versions and on all machines.
type Group struct {
	Key       string
	Program   string
	Publisher string
	Source    string
	Origin    string
	Denied    bool
	Rule      string   // that denies it, or "" for none
	Versions  []string // most found first
	Findings  int
	Since     time.Time
	Sample    int64 // number of the newest finding
}

// Queue is one page of the groups, denied ones first and then the most found.
type Queue struct {
	Groups   []Group
	Next     paging.Place
	Left     int // groups that the filter lets through
	Findings int // in them
	Decided  int // groups settled since the start of the day
}

// hashOf is a short name for what a program comes from.
func hashOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// Queue returns one page; day is when today began where the reader is.
func (s *Service) Queue(ctx context.Context, f Filter, after paging.Place, limit int, day time.Time) (Queue, error) {
	var q Queue
	if err := mine(ctx); err != nil {
		return q, err
	}
	items, err := s.cfg.Store.ReviewItems(ctx, f, s.cfg.Now())
	if err != nil {
		return q, err
	}
	all := group(items)
	q.Left = len(all)
	for i := range all {
		q.Findings += all[i].Findings
	}
	if q.Groups, q.Next, err = cut(all, after, limit); err != nil {
		return q, err
	}
	q.Decided, err = s.cfg.Store.CountChoices(ctx, day)
	return q, err
}

// group gathers counts of items into groups, in the order of the queue.
func group(items []ItemCount) []Group {
	type version struct {
		name string
		n    int
	}
	at, versions := map[string]int{}, map[string][]version{}
	var list []Group
	for i := range items {
		it := &items[i]
		key := keyOf(it.Title, &it.Program, it.Verdict)
		n, ok := at[key]
		if !ok {
			n, at[key] = len(list), len(list)
			list = append(list, Group{Key: key, Program: it.Program.Name, Publisher: it.Program.Publisher, Source: it.Program.Source,
				Origin: it.Program.Origin, Denied: it.Verdict == string(policy.Denied), Rule: it.Rule, Since: it.Since})
		}
		g := &list[n]
		g.Findings += it.Findings
		g.Sample = max(g.Sample, it.Sample)
		if it.Since.Before(g.Since) {
			g.Since = it.Since
		}
		v := versions[key]
		if k := slices.IndexFunc(v, func(x version) bool { return x.name == it.Program.Version }); k >= 0 {
			v[k].n += it.Findings
		} else {
			versions[key] = append(v, version{it.Program.Version, it.Findings})
		}
	}
	for i := range list {
		v := versions[list[i].Key]
		slices.SortFunc(v, func(a, b version) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
		for _, x := range v {
			list[i].Versions = append(list[i].Versions, x.name)
		}
	}
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Key, b.Key))
	})
	return list
}

// rank is where a group stands: denied ones first, then by how many findings it has.
func (g Group) rank() int64 {
	n := -int64(g.Findings)
	if g.Denied {
		n -= 1 << 40
	}
	return n
}

// cut returns the page after a place. Groups that were settled meanwhile leave no gap.
func cut(all []Group, after paging.Place, limit int) ([]Group, paging.Place, error) {
	from := 0
	if !after.IsZero() {
		rank, err := strconv.ParseInt(after.Value, 10, 64)
		if err != nil {
			return nil, paging.Place{}, paging.Unknown(after.String())
		}
		from = len(all)
		if i := slices.IndexFunc(all, func(g Group) bool { return cmp.Or(cmp.Compare(g.rank(), rank), cmp.Compare(g.Key, after.Key)) > 0 }); i >= 0 {
			from = i
		}
	}
	all = all[from:]
	if len(all) <= limit {
		return all, paging.Place{}, nil
	}
	last := all[limit-1]
	return all[:limit], paging.Place{Value: strconv.FormatInt(last.rank(), 10), Key: last.Key}, nil
}

// Mine returns the reader's standing decisions since a time, newest first: each can be
// taken back.
func (s *Service) Mine(ctx context.Context, since time.Time, most int) ([]Decision, error) {
	if err := mine(ctx); err != nil {
		return nil, err
	}
	return s.cfg.Store.DecisionsBy(ctx, actor.From(ctx).String(), since, most)
}

// On returns the decisions about a finding, newest first.
func (s *Service) On(ctx context.Context, finding int64) ([]Decision, error) {
	if err := mine(ctx); err != nil {
		return nil, err
	}
	return s.cfg.Store.DecisionsOn(ctx, finding, 20)
}
