package nonconformity

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Count is how many records have a name in common.
type Count struct {
	Name string // empty: nobody said
	N    int
}

// Analysis is what a management review asks of the records of a period.
type Analysis struct {
	From, To    time.Time // To is not of the period
	Opened      int
	Withdrawn   int // of those
	Contained   int
	Closed      int
	Concessions int
	Live        int
	Overdue     int
	Recurrences int
	ByArea      []Count
	ByCause     []Count // of Causes
	ByProgram   []Count
	BySeverity  []Count
	Contain     Spans // from opening to containment
	Close       Spans // from opening to the end
}

// Spans tells of times.
type Spans struct {
	N                      int
	Median, Longest, Total time.Duration
}

// Quarter returns the bounds of a quarter, 1–4, of a year in zone.
func Quarter(year, quarter int, zone *time.Location) (from, to time.Time) {
	from = time.Date(year, time.Month(3*quarter-2), 1, 0, 0, 0, 0, zone)
	return from, from.AddDate(0, 3, 0)
}

// CauseOf is the kind of cause that was found last; empty: none yet.
func CauseOf(n *Nonconformity) string {
	for i := len(n.Steps) - 1; i >= 0; i-- {
		if n.Steps[i].Kind == StepCause {
			return n.Steps[i].Answer.Cause
		}
	}
	return ""
}

// Review counts the records that were opened in a period, as they are at a moment. Those
// withdrawn are counted as such and nowhere else.
func Review(records []Nonconformity, from, to, at time.Time) Analysis {
	a := Analysis{From: from, To: to}
	areas, causes, programs, severities := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	var contain, end []time.Duration
	for i := range records {
		n := &records[i]
		if n.OpenedAt.Before(from) || !n.OpenedAt.Before(to) {
			continue
		}
		a.Opened++
		if n.State == Withdrawn {
			a.Withdrawn++
			continue
		}
		a.Recurrences += n.Recurrences
		areas[n.Area]++
		causes[CauseOf(n)]++
		severities[string(n.Severity)]++
		seen := map[string]bool{}
		for _, p := range n.Programs {
			if key := strings.ToLower(p.Name); !seen[key] && p.State != "withdrawn" {
				seen[key] = true
				programs[p.Name]++
			}
		}
		if !n.ContainedAt.IsZero() {
			a.Contained++
			contain = append(contain, n.ContainedAt.Sub(n.RoundAt))
		}
		switch n.State {
		case Closed:
			a.Closed++
			end = append(end, n.EndedAt.Sub(n.OpenedAt))
		case Concession:
			a.Concessions++
		default:
			a.Live++
			if !n.DueAt.IsZero() && n.DueAt.Before(at) {
				a.Overdue++
			}
		}
	}
	a.ByArea, a.ByCause, a.ByProgram, a.BySeverity = ranked(areas), ranked(causes), ranked(programs), ranked(severities)
	a.Contain, a.Close = spansOf(contain), spansOf(end)
	return a
}

// ranked lists counts, the highest first.
func ranked(m map[string]int) []Count {
	var list []Count
	for name, n := range m {
		list = append(list, Count{name, n})
	}
	slices.SortFunc(list, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
	return list
}

func spansOf(list []time.Duration) Spans {
	if len(list) == 0 {
		return Spans{}
	}
	slices.Sort(list)
	s := Spans{N: len(list), Median: list[(len(list)-1)/2], Longest: list[len(list)-1]}
	for _, d := range list {
		s.Total += d
	}
	return s
}
