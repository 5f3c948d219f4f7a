// Package setting owns what an administrator may adjust while collectors run: each
// setting's name, kind, default and bounds, the typed values that the rest of the
// program reads, and the use-case that changes them. It refuses to hold what a
// collector needs before it has a database (addresses it listens on, where the database
// is): those are flags. Passwords are kept sealed with a key that is not in the
// database.
package setting

import (
	"context"
	"time"

	"vigia/collector/internal/actor"
)

// Kind is what sort of value a setting has.
type Kind string

// The kinds.
const (
	Text     Kind = "text"
	Choice   Kind = "choice"
	Number   Kind = "number"
	Duration Kind = "duration" // Go's: 90m, 12h
	Secret   Kind = "secret"   // never shown
	Host     Kind = "host"     // name or address of a server
	Address  Kind = "address"  // of e-mail, with or without a name
	URL      Kind = "url"      // https://host[:port]
	Zone     Kind = "zone"     // of the IANA database
	Clock    Kind = "clock"    // a time of the day, or "off"
	Roles    Kind = "roles"    // separated by commas
	Folder   Kind = "folder"   // an absolute path on the server
	Days     Kind = "days"     // working days by name: "contain 2, cause 5"
)

// Names of the settings.
const (
	CompanyName     = "company.name"
	CompanyLanguage = "company.language"
	CompanyZone     = "company.time-zone"
	ConsoleAddress  = "console.address"
	MailHost        = "mail.host"
	MailPort        = "mail.port"
	MailTLS         = "mail.tls"
	MailUser        = "mail.user"
	MailPassword    = "mail.password"
	MailFrom        = "mail.from"
	MailDaily       = "mail.daily-roles"
	MailWeekly      = "mail.weekly-roles"
	MailDigestAt    = "mail.digest-at"
	MailQuietFrom   = "mail.quiet-from"
	MailQuietTo     = "mail.quiet-to"
	SessionLife     = "session.life"
	SessionIdle     = "session.idle"
	TOTPRoles       = "signin.totp-roles"
	BackupAt        = "backup.at"
	BackupKeep      = "backup.keep"
	BackupFolder    = "backup.folder"

	NonconformityCritical  = "nonconformity.critical" // working days for each step
	NonconformityMajor     = "nonconformity.major"
	NonconformityMinor     = "nonconformity.minor"
	NonconformityPeriod    = "nonconformity.period"   // days without the programs that prove effectiveness
	NonconformityEscalate  = "nonconformity.escalate" // working days late until the next level hears of it
	NonconformitySaturdays = "nonconformity.saturdays"
)

// nonconformitySteps are the names of a Days setting.
func nonconformitySteps() []string {
	return []string{"notify", "contain", "statement", "cause", "plan", "implement", "measure", "verify", "close"}
}

// Definition says what a setting may hold.
type Definition struct {
	Name     string
	Kind     Kind
	Default  string
	Choices  []string // of a Choice; the names of Days
	Min, Max int64    // of a Number; of a Duration in nanoseconds; of a Text its bytes
	Local    bool     // only the command line on the server may change it
}

// Group is the part of the name before the dot: settings of a group are shown together.
func (d Definition) Group() string {
	for i := range d.Name {
		if d.Name[i] == '.' {
			return d.Name[:i]
		}
	}
	return d.Name
}

