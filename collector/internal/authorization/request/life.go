package request

import (
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
)

// Party is who takes a step.
type Party string

// The parties.
const (
	Manager    Party = "manager"
	Purchasing Party = "purchasing"
	IT         Party = "it"
	Asker      Party = "asker"
	Clock      Party = "clock" // nobody: time passed
)

// Action is a step.
type Action string

// The actions.
const (
	ApproveManager    Action = "approve-manager"
	ApprovePurchasing Action = "approve-purchasing"
	Grant             Action = "grant"
	Refuse            Action = "refuse"
	Withdraw          Action = "withdraw"
	Expire            Action = "expire"
)

// Actions lists every action.
func Actions() []Action {
	return []Action{ApproveManager, ApprovePurchasing, Grant, Refuse, Withdraw, Expire}
}

// Route says who has to approve besides IT.
type Route struct {
	Manager    bool
	Purchasing bool
}

// RouteOf is the route of a request of a category and a cost: what the catalogue rules. A
// manager step needs a manager who is not the person asking: nobody approves their own.
func RouteOf(c authorization.Catalogue, category authorization.Category, money int64, manager, person, askedBy string) Route {
	return Route{
		Manager:    c.RulingOf(category).Manager && manager != "" && manager != person && manager != askedBy,
		Purchasing: c.PurchaseFrom > 0 && money >= c.PurchaseFrom,
	}
}

// step is one line of the table.
type step struct {
	from   State
	action Action
	to     State
}

// table is the life of a request: what may follow what. Which of the approving steps comes
// next is the route's business, see Next.
func table() []step {
	return []step{
		{Asked, ApproveManager, ManagerApproved},
		{Asked, ApprovePurchasing, PurchasingAgreed},
		{Asked, Grant, Granted},
		{Asked, Refuse, Refused},
		{Asked, Withdraw, Withdrawn},
		{Asked, Expire, Expired},
		{ManagerApproved, ApprovePurchasing, PurchasingAgreed},
		{ManagerApproved, Grant, Granted},
		{ManagerApproved, Refuse, Refused},
		{ManagerApproved, Withdraw, Withdrawn},
		{ManagerApproved, Expire, Expired},
		{PurchasingAgreed, Grant, Granted},
		{PurchasingAgreed, Refuse, Refused},
		{PurchasingAgreed, Withdraw, Withdrawn},
		{PurchasingAgreed, Expire, Expired},
		{Granted, Expire, Expired},
	}
}

// Awaits is whose step is next; "" when nobody's is.
func (r *Request) Awaits() Party { return awaits(r.State, r.Needs) }

func awaits(s State, needs Route) Party {
	switch {
	case s == Asked && needs.Manager:
		return Manager
	case (s == Asked || s == ManagerApproved) && needs.Purchasing:
		return Purchasing
	case s.Pending():
		return IT
	}
	return ""
}

// Next is the state after an action. Conflict "request.step" when the table has no such
// step, or it is not the turn of who would take it.
func Next(s State, needs Route, a Action) (State, error) {
	turn := awaits(s, needs)
	wrong := a == ApproveManager && turn != Manager || a == ApprovePurchasing && turn != Purchasing || a == Grant && turn != IT
	for _, t := range table() {
		if t.from == s && t.action == a && !wrong {
			return t.to, nil
		}
	}
	return s, apperr.New(apperr.Conflict, "request.step", apperr.Args{"state": string(s), "action": string(a)})
}

// Ahead lists the days before the end of a grant on which the person is reminded.
func Ahead() []int { return []int{30, 7, 1} }

// RemindedAt is what Reminded is of a grant that begins now: a reminder of more days ahead
// than it lasts is none.
func RemindedAt(now, until time.Time) int {
	told := 0
	for _, days := range Ahead() {
		if !until.IsZero() && !now.Before(until.AddDate(0, 0, -days)) {
			told = days
		}
	}
	return told
}

// Due is what time alone does to r at a moment: it ends, or its reminder of so many days
// ahead is to be sent. Of several reminders that were missed only the last counts.
func Due(r Request, now time.Time) (expire bool, remind int) {
	switch {
	case r.State.Pending():
		return !r.Wanted.IsZero() && now.After(r.Wanted), 0
	case r.State != Granted || r.ValidUntil.IsZero():
		return false, 0
	case now.After(r.ValidUntil):
		return true, 0
	case r.RenewedBy != "":
		return false, 0
	}
	for _, days := range Ahead() {
		if !now.Before(r.ValidUntil.AddDate(0, 0, -days)) && (r.Reminded == 0 || days < r.Reminded) {
			remind = days
		}
	}
	return false, remind
}
