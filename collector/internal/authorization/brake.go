package authorization

import "time"

// DefaultCap is how many nonconformities may open in an hour where nobody set another cap.
const DefaultCap = 50

// Brake keeps a mistaken rule from accusing a whole company: when more nonconformities
// than the cap open by themselves within an hour, no more open until somebody resumes.
// What is found meanwhile stays a finding.
type Brake struct {
	PausedAt  time.Time // zero: not paused
	Opened    int       // in the hour before it was paused
	Cap       int       // 0: DefaultCap
	Told      bool      // the administrators have been told
	ResumedAt time.Time
	By        string // who resumed it, or set the cap; actor.Actor.String()
}

// Paused reports whether nothing is opened.
func (b Brake) Paused() bool { return !b.PausedAt.IsZero() }

// Limit is the cap in force.
func (b Brake) Limit() int {
	if b.Cap <= 0 {
		return DefaultCap
	}
	return b.Cap
}

// Since is from when on records count for the cap at a moment.
func (b Brake) Since(now time.Time) time.Time {
	if hour := now.Add(-time.Hour); hour.After(b.ResumedAt) {
		return hour
	}
	return b.ResumedAt
}
