// Package request owns requests for authorization: what is asked before a program is
// installed, who must say yes in which order, and how a grant ends. It refuses to know
// who may see what of the company, to make rules of the allowlist, and to send mail:
// package authorize does, with it.
package request

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/paging"
)

// State is where a request stands.
type State string

// The states. Granted stands while the rule that it became is valid; Expired follows when
// that time is over, or when nobody decided before the day until which it was wanted.
const (
	Asked            State = "asked"
	ManagerApproved  State = "manager-approved"
	PurchasingAgreed State = "purchasing-approved"
	Granted          State = "granted"
	Refused          State = "refused"
	Withdrawn        State = "withdrawn"
	Expired          State = "expired"
)

// States lists every state, in the order in which they are offered.
func States() []State {
	return []State{Asked, ManagerApproved, PurchasingAgreed, Granted, Refused, Withdrawn, Expired}
}

// Pending reports whether somebody still has to decide.
func (s State) Pending() bool { return s == Asked || s == ManagerApproved || s == PurchasingAgreed }

// Reach is how far a grant goes.
type Reach string

// The reaches.
const (
	ForMachine Reach = "machine" // the machine that it was asked for
	ForUser    Reach = "user"    // the person, on every machine
	ForArea    Reach = "area"
	ForSite    Reach = "site"
	ForAll     Reach = "all"
)

// Reaches lists every reach, the narrowest first.
func Reaches() []Reach { return []Reach{ForMachine, ForUser, ForArea, ForSite, ForAll} }

// Request is one request for authorization.
type Request struct {
	Row        int64
	Number     string // "AUT-2026-0001": year, counter of the year; never reused
	State      State
	Program    string
	Publisher  string
	Described  string // what it is, in the words of who asks; may be empty
	Category   authorization.Category
	Machine    string // id; empty: on every machine of the person
	Hostname   string
	Person     string // e-mail of whom it is for
	PersonName string
	Area, Site string // the machine's, else the person's
	AskedBy    string // e-mail, or the account of the command line
	AskedAt    time.Time
	Purpose    string    // why
	Wanted     time.Time // until when; zero: no end
	Money      int64     // hundredths of Currency
	Currency   string    // ISO 4217
	License    string    // what is known of it
	Needs      Route
	Manager    string // e-mail of who answers for the area, as it was when it was asked
	Finding    int64  // that it was asked from; 0: before anything was installed
	Renews     string // number of the request that it prolongs
	RenewedBy  string // number of the one that prolongs this

	DecidedAt  time.Time // grant or refusal
	DecidedBy  string
	Reason     string // of the decision
	Reach      Reach
	ValidUntil time.Time // of the grant; zero: no end
	RuleID     string
	RuleName   string
	Reminded   int // days ahead that the last reminder told; 0: none yet
	History    []Event
}

// Event is one line of a request's history.
type Event struct {
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"` // actor.Actor.String()
	Kind   string    `json:"kind"`  // an Action, "asked" or "reminded"
	Detail string    `json:"detail"`
}

// FormatNumber returns the number of the n-th request of a year.
func FormatNumber(year, n int) string { return fmt.Sprintf("AUT-%04d-%04d", year, n) }

// Visible says whose requests somebody sees.
type Visible struct {
	All        bool
	Purchasing bool   // those in which Purchasing has a say
	Manager    string // e-mail: those of the areas that this person manages
	Person     string // e-mail: those for this person, and those they asked for
}

// Filter narrows a list. Zero means "any".
type Filter struct {
	Query   string
	State   State
	Pending bool
	Awaits  Party  // pending ones whose next step is this party's
	Manager string // with Awaits Manager: of the areas that this person manages
	Person  string
	Finding int64
	Ending  time.Time // granted ones that end before this
	Visible *Visible  // nil: not asked on anybody's behalf
}

// Store keeps requests. NotFound "request.unknown" where there is none.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// CreateRequest takes the next number of the year of r.AskedAt and stores r whole.
	CreateRequest(ctx context.Context, r Request) (Request, error)
	// LockRequest reads a request in ctx's transaction and keeps others from changing it.
	LockRequest(ctx context.Context, number string) (Request, error)
	SaveRequest(ctx context.Context, r Request) error // appends new history, by length
	Request(ctx context.Context, number string) (Request, error)
	// RequestPage is sorted by "number" (the default, newest first), "program", "person",
	// "asked", "until" or "state". It has no history.
	RequestPage(ctx context.Context, f Filter, o paging.Order) (paging.Page[Request], error)
	CountRequests(ctx context.Context, f Filter, most int) (int, error)
	// RequestsOfRules returns the numbers of the granted requests by the ids of their rules.
	RequestsOfRules(ctx context.Context, rules []string) (map[string]string, error)
	// DueRequests returns up to limit requests that Due may have something to say about.
	DueRequests(ctx context.Context, now time.Time, limit int) ([]Request, error)
}
