package request_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorization/request"
)

// routes are all of them.
var routes = []request.Route{{}, {Manager: true}, {Purchasing: true}, {Manager: true, Purchasing: true}}

// TestEveryPair goes through every state, action and route; what is not written here is
// refused.
func TestEveryPair(t *testing.T) {
	type pair struct {
		from   request.State
		action request.Action
	}
	always := map[pair]request.State{}
	for _, s := range request.States() {
		if s.Pending() {
			always[pair{s, request.Refuse}], always[pair{s, request.Withdraw}], always[pair{s, request.Expire}] = request.Refused, request.Withdrawn, request.Expired
		}
	}
	always[pair{request.Granted, request.Expire}] = request.Expired
	byRoute := map[request.Route]map[pair]request.State{
		{}: {{request.Asked, request.Grant}: request.Granted,
			{request.ManagerApproved, request.Grant}: request.Granted, {request.PurchasingAgreed, request.Grant}: request.Granted},
		{Manager: true}: {{request.Asked, request.ApproveManager}: request.ManagerApproved,
			{request.ManagerApproved, request.Grant}: request.Granted, {request.PurchasingAgreed, request.Grant}: request.Granted},
		{Purchasing: true}: {{request.Asked, request.ApprovePurchasing}: request.PurchasingAgreed,
			{request.ManagerApproved, request.ApprovePurchasing}: request.PurchasingAgreed, {request.PurchasingAgreed, request.Grant}: request.Granted},
		{Manager: true, Purchasing: true}: {{request.Asked, request.ApproveManager}: request.ManagerApproved,
			{request.ManagerApproved, request.ApprovePurchasing}: request.PurchasingAgreed, {request.PurchasingAgreed, request.Grant}: request.Granted},
	}
	n := 0
	for _, route := range routes {
		for _, s := range request.States() {
			for _, a := range request.Actions() {
				n++
				want, ok := byRoute[route][pair{s, a}]
				if !ok {
					want, ok = always[pair{s, a}]
				}
				got, err := request.Next(s, route, a)
				if ok != (err == nil) || ok && got != want || !ok && (got != s || !apperr.Is(err, apperr.Conflict)) {
					t.Errorf("%+v: %s, %s: %s, %v; want %q", route, s, a, got, err, want)
				}
			}
		}
	}
	if n != 4*7*6 {
		t.Errorf("%d pairs", n)
	}
}

func TestRouteByCategoryAndCost(t *testing.T) {
	c := authorization.BuiltIn()
	c.PurchaseFrom = 100_000
	for _, x := range []struct {
		category                authorization.Category
		money                   int64
		manager, person, asked  string
		wantManager, wantBuying bool
	}{
		{authorization.UnknownThing, 0, "m@x", "e@x", "e@x", false, false},
		{authorization.RemoteControl, 99_999, "m@x", "e@x", "e@x", true, false},
		{authorization.RemoteControl, 100_000, "m@x", "e@x", "e@x", true, true},
		{authorization.RemoteControl, 0, "", "e@x", "e@x", false, false},      // nobody answers for the area
		{authorization.RemoteControl, 0, "m@x", "m@x", "m@x", false, false},   // their own
		{authorization.RemoteControl, 0, "m@x", "e@x", "m@x", false, false},   // the manager asked: that is their yes
		{authorization.Category("new"), 0, "m@x", "e@x", "e@x", false, false}, // reads as unknown
	} {
		got := request.RouteOf(c, x.category, x.money, x.manager, x.person, x.asked)
		if got.Manager != x.wantManager || got.Purchasing != x.wantBuying {
			t.Errorf("%+v: %+v", x, got)
		}
	}
	if c.PurchaseFrom = 0; request.RouteOf(c, authorization.Commercial, 1<<40, "", "", "").Purchasing {
		t.Error("Purchasing was asked though it never is")
	}
}

// TestLifeOfARequest takes random steps and lets time pass: a request that waits always
// waits for somebody, one that ended never moves, and each reminder is due once, in order.
func TestLifeOfARequest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 2, 15, 0, 0, 0, time.UTC)
		r := request.Request{State: request.Asked, Needs: rapid.SampledFrom(routes).Draw(t, "route")}
		if rapid.Bool().Draw(t, "wanted") {
			r.Wanted = now.AddDate(0, 0, rapid.IntRange(1, 90).Draw(t, "wanted in"))
		}
		var told []int
		passed := map[request.State]bool{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			was := r.State
			if rapid.Bool().Draw(t, "clock") {
				now = now.Add(time.Duration(rapid.IntRange(1, 20*24).Draw(t, "hours")) * time.Hour)
				expire, remind := request.Due(r, now)
				if expire {
					next, err := request.Next(r.State, r.Needs, request.Expire)
					if err != nil {
						t.Fatalf("%s is to end and cannot: %v", r.State, err)
					}
					r.State = next
				} else if remind != 0 {
					told, r.Reminded = append(told, remind), remind
					if r.State != request.Granted || now.Add(time.Duration(remind)*24*time.Hour).Before(r.ValidUntil.Add(-25*time.Hour)) {
						t.Fatalf("reminded %d days ahead of %v at %v", remind, r.ValidUntil, now)
					}
				}
				if e, d := request.Due(r, now); e || d != 0 {
					t.Fatalf("twice at one moment: %v %d", e, d)
				}
			} else {
				a := rapid.SampledFrom(request.Actions()).Draw(t, "action")
				next, err := request.Next(r.State, r.Needs, a)
				if err != nil {
					continue
				}
				if r.State = next; next == request.Granted {
					if r.Needs.Manager && !passed[request.ManagerApproved] || r.Needs.Purchasing && !passed[request.PurchasingAgreed] {
						t.Fatalf("granted past a party: %+v %v", r.Needs, passed)
					}
					r.DecidedAt, r.ValidUntil = now, now.AddDate(0, 0, rapid.IntRange(1, 120).Draw(t, "days"))
					r.Reminded = request.RemindedAt(now, r.ValidUntil)
				}
			}
			passed[r.State] = true
			if r.State.Pending() != (r.Awaits() != "") {
				t.Fatalf("%s waits for %q", r.State, r.Awaits())
			}
			if over := was == request.Refused || was == request.Withdrawn || was == request.Expired; over && r.State != was {
				t.Fatalf("%s became %s", was, r.State)
			}
		}
		if !slices.IsSortedFunc(told, func(a, b int) int { return b - a }) || len(slices.Compact(slices.Clone(told))) != len(told) {
			t.Fatalf("reminders %v", told)
		}
	})
}
