package system

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigia/agent/internal/winreg"
	"vigia/agent/internal/wmi"
	"vigia/internal/inventory"
)

// Keys of HKEY_LOCAL_MACHINE that tell about Windows.
const (
	keyVersion    = `SOFTWARE\Microsoft\Windows NT\CurrentVersion`
	keyControl    = `SYSTEM\CurrentControlSet\Control`
	keyFirewall   = `SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy`
	keyFirewallGP = `SOFTWARE\Policies\Microsoft\WindowsFirewall`
	keyUpdateAU   = `SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU`
	keyUpdate     = `SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update`
	keyServicing  = `SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing`
	keyCloudJoin  = keyControl + `\CloudDomainJoin`
)

// windowsFacts reads Windows by its registry and, for what only that tells, by WMI.
type windowsFacts struct {
	local winreg.Key
	ask   wmi.Asker
	now   time.Time
	errs  []error
}

// collect fills s. What one part cannot tell costs nothing else: the error, where there
// is one, names all that could not be asked.
func (w *windowsFacts) collect(ctx context.Context, s *inventory.System) error {
	s.OS, s.Distribution = "windows", "windows"
	if err := w.version(s); err != nil {
		return err
	}
	s.SecureBoot = w.secureBoot()
	s.RebootReasons = w.rebootReasons()
	s.RebootPending = slices.ContainsFunc(s.RebootReasons, func(r string) bool { return r != "file-rename" })
	s.Firewall = w.firewall()
	w.join(ctx, s)
	w.updates(ctx, s)
	w.activations(ctx, s)
	w.features(ctx, s)
	return errors.Join(w.errs...)
}

// query asks, and notes a failure; nobody to ask is no failure.
func (w *windowsFacts) query(ctx context.Context, namespace, query string, rows any) bool {
	err := w.ask.Query(ctx, namespace, query, rows)
	if err != nil && !errors.Is(err, wmi.ErrAbsent) {
		w.errs = append(w.errs, err)
	}
	return err == nil
}

func (w *windowsFacts) text(path, name string) string {
	k, err := w.local.Open(path)
	if err != nil {
		return ""
	}
	defer k.Close()
	return winreg.Text(k, name)
}

// number returns a value, and whether it is there.
func (w *windowsFacts) number(path, name string) (uint64, bool) {
	k, err := w.local.Open(path)
	if err != nil {
		return 0, false
	}
	defer k.Close()
	v, err := k.Value(name)
	if err != nil {
		return 0, false
	}
	return v.Number()
}

func (w *windowsFacts) exists(path string) bool {
	k, err := w.local.Open(path)
	if err != nil {
		return false
	}
	k.Close()
	return true
}

// version tells which Windows this is. ProductName says Windows 10 on Windows 11, which
// begins with build 22000.
func (w *windowsFacts) version(s *inventory.System) error {
	name, build := w.text(keyVersion, "ProductName"), w.text(keyVersion, "CurrentBuild")
	if name == "" || build == "" {
		return fmt.Errorf("reading the version of Windows: no ProductName or CurrentBuild in %s", keyVersion)
	}
	server := strings.EqualFold(w.text(keyVersion, "InstallationType"), "Server") || strings.Contains(name, "Server")
	if len(build) == 5 && build >= "22000" && !server {
		name = strings.Replace(name, "Windows 10", "Windows 11", 1)
	}
	release := w.text(keyVersion, "DisplayVersion")
	if release == "" {
		release = w.text(keyVersion, "ReleaseId")
	}
	s.Name = strings.TrimSpace(name + " " + release)
	s.Edition = w.text(keyVersion, "EditionID")
	s.Version = release
	s.Kernel = build
	if ubr, ok := w.number(keyVersion, "UBR"); ok {
		s.Kernel = fmt.Sprintf("%s.%d", build, ubr)
	}
	if server {
		s.Distribution = "windows-server"
	}
	if at, ok := w.number(keyVersion, "InstallDate"); ok && at > 0 {
		s.InstalledAt = time.Unix(int64(at), 0).UTC()
	}
	s.SupportEnds = supportEnds(build, s.Edition, server)
	s.Timezone = ianaZone(w.text(keyControl+`\TimeZoneInformation`, "TimeZoneKeyName"))
	return nil
}

func (w *windowsFacts) secureBoot() string {
	switch on, ok := w.number(keyControl+`\SecureBoot\State`, "UEFISecureBootEnabled"); {
	case !ok:
		return ""
	case on == 1:
		return "on"
	}
	return "off"
}

// rebootReasons tells who waits for a reboot. Files to be replaced are told, but any
// installer writes them: alone they are no reason.
func (w *windowsFacts) rebootReasons() []string {
	var reasons []string
	if w.exists(keyServicing + `\RebootPending`) {
		reasons = append(reasons, "servicing")
	}
	if w.exists(keyUpdate + `\RebootRequired`) {
		reasons = append(reasons, "update")
	}
	name, active := w.text(keyControl+`\ComputerName\ComputerName`, "ComputerName"), w.text(keyControl+`\ComputerName\ActiveComputerName`, "ComputerName")
	if name != "" && active != "" && !strings.EqualFold(name, active) {
		reasons = append(reasons, "rename")
	}
	if k, err := w.local.Open(keyControl + `\Session Manager`); err == nil {
		if v, err := k.Value("PendingFileRenameOperations"); err == nil && len(v.Data) > 4 {
			reasons = append(reasons, "file-rename")
		}
		k.Close()
	}
	return reasons
}

// firewall tells each profile; a group policy is stronger than the machine's own choice.
func (w *windowsFacts) firewall() []inventory.FirewallProfile {
	var list []inventory.FirewallProfile
	for _, p := range [...]struct{ key, name string }{{"DomainProfile", "domain"}, {"StandardProfile", "private"}, {"PublicProfile", "public"}} {
		on, ok := w.number(keyFirewallGP+`\`+p.key, "EnableFirewall")
		if !ok {
			on, ok = w.number(keyFirewall+`\`+p.key, "EnableFirewall")
		}
		if ok {
			list = append(list, inventory.FirewallProfile{Name: p.name, On: on == 1})
		}
	}
	return list
}

// join tells to what directory the machine belongs. Whose account joined it is not read.
func (w *windowsFacts) join(ctx context.Context, s *inventory.System) {
	var rows []struct {
		Domain       string
		PartOfDomain bool
	}
	if !w.query(ctx, wmi.CIMV2, "SELECT Domain, PartOfDomain FROM Win32_ComputerSystem", &rows) || len(rows) == 0 {
		return
	}
	tenant, cloud := "", false
	_ = winreg.Each(w.local, keyCloudJoin+`\JoinInfo`, func(_ string, k winreg.Key) error { // what cannot be read is no join
		cloud = true
		id := winreg.Text(k, "TenantId")
		if tenant = w.text(keyCloudJoin+`\TenantInfo\`+id, "DisplayName"); tenant == "" {
			tenant = id
		}
		return nil
	})
	switch {
	case rows[0].PartOfDomain && cloud:
		s.Join, s.JoinedTo = "hybrid", rows[0].Domain
	case rows[0].PartOfDomain:
		s.Join, s.JoinedTo = "domain", rows[0].Domain
	case cloud:
		s.Join, s.JoinedTo = "entra", tenant
	default:
		s.Join = "none"
	}
}
