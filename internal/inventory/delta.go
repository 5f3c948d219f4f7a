package inventory

import (
	"errors"
	"fmt"
)

// Delta turns the software section with digest Base into the one with digest Result.
type Delta struct {
	Base, Result Digest
	Removed      []Key     // keys of programs that went
	Set          []Program // programs that came, or whose time of installation changed
}

// Empty reports whether the delta changes nothing.
func (d *Delta) Empty() bool { return len(d.Removed) == 0 && len(d.Set) == 0 }

// Errors of Apply.
var (
	ErrBaseMismatch   = errors.New("delta does not start from this list")
	ErrResultMismatch = errors.New("delta does not end in the digest it names")
)

// Diff returns the delta from base to next, both normalized.
func Diff(base, next []Program) Delta {
	d := Delta{Base: DigestSoftware(base), Result: DigestSoftware(next)}
	old := make(map[Key]*Program, len(base))
	for i := range base {
		old[base[i].Key()] = &base[i]
	}
	for i := range next {
		k := next[i].Key()
		if was, ok := old[k]; !ok || !was.InstalledAt.Equal(next[i].InstalledAt) {
			d.Set = append(d.Set, next[i])
		}
		delete(old, k)
	}
	for i := range base { // in base's order, so that equal input gives equal output
		if k := base[i].Key(); old[k] != nil {
			d.Removed = append(d.Removed, k)
		}
	}
	return d
}

// Apply returns base changed by d, in normal order. It fails with ErrBaseMismatch or
// ErrResultMismatch and then changes nothing.
func Apply(base []Program, d Delta) ([]Program, error) {
	if got := DigestSoftware(base); got != d.Base {
		return nil, fmt.Errorf("%w: have %s, delta starts from %s", ErrBaseMismatch, got, d.Base)
	}
	byKey := make(map[Key]Program, len(base)+len(d.Set))
	for i := range base {
		byKey[base[i].Key()] = base[i]
	}
	for _, k := range d.Removed {
		delete(byKey, k)
	}
	for i := range d.Set {
		byKey[d.Set[i].Key()] = d.Set[i]
	}
	list := make([]Program, 0, len(byKey))
	for _, p := range byKey {
		list = append(list, p)
	}
	SortPrograms(list)
	if got := DigestSoftware(list); got != d.Result {
		return nil, fmt.Errorf("%w: got %s, want %s", ErrResultMismatch, got, d.Result)
	}
	return list, nil
}
