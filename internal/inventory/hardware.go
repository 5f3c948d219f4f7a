package inventory

import "time"

// Hardware is what the machine is made of. Sizes are in bytes, speeds in MHz or
// MT/s as the field says; zero and empty mean that the machine does not tell.
type Hardware struct {
	Vendor    string    `json:"vendor,omitempty"`
	Model     string    `json:"model,omitempty"`
	Version   string    `json:"version,omitempty"`
	SKU       string    `json:"sku,omitempty"`
	Chassis   string    `json:"chassis,omitempty"` // SMBIOS type 3 kind in words: "Notebook", "Desktop" …
	AssetTag  string    `json:"asset_tag,omitempty"`
	Virtual   string    `json:"virtual,omitempty"` // hypervisor or container: "kvm", "docker"; empty on bare metal
	BIOS      BIOS      `json:"bios"`
	Board     Board     `json:"board"`
	CPUs      []CPU     `json:"cpus"`
	Memory    Memory    `json:"memory"`
	Disks     []Disk    `json:"disks"`
	Volumes   []Volume  `json:"volumes"`
	Networks  []Network `json:"networks"`
	GPUs      []GPU     `json:"gpus"`
	Monitors  []Monitor `json:"monitors"`
	Batteries []Battery `json:"batteries"`
	TPM       string    `json:"tpm,omitempty"` // version "2.0", "1.2"; empty when none is seen
}

// BIOS is SMBIOS type 0.
type BIOS struct {
	Vendor  string `json:"vendor,omitempty"`
	Version string `json:"version,omitempty"`
	Date    string `json:"date,omitempty"` // RFC 3339 full-date
}

// Board is SMBIOS type 2.
type Board struct {
	Vendor  string `json:"vendor,omitempty"`
	Model   string `json:"model,omitempty"`
	Version string `json:"version,omitempty"`
	Serial  string `json:"serial,omitempty"`
}

// CPU is one processor package.
type CPU struct {
	Model   string `json:"model"`
	Vendor  string `json:"vendor,omitempty"`
	Socket  string `json:"socket,omitempty"`
	Cores   int    `json:"cores"`
	Threads int    `json:"threads"`
	MaxMHz  int    `json:"max_mhz,omitempty"`
	Arch    string `json:"arch,omitempty"`
}

// Memory is the total and its modules.
type Memory struct {
	TotalBytes uint64         `json:"total_bytes"`
	Slots      int            `json:"slots,omitempty"`
	MaxBytes   uint64         `json:"max_bytes,omitempty"` // SMBIOS type 16
	Modules    []MemoryModule `json:"modules"`
}

// MemoryModule is SMBIOS type 17 with something plugged in.
type MemoryModule struct {
	Locator      string `json:"locator"`
	Bytes        uint64 `json:"bytes"`
	Type         string `json:"type,omitempty"` // "DDR4"
	SpeedMTs     int    `json:"speed_mts,omitempty"`
	Manufacturer string `json:"manufacturer,omitempty"`
	PartNumber   string `json:"part_number,omitempty"`
	Serial       string `json:"serial,omitempty"`
}

// Disk is one physical or virtual drive.
type Disk struct {
	Name   string `json:"name"`
	Model  string `json:"model,omitempty"`
	Serial string `json:"serial,omitempty"`
	Bytes  uint64 `json:"bytes"`
	Kind   string `json:"kind,omitempty"` // "ssd", "hdd", "nvme", "virtual", "removable"
	Bus    string `json:"bus,omitempty"`
	Health string `json:"health,omitempty"` // "ok", "failing" as the drive itself predicts; empty when not told
}

// Volume is one mounted local file system.
type Volume struct {
	Mount      string `json:"mount"`
	Device     string `json:"device,omitempty"`
	FSType     string `json:"fs_type,omitempty"`
	Bytes      uint64 `json:"bytes"`
	FreePct    int    `json:"free_pct"` // 0–100 in steps of 5, so that a busy disk is not a changed machine
	Encrypted  bool   `json:"encrypted"`
	Protection string `json:"protection,omitempty"` // BitLocker: "on", "off", "suspended", "encrypting", "decrypting"
}

// Network is one interface with hardware behind it.
type Network struct {
	Name      string   `json:"name"`
	MAC       string   `json:"mac,omitempty"`
	Addresses []string `json:"addresses"` // CIDR, sorted; link-local left out
	SpeedMbps int      `json:"speed_mbps,omitempty"`
	Kind      string   `json:"kind,omitempty"` // "ethernet", "wifi", "virtual"
}

// GPU is one display adapter.
type GPU struct {
	Vendor string `json:"vendor,omitempty"`
	Model  string `json:"model"`
	Driver string `json:"driver,omitempty"`
}

// Monitor is one screen as its EDID tells.
type Monitor struct {
	Vendor string `json:"vendor,omitempty"`
	Model  string `json:"model,omitempty"`
	Serial string `json:"serial,omitempty"`
	Year   int    `json:"year,omitempty"`
}

// Battery is one battery. WearPct is 0–100: what of the designed capacity is gone.
type Battery struct {
	Model     string `json:"model,omitempty"`
	Serial    string `json:"serial,omitempty"`
	DesignMWh int    `json:"design_mwh,omitempty"`
	FullMWh   int    `json:"full_mwh,omitempty"`
	WearPct   int    `json:"wear_pct"`
	Cycles    int    `json:"cycles,omitempty"`
}

