package ingest

import (
	"context"
	"fmt"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/ingest/pack"
	"vigia/internal/inventory"
)

// Checker gives what a recount needs. It is read in one transaction.
type Checker interface {
	// EachSoftware calls fn for every machine that told of software.
	EachSoftware(ctx context.Context, fn func(m Machine) error) error
	// EachPresence calls fn for every bitmap.
	EachPresence(ctx context.Context, fn func(item, chunk int64, b *pack.Bitmap) error) error
	// VersionInstalls returns the number of installs that each software_version tells,
	// and all items by number, without programs.
	VersionInstalls(ctx context.Context) (installs map[int64]int, items map[int64]Item, err error)
	// EachFinding calls fn for every finding.
	EachFinding(ctx context.Context, fn func(f *Finding) error) error
}

// maxProblems bounds what Check returns.
const maxProblems = 100

// recount gathers what the machines' lists say.
type recount struct {
	problems []string
	present  map[int64]int // item → machines
	machines map[int64]map[int64]bool
	counted  map[int64][2]int // machine → programs, open findings as stored
	items    map[int64]Item
}

func (r *recount) problem(format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, fmt.Sprintf(format, args...))
	}
}

// Recount counts everything again from the machines' lists: presence, installs, digests,
// counters and findings. It returns what does not add up, at most 100 lines. ctx carries
// the transaction that store reads in.
func Recount(ctx context.Context, store Checker) ([]string, error) {
	r := &recount{present: map[int64]int{}, machines: map[int64]map[int64]bool{}, counted: map[int64][2]int{}}
	installs, items, err := store.VersionInstalls(ctx)
	if err != nil {
		return nil, err
	}
	r.items = items
	if err := store.EachSoftware(ctx, r.machine); err != nil {
		return nil, err
	}
	if err := r.presence(ctx, store); err != nil {
		return nil, err
	}
	counted := make(map[int64]int)
	for id, n := range r.present {
		counted[items[id].Version] += n
	}
	for v, n := range installs {
		if counted[v] != n {
			r.problem("software_version %d: %d installs, counted %d", v, n, counted[v])
		}
	}
	err = r.findings(ctx, store)
	return r.problems, err
}

func (r *recount) machine(m Machine) error {
	list, err := pack.Installs(nil, m.Body)
	if err != nil {
		r.problem("machine %s: %v", m.ID, err)
		return nil
	}
	has := make(map[int64]bool, len(list))
	var sum inventory.Digest
	for _, in := range list {
		has[in.Item] = true
		r.present[in.Item]++
		it, ok := r.items[in.Item]
		if !ok {
			r.problem("machine %s: item %d is none", m.ID, in.Item)
		}
		sum = sum.Add(inventory.EntryHash(it.Key, unixTime(in.Installed)))
	}
	if m.Exact && sum != m.Digest {
		r.problem("machine %s: digest %s, counted %s", m.ID, m.Digest, sum)
	}
	if m.Programs != len(list) {
		r.problem("machine %s: %d programs, counted %d", m.ID, m.Programs, len(list))
	}
	r.machines[m.Row], r.counted[m.Row] = has, [2]int{m.Programs, m.Findings}
	return nil
}

// presence compares the bitmaps with the lists, both ways.
func (r *recount) presence(ctx context.Context, store Checker) error {
	told := make(map[int64]int)
	err := store.EachPresence(ctx, func(item, chunk int64, b *pack.Bitmap) error {
		for _, m := range b.Machines(nil, chunk) {
			if !r.machines[m][item] {
				r.problem("presence: machine row %d does not have item %d", m, item)
			}
			told[item]++
		}
		return nil
	})
	for item, n := range r.present {
		if told[item] != n {
			r.problem("presence: item %d on %d machines, counted %d", item, told[item], n)
		}
	}
	return err
}

// findings compares findings with the lists and the counters.
func (r *recount) findings(ctx context.Context, store Checker) error {
	open := make(map[int64]int)
	type place struct{ machine, item int64 }
	seen := make(map[place]bool)
	err := store.EachFinding(ctx, func(f *Finding) error {
		here := r.machines[f.Machine][f.Item]
		if at := (place{f.Machine, f.Item}); seen[at] {
			r.problem("finding %d: machine row %d has another for item %d", f.Row, f.Machine, f.Item)
		} else {
			seen[at] = true
		}
		if f.State == authorization.Open {
			open[f.Machine]++
		}
		if f.State != authorization.Gone && !here { // one that came back authorized may stay gone
			r.problem("finding %d: %s, but the machine does not have the program", f.Row, f.State)
		}
		return nil
	})
	for m, c := range r.counted {
		if c[1] != open[m] {
			r.problem("machine row %d: %d open findings, counted %d", m, c[1], open[m])
		}
	}
	return err
}
