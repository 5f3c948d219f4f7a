package nonconformity

import (
	"context"
	"time"
)

// Records is what the use-cases need of the store, beside Store.
type Records interface {
	Store
	// Due returns the numbers of records whose NextAt is not after a moment, the longest
	// due first.
	Due(ctx context.Context, at time.Time, limit int) ([]string, error)
	// LastLook tells when the machine last showed what is on it.
	LastLook(ctx context.Context, machine string) (Look, error)
	// Repeats counts records like n, not withdrawn, since a moment.
	Repeats(ctx context.Context, n Nonconformity, since time.Time) (Repeats, error)
	// AddFile keeps the content of an attachment, once for each number and hash.
	AddFile(ctx context.Context, number string, f File, at time.Time) error
	// File returns one with its content; NotFound "nonconformity.no-file".
	File(ctx context.Context, number, sha256 string) (File, error)
	// FilesSize is how many bytes a record's attachments have, and how many they are.
	FilesSize(ctx context.Context, number string) (bytes, files int, err error)
}

// Look is the newest proof of what is on a machine: a report, or the agent's word that
// nothing changed since, by the digest of everything.
type Look struct {
	At      time.Time // zero: never
	Report  string    // UUID text of the report that the word is about
	Retired bool      // the machine is out of use: it reports no more
}

// File is an attachment with its content.
type File struct {
	FileFact
	Content []byte
}

// Someone is a person as letters address them.
type Someone struct {
	Email string
	Name  string
}

// People is what the use-cases ask of the directory.
type People interface {
	// Parties returns who has a part in the record now: the user, who answers for its area,
	// Human Resources.
	Parties(ctx context.Context, person, area string) ([]Party, error)
	// Heads returns General Management, and the administrators.
	Heads(ctx context.Context) (management, administrators []Someone, err error)
	// Name returns a person's name; empty where nobody has the address.
	Name(ctx context.Context, email string) (string, error)
}

// Findings is what the use-cases have done to the findings of a record.
type Findings interface {
	// Release takes a record's findings off it: it was opened by mistake.
	Release(ctx context.Context, number string) error
}

// LetterKind is one kind of mail about a record.
type LetterKind string

// The kinds of letters.
const (
	LetterOpened     LetterKind = "opened"
	LetterRecurred   LetterKind = "recurred"
	LetterLapsed     LetterKind = "lapsed"
	LetterContained  LetterKind = "contained"
	LetterVerified   LetterKind = "verified"
	LetterClosed     LetterKind = "closed"
	LetterWithdrawn  LetterKind = "withdrawn"
	LetterConcession LetterKind = "concession"
	LetterComment    LetterKind = "comment"
	LetterReminder   LetterKind = "reminder"
	LetterOverdue    LetterKind = "overdue"
	LetterEscalated  LetterKind = "escalated"
)

// LetterKinds lists every kind.
func LetterKinds() []LetterKind {
	return []LetterKind{LetterOpened, LetterRecurred, LetterLapsed, LetterContained, LetterVerified, LetterClosed, LetterWithdrawn, LetterConcession,
		LetterComment, LetterReminder, LetterOverdue, LetterEscalated}
}

// Letter is what one person is to be told about a record.
type Letter struct {
	Key    string // tells it from every other, for good: it is sent once
	Kind   LetterKind
	To     Someone
	Part   string // in which they are told; PartManagement and PartIT for the heads
	Step   string // that they are awaited for; empty: none
	Due    time.Time
	Behind string // part that is late, with LetterEscalated
	By     string // name of who did it, with LetterComment
	Text   string // reason or comment
	Record *Nonconformity
}

// Mailer sends letters, sooner or later. Enqueue keeps one in the transaction that ctx
// carries; one with a known key is not kept again.
type Mailer interface {
	Ready(ctx context.Context) error // Conflict where no mail can be sent
	Enqueue(ctx context.Context, l Letter) error
}

// Transactor runs fn in one transaction carried by its context.
type Transactor interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Repeats counts records like one, among those opened since a moment and itself: how
// often it happened, returns included.
type Repeats struct {
	Person, Program, Area int // 0 where the record has none
}

// Outlook is what a record's page tells beside the record.
type Outlook struct {
	Tasks   []Task
	Options []Option  // of the reader
	Speaks  bool      // the reader may comment and attach
	Period  time.Time // end of the verification; zero before it began
	Look    Look
	Repeats Repeats
}