// System is the operating system and how it is set up.
type System struct {
	OS            string    `json:"os"`                     // "linux" or "windows"
	Name          string    `json:"name"`                   // "Debian GNU/Linux 12 (bookworm)"
	Distribution  string    `json:"distribution,omitempty"` // os-release ID
	Version       string    `json:"version,omitempty"`      // os-release VERSION_ID
	Kernel        string    `json:"kernel,omitempty"`
	Arch          string    `json:"arch,omitempty"`
	InstalledAt   time.Time `json:"installed_at,omitzero"`
	BootedAt      time.Time `json:"booted_at,omitzero"`
	Timezone      string    `json:"timezone,omitempty"` // IANA name
	Locale        string    `json:"locale,omitempty"`
	Init          string    `json:"init,omitempty"`        // "systemd" …
	SecureBoot    string    `json:"secure_boot,omitempty"` // "on", "off"; empty when not told
	RebootPending bool      `json:"reboot_pending"`
	SupportEnds   string    `json:"support_ends,omitempty"` // RFC 3339 full-date of os-release SUPPORT_END
	Users         []Account `json:"users"`                  // accounts people sign in with

	// What Windows tells besides. Empty where it does not.
	Edition       string            `json:"edition,omitempty"`        // EditionID: "Professional", "EnterpriseS" …
	Join          string            `json:"join,omitempty"`           // "domain", "entra", "hybrid", "none"
	JoinedTo      string            `json:"joined_to,omitempty"`      // the domain or tenant
	RebootReasons []string          `json:"reboot_reasons,omitempty"` // "servicing", "update", "rename", "file-rename"
	AutoUpdate    string            `json:"auto_update,omitempty"`    // "on", "off"
	UpdatedOn     string            `json:"updated_on,omitempty"`     // RFC 3339 full-date of the last update installed
	Firewall      []FirewallProfile `json:"firewall,omitempty"`
	Activations   []Activation      `json:"activations,omitempty"`
	Features      []string          `json:"features,omitempty"` // optional parts that are on
	Hotfixes      []Hotfix          `json:"hotfixes,omitempty"`
}

// FirewallProfile is one profile of Windows' firewall: "domain", "private", "public".
type FirewallProfile struct {
	Name string `json:"name"`
	On   bool   `json:"on"`
}

// Activation is one license of Windows or Office with a key. Only the key's last five
// characters are ever read.
type Activation struct {
	Product    string `json:"product"`
	PartialKey string `json:"partial_key,omitempty"`
	State      string `json:"state"`             // "licensed", "unlicensed", "grace", "not-genuine", "notification", "unknown"
	EndsOn     string `json:"ends_on,omitempty"` // RFC 3339 full-date of the end of a grace period or a lease
}

// Hotfix is one update of Windows.
type Hotfix struct {
	ID          string `json:"id"`
	Kind        string `json:"kind,omitempty"`
	InstalledOn string `json:"installed_on,omitempty"` // RFC 3339 full-date
}

// Account is a local account that can sign in. No name of a person is kept, only the login.
type Account struct {
	Name  string `json:"name"`
	Admin bool   `json:"admin"`
}

// Antivirus is one protection product, with absent, failed and unhealthy kept apart:
// an absent product has no entry, a failed one stands in Sources.
type Antivirus struct {
	Product            string      `json:"product"`
	Source             string      `json:"source,omitempty"` // the probe's, where it is not the product's name
	Version            string      `json:"version,omitempty"`
	State              string      `json:"state"`             // "on", "off", "snoozed", "expired", "unknown"
	RealTime           string      `json:"real_time"`         // "on", "off", "unknown"
	Updater            string      `json:"updater,omitempty"` // state of what fetches definitions: "on", "off", "unknown"
	DefinitionsVersion string      `json:"definitions_version,omitempty"`
	DefinitionsAt      time.Time   `json:"definitions_at,omitzero"` // when the definitions were built
	Signatures         int64       `json:"signatures,omitempty"`
	LastScanAt         time.Time   `json:"last_scan_at,omitzero"`
	LastScanInfected   int         `json:"last_scan_infected"`
	Engine             string      `json:"engine,omitempty"`            // version of what scans
	TamperProtection   string      `json:"tamper_protection,omitempty"` // "on", "off"; empty when not told
	QuickScanAt        time.Time   `json:"quick_scan_at,omitzero"`
	FullScanAt         time.Time   `json:"full_scan_at,omitzero"`
	Problems           []string    `json:"problems"`   // sorted keys: "definitions-old", "daemon-off" … see antivirus probe
	Detections         []Detection `json:"detections"` // newest first, at most 100
}

// From is the source that told of a.
func (a *Antivirus) From() string {
	if a.Source != "" {
		return a.Source
	}
	return a.Product
}

// Detection is one thing an antivirus found. Names of people's documents are not sent:
// Path is reduced to its folder class by the probe.
type Detection struct {
	At     time.Time `json:"at,omitzero"`
	Threat string    `json:"threat"`
	Where  string    `json:"where"`  // "home", "system", "removable", "temporary", "unknown"
	Action string    `json:"action"` // "found", "removed", "quarantined", "blocked"
}
