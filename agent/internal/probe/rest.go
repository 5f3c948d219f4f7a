package probe

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Rest says that a probe crashed or hung and is left alone until then. Its JSON form
// is what the agent keeps over a restart.
type Rest struct {
	Source string    `json:"source"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

// Rests returns the probes that rest, sorted by source.
func (r *Runner) Rests() []Rest {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Rest, 0, len(r.rests))
	for _, one := range r.rests {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b Rest) int { return cmp.Compare(a.Source, b.Source) })
	return list
}

// SetRests replaces the rests, with those kept from an earlier process.
func (r *Runner) SetRests(list []Rest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.rests)
	for _, one := range list {
		r.rests[one.Source] = one
	}
}

func (r *Runner) rest(source string, now time.Time, reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rests[source] = Rest{Source: source, Until: now.Add(r.opts.Rest), Reason: reason.Error()}
}

// mayRun tells why source must not run at now, and forgets a rest that is over. A rest
// that ends later than a full rest from now was set by a clock that was wrong: it is
// over too.
func (r *Runner) mayRun(source string, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[source] {
		return fmt.Errorf("hung: an earlier run has not come back")
	}
	one, ok := r.rests[source]
	if !ok {
		return nil
	}
	if now.Before(one.Until) && !one.Until.After(now.Add(r.opts.Rest)) {
		return fmt.Errorf("rests until %s: %s", one.Until.UTC().Format(time.RFC3339), one.Reason)
	}
	delete(r.rests, source)
	return nil
}
