package web_test

import (
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// markup is what a hostile program calls itself.
const markup = `<script>alert("x")</script><img src=x onerror=alert(1)>`

// now is the moment at which every page of these tests is looked at: half past noon in
// Mexico on the day the tests run, since browsers and cookie jars judge
// the end of a session by the real clock.
var now = time.Now().UTC().Truncate(24 * time.Hour).Add(18*time.Hour + 30*time.Minute)

func ago(d time.Duration) time.Time { return now.Add(-d) }

const (
	day      = 24 * time.Hour
	laptop   = "0190a1b2-0000-7000-8000-000000000017"
	server   = "0190a1b2-0000-7000-8000-000000000018"
	silentPC = "0190a1b2-0000-7000-8000-000000000019"
	freshPC  = "0190a1b2-0000-7000-8000-000000000020"
	report1  = "01934f5e-8c1a-7bbd-9a51-2f6a3f4b7c01"
	report2  = "01934f5e-8c1a-7bbd-9a51-2f6a3f4b7c02"
	sha      = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)

func samplePeople() []org.Person {
	return []org.Person{
		{Email: "ana@example.com", Name: "Ana Muñoz", Area: "Ingeniería", Site: "Querétaro", Role: actor.Technician, Active: true},
		{Email: "luis@example.com", Name: "Luis Peña", Area: "Ingeniería", Site: "Querétaro", Role: actor.Employee, Active: true},
		{Email: "marta@example.com", Name: "Marta Ibáñez", Area: "Ingeniería", Site: "Querétaro", Role: actor.AreaManager, Active: true},
		{Email: "rosa@example.com", Name: "Rosa Núñez", Area: "Recursos Humanos", Site: "Querétaro", Role: actor.HR, Active: true},
		{Email: "ivan@example.com", Name: "Iván Ruiz", Role: actor.Auditor, Active: true},
		{Email: "gone@example.com", Name: "Ex Empleado", Role: actor.Administrator, Active: false},
		{Email: "sofia@example.com", Name: "Sofía Ríos", Role: actor.Administrator, Active: true},
		{Email: "pablo@example.com", Name: "Pablo León", Area: "Compras", Site: "Querétaro", Role: actor.AreaManager, Active: true},
		{Email: "eva@example.com", Name: "Eva Solís", Area: "Compras", Site: "Querétaro", Role: actor.Employee, Active: true},
		{Email: "carla@example.com", Name: "Carla Paz", Area: "Compras", Site: "Querétaro", Role: actor.Purchasing, Active: true},
		{Email: "tomas@example.com", Name: "Tomás Gil", Role: actor.Treasury, Active: true},
		{Email: "diana@example.com", Name: "Diana Cruz", Role: actor.GeneralManagement, Active: true},
	}
}

func sampleMachines() []fleet.Machine {
	return []fleet.Machine{
		{Row: 1, ID: laptop, Hostname: "pc-017", Serial: "5CG1234XYZ", OS: "Debian GNU/Linux 12 (bookworm)", Site: "Querétaro", Area: "Ingeniería",
			Person: "luis@example.com", State: fleet.Active, EnrolledAt: ago(90 * day), LastSeen: ago(2 * time.Minute), LastReport: ago(3 * time.Hour), Agent: "0.1.0", Programs: 912, Findings: 3, Spooled: 2},
		{Row: 2, ID: server, Hostname: "servidor-con-un-nombre-bastante-largo-01", OS: "Debian GNU/Linux 12 (bookworm)", Site: "Cliente norte",
			State: fleet.Quarantined, StateReason: "two-connections", EnrolledAt: ago(40 * day), LastSeen: ago(time.Hour), LastReport: ago(time.Hour), Agent: "0.1.0", Programs: 1204},
		{Row: 3, ID: silentPC, Hostname: "pc-204", OS: "Ubuntu 24.04 LTS", Site: "Querétaro", Area: "Compras", Person: "compras@example.com",
			State: fleet.Active, EnrolledAt: ago(200 * day), LastSeen: ago(12 * day), LastReport: ago(12 * day), Agent: "0.1.0", Programs: 640},
		{Row: 4, ID: freshPC, Hostname: "pc-300", State: fleet.Active, EnrolledAt: ago(5 * time.Minute)},
	}
}

func sampleHardware() inventory.Hardware {
	return inventory.Hardware{
		Vendor: "HP", Model: "EliteBook 840 G8", Chassis: "Notebook", TPM: "2.0",
		BIOS:    inventory.BIOS{Vendor: "HP", Version: "T76 Ver. 01.14.00", Date: "2025-02-14"},
		CPUs:    []inventory.CPU{{Model: "11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz", Cores: 4, Threads: 8}},
		Memory:  inventory.Memory{TotalBytes: 16 << 30, Modules: []inventory.MemoryModule{{Locator: "DIMM1", Bytes: 16 << 30, Type: "DDR4", Manufacturer: "Samsung"}}},
		Disks:   []inventory.Disk{{Name: "nvme0n1", Model: "SAMSUNG MZVLB512", Bytes: 512110190592, Kind: "nvme", Health: "failing"}},
		Volumes: []inventory.Volume{{Mount: "/", Bytes: 498 << 30, FreePct: 35, Encrypted: true}, {Mount: `C:\`, Bytes: 200 << 30, FreePct: 50, Encrypted: true, Protection: "suspended"}},
		Networks: []inventory.Network{{Name: "wlp0s20f3", MAC: "3c:58:c2:00:11:22", Kind: "wifi",
			Addresses: []string{"192.168.10.24/24", "fd00::3e58:c2ff:fe00:1122/64"}}},
		GPUs:      []inventory.GPU{{Vendor: "Intel", Model: "Iris Xe Graphics"}},
		Monitors:  []inventory.Monitor{{Vendor: "DEL", Model: "P2419H", Serial: "CN0ABC12"}},
		Batteries: []inventory.Battery{{Model: "Primary", DesignMWh: 53000, FullMWh: 46000, WearPct: 13, Cycles: 212}},
	}
}

func sampleSystem() inventory.System {
	return inventory.System{OS: "linux", Name: "Debian GNU/Linux 12 (bookworm)", Distribution: "debian", Kernel: "6.1.0-25-amd64", Arch: "amd64", BootedAt: ago(4 * day),
		InstalledAt: ago(400 * day), Timezone: "America/Mexico_City", SecureBoot: "on", SupportEnds: "2028-06-30", RebootPending: true,
		Users: []inventory.Account{{Name: "luis"}, {Name: "soporte", Admin: true}},
		// What only Windows tells, so that every page that shows it is rendered.
		Join: "hybrid", JoinedTo: "corp.example.com", RebootReasons: []string{"update", "file-rename"}, AutoUpdate: "on", UpdatedOn: "2026-02-10",
		Firewall:    []inventory.FirewallProfile{{Name: "domain", On: true}, {Name: "public"}},
		Activations: []inventory.Activation{{Product: "Office 21, Office21ProPlus2021VL_KMS", PartialKey: "6F7TH", State: "grace", EndsOn: "2026-03-12"}},
		Features:    []string{"SMB1Protocol", "TelnetClient"}, Hotfixes: []inventory.Hotfix{{ID: "KB5034441", Kind: "Security Update", InstalledOn: "2026-02-10"}}}
}

func sampleAntivirus() []inventory.Antivirus {
	return []inventory.Antivirus{{Product: "clamav", Version: "1.0.7", State: "off", RealTime: "off", Updater: "on", DefinitionsVersion: "27466",
		DefinitionsAt: ago(20 * day), Signatures: 8700123, LastScanAt: ago(3 * day), LastScanInfected: 1, Problems: []string{"daemon-off", "definitions-old"},
		Detections: []inventory.Detection{{At: ago(3 * day), Threat: "Eicar-Test-Signature", Where: "home", Action: "found"}}},
		{Product: "Microsoft Defender Antivirus", Source: "windows-security", Version: "4.18", Engine: "1.1.26010.3", State: "off", RealTime: "off", TamperProtection: "off",
			DefinitionsAt: ago(20 * day), LastScanAt: ago(3 * day), QuickScanAt: ago(3 * day), FullScanAt: ago(30 * day), Problems: []string{"product-off"}}}
}

func sampleSources() []inventory.Source {
	return []inventory.Source{
		{Source: "clamav", Outcome: inventory.OutcomeOK, Entries: 1},
		{Source: "deb", Outcome: inventory.OutcomeOK, Entries: 905},
		{Source: "flatpak", Outcome: inventory.OutcomeAbsent},
		{Source: "file", Outcome: inventory.OutcomeFailed, Error: "reading /home: deadline exceeded"},
		{Source: "snap", Outcome: inventory.OutcomeStale, Entries: 6, Error: "reading /var/lib/snapd: input/output error"},
	}
}

func samplePrograms() []inventory.Program {
	list := []inventory.Program{
		{Name: "AnyDesk", Version: "6.3.2", Publisher: "AnyDesk Software GmbH", Source: "deb", Scope: "machine", Requested: true},
		{Name: markup, Version: "1.0<b>", Publisher: `"><svg onload=alert(2)>`, Source: "file", Scope: "user", User: "luis", Path: "/home/luis/bin/<i>x</i>", SHA256: sha, Requested: true},
		{Name: "telegram", Version: "5.7.1", Publisher: "Telegram FZ-LLC", Source: "flatpak", Origin: "Flathub", Scope: "user", User: "luis", Requested: true},
	}
	for _, n := range []string{"bash", "coreutils", "curl", "firefox-esr", "libreoffice-writer", "openssh-client"} {
		for v := range 25 {
			list = append(list, inventory.Program{Name: n + "-" + string(rune('a'+v)), Version: "5.2.15-2+b7", Publisher: "Debian Maintainers", Origin: "Debian", Source: "deb", Scope: "machine", Arch: "amd64", Requested: n == "curl"})
		}
	}
	return list
}

func sampleFindings() []authorization.Finding {
	list := []authorization.Finding{
		{Row: 41, Item: 1, Program: "AnyDesk", Version: "6.3.2", Publisher: "AnyDesk Software GmbH", Source: "deb", Scope: "machine", Verdict: "denied", Rule: "acceso remoto", Reason: policy.KeyDenied, State: authorization.Open, Nonconformity: "NC-2026-0001", Recurrences: 1},
		{Row: 40, Item: 2, Program: markup, Version: "1.0<b>", Publisher: `"><svg onload=alert(2)>`, Source: "file", Scope: "user", User: "luis", Path: "/home/luis/bin/<i>x</i>", SHA256: sha, Verdict: "unauthorized", Reason: policy.KeyNothing, State: authorization.Open, Nonconformity: "NC-2026-0001"},
		{Row: 39, Item: 3, Program: "telegram", Version: "5.7.1", Publisher: "Telegram FZ-LLC", Origin: "Flathub", Source: "flatpak", Scope: "user", User: "luis", Verdict: "unauthorized", Reason: policy.KeyNothing, State: authorization.Open},
		{Row: 12, Item: 900, Program: "zoom", Version: "6.2.3", Source: "deb", Scope: "machine", Verdict: "unauthorized", Reason: policy.KeyNothing, State: authorization.Gone, GoneAt: ago(day), GoneReport: report2, Nonconformity: "NC-2026-0001"},
		{Row: 11, Item: 901, Program: "vlc", Version: "3.0.21", Source: "deb", Scope: "machine", Verdict: "authorized", Rule: "multimedia", Reason: policy.KeyAllowed, State: authorization.Authorized},
	}
	for i := range list {
		f := &list[i]
		f.Machine, f.Hostname, f.Report = laptop, "pc-017", report1
		f.FirstSeen, f.LastSeen, f.FoundAt = ago(26*time.Hour), ago(2*time.Minute), ago(26*time.Hour-2*time.Second)
	}
	return list
}

func sampleRecords() []nonconformity.Nonconformity {
	return []nonconformity.Nonconformity{
		{Row: 2, Number: "NC-2026-0002", State: nonconformity.Contained, Severity: nonconformity.Major, Machine: server, Hostname: "servidor-con-un-nombre-bastante-largo-01", Site: "Cliente norte",
			OpenedAt: ago(9 * day), ContainedAt: ago(8 * day), Programs: []nonconformity.Program{{Finding: 12, Name: "zoom", Version: "6.2.3", Source: "deb", State: "gone", GoneAt: ago(8 * day)}},
			History: []nonconformity.Event{{At: ago(9 * day), Actor: "system:ingest", Kind: "opened"}, {At: ago(8 * day), Actor: "machine:" + server, Kind: "contained"}}},
		{Row: 1, Number: "NC-2026-0001", State: nonconformity.ActionPlanned, Severity: nonconformity.Critical, Round: 2, RoundAt: ago(26 * time.Hour), NotifiedAt: ago(25 * time.Hour), CauseAt: ago(10 * time.Hour),
			PlannedAt: ago(9 * time.Hour), Awaited: "user", DueAt: ago(time.Hour), Steps: sampleSteps(), Machine: laptop, Hostname: "pc-017", Person: "luis@example.com", PersonName: "Luis Peña", Area: "Ingeniería", Site: "Querétaro",
			OpenedAt: ago(26 * time.Hour), Recurrences: 1,
			Parties: []nonconformity.Party{{Part: "user", Email: "luis@example.com", Name: "Luis Peña"}, {Part: "area-manager", Email: "marta@example.com", Name: "Marta Ibáñez"},
				{Part: "hr", Email: "rosa@example.com", Name: "Rosa Núñez"}, {Part: "it", Email: "ana@example.com", Name: "Ana Muñoz"}},
			Programs: []nonconformity.Program{{Finding: 41, Name: "AnyDesk", Version: "6.3.2", Source: "deb", State: "present"},
				{Finding: 40, Name: markup, Version: "1.0<b>", Source: "file", State: "present"}, {Finding: 12, Name: "zoom", Version: "6.2.3", Source: "deb", State: "gone", GoneAt: ago(day)},
				{Finding: 11, Name: "vlc", Version: "3.0.21", Source: "deb", State: "authorized"}},
			Evidence: []nonconformity.Evidence{{Kind: "found", Finding: 41, Report: report1, At: ago(26 * time.Hour), Program: "AnyDesk 6.3.2", Source: "deb"},
				{Kind: "found", Finding: 40, Report: report1, At: ago(26 * time.Hour), Program: markup, Source: "file", Path: "/home/luis/bin/<i>x</i>", SHA256: sha},
				{Kind: "gone", Finding: 12, Report: report2, At: ago(day), Program: "zoom 6.2.3", Source: "deb"}, {Kind: "returned", Finding: 41, Report: report2, At: ago(day), Program: "AnyDesk 6.3.2", Source: "deb"}},
			History: []nonconformity.Event{{At: ago(26 * time.Hour), Actor: "system:ingest", Kind: "opened"}, {At: ago(25 * time.Hour), Actor: "system:ingest", Kind: "joined", Detail: "vlc"},
				{At: ago(day), Actor: "machine:" + laptop, Kind: "recurred", Detail: "AnyDesk"}, {At: ago(day), Actor: "cli:root", Kind: "authorized", Detail: "vlc"}, {At: ago(day), Actor: "person:ana@example.com", Kind: "contained"}}},
	}
}

// sampleRules cover the reasons that an explanation can give.
func sampleRules() []policy.Rule {
	return []policy.Rule{
		{ID: "1", Name: "acceso remoto", Effect: policy.Deny, Match: policy.Match{Name: "anydesk*"}, Owner: "ti@example.com", Reason: "política"},
		{ID: "2", Name: "herramientas de Sistemas", Effect: policy.Allow, Match: policy.Match{Name: "*", Source: "deb", Version: ">=1.0, <3"}, Scope: policy.Scope{Targets: policy.Targets{Sites: []string{"Querétaro"}}}},
		{ID: "3", Name: "mensajería", Effect: policy.Allow, Match: policy.Match{Name: "telegram"}, Scope: policy.Scope{Targets: policy.Targets{Areas: []string{"Ventas"}}}, ValidUntil: ago(30 * day)},
		{ID: "4", Name: "piloto", Effect: policy.Allow, Match: policy.Match{Name: "*", Publisher: "AnyDesk*"}, ValidFrom: now.Add(30 * day), Scope: policy.Scope{Except: policy.Targets{Machines: []string{"pc-017"}}}},
		{ID: "5", Name: "AnyDesk para soporte", Effect: policy.Allow, Match: policy.Match{Name: "anydesk"}},
	}
}
