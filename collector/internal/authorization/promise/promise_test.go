package promise_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorization/promise"
)

var day = 24 * time.Hour

func TestWhatAReportSaysOfAPromise(t *testing.T) {
	due := time.Date(2026, 11, 10, 5, 59, 59, 0, time.UTC)
	for name, x := range map[string]struct {
		state  promise.State
		found  authorization.FindingState
		gone   string
		goneAt time.Time
		now    time.Time
		want   promise.State
	}{
		"there, in time":              {promise.Open, authorization.Open, "", time.Time{}, due.Add(-day), promise.Open},
		"there, the day over":         {promise.Open, authorization.Open, "", time.Time{}, due.Add(time.Second), promise.Broken},
		"there, on the last second":   {promise.Open, authorization.Open, "", time.Time{}, due, promise.Open},
		"gone in time":                {promise.Open, authorization.Gone, "r", due.Add(-day), due.Add(-day), promise.Kept},
		"gone in time, told late":     {promise.Open, authorization.Gone, "r", due.Add(-day), due.Add(day), promise.Kept},
		"gone too late":               {promise.Open, authorization.Gone, "r", due.Add(day), due.Add(day), promise.Late},
		"gone after it was broken":    {promise.Broken, authorization.Gone, "r", due.Add(day), due.Add(2 * day), promise.Late},
		"its machine is gone":         {promise.Open, authorization.Gone, "", due.Add(-day), due.Add(day), promise.Open},
		"authorized meanwhile":        {promise.Open, authorization.Authorized, "", time.Time{}, due.Add(day), promise.Moot},
		"authorized after broken":     {promise.Broken, authorization.Authorized, "", time.Time{}, due.Add(day), promise.Moot},
		"kept, and it is there again": {promise.Kept, authorization.Open, "", time.Time{}, due.Add(day), promise.Kept},
	} {
		p := promise.Promise{Due: due, State: x.state, Found: x.found, Gone: x.gone, GoneAt: x.goneAt}
		if got := promise.Judge(p, x.now); got != x.want {
			t.Errorf("%s: %s, want %s", name, got, x.want)
		}
	}
}

// TestPromisesNeverComeBack lets machines report and time pass: what is final stays, and
// nothing is kept without a report or broken before its day is over.
func TestPromisesNeverComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 2, 15, 0, 0, 0, time.UTC)
		p := promise.Promise{State: promise.Open, Due: now.Add(time.Duration(rapid.IntRange(1, 20*24).Draw(t, "due")) * time.Hour), Found: authorization.Open}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 72).Draw(t, "hours")) * time.Hour)
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				p.Found, p.Gone, p.GoneAt = authorization.Gone, "r", now
			case 1:
				p.Found, p.Gone, p.GoneAt = authorization.Open, "", time.Time{}
			case 2:
				p.Found = rapid.SampledFrom([]authorization.FindingState{authorization.Authorized, authorization.Open}).Draw(t, "rules")
				p.Gone, p.GoneAt = "", time.Time{}
			}
			next := promise.Judge(p, now)
			final := p.State == promise.Kept || p.State == promise.Late || p.State == promise.Moot
			switch {
			case final && next != p.State, p.State == promise.Broken && next == promise.Open:
				t.Fatalf("%s became %s", p.State, next)
			case next == promise.Kept && p.State != next && (p.Gone == "" || p.GoneAt.After(p.Due)):
				t.Fatalf("kept without proof: %+v", p)
			case next == promise.Broken && p.State != next && !now.After(p.Due):
				t.Fatalf("broken before its day is over: %+v at %v", p, now)
			case next == promise.Open && now.After(p.Due) && p.Found == authorization.Open:
				t.Fatalf("overdue and not noticed: %+v at %v", p, now)
			}
			if p.State = next; promise.Judge(p, now) != next {
				t.Fatalf("%s is not settled", next)
			}
		}
	})
}
