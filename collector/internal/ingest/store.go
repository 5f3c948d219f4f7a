package ingest

import (
	"context"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/internal/inventory"
	"vigia/internal/wire"
)

// Inventories is where inventories are kept. Everything but Open runs in the
// transaction that ctx carries. Errors: NotFound from Open; Unavailable and Internal
// from all.
type Inventories interface {
	// Lock makes the transaction the only one, on all collectors, that changes
	// inventories and findings.
	Lock(ctx context.Context) error
	// OpenMachine returns a machine by its id, without its body, and the digests of what is
	// held of it.
	OpenMachine(ctx context.Context, id string) (Machine, map[inventory.Section]inventory.Digest, error)
	// LoadMachines returns the machines with the given rows, without those that are none.
	LoadMachines(ctx context.Context, rows []int64) ([]Machine, error)
	// KnownReports tells which of ids were taken, and from which machine's row.
	KnownReports(ctx context.Context, ids []wire.ID) (map[wire.ID]int64, error)
	// Save writes what a batch changed.
	Save(ctx context.Context, c *Changes) error
	// SaveSeen writes signs of life of unchanged machines.
	SaveSeen(ctx context.Context, list []Seen) error
}

// Items is where distinct programs are kept; they are added and never changed.
type Items interface {
	// FindItems returns the items with the given keys, as far as there are any.
	FindItems(ctx context.Context, keys []inventory.Key) ([]Item, error)
	// AddItems returns the items of the given programs, which have distinct keys, in
	// their order; those that are not there are added.
	AddItems(ctx context.Context, list []NewItem, at time.Time) ([]Item, error)
	// ItemPrograms returns items with their programs.
	ItemPrograms(ctx context.Context, ids []int64) ([]Item, error)
	// NextItems returns up to limit items that somebody has, by number, after the given one.
	NextItems(ctx context.Context, after int64, limit int) ([]Item, error)
	// Presence returns the rows of the machines that have each item.
	Presence(ctx context.Context, items []int64) (map[int64][]int64, error)
	// TitlesOf returns the title that each item is shown under, and TitleItems the items of
	// each title.
	TitlesOf(ctx context.Context, items []int64) (map[int64]int64, error)
	TitleItems(ctx context.Context, titles []int64) (map[int64][]int64, error)
}

// Findings is where findings are kept.
type Findings interface {
	FindingsOf(ctx context.Context, machines []int64) ([]*Finding, error) // in the order of Row
	// FindingsAbout returns the findings of each key's machine with its item or its ident,
	// each once, in the order of Row.
	FindingsAbout(ctx context.Context, keys []FindingKey) ([]*Finding, error)
	FindingsOn(ctx context.Context, items []int64) ([]*Finding, error) // of items, not gone, in the order of Row
	AddFindings(ctx context.Context, list []*Finding) error            // sets Row
	SaveFindings(ctx context.Context, list []*Finding) error
}

// Evaluations is how collectors share one re-evaluation.
type Evaluations interface {
	Evaluation(ctx context.Context) (Evaluation, error)
	SaveEvaluation(ctx context.Context, e Evaluation) error
	// Contexts returns every machine, without bodies.
	Contexts(ctx context.Context) ([]Machine, error)
	CurrentCatalogue(ctx context.Context) (authorization.Catalogue, error)
	// FindingsToGrade returns up to limit findings that were graded before graded, by Row,
	// with the programs that they are about.
	FindingsToGrade(ctx context.Context, graded int64, limit int) ([]*Finding, []inventory.Program, error)
	SaveGrades(ctx context.Context, list []*Finding) error
}

// Store is all that ingest needs of the database.
type Store interface {
	fleet.Transactor
	Inventories
	Items
	Findings
	Evaluations
	Brakes
}

// Machine is what the store holds of a machine that reports.
type Machine struct {
	fleet.Machine
	Grouping *fleet.Grouping  // tells its groups from what it is now
	Vendor   string           // os-release ID, or "microsoft": policy.VendorOf
	Digest   inventory.Digest // of the software section, as the machine told it
	Exact    bool             // Digest is the digest of the stored list
	TakenAt  time.Time        // of the last report that told of software; zero before the first
	Report   wire.ID          // that report
	Body     []byte           // pack.Installs
}

