package nonconformity

import (
	"slices"
	"time"

	"vigia/collector/internal/apperr"
)

// State of the record: how far its life of ISO 9001:2015, 10.2, has come.
type State string

// The states. Containment is proven by the agent and may come at any moment: it is a
// milestone of its own, and the state "contained" only says that nothing came after it
// yet.
const (
	Open          State = "open"
	Notified      State = "notified"               // the parties were told
	Contained     State = "contained"              // every program is gone, by a later report or with its machine, or authorized
	CauseAnalysed State = "cause-analysed"         //
	ActionPlanned State = "action-planned"         //
	Implemented   State = "implemented"            //
	Verified      State = "effectiveness-verified" // the programs stayed away over the period
	Closed        State = "closed"                 //
	Withdrawn     State = "withdrawn"              // it was opened by mistake
	Concession    State = "concession"             // accepted until a date
)

// States lists every state, in the order of a record's life.
func States() []State {
	return []State{Open, Notified, Contained, CauseAnalysed, ActionPlanned, Implemented, Verified, Closed, Withdrawn, Concession}
}

// Line lists the states that a record passes on its way to the end.
func Line() []State {
	return []State{Open, Notified, Contained, CauseAnalysed, ActionPlanned, Implemented, Verified, Closed}
}

// Ended reports whether the record's life is over, unless it is opened again.
func (s State) Ended() bool { return s == Closed || s == Withdrawn || s == Concession }

// Parts that somebody can have in a record.
const (
	PartUser       = "user"
	PartManager    = "area-manager"
	PartHR         = "hr"
	PartIT         = "it"
	PartManagement = "general-management" // the last level of escalation
	PartAgent      = "agent"              // what a report shows
	PartSystem     = "system"             // the collector's clock
)

// Move is something that may change the state.
type Move string

// The events.
const (
	Notify    Move = "notify"
	Contain   Move = "contain"
	Uncontain Move = "uncontain" // a program is there that is no return: its machine is back, or one more was found
	Return    Move = "return"    // a program came back after all were gone: the record opens again
	Repeat    Move = "repeat"    // one came back while others never went
	Analyse   Move = "analyse"
	Plan      Move = "plan"
	Implement Move = "implement"
	Verify    Move = "verify"
	Close     Move = "close"
	Withdraw  Move = "withdraw"
	Concede   Move = "concede"
	Lapse     Move = "lapse" // the concession is over and a program is still there
)

// Moves lists every move.
func Moves() []Move {
	return []Move{Notify, Contain, Uncontain, Return, Repeat, Analyse, Plan, Implement, Verify, Close, Withdraw, Concede, Lapse}
}

// back is the target of an event that takes milestones away: the state is what those
// that are left say.
const back State = ""

// transition is one line of the table: who may bring the event about, and where it
// leads from each state. From a state that is not named it cannot happen.
type transition struct {
	who []string
	to  map[State]State
}

// table is the life of a record.
var table = map[Move]transition{
	Notify: {[]string{PartSystem, PartIT}, map[State]State{Open: Notified, Contained: Contained, CauseAnalysed: CauseAnalysed, ActionPlanned: ActionPlanned,
		Implemented: Implemented, Verified: Verified}},
	Contain: {[]string{PartAgent, PartSystem}, map[State]State{Open: Contained, Notified: Contained, CauseAnalysed: CauseAnalysed, ActionPlanned: ActionPlanned,
		Implemented: Implemented, Concession: Concession}},
	Uncontain: {[]string{PartAgent, PartSystem}, map[State]State{Contained: back, CauseAnalysed: CauseAnalysed, ActionPlanned: ActionPlanned, Implemented: Implemented,
		Verified: Implemented, Closed: Implemented, Concession: Concession}},
	Return: {[]string{PartAgent}, map[State]State{Contained: Open, CauseAnalysed: Open, ActionPlanned: Open, Implemented: Open, Verified: Open, Closed: Open}},
	Repeat: {[]string{PartAgent}, map[State]State{Open: Open, Notified: Notified, CauseAnalysed: CauseAnalysed, ActionPlanned: ActionPlanned, Implemented: Implemented,
		Concession: Concession}},
	Analyse: {[]string{PartManager, PartIT}, map[State]State{Open: CauseAnalysed, Notified: CauseAnalysed, Contained: CauseAnalysed, CauseAnalysed: CauseAnalysed,
		ActionPlanned: ActionPlanned}},
	Plan:      {[]string{PartManager, PartIT}, map[State]State{CauseAnalysed: ActionPlanned, ActionPlanned: ActionPlanned}},
	Implement: {[]string{PartManager, PartIT}, map[State]State{ActionPlanned: Implemented}},
	Verify:    {[]string{PartSystem, PartIT}, map[State]State{Implemented: Verified}},
	Close:     {[]string{PartIT}, map[State]State{Verified: Closed}},
	Withdraw: {[]string{PartIT}, map[State]State{Open: Withdrawn, Notified: Withdrawn, Contained: Withdrawn, CauseAnalysed: Withdrawn, ActionPlanned: Withdrawn,
		Implemented: Withdrawn, Verified: Withdrawn}},
	Concede: {[]string{PartIT}, map[State]State{Open: Concession, Notified: Concession, Contained: Concession, CauseAnalysed: Concession, ActionPlanned: Concession,
		Implemented: Concession, Verified: Concession}},
	Lapse: {[]string{PartSystem}, map[State]State{Concession: Open}},
}