// Definitions lists every setting, in the order in which they are shown.
func Definitions() []Definition {
	return []Definition{
		{Name: CompanyName, Kind: Text, Max: 100},
		{Name: CompanyLanguage, Kind: Choice, Default: "es", Choices: []string{"es", "en"}},
		{Name: CompanyZone, Kind: Zone},
		{Name: ConsoleAddress, Kind: URL},
		{Name: MailHost, Kind: Host},
		{Name: MailPort, Kind: Number, Default: "587", Min: 1, Max: 65535},
		{Name: MailTLS, Kind: Choice, Default: TLSStart, Choices: []string{TLSStart, TLSFirst, TLSNone}},
		{Name: MailUser, Kind: Text, Max: 200},
		{Name: MailPassword, Kind: Secret, Max: 500},
		{Name: MailFrom, Kind: Address},
		{Name: MailDaily, Kind: Roles},
		{Name: MailWeekly, Kind: Roles, Default: string(actor.GeneralManagement)},
		{Name: MailDigestAt, Kind: Clock, Default: "08:00"},
		{Name: MailQuietFrom, Kind: Clock, Default: Off},
		{Name: MailQuietTo, Kind: Clock, Default: "07:00"},
		{Name: SessionLife, Kind: Duration, Default: "12h", Min: int64(10 * time.Minute), Max: int64(30 * 24 * time.Hour)},
		{Name: SessionIdle, Kind: Duration, Default: "2h", Min: int64(5 * time.Minute), Max: int64(30 * 24 * time.Hour)},
		{Name: TOTPRoles, Kind: Roles},
		{Name: BackupAt, Kind: Clock, Default: "02:00"},
		{Name: BackupKeep, Kind: Number, Default: "14", Min: 1, Max: 365},
		{Name: BackupFolder, Kind: Folder, Local: true},
		{Name: NonconformityCritical, Kind: Days, Choices: nonconformitySteps(), Min: 1, Max: 250,
			Default: "notify 1, contain 1, statement 1, cause 2, plan 3, implement 10, measure 3, verify 3, close 3"},
		{Name: NonconformityMajor, Kind: Days, Choices: nonconformitySteps(), Min: 1, Max: 250,
			Default: "notify 1, contain 2, statement 3, cause 5, plan 8, implement 20, measure 8, verify 5, close 5"},
		{Name: NonconformityMinor, Kind: Days, Choices: nonconformitySteps(), Min: 1, Max: 250,
			Default: "notify 2, contain 5, statement 5, cause 10, plan 15, implement 40, measure 15, verify 10, close 10"},
		{Name: NonconformityPeriod, Kind: Number, Default: "30", Min: 1, Max: 365},
		{Name: NonconformityEscalate, Kind: Number, Default: "2", Min: 1, Max: 30},
		{Name: NonconformitySaturdays, Kind: Choice, Default: "no", Choices: []string{"no", "yes"}},
	}
}

// Define returns the definition of a name.
func Define(name string) (Definition, bool) {
	for _, d := range Definitions() {
		if d.Name == name {
			return d, true
		}
	}
	return Definition{}, false
}

// How mail.tls protects the way to the server.
const (
	TLSStart = "starttls" // in clear until STARTTLS, which the server must offer
	TLSFirst = "tls"      // TLS from the first byte
	TLSNone  = "none"     // in clear: for a server on the same machine or a closed network
)

// Off is the Clock value of what is not to happen.
const Off = "off"

// Values are all settings, typed.
type Values struct {
	Company struct {
		Name     string
		Language string         // "es" or "en"
		Zone     *time.Location // nil: the server's own
	}
	ConsoleAddress string // https://host[:port]; empty: as the console listens
	Mail           Mail
	Session        struct{ Life, Idle time.Duration }
	TOTPRoles      []actor.Role // people with these need a second step to sign in
	Backup         struct {
		At     time.Duration // after midnight; negative: no scheduled backups
		Keep   int
		Folder string // empty: "backups" in the data folder
	}
	Nonconformity struct {
		Days      map[string]map[string]int // severity → step → working days
		Period    time.Duration
		Escalate  int // working days
		Saturdays bool
	}
}

// Mail is how mail leaves.
type Mail struct {
	Host     string // empty: nothing is sent
	Port     int
	TLS      string // TLSStart, TLSFirst, TLSNone
	User     string // empty: without signing in
	Password string
	From     string // "Vigía <vigia@example.com>" or the address alone

	Daily, Weekly []actor.Role  // who is told by digests, unless they chose otherwise
	DigestAt      time.Duration // after midnight; negative: as if nobody had digests
	QuietFrom     time.Duration // after midnight; negative: no quiet hours
	QuietTo       time.Duration
}

// Stored is a setting that differs from its default, as the database keeps it.
type Stored struct {
	Name      string
	Value     string // of a Secret: sealed
	ChangedAt time.Time
	ChangedBy string // actor.Actor.String()
}

// Store keeps settings. Writes join the transaction in ctx.
type Store interface {
	Settings(ctx context.Context) ([]Stored, error)
	PutSetting(ctx context.Context, s Stored) error
	DeleteSetting(ctx context.Context, name string) error
}

// Transactor runs fn in one transaction carried by its context.
type Transactor interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}
