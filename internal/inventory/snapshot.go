// Package inventory owns the model of one machine: what the agent finds, how it
// is put in normal form, how sections are digested, compared and patched. Both
// programs use it, so that the agent and the collector can never disagree about
// what "the same inventory" means.
//
// It refuses to do I/O: it reads no file, knows no wire format and no database,
// and imports the standard library only.
package inventory

import "time"

// Section names one independently digested part of a Snapshot.
type Section string

// The sections of a Snapshot, in the order in which they are written.
const (
	SectionMachine   Section = "machine"
	SectionHardware  Section = "hardware"
	SectionSystem    Section = "system"
	SectionSoftware  Section = "software"
	SectionAntivirus Section = "antivirus"
	SectionSources   Section = "sources"
)

// Sections lists every section in document order.
func Sections() []Section {
	return []Section{SectionMachine, SectionHardware, SectionSystem, SectionSoftware, SectionAntivirus, SectionSources}
}

// Snapshot is everything known about one machine at one moment. Its JSON form is
// the document that `vigia-agent inventory --output json` prints.
type Snapshot struct {
	TakenAt   time.Time   `json:"taken_at"`
	Machine   Machine     `json:"machine"`
	Hardware  Hardware    `json:"hardware"`
	System    System      `json:"system"`
	Software  []Program   `json:"software"`
	Antivirus []Antivirus `json:"antivirus"`
	Sources   []Source    `json:"sources"`
}

// Machine holds the facts by which a machine is recognised. They are hints: the
// collector mints the identity and never trusts these alone.
type Machine struct {
	Hostname  string `json:"hostname"`
	Domain    string `json:"domain,omitempty"`
	Serial    string `json:"serial,omitempty"`     // SMBIOS type 1 serial; empty when a placeholder such as "Default string"
	UUID      string `json:"uuid,omitempty"`       // SMBIOS type 1 UUID, lower-case RFC 4122 text; empty when all zero or all ones
	MachineID string `json:"machine_id,omitempty"` // /etc/machine-id, or the MachineGuid of Windows
}

// Program is one installed or runnable program, or one package.
type Program struct {
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	Publisher   string    `json:"publisher"`
	Origin      string    `json:"origin"` // who distributes it: "Debian", "Flathub", "snapcraft" …; empty when nobody is known to
	Source      string    `json:"source"` // the probe source that found it: "deb", "snap", "flatpak", "file" …
	Scope       string    `json:"scope"`  // ScopeMachine or ScopeUser
	User        string    `json:"user"`   // account name for ScopeUser, else empty
	Path        string    `json:"path"`   // where it runs from; empty when a package has no single place
	Arch        string    `json:"arch"`
	InstalledAt time.Time `json:"installed_at,omitzero"` // UTC; zero when the source does not tell
	Requested   bool      `json:"requested"`             // somebody asked for it; false for dependencies and the system's own base
	Base        bool      `json:"base,omitempty"`        // the distribution marks it essential, required, important or standard
	Hidden      bool      `json:"hidden,omitempty"`      // a part of a product, not listed on its own (SystemComponent, runtimes)
	SHA256      string    `json:"sha256,omitempty"`      // lower-case hex of the executable, where one file is the program
	Signer      string    `json:"signer,omitempty"`      // subject of a verified signature, or the key that signed the origin
}

// Scopes of a Program.
const (
	ScopeMachine = "machine"
	ScopeUser    = "user"
)

// Outcome tells how one source answered.
type Outcome string

// Outcomes of a Source. A source that failed never reads as "nothing installed":
// its previous entries stay and the outcome becomes OutcomeStale.
const (
	OutcomeOK     Outcome = "ok"     // read in full
	OutcomeAbsent Outcome = "absent" // this machine does not have it
	OutcomeFailed Outcome = "failed" // present, could not be read, and no earlier result exists
	OutcomeStale  Outcome = "stale"  // present, could not be read, earlier entries kept
)

// Source is the answer of one source. DurationMS is told but never digested.
type Source struct {
	Source     string  `json:"source"`
	Outcome    Outcome `json:"outcome"`
	Entries    int     `json:"entries"`
	DurationMS int64   `json:"duration_ms"`
	Error      string  `json:"error"` // empty unless failed or stale
}
