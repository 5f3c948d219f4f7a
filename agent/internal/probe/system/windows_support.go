package system

import "strings"

// supportEnd is the day after which Microsoft mends a build no more.
type supportEnd struct {
	build                              string
	home, enterprise, longTerm, server string // "" where there is no such edition
}

// supportTable is taken from Microsoft's lifecycle pages (learn.microsoft.com/lifecycle),
// as they stood on 2026-11-01. Paid extensions are not counted. A build that is not
// here has no date: nothing is said rather than something untrue.
func supportTable() []supportEnd {
	return []supportEnd{
		{"7601", "2020-01-14", "2020-01-14", "", "2020-01-14"},
		{"9200", "2016-01-12", "2016-01-12", "", "2023-10-10"},
		{"9600", "2023-01-10", "2023-01-10", "", "2023-10-10"},
		{"10240", "2017-05-09", "2017-05-09", "2025-10-14", ""},
		{"14393", "2018-04-10", "2019-04-09", "2026-10-13", "2027-01-12"},
		{"17763", "2020-11-10", "2021-05-11", "2029-01-09", "2029-01-09"},
		{"18363", "2021-05-11", "2022-05-10", "", ""},
		{"19041", "2021-12-14", "2021-12-14", "", ""},
		{"19042", "2022-05-10", "2023-05-09", "", ""},
		{"19043", "2022-12-13", "2022-12-13", "", ""},
		{"19044", "2023-06-13", "2024-06-11", "2027-01-12", ""},
		{"19045", "2025-10-14", "2025-10-14", "", ""},
		{"20348", "", "", "", "2031-10-14"},
		{"22000", "2023-10-10", "2024-10-08", "", ""},
		{"22621", "2024-10-08", "2025-10-14", "", ""},
		{"22631", "2025-11-11", "2026-11-10", "", ""},
		{"26100", "2026-10-13", "2027-10-12", "2029-10-09", "2034-11-14"},
		{"26200", "2027-10-12", "2028-10-10", "", ""},
	}
}

// supportEnds finds the day for a build and edition (EditionID of the registry).
func supportEnds(build, edition string, server bool) string {
	for _, s := range supportTable() {
		if s.build != build {
			continue
		}
		e := strings.ToLower(edition)
		switch {
		case server:
			return s.server
		case strings.HasPrefix(e, "enterprises"), strings.HasPrefix(e, "iotenterprises"): // LTSC, LTSB
			return s.longTerm
		case strings.HasPrefix(e, "enterprise"), strings.HasPrefix(e, "education"), strings.HasPrefix(e, "iotenterprise"):
			return s.enterprise
		}
		return s.home
	}
	return ""
}

// ianaZone names the zones of Windows that are likely here as everybody else does (CLDR,
// windowsZones); others keep their name.
func ianaZone(windows string) string {
	switch windows {
	case "Central Standard Time (Mexico)":
		return "America/Mexico_City"
	case "Mountain Standard Time (Mexico)":
		return "America/Mazatlan"
	case "Pacific Standard Time (Mexico)":
		return "America/Tijuana"
	case "Eastern Standard Time (Mexico)":
		return "America/Cancun"
	case "US Mountain Standard Time":
		return "America/Phoenix"
	case "Central Standard Time":
		return "America/Chicago"
	case "Mountain Standard Time":
		return "America/Denver"
	case "Pacific Standard Time":
		return "America/Los_Angeles"
	case "Eastern Standard Time":
		return "America/New_York"
	case "Romance Standard Time":
		return "Europe/Paris"
	case "W. Europe Standard Time":
		return "Europe/Berlin"
	case "GMT Standard Time":
		return "Europe/London"
	case "SA Pacific Standard Time":
		return "America/Bogota"
	case "UTC":
		return "Etc/UTC"
	}
	return windows
}
