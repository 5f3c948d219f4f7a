// Package fleet owns the machines: how they are enrolled, who they are, whether they
// are alive, and what takes their identity away. It refuses to know what is installed
// on them (ingest) and whether it is allowed (authorization).
package fleet

import (
	"time"

	"vigia/collector/internal/access"
	"vigia/internal/inventory"
)

// State of a machine's identity.
type State string

// States. Only an active machine's reports are taken.
const (
	Active      State = "active"
	Quarantined State = "quarantined" // two live connections used one identity; shown until somebody decides
	Revoked     State = "revoked"     // its certificates are refused
	Archived    State = "archived"    // retired; history kept, not listed by default
)

// Machine is one enrolled machine.
type Machine struct {
	Row         int64  // key in the store, ascending; never shown
	ID          string // the minted identity, UUID text
	Hostname    string
	Serial      string // real ones only, see inventory.Machine
	UUID        string
	MachineID   string
	OS          string // inventory.System.Name, or what enrollment told
	Site        string // name; empty when not assigned
	Area        string
	Person      string   // e-mail of the responsible person
	Groups      []string // names, sorted: by hand and by rule; rules of the allowlist may be scoped to them
	HandGroups  []string // those that somebody put it into, sorted; a group by rule of the same name goes before
	Tags        []string // sorted
	Model       string   // maker and model, as its hardware tells
	State       State
	StateBefore State // the one before State, empty where it never changed
	StateAt     time.Time
	StateReason string // key: "two-connections", "revoked-by", …
	EnrolledAt  time.Time
	LastSeen    time.Time // last report or sign of life; zero before the first
	LastReport  time.Time // taken_at of the newest whole or changed inventory
	Agent       string    // version
	Programs    int
	Findings    int // open ones
	Failing     int // sources that were not read the last time: failed or stale
	Spooled     int // reports waiting on the machine when it last told
}

// Token lets machines enroll.
type Token struct {
	Row        int64
	ID         string   // short public name, such as "T7"
	SecretHash [32]byte // pki.SecretHash
	Site, Area string
	UsesLeft   int
	ExpiresAt  time.Time
	Serials    []string // hardware serial numbers it is for; empty = any
	CreatedAt  time.Time
	CreatedBy  string
	RevokedAt  time.Time
	Note       string
	CA         string // fingerprint of the CA that it pins; empty: the one there was before any rotation
	Uses       int    // how many machines it was made for; 0: not written down
}

// Certificate is one that was handed out.
type Certificate struct {
	Serial    string // hex
	Issuer    string // fingerprint of the CA that signed it; empty: the one there was before any rotation
	Machine   string
	NotBefore time.Time
	NotAfter  time.Time
	RevokedAt time.Time
}

// MachineFilter narrows a list of machines. Zero means "any".
type MachineFilter struct {
	Query    string // folded substring of hostname, serial, person, site, area
	Site     string
	Area     string
	State    State  // empty: all but archived
	Archived bool   // with an empty State: archived too
	After    string // ID of the last machine of the page before, in the order of hostname then ID
	Limit    int    // 1–1000; 0 = 1000

	SilentSince  time.Time // only active ones that nothing was heard of since then
	OS           string    // name, exactly
	Person       string    // e-mail of the responsible person
	WithFindings bool      // only those with open findings
	Failing      bool      // only those in service with a source that failed or is stale
	ID           string    // this one only
	Group        string    // name of a group that it is in, by hand or by rule
	Tag          string
	Model        string // maker and model, exactly

	Visible *access.Scope // only what is in it; nil: not asked on anybody's behalf
}

// Duplicate is a group of machines that share a hardware fact that should be unique.
type Duplicate struct {
	Fact     string // "serial", "uuid", "machine_id", "hostname"
	Value    string
	Machines []Machine
}

// Document is one stored section of a machine.
type Document struct {
	Section inventory.Section
	Digest  inventory.Digest
	TakenAt time.Time
	Body    []byte // JSON
}

// Install is a program on a machine, with since when it is known there.
type Install struct {
	inventory.Program
	Item      int64
	FirstSeen time.Time
}

// Event is one line of a machine's software history.
type Event struct {
	At      time.Time
	Kind    string // "came", "went"
	Program inventory.Program
	Report  string // UUID text of the report that told
}

// TitleRow is one line of `software list`: one version of one title from one source.
type TitleRow struct {
	Name, Version, Publisher, Source string
	Installs                         int
	FirstSeen                        time.Time
}

// TitleFilter narrows the list of programs.
type TitleFilter struct {
	Query  string
	Source string
	After  int64 // opaque cursor: offset key of the page before
	Limit  int
}
