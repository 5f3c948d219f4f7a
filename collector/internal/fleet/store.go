package fleet

import (
	"context"
	"time"

	"vigia/collector/internal/paging"
)

// Transactor runs fn in one transaction carried by the context it passes on: what is
// called with that context happens as a whole or not at all. It may run fn again
// after a serialization failure, so fn must not have effects outside the store.
type Transactor interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Store keeps machines. NotFound where there is none; Conflict on a broken unique rule.
type Store interface {
	CreateMachine(ctx context.Context, m Machine) (Machine, error) // sets Row
	Machine(ctx context.Context, id string) (Machine, error)
	FindMachine(ctx context.Context, query string) (Machine, error) // by id, else by unique hostname; Conflict when several have it
	MachineByHardware(ctx context.Context, serial, uuid string) (Machine, error)
	Machines(ctx context.Context, f MachineFilter) ([]Machine, error)
	SetMachineFacts(ctx context.Context, id string, hostname, serial, uuid, machineID, os string) error
	SetMachineState(ctx context.Context, id string, s State, reason string, at time.Time) error
	SetMachineGroups(ctx context.Context, id string, groups []string) error // those by hand
	SetAssignment(ctx context.Context, id string, a Assignment) error       // the site, area and person must be known
	// AssignPrimaryTo makes the person whose primary machine this is responsible for it,
	// and gives it their site and area where it has none. Where it is nobody's, nothing
	// changes. It returns the machine as it is then.
	AssignPrimaryTo(ctx context.Context, id string) (Machine, error)
	Duplicates(ctx context.Context) ([]Duplicate, error)
}

// Findings follow what happens to a machine beside its reports; ingest keeps them. Both
// run in the transaction that ctx carries.
type Findings interface {
	// LockFindings keeps reports from being judged until the transaction ends. It comes
	// before the machine is changed: everybody takes this lock first.
	LockFindings(ctx context.Context) error
	// FollowMachine brings the findings of a machine in line with its state and groups.
	FollowMachine(ctx context.Context, id string) error
}

// TokenStore keeps enrollment tokens.
type TokenStore interface {
	CreateToken(ctx context.Context, t Token) (Token, error) // sets Row and ID
	Tokens(ctx context.Context) ([]Token, error)             // newest first
	TokenBySecret(ctx context.Context, hash [32]byte) (Token, error)
	UseToken(ctx context.Context, row int64) error // one use less; Conflict when none is left
	RevokeToken(ctx context.Context, id string, at time.Time) (Token, error)
	Token(ctx context.Context, id string) (Token, error)
	TokenPage(ctx context.Context, f TokenFilter, o paging.Order) (paging.Page[Token], error)
	CountTokens(ctx context.Context, f TokenFilter, most int) (int, error)
}

// CertificateStore keeps what was handed out.
type CertificateStore interface {
	SaveCertificate(ctx context.Context, c Certificate) error
	Certificates(ctx context.Context, machine string) ([]Certificate, error)
	RevokeCertificates(ctx context.Context, machine string, at time.Time) error
	// RestoreCertificates believes those again that were revoked at that moment.
	RestoreCertificates(ctx context.Context, machine string, revokedAt time.Time) error
	RevokedSerials(ctx context.Context, notAfter time.Time) ([]string, error) // revoked ones that would still be valid
	Certificate(ctx context.Context, serial string) (Certificate, error)      // NotFound "certificate.unknown"
	RevokeCertificate(ctx context.Context, serial string, at time.Time) error
	// NameCA writes the fingerprint of the only CA there was into every certificate and
	// token of before.
	NameCA(ctx context.Context, fingerprint string) error
}

// InventoryReader reads what machines told.
type InventoryReader interface {
	Documents(ctx context.Context, machine string) ([]Document, error)
	Installs(ctx context.Context, machine string) ([]Install, error)
	Events(ctx context.Context, machine string, before time.Time, limit int) ([]Event, error)
	Titles(ctx context.Context, f TitleFilter) ([]TitleRow, error)
}

// EventFilter narrows a machine's software history. Zero means "any".
type EventFilter struct {
	Query  string    // folded part of the program's name
	Since  time.Time // not before
	Before time.Time // the page ends before it
	Limit  int       // 1–1000; 0 = 1000
}

// HistoryReader reads a machine's software history, newest first.
type HistoryReader interface {
	History(ctx context.Context, machine string, f EventFilter) ([]Event, error)
}

// Changes is how several collectors, and commands beside a running one, tell each
// other what changed. Notify writes in ctx's transaction; Since returns what came
// after seq, in order, and the newest seq.
type Changes interface {
	Notify(ctx context.Context, kind, subject string) error
	Since(ctx context.Context, seq int64) (changes []Change, newest int64, err error)
}

// Change is one such notice.
type Change struct {
	Seq     int64
	Kind    string // ChangePolicy, ChangeMachine, ChangeCommand, ChangeTrust
	Subject string // machine id, command id …
}

// Kinds of Change.
const (
	ChangePolicy  = "policy"  // allowlist, modes, or who belongs where
	ChangeMachine = "machine" // state of one machine's identity
	ChangeCommand = "command" // a command waits for a machine: Subject is the machine
	ChangeTrust   = "trust"   // CAs

	// ChangeConnection tells other collectors of a new connection: Subject is
	// "collector machine nonce".
	ChangeConnection = "connection"

	// ChangeAsked asks the other collectors whether a machine is connected to one of
	// them: Subject is "question machine". ChangeAnswered says yes: Subject is the question.
	ChangeAsked    = "asked"
	ChangeAnswered = "answered"
)

// CommandStore keeps commands to machines until they are answered.
type CommandStore interface {
	QueueCommand(ctx context.Context, c Command) error
	PendingCommands(ctx context.Context, machine string) ([]Command, error)
	FinishCommand(ctx context.Context, id string, ok bool, problem string, at time.Time) error
	Commands(ctx context.Context, machine string, limit int) ([]Command, error) // newest first
}

// Command is something asked of a machine.
type Command struct {
	ID        string
	Machine   string
	Kind      string // "report-now"
	Args      map[string]string
	CreatedAt time.Time
	CreatedBy string
	DoneAt    time.Time
	OK        bool
	Problem   string
}

// BlobStore keeps the collector's own secrets and settings by name, such as the CA.
type BlobStore interface {
	Blob(ctx context.Context, name string) ([]byte, error)
	SetBlob(ctx context.Context, name string, value []byte) error
}
