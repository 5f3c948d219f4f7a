// Package winsoft owns the sources that tell which programs Windows itself knows of:
// the Uninstall keys of the machine and of every user, signed in or not (source
// "registry"), products of Windows Installer ("msi"), packaged apps ("appx"), and how
// the hives of people who are not signed in could be read ("profiles"). It refuses to
// load a hive, to run an uninstaller and to judge a program.
//
// All of it reads through package winreg, so that real hives stand in for a machine in
// tests on any system.
package winsoft

import (
	"context"
	"fmt"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/winreg"
	"vigia/internal/inventory"
)

// Sources of this package.
const (
	SourceRegistry = "registry"
	SourceMSI      = "msi"
	SourceAppX     = "appx"
	SourceProfiles = "profiles" // fills nothing: tells whether every profile could be read
)

// signTime is how long a source may take that verifies signatures: the first time it
// reads each program, which a slow drive takes minutes for.
const signTime = 5 * time.Minute

// Machine is a Windows to look at.
type Machine struct {
	Local  winreg.Key // HKEY_LOCAL_MACHINE
	Users  winreg.Key // HKEY_USERS
	Expand func(string) string
	Arch   string // of the system, in Go's words
	// Signer tells who signed a program or package: the subject of a signature that was
	// verified, else "".
	Signer func(ctx context.Context, path string) string
}

// Open returns the machine to look at; probes call it each time they run.
type Open func(env *probe.Env) Machine

// Probes returns the probes of this package.
func Probes(open Open) []probe.Probe {
	return []probe.Probe{Registry(open), MSI(open), AppX(open), Profiles(open)}
}

// Registry tells the Uninstall keys: of the machine in its 64- and 32-bit view, and of
// each user in both. Updates and parts of other products are Hidden; what Windows
// Installer answers for is told by MSI.
func Registry(open Open) probe.Probe {
	return probe.Probe{
		Source: SourceRegistry, Section: inventory.SectionSoftware, Timeout: signTime, LiveOnly: true,
		Registry: []string{`HKLM\` + uninstall64, `HKLM\` + uninstall32, `HKU\*\` + uninstallUser, `HKU\*\` + uninstallUser32, `HKLM\` + profileList},
		Collect: func(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
			m := open(env)
			list, err := m.registry(ctx, env)
			part.Software = list
			return len(list), err
		},
	}
}

// MSI tells the products of Windows Installer, of the machine and of each user, with the
// signature of the package that Windows keeps of each.
func MSI(open Open) probe.Probe {
	return probe.Probe{
		Source: SourceMSI, Section: inventory.SectionSoftware, Timeout: signTime, LiveOnly: true,
		Registry: []string{`HKLM\` + installerData, `HKLM\` + uninstall64, `HKLM\` + uninstall32},
		Collect: func(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
			m := open(env)
			list, err := m.products(ctx)
			part.Software = list
			return len(list), err
		},
	}
}

// AppX tells packaged apps (AppX, MSIX): those provisioned for everybody, and those of
// each user.
func AppX(open Open) probe.Probe {
	return probe.Probe{
		Source: SourceAppX, Section: inventory.SectionSoftware, Timeout: 60 * time.Second, LiveOnly: true,
		Registry: []string{`HKLM\` + appxAllUsers + `\Applications`, `HKU\*_Classes\` + packages},
		Collect: func(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
			m := open(env)
			list, err := m.apps(ctx, env)
			part.Software = list
			return len(list), err
		},
	}
}

// Profiles tells whether the hives of those who are not signed in could be read, and
// are whole. Where one could not, Registry and AppX keep what was known of it.
func Profiles(open Open) probe.Probe {
	return probe.Probe{
		Source: SourceProfiles, Section: inventory.SectionSoftware, Timeout: 60 * time.Second, LiveOnly: true,
		Collect: func(_ context.Context, env *probe.Env, _ *inventory.Snapshot) (int, error) {
			m := open(env)
			return m.checkProfiles()
		},
	}
}

func absent(what string) error { return fmt.Errorf("%s: %w", what, probe.ErrAbsent) }
