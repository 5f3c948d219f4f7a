package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"vigia/internal/fleetsim/proc"
)

// result is what one kind of page took, in milliseconds.
type result struct {
	Page  string   `json:"page"`
	Roles []string `json:"roles"`
	Count int      `json:"count"`
	P50   float64  `json:"p50_ms"`
	P95   float64  `json:"p95_ms"`
	CPU   float64  `json:"cpu_ms"` // of one request, collector and database, on average
	Bytes float64  `json:"bytes"`
}

// measure requests the pages of a group in turn.
func (v *visitor) measure(ctx context.Context, g group, f flags) (result, error) {
	took := make([]time.Duration, 0, f.Rounds)
	bytes := 0
	before, err := spent(f)
	if err != nil {
		return result{}, err
	}
	for i := range f.Rounds {
		at := time.Now()
		body, status, err := v.get(ctx, g.at[i%len(g.at)])
		if err != nil {
			return result{}, err
		}
		took = append(took, time.Since(at))
		if status != 200 {
			return result{}, fmt.Errorf("%s %s: status %d", v.role, g.at[i%len(g.at)], status)
		}
		bytes += len(body)
	}
	after, err := spent(f)
	if err != nil {
		return result{}, err
	}
	slices.Sort(took)
	n := float64(len(took))
	return result{Page: g.kind, Roles: []string{v.role}, Count: len(took), P50: ms(took[len(took)/2]), P95: ms(took[min(len(took)-1, len(took)*95/100)]),
		CPU: ms(after-before) / n, Bytes: float64(bytes) / n}, nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// spent is the processor time of collector and database so far.
func spent(f flags) (time.Duration, error) {
	cpu, _, err := proc.Of(f.PID)
	if err != nil {
		return 0, err
	}
	more, err := proc.Family(f.DatabasePID)
	return cpu + more, err
}

// sum finds the slowest, by processor time where it is known: the clock also counts
// what else runs on the computer.
func sum(all []result, limit time.Duration, slowest int) summary {
	s := summary{Kinds: len(all)}
	for _, r := range all {
		s.Requests += r.Count
		if r.P95 > ms(limit) {
			s.Over++
		}
		if r.CPU > ms(limit) {
			s.OverCPU++
		}
	}
	slices.SortFunc(all, func(a, b result) int {
		if c := cmp.Compare(b.CPU, a.CPU); c != 0 {
			return c
		}
		return cmp.Compare(b.P95, a.P95)
	})
	told := map[string]int{} // page → place in what is told
	for _, r := range all {
		if at, ok := told[r.Page]; ok {
			s.Slowest[at].Roles = append(s.Slowest[at].Roles, r.Roles...)
			s.Slowest[at].P95 = max(s.Slowest[at].P95, r.P95)
		} else if len(s.Slowest) < slowest {
			told[r.Page] = len(s.Slowest)
			s.Slowest = append(s.Slowest, r)
		}
	}
	return s
}