// Item is one distinct program.
type Item struct {
	ID      int64
	Version int64 // row of its software_version
	Key     inventory.Key
	Program inventory.Program // set by ItemPrograms and NextItems only; InstalledAt is zero
}

// NewItem is a program whose item may have to be made.
type NewItem struct {
	Key     inventory.Key
	Program *inventory.Program
}

// Finding is a finding as ingest changes it. Ident is a hash of what stays when the
// program is upgraded.
type Finding struct {
	Row           int64
	Machine       int64
	Item          int64
	Ident         [16]byte
	Verdict       string
	Rule          string
	Reason        string
	State         authorization.FindingState
	FirstSeen     time.Time
	LastSeen      time.Time
	FoundAt       time.Time
	GoneAt        time.Time
	Report        wire.ID
	GoneReport    wire.ID
	Nonconformity string
	Recurrences   int

	Category authorization.Category // by the catalogue of severities
	Severity authorization.Severity
	Graded   int64 // 1 more than the version of the catalogue; 0: never graded
	Parent   int64 // Row of the finding that it came along with; 0: of none

	along *Finding // that finding, while it may have no Row yet
}

// FindingKey is what a finding is looked for by. A zero Ident is that of none.
type FindingKey struct {
	Machine, Item int64
	Ident         [16]byte
}

// Changes is what one batch writes. Nothing in it appears twice but reports' lines.
type Changes struct {
	Reports  []ReportRow
	Software []Machine // Row, Vendor, Digest, Exact, TakenAt, Report, Body
	Sections []SectionRow
	Events   []EventRow
	Presence []PresenceChange
	Installs map[int64]int // software_version row → installs more, or fewer
	Titles   []TitleChange
	Counts   []Machine // Row, Programs, Findings, Failing
	Facts    []Machine // Row, Hostname, Serial, UUID, MachineID, OS, Model
	Seen     []Seen
}

// ReportRow is one report taken.
type ReportRow struct {
	ID         wire.ID
	Machine    int64
	TakenAt    time.Time
	ReceivedAt time.Time
	Cause      string
	Kind       string // "baseline", "whole", "delta", "sections"
	Bytes      int
	Remarks    []inventory.Remark
}

// SectionRow is one section of a machine but software. Body is packed.
type SectionRow struct {
	Machine int64
	Section inventory.Section
	Digest  inventory.Digest
	TakenAt time.Time
	Body    []byte
}

// EventRow is one line of a machine's software history.
type EventRow struct {
	Machine int64
	At      time.Time
	Kind    string // EventBaseline, EventCame, EventWent
	Item    int64  // 0 with EventBaseline
	Report  wire.ID
}

// Kinds of EventRow. A change of version is one that went and one that came.
const (
	EventBaseline = "baseline"
	EventCame     = "came"
	EventWent     = "went"
)

// PresenceChange says that a machine has an item now, or has it no more.
type PresenceChange struct {
	Item, Machine int64
	Here          bool
}

// TitleChange says on how many machines more, or fewer, a title is.
type TitleChange struct {
	Title    int64
	Machines int
}

// Seen is a sign of life. LastReport is zero for an unchanged machine.
type Seen struct {
	Machine    int64
	LastSeen   time.Time
	LastReport time.Time
	Looked     time.Time // when the machine showed what is on it; zero: as before
	Agent      string    // version; empty: as before, and so is Spooled
	Spooled    int
}

// Evaluation says which policy the stored findings follow.
type Evaluation struct {
	Current      int64 // the newest version of the allowlist; not saved
	Catalogue    int64 // the newest version of the catalogue of severities; not saved
	Version      int64 // the version that the running or last re-evaluation follows
	Boundary     time.Time
	Pending      bool  // it is not finished
	Cursor       int64 // the last item that is done
	Change       int64 // the newest fleet.ChangePolicy that it follows
	ClaimedBy    string
	ClaimedUntil time.Time
}
