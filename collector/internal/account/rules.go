package account

import (
	"context"
	"slices"
	"time"

	"vigia/collector/internal/actor"
)

// Rules are the company's choices. Zero values stand for the defaults.
type Rules struct {
	TOTPRoles []actor.Role  // who must have a second factor
	Life      time.Duration // of a session, whatever is done with it; 0: 12 h
	Idle      time.Duration // of a session that is not used; 0: 2 h
	Words     []string      // that a password must not be made of: the company's name
}

// RuleBook tells the rules that hold now. It is asked once a request.
type RuleBook interface {
	AccountRules(ctx context.Context) (Rules, error)
}

func (r Rules) life() time.Duration {
	if r.Life <= 0 {
		return 12 * time.Hour
	}
	return r.Life
}

func (r Rules) idle() time.Duration {
	if r.Idle <= 0 {
		return 2 * time.Hour
	}
	return r.Idle
}

// requires tells whether people of that role must have a second factor.
func (r Rules) requires(role actor.Role) bool { return slices.Contains(r.TOTPRoles, role) }
