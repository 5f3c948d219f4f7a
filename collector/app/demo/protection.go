package demo

import (
	"fmt"
	"strings"
	"time"

	"vigia/internal/inventory"
)

// Troubles of an antivirus.
const (
	illOld = iota + 1
	illOff
	illSnoozed
	illExpired
	illInfected
	illNone // no product at all
)

// antivirus is how m is protected at a time. Troubles begin in the second half of the
// time that m is known.
func (m *machine) antivirus(at time.Time) []inventory.Antivirus {
	ill := m.ill
	if at.Before(m.born.Add(m.ends.Sub(m.born) / 2)) {
		ill = 0
	}
	if ill == illNone {
		return nil
	}
	a := inventory.Antivirus{State: "on", RealTime: "on", Updater: "on", DefinitionsAt: morning(at), LastScanAt: morning(at).Add(-time.Duration(m.n%5) * 24 * time.Hour)}
	switch {
	case !m.windows():
		a.Product, a.Version, a.RealTime, a.Signatures = "ClamAV", "1.4.3", "off", 3_627_854
		a.DefinitionsVersion = fmt.Sprint(27_400 + int(at.Sub(time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC))/(24*time.Hour)))
	case m.eset:
		a.Product, a.Version, a.DefinitionsVersion = "ESET Security", "12.1.2057.0", fmt.Sprint(31_800+at.YearDay())
	default:
		a.Product, a.Version, a.DefinitionsVersion = "Microsoft Defender Antivirus", "4.18.25100.9008", fmt.Sprintf("1.441.%d.0", at.YearDay()*3)
	}
	m.sicken(&a, ill)
	return []inventory.Antivirus{a}
}

func morning(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), 8, 31, 0, 0, time.UTC).Add(-24 * time.Hour)
}

// sicken makes the trouble m has.
func (m *machine) sicken(a *inventory.Antivirus, ill int) {
	daemon := "daemon-off"
	switch ill {
	case illOld:
		a.DefinitionsAt, a.Updater = a.DefinitionsAt.Add(-time.Duration(20+m.n%40)*24*time.Hour), "off"
		a.Problems = []string{"definitions-old", "updater-off"}
	case illOff:
		a.State, a.RealTime, a.Problems = "off", "off", []string{daemon}
	case illSnoozed:
		a.State, a.RealTime = "snoozed", "off"
	case illExpired:
		a.State, a.DefinitionsAt = "expired", a.DefinitionsAt.Add(-45*24*time.Hour)
		a.Problems = []string{"definitions-old"}
	case illInfected:
		a.LastScanInfected, a.Problems = 1, []string{"infected-last-scan"}
		threat, action := "PUA:Win32/uTorrent_BundleInstaller", "quarantined"
		if !m.windows() {
			threat, action = "Eicar-Test-Signature", "found"
		}
		a.Detections = []inventory.Detection{{At: a.LastScanAt, Threat: threat, Where: "home", Action: action}}
	}
	if !m.windows() && ill == illSnoozed { // ClamAV knows no such state
		a.State, a.Problems = "off", []string{daemon}
	}
}

// sources are what was read, and how that went.
func (m *machine) sources(at time.Time) []inventory.Source {
	names := []string{"machine", "hardware", "smbios", "system"}
	if m.windows() {
		names = append(names, "registry", "appx", "file", "antivirus")
	} else {
		names = append(names, "deb", "snap", "flatpak", "file", "ClamAV")
	}
	var out []inventory.Source
	for i, n := range names {
		s := inventory.Source{Source: n, Outcome: inventory.OutcomeOK, Entries: m.entries[n], DurationMS: int64(3 + (m.n*7+i*13)%90)}
		if (n == "snap" || n == "flatpak") && s.Entries == 0 {
			s.Outcome = inventory.OutcomeAbsent
		}
		if n == m.failing && at.After(m.born.Add(m.ends.Sub(m.born)/2)) {
			s.Outcome, s.DurationMS, s.Error = inventory.OutcomeStale, 30_000, strings.TrimSpace(n+": no answer within 30s")
			if s.Entries == 0 {
				s.Outcome = inventory.OutcomeFailed
			}
		}
		out = append(out, s)
	}
	return out
}
