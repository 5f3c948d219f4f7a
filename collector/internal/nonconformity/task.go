package nonconformity

import (
	"slices"
	"time"

	"vigia/collector/internal/calendar"
)

// Terms is how long things take at a record's site.
type Terms struct {
	Limits   map[Severity]Limits
	Calendar calendar.Calendar
	Period   time.Duration // of the verification of effectiveness
	Escalate int           // working days after a deadline until the next level hears of it
}

// Task is what somebody is awaited for.
type Task struct {
	Step  string
	Part  string
	Since time.Time
	Due   time.Time
}

// has reports whether somebody has the part.
func (n *Nonconformity) has(part string) bool {
	return slices.ContainsFunc(n.Parties, func(p Party) bool { return p.Part == part })
}

// owner is part, or IT where nobody has it.
func (n *Nonconformity) owner(part string) string {
	if n.has(part) {
		return part
	}
	return PartIT
}

// Period is when the verification of effectiveness ends; zero before it begins.
func (n *Nonconformity) Period(t Terms) time.Time {
	if n.ContainedAt.IsZero() || n.ImplementedAt.IsZero() {
		return time.Time{}
	}
	from := n.ContainedAt
	if n.ImplementedAt.After(from) {
		from = n.ImplementedAt
	}
	return from.Add(t.Period)
}

// Tasks lists what is to be done now, in the order of a record's life. A record that has
// not ended always has one; a concession has one while its program is there.
func (n *Nonconformity) Tasks(t Terms) []Task {
	if n.State == Concession && n.Present() {
		return []Task{{StepRenew, PartIT, n.EndedAt, n.Until}}
	}
	if n.State.Ended() {
		return nil
	}
	limits := t.Limits[n.Severity]
	var list []Task
	add := func(step, part string, since time.Time) {
		list = append(list, Task{step, part, since, t.Calendar.Deadline(since, max(1, limits[step]))})
	}
	if n.NotifiedAt.IsZero() {
		add(StepNotify, PartIT, n.RoundAt)
	}
	if n.ContainedAt.IsZero() {
		add(StepContain, n.owner(PartUser), n.RoundAt)
	}
	if n.has(PartUser) && n.Last(StepStatement) == nil {
		add(StepStatement, PartUser, n.told())
	}
	switch {
	case n.CauseAt.IsZero():
		add(StepCause, n.owner(PartManager), n.told())
	case n.PlannedAt.IsZero():
		add(StepPlan, n.owner(PartManager), n.CauseAt)
	case n.ImplementedAt.IsZero():
		add(StepImplement, n.owner(PartManager), n.PlannedAt)
		if last := &list[len(list)-1]; !n.PlanBy.IsZero() {
			last.Due = n.PlanBy
		}
	}
	if n.has(PartHR) && n.Last(StepMeasure) == nil {
		add(StepMeasure, PartHR, n.told())
	}
	switch end := n.Period(t); {
	case end.IsZero():
	case n.VerifiedAt.IsZero():
		list = append(list, Task{StepVerify, PartIT, end, t.Calendar.Deadline(end, max(1, limits[StepVerify]))})
	default:
		add(StepClose, PartIT, n.VerifiedAt)
	}
	return list
}

// told is when the parties' time begins.
func (n *Nonconformity) told() time.Time {
	if n.NotifiedAt.IsZero() {
		return n.RoundAt
	}
	return n.NotifiedAt
}

// Last is what was written last for a step in this round, or nil.
func (n *Nonconformity) Last(step string) *Step {
	for i := len(n.Steps) - 1; i >= 0; i-- {
		if s := &n.Steps[i]; s.Kind == step && s.Round == n.Round {
			return s
		}
	}
	return nil
}

// Notice is what the clock told about a task: once for each task and level.
type Notice struct {
	Round int       `json:"round"`
	Step  string    `json:"step"`
	Since time.Time `json:"since"` // of the task
	Level int       `json:"level"` // LevelRemind …
	At    time.Time `json:"at"`
}

// Levels of notices about a task.
const (
	LevelRemind   = iota // its last day has begun
	LevelOverdue         // it is over
	LevelEscalate        // the next level hears of it
	LevelManage          // General Management and the administrators do
	levels
)

// Call is a notice that is due.
type Call struct {
	Task
	Level int
	At    time.Time // when it fell due
}

// Calls lists the notices about a task that fall due, told or not. Over the user there
// are two levels, over the others one.
func (t Terms) Calls(task Task) []Call {
	e := max(1, t.Escalate)
	list := []Call{{task, LevelRemind, t.Calendar.Before(task.Due)}, {task, LevelOverdue, task.Due}, {task, LevelEscalate, t.Calendar.Deadline(task.Due, e)}}
	if task.Part == PartUser {
		list = append(list, Call{task, LevelManage, t.Calendar.Deadline(task.Due, 2*e)})
	}
	return list
}

func (n *Nonconformity) toldOf(c Call) bool {
	return slices.ContainsFunc(n.Notices, func(x Notice) bool {
		return x.Round == n.Round && x.Step == c.Step && x.Level == c.Level && x.Since.Equal(c.Since)
	})
}

// CallsDue lists the notices that are due at a moment and were not told. Of several
// about one task only the highest is to be mailed, which is the last.
func (n *Nonconformity) CallsDue(t Terms, at time.Time) []Call {
	var list []Call
	for _, task := range n.Tasks(t) {
		for _, c := range t.Calls(task) {
			if !at.Before(c.At) && !n.toldOf(c) {
				list = append(list, c)
			}
		}
	}
	return list
}

// Never is later than anything the clock does.
var Never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Schedule sets who is awaited until when, and when the clock looks again.
func (n *Nonconformity) Schedule(t Terms) {
	n.Awaited, n.DueAt, n.NextAt = "", time.Time{}, Never
	sooner := func(at time.Time) {
		if at.Before(n.NextAt) {
			n.NextAt = at
		}
	}
	for _, task := range n.Tasks(t) {
		if n.DueAt.IsZero() || task.Due.Before(n.DueAt) {
			n.Awaited, n.DueAt = task.Part, task.Due
		}
		for _, c := range t.Calls(task) {
			if !n.toldOf(c) {
				sooner(c.At)
			}
		}
		if task.Step == StepVerify {
			sooner(task.Since)
		}
	}
	if n.State == Concession && n.Present() {
		sooner(n.Until)
	}
}
