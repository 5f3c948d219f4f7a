package policy

import "time"

// Effect is what a rule does to the programs it covers.
type Effect string

// Effects of a Rule.
const (
	Allow Effect = "allow"
	Deny  Effect = "deny"
)

// Mode is what follows from a verdict. See the package comment.
type Mode string

// Modes of a Document.
const (
	Learn   Mode = "learn"
	Monitor Mode = "monitor"
	Enforce Mode = "enforce"
)

// Known reports whether m is one of the three modes.
func (m Mode) Known() bool { return m == Learn || m == Monitor || m == Enforce }

// Rule allows or denies programs. ID is minted by the collector and empty in files;
// Name is unique within one allowlist. ValidFrom and ValidUntil are inclusive, to the
// second, and zero when open.
type Rule struct {
	ID         string    `json:"id,omitempty"`
	Name       string    `json:"name"`
	Effect     Effect    `json:"effect"`
	Match      Match     `json:"match"`
	Scope      Scope     `json:"scope,omitzero"`
	Owner      string    `json:"owner,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	ValidFrom  time.Time `json:"valid_from,omitzero"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
}

// Match tells which programs a rule covers. Empty fields are not looked at. Name,
// Publisher, Source, Origin, Path and Signer are globs; Version is a range; Scope is
// inventory.ScopeMachine or ScopeUser; SHA256 is 64 hex digits.
type Match struct {
	Name      string `json:"name,omitempty"`
	Publisher string `json:"publisher,omitempty"`
	Version   string `json:"version,omitempty"`
	Source    string `json:"source,omitempty"`
	Origin    string `json:"origin,omitempty"`
	Scope     string `json:"scope,omitempty"`
	Path      string `json:"path,omitempty"`
	SHA256    string `json:"sha256,omitempty"`
	Signer    string `json:"signer,omitempty"`
}

// Targets names machines by where they stand, what they are or who uses them.
type Targets struct {
	Sites    []string `json:"sites,omitempty"`
	Areas    []string `json:"areas,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	Machines []string `json:"machines,omitempty"`
	Users    []string `json:"users,omitempty"`
}

// IsZero reports whether t names nothing.
func (t Targets) IsZero() bool { return t.count() == 0 }

func (t *Targets) count() int {
	return len(t.Sites) + len(t.Areas) + len(t.Groups) + len(t.Machines) + len(t.Users)
}

// Scope is where a rule holds: everywhere when empty. Every kind given must hold, by
// any of its entries; nothing of Except may hold.
type Scope struct {
	Targets
	Except Targets `json:"except,omitzero"`
}

// IsZero reports whether s is everywhere.
func (s Scope) IsZero() bool { return s.Targets.IsZero() && s.Except.IsZero() }

// MachineContext is what rules may ask about a machine. Person is the e-mail address
// of who answers for it. OSVendor is the os-release ID ("debian"), or "microsoft".
type MachineContext struct {
	ID       string   `json:"id,omitempty"`
	Hostname string   `json:"hostname,omitempty"`
	Site     string   `json:"site,omitempty"`
	Area     string   `json:"area,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	Person   string   `json:"person,omitempty"`
	OSVendor string   `json:"os_vendor,omitempty"`
}

// Kind is what a verdict says.
type Kind string

// Kinds of a Verdict.
const (
	Authorized   Kind = "authorized"   // an allow rule or the baseline covers it
	Unauthorized Kind = "unauthorized" // nothing covers it
	Denied       Kind = "denied"       // a deny rule covers it
)

// BaselineRule is the name (and id) under which the baseline authorizes. No rule may
// be called so.
const BaselineRule = "baseline"

// Verdict is the answer for one program on one machine. RuleID and RuleName are empty
// when nothing covers it. Key names the reason for translation; Args fills it.
type Verdict struct {
	Kind     Kind   `json:"verdict"`
	RuleID   string `json:"rule_id,omitempty"`
	RuleName string `json:"rule,omitempty"`
	Key      string `json:"reason"`
}

// Keys of a Verdict.
const (
	KeyAllowed  = "policy.verdict.allowed"  // rule
	KeyDenied   = "policy.verdict.denied"   // rule
	KeyBaseline = "policy.verdict.baseline" // no arguments
	KeyNothing  = "policy.verdict.nothing"  // no arguments
)

// Reason returns the key and arguments of v as text to translate.
func (v Verdict) Reason() Reason {
	if v.Key == KeyAllowed || v.Key == KeyDenied {
		return Reason{Key: v.Key, Args: map[string]string{"rule": v.RuleName}}
	}
	return Reason{Key: v.Key}
}

// Flagged reports whether v is anything but authorized.
func (v Verdict) Flagged() bool { return v.Kind != Authorized }
