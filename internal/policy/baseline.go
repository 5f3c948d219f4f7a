package policy

import (
	"vigia/internal/inventory"
)

// Why the baseline does not cover a program, as explanations name it.
const (
	gapSource    = "source"    // not from a package manager that can tell
	gapScope     = "scope"     // installed for one user
	gapOrigin    = "origin"    // not from the vendor of the operating system
	gapRequested = "requested" // somebody asked for it, and it is not of the base
	gapVisible   = "visible"   // a product of its own, not a part of one
)

// baselineGap returns why the baseline does not cover p, or "" when it does. vendor is
// folded. The name is never looked at.
func baselineGap(p *inventory.Program, vendor string) string {
	origin := Fold(p.Origin)
	switch Fold(p.Source) {
	case "deb", "rpm", "apk", "pacman":
		switch {
		case p.Scope == inventory.ScopeUser:
			return gapScope
		case !vendorOrigin(vendor, origin):
			return gapOrigin
		case p.Requested && !p.Base:
			return gapRequested
		}
		return ""
	case "snap":
		return runtimeGap(p, origin == "snapcraft" || origin == "canonical" || origin == "snap store")
	case "appx": // Windows takes a package only with the signature of its publisher
		switch {
		case vendor != "microsoft" || (origin != "microsoft" && origin != "microsoft windows"):
			return gapOrigin
		case !p.Base && !p.Hidden:
			return gapRequested
		}
		return ""
	case "flatpak":
		return runtimeGap(p, origin == "flathub" || origin == "fedora")
	}
	return gapSource
}

func runtimeGap(p *inventory.Program, known bool) string {
	switch {
	case !known:
		return gapOrigin
	case !p.Hidden:
		return gapVisible
	case p.Requested:
		return gapRequested
	}
	return ""
}

// vendorOrigin reports whether packages of origin (the Origin of a Release file, or the
// vendor an rpm names; folded) are those of the operating system's vendor (os-release
// ID, folded). A vendor without a line here must call its origin by its own name.
func vendorOrigin(vendor, origin string) bool {
	if vendor == "" || origin == "" {
		return false
	}
	switch vendor {
	case "debian":
		return origin == "debian" || origin == "debian-security" || origin == "debian backports"
	case "ubuntu":
		return isUbuntu(origin)
	case "linuxmint":
		return origin == "linuxmint" || isUbuntu(origin)
	case "raspbian":
		return origin == "raspbian" || origin == "raspberry pi foundation"
	case "fedora":
		return origin == "fedora" || origin == "fedora project"
	case "rhel":
		return origin == "rhel" || origin == "red hat, inc."
	case "rocky":
		return origin == "rocky" || origin == "rocky enterprise software foundation"
	case "almalinux":
		return origin == "almalinux"
	case "opensuse-leap", "opensuse-tumbleweed":
		return origin == "opensuse" || origin == "suse llc <https://www.suse.com/>"
	case "arch":
		return origin == "arch" || origin == "arch linux"
	case "alpine":
		return origin == "alpine" || origin == "alpine linux"
	}
	return origin == vendor
}

// distributionOrigin reports whether origin, folded, is that of a distribution
// vendorOrigin knows.
func distributionOrigin(origin string) bool {
	for _, vendor := range [...]string{"debian", "linuxmint", "raspbian", "kali", "devuan", "fedora", "rhel", "rocky", "almalinux",
		"opensuse-leap", "arch", "alpine"} { // linuxmint takes Ubuntu in
		if vendorOrigin(vendor, origin) {
			return true
		}
	}
	return false
}

func isUbuntu(origin string) bool {
	return origin == "ubuntu" || origin == "ubuntuesm" || origin == "ubuntuesmapps"
}

// VendorOf returns the vendor of an operating system, for MachineContext.OSVendor.
func VendorOf(s *inventory.System) string {
	if s.OS == "windows" {
		return "microsoft"
	}
	return s.Distribution
}
