// Package authorization owns the allowlist's life: rules and modes with their
// history, and findings: programs on machines that nothing authorises. It refuses to
// evaluate (internal/policy does) and to open nonconformities (ingest does).
package authorization

import (
	"context"
	"time"

	"vigia/collector/internal/access"
	"vigia/internal/policy"
)

// Mode is what happens with a program that nothing authorises.
type Mode string

// Modes.
const (
	Learn   Mode = "learn"   // nothing is opened; what is seen is proposed as rules
	Monitor Mode = "monitor" // findings
	Enforce Mode = "enforce" // findings, and nonconformities from new ones
)

// Allowlist is one version of all rules.
type Allowlist struct {
	Version   int64 // 1, 2, 3 …
	Mode      Mode
	Baseline  bool
	Rules     []policy.Rule
	CreatedAt time.Time
	CreatedBy string
	Cause     string // "import rules.yaml", "undo of 12", "mode enforce" …
	Undoes    int64  // the version this one takes back, or 0
}

// FindingState is where a finding stands.
type FindingState string

// States of a finding.
const (
	Open       FindingState = "open"
	Gone       FindingState = "gone"       // a later report shows the program removed, or its machine was archived or revoked (Reason tells)
	Authorized FindingState = "authorized" // a rule covers it now
)

// Finding is one program on one machine that nothing authorises.
type Finding struct {
	Row           int64  // shown as its number
	Machine       string // id
	Hostname      string
	Item          int64
	Program       string
	Version       string
	Publisher     string
	Origin        string
	Source        string
	Scope         string
	User          string
	Path          string
	SHA256        string
	Verdict       string // policy verdict: "unauthorized" or "denied"
	Rule          string // name of the deciding rule; empty when none covers it
	Reason        string // policy reason key
	State         FindingState
	FirstSeen     time.Time // taken_at of the report that first told
	LastSeen      time.Time
	FoundAt       time.Time // when the collector stored it
	GoneAt        time.Time
	Report        string // UUID text of the report that first told
	GoneReport    string // of the report that showed it gone
	Nonconformity string // number, or empty
	Recurrences   int    // times it came back after having gone

	Category Category // what kind of program it is, by the catalogue of severities
	Severity Severity
	Parent   int64 // Row of the finding that it came along with: of what somebody asked for; 0: none
	Along    int   // findings that came along with this one
	Spread   int   // machines that have the program, in any version
}

// FindingFilter narrows a list of findings. Zero means "any".
type FindingFilter struct {
	Query         string
	Machine       string // id
	State         FindingState
	Nonconformity string
	After         int64 // Row of the last of the page before; newest first
	Limit         int
	Verdict       string // policy verdict
	Source        string // of the program
	Severity      Severity
	Category      Category
	Alone         bool  // without those that came along with another
	Parent        int64 // only those that came along with this one

	Visible *access.Scope // only on machines in it; nil: not asked on anybody's behalf
}

// Store keeps the allowlist's versions.
type Store interface {
	CurrentAllowlist(ctx context.Context) (Allowlist, error) // version 0, Learn, Baseline true, when there never was one
	AllowlistVersion(ctx context.Context, version int64) (Allowlist, error)
	AllowlistHistory(ctx context.Context, limit int) ([]Allowlist, error) // newest first, without rules
	SaveAllowlist(ctx context.Context, a Allowlist) (Allowlist, error)    // sets Version to the next; Conflict if a.Version-1 is no longer current
}

// FindingReader reads findings.
type FindingReader interface {
	Findings(ctx context.Context, f FindingFilter) ([]Finding, error)
	Finding(ctx context.Context, row int64) (Finding, error)
	FindingCounts(ctx context.Context) (map[FindingState]int, error)
}