// Can reports whether part may bring the event about in the record as it is now.
func (n *Nonconformity) Can(e Move, part string) bool { return n.may(e, part) == nil }

func (n *Nonconformity) may(e Move, part string) error {
	t := table[e]
	refuse := func(key string) error {
		return apperr.New(apperr.Conflict, key, apperr.Args{"number": n.Number, "state": string(n.State), "event": string(e)})
	}
	if !slices.Contains(t.who, part) {
		return apperr.New(apperr.Forbidden, "nonconformity.not-yours", apperr.Args{"number": n.Number, "event": string(e)})
	}
	if _, known := t.to[n.State]; !known {
		return refuse("nonconformity.not-now")
	}
	contained := !n.ContainedAt.IsZero()
	switch e {
	case Notify:
		if !n.NotifiedAt.IsZero() {
			return refuse("nonconformity.not-now")
		}
	case Contain, Repeat:
		if contained {
			return refuse("nonconformity.not-now")
		}
	case Uncontain, Return:
		if !contained {
			return refuse("nonconformity.not-now")
		}
	case Verify:
		if !contained {
			return refuse("nonconformity.not-contained")
		}
	}
	return nil
}

// Apply brings an event about. Conflict "nonconformity.not-now" where the record is not
// that far, or further; Forbidden "nonconformity.not-yours" for another part.
func (n *Nonconformity) Apply(e Move, part string, at time.Time) error {
	if err := n.may(e, part); err != nil {
		return err
	}
	switch e {
	case Notify:
		n.NotifiedAt = at
	case Contain:
		n.ContainedAt = at
	case Uncontain:
		n.ContainedAt, n.VerifiedAt = time.Time{}, time.Time{}
		if n.State != Concession {
			n.EndedAt = time.Time{}
		}
	case Return:
		n.Recurrences++
		n.again(at)
	case Lapse:
		n.again(at)
	case Repeat:
		n.Recurrences++
	case Analyse:
		n.CauseAt = at
	case Plan:
		n.PlannedAt = at
	case Implement:
		n.ImplementedAt = at
	case Verify:
		n.VerifiedAt = at
	case Close, Withdraw, Concede:
		n.EndedAt = at
	}
	if n.State = table[e].to[n.State]; n.State == back {
		n.State = n.reached()
	}
	n.NextAt = time.Time{}
	return nil
}

// again begins a new round: everything is to be done anew, with the earlier answers at
// hand.
func (n *Nonconformity) again(at time.Time) {
	n.Round, n.RoundAt = max(n.Round, 1)+1, at
	n.NotifiedAt, n.ContainedAt, n.CauseAt, n.PlannedAt, n.ImplementedAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	n.VerifiedAt, n.EndedAt, n.PlanBy, n.Until = time.Time{}, time.Time{}, time.Time{}, time.Time{}
}

// reached is the state of a record that has not ended, by its milestones.
func (n *Nonconformity) reached() State {
	for _, x := range []struct {
		at    time.Time
		state State
	}{{n.VerifiedAt, Verified}, {n.ImplementedAt, Implemented}, {n.PlannedAt, ActionPlanned}, {n.CauseAt, CauseAnalysed}, {n.ContainedAt, Contained}, {n.NotifiedAt, Notified}} {
		if !x.at.IsZero() {
			return x.state
		}
	}
	return Open
}

// Begin makes n a record that begins at a moment.
func (n *Nonconformity) Begin(at time.Time) {
	n.State, n.OpenedAt, n.Round, n.RoundAt = Open, at, 1, at
	if n.Severity == "" {
		n.Severity = DefaultSeverity
	}
}

// Present reports whether a program of the record is on its machine.
func (n *Nonconformity) Present() bool {
	return slices.ContainsFunc(n.Programs, func(p Program) bool { return p.State == "present" })
}

// Reached tells when a state of the line was reached in this round; zero when it was
// not.
func (n *Nonconformity) Reached(s State) time.Time {
	switch s {
	case Open:
		return n.RoundAt
	case Notified:
		return n.NotifiedAt
	case Contained:
		return n.ContainedAt
	case CauseAnalysed:
		return n.CauseAt
	case ActionPlanned:
		return n.PlannedAt
	case Implemented:
		return n.ImplementedAt
	case Verified:
		return n.VerifiedAt
	}
	if n.State == s {
		return n.EndedAt
	}
	return time.Time{}
}
