// Package allowlist owns what people do with the allowlist as a whole: import a file,
// switch the mode, take the last change back, export, explain a verdict, propose rules
// from what is seen, and make the document that a machine is sent. Every change first
// shows what it would open, is refused above a cap unless told otherwise, and is one
// transaction: a new version, an audit entry, a notice to all collectors.
//
// It refuses to evaluate fleets itself (ingest does, behind Findings) and to decide who
// may change the allowlist: that is the caller's business.
package allowlist

import (
	"context"
	"io"
	"sync"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// Caps on what a change may open when the caller names none.
const (
	DefaultMaxOpen     = 500 // findings
	DefaultMaxMachines = 50  // machines with such findings
)

// Impact is what a change would do to the findings as they stand.
type Impact struct {
	Opens     int             `json:"opens"`      // findings that would open
	Closes    int             `json:"closes"`     // open findings that would be authorized
	Machines  int             `json:"machines"`   // on which some would open
	ByProgram []ProgramImpact `json:"by_program"` // of what would open, most first
	Hostnames []string        `json:"hostnames"`  // of the first MaxHostnames of those machines, sorted

	ClosesMachines  int             `json:"closes_machines"`
	ClosesByProgram []ProgramImpact `json:"closes_by_program"` // of what would be authorized, most first
}

// MaxHostnames is how many machines an Impact names.
const MaxHostnames = 20

// ProgramImpact is one program of an Impact, in all its versions.
type ProgramImpact struct {
	Name    string `json:"name"`
	Source  string `json:"source"`
	Verdict string `json:"verdict"`
	Rule    string `json:"rule"`
	Opens   int    `json:"opens"`
	Closes  int    `json:"closes"`
}

// Followed is what bringing the findings in line did. Done is false when another
// collector is at it.
type Followed struct {
	Opened int  `json:"opened"`
	Closed int  `json:"closed"`
	Done   bool `json:"done"`
}

// Findings is the fleet's findings, as far as this package needs them; ingest is that.
type Findings interface {
	Impact(ctx context.Context, candidate authorization.Allowlist) (Impact, error)
	// LockFindings keeps reports from being judged until ctx's transaction ends.
	LockFindings(ctx context.Context) error
	Follow(ctx context.Context) (Followed, error)
	// Covers returns what the rules of an allowlist decide of what is installed, also in
	// learn mode, by the group that group puts a rule's id into; "" is left out.
	Covers(ctx context.Context, a authorization.Allowlist, group func(rule string) string) (map[string]Cover, error)
	// Unauthorized returns the programs that a allowlist would flag, and on how many machines.
	Unauthorized(ctx context.Context, a authorization.Allowlist) ([]policy.Seen, error)
	// TitleVerdicts tells what an allowlist says of a title on every machine in service, also
	// in learn mode.
	TitleVerdicts(ctx context.Context, a authorization.Allowlist, title int64) ([]MachineVerdict, error)
}

// Programs finds what an explanation is asked for.
type Programs interface {
	// ProgramsNamed returns up to limit distinct programs that are installed anywhere
	// and have a name, folded.
	ProgramsNamed(ctx context.Context, name string, limit int) ([]inventory.Program, error)
	// MachineContext returns what rules may ask about a machine; NotFound for none.
	MachineContext(ctx context.Context, machine string) (policy.MachineContext, error)
	Installs(ctx context.Context, machine string) ([]fleet.Install, error)
}

// Config is what a Service needs.
type Config struct {
	Tx         fleet.Transactor
	Allowlists authorization.Store
	Changes    fleet.Changes
	Audit      audit.Log
	Findings   Findings
	Programs   Programs
	Now        func() time.Time
	NewID      func() (string, error) // of a rule
}

// Service is the use-case. It may be used by several goroutines.
type Service struct {
	cfg Config

	mu        sync.Mutex
	rules     rulesVersions
	uses      counted[Uses]
	proposals counted[Proposals]
}

// New returns a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Options of a change.
type Options struct {
	Apply   bool // false only shows the impact
	MaxOpen *int // findings it may open; nil means both default caps, below 0 no cap

	// Base is the version that the change was made from; Conflict "allowlist.changed"
	// when another is in force by now. nil does not ask.
	Base *int64

	// Also is done in the transaction of the change, with the version that it made; its
	// error takes the change back. nil: nothing.
	Also func(ctx context.Context, saved authorization.Allowlist) error

	touched []string // ids of the rules whose Cover the plan tells
}

// Plan is what a change would do, and whether it was done.
type Plan struct {
	Allowlist authorization.Allowlist `json:"-"` // as it would be, or is
	Current   int64                   `json:"current"`
	Version   int64                   `json:"version"`
	Mode      authorization.Mode      `json:"mode"`
	Rules     int                     `json:"rules"`
	Impact    Impact                  `json:"impact"`
	Cover     *Cover                  `json:"cover,omitempty"` // of the rules that were added or changed
	Applied   bool                    `json:"applied"`
	Followed  Followed                `json:"followed"`
}

// see asks for the right to see the allowlist.
func see(ctx context.Context) error {
	_, err := access.Need(ctx, access.SeeAllowlist)
	return err
}

// Current returns the allowlist in force.
func (s *Service) Current(ctx context.Context) (authorization.Allowlist, error) {
	if err := see(ctx); err != nil {
		return authorization.Allowlist{}, err
	}
	return s.cfg.Allowlists.CurrentAllowlist(ctx)
}

// InForce is Current for what the collector does by itself, on nobody's behalf: no right
// is asked for.
func (s *Service) InForce(ctx context.Context) (authorization.Allowlist, error) {
	return s.cfg.Allowlists.CurrentAllowlist(ctx)
}

// History returns the newest versions, without rules.
func (s *Service) History(ctx context.Context, limit int) ([]authorization.Allowlist, error) {
	if err := see(ctx); err != nil {
		return nil, err
	}
	return s.cfg.Allowlists.AllowlistHistory(ctx, limit)
}

// Export writes the allowlist in force as a file that Import reads back.
func (s *Service) Export(ctx context.Context, w io.Writer) error {
	a, err := s.Current(ctx)
	if err != nil {
		return err
	}
	return write(w, a)
}
