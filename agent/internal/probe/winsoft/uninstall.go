package winsoft

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/winreg"
	"vigia/internal/inventory"
)

const (
	uninstall64     = `SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`
	uninstall32     = `SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall`
	uninstallUser   = uninstall64
	uninstallUser32 = uninstall32
)

// registry gathers the machine's keys and every user's.
func (m Machine) registry(ctx context.Context, env *probe.Env) ([]inventory.Program, error) {
	var found []inventory.Program
	installer := m.installerProducts()
	for path, arch := range m.views() {
		list, err := m.entries(m.Local, path, arch, "", installer)
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	users, err := m.perUser(env, SourceRegistry, hiveUser, func(p profile, root winreg.Key) ([]inventory.Program, error) {
		var mine []inventory.Program
		for _, path := range [...]string{uninstallUser, uninstallUser32} {
			list, err := m.entries(root, path, "", p.user, installer)
			if err != nil {
				return nil, err
			}
			mine = append(mine, list...)
		}
		return mine, nil
	})
	if err != nil {
		return nil, err
	}
	found = append(found, users...)
	for i := range found {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if m.Signer != nil && strings.HasSuffix(strings.ToLower(found[i].Path), ".exe") {
			found[i].Signer = m.Signer(ctx, found[i].Path)
		}
	}
	return found, nil
}

// views are the Uninstall keys of the machine with what is installed there. On arm64
// the 64-bit view holds programs of two kinds.
func (m Machine) views() map[string]string {
	arch := m.Arch
	if arch != "amd64" {
		arch = ""
	}
	return map[string]string{uninstall64: arch, uninstall32: "386"}
}

// entries reads one Uninstall key.
func (m Machine) entries(root winreg.Key, path, arch, user string, installer map[string]bool) ([]inventory.Program, error) {
	var found []inventory.Program
	err := winreg.Each(root, path, func(name string, k winreg.Key) error {
		if installer[strings.ToUpper(name)] { // told by the source msi
			return nil
		}
		p, ok := m.entry(name, k)
		if !ok {
			return nil
		}
		p.Source, p.Scope, p.Arch = SourceRegistry, inventory.ScopeMachine, arch
		if user != "" {
			p.Scope, p.User = inventory.ScopeUser, user
		}
		found = append(found, p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return found, nil
}

// entry reads one program. A key without a name to show is none: Windows leaves such
// behind, and writes its own bookkeeping that way.
func (m Machine) entry(name string, k winreg.Key) (inventory.Program, bool) {
	p := inventory.Program{
		Name: winreg.Text(k, "DisplayName"), Version: winreg.Text(k, "DisplayVersion"), Publisher: winreg.Text(k, "Publisher"),
		Path: m.place(k), InstalledAt: installedAt(winreg.Text(k, "InstallDate"), k.Modified()),
	}
	if p.Name == "" {
		return p, false
	}
	p.Hidden = hiddenEntry(name, k)
	p.Requested = !p.Hidden
	if id := winreg.Text(k, "WinGetPackageIdentifier"); id != "" {
		p.Origin = "winget"
	}
	return p, true
}

// hiddenEntry reports what Windows does not show as a program of its own: components,
// and updates of another entry.
func hiddenEntry(name string, k winreg.Key) bool {
	if winreg.Number(k, "SystemComponent") == 1 || winreg.Text(k, "ParentKeyName") != "" || winreg.Text(k, "ParentDisplayName") != "" {
		return true
	}
	switch strings.ToLower(winreg.Text(k, "ReleaseType")) {
	case "security update", "update rollup", "hotfix", "update", "service pack":
		return true
	}
	rest, ok := strings.CutPrefix(strings.ToUpper(name), "KB")
	return ok && len(rest) >= 6 && strings.Trim(rest, "0123456789") == ""
}

// place is where the program runs from: the program whose icon is shown, else its folder.
func (m Machine) place(k winreg.Key) string {
	icon := winreg.Text(k, "DisplayIcon")
	if i := strings.LastIndexByte(icon, ','); i > 0 && strings.Trim(icon[i+1:], " -0123456789") == "" {
		icon = icon[:i]
	}
	icon = m.cleanPath(icon)
	if lower := strings.ToLower(icon); strings.HasSuffix(lower, ".exe") && !strings.Contains(lower, `\windows\installer\`) && !uninstaller(lower) {
		return icon
	}
	return m.cleanPath(winreg.Text(k, "InstallLocation"))
}

// uninstaller reports names of programs that only remove others.
func uninstaller(lower string) bool {
	base := lower[strings.LastIndexByte(lower, '\\')+1:]
	return strings.HasPrefix(base, "unins") || base == "msiexec.exe" || strings.Contains(base, "uninst") || strings.Contains(lower, `\package cache\`)
}

// cleanPath takes quotes, variables and a last backslash away; what is no whole path
// is none.
func (m Machine) cleanPath(text string) string {
	text = strings.TrimSpace(strings.Trim(strings.TrimSpace(text), `"`))
	if strings.Contains(text, "%") {
		text = m.Expand(text)
	}
	text = strings.ReplaceAll(text, "/", `\`)
	if len(text) < 3 || text[1] != ':' || text[2] != '\\' {
		return ""
	}
	if len(text) > 3 {
		text = strings.TrimRight(text, `\`)
	}
	return text
}

// installedAt reads InstallDate, which Windows Installer writes as yyyymmdd and others
// as they please; where it makes no sense it is the time the key was last written.
func installedAt(text string, modified time.Time) time.Time {
	for _, layout := range [...]string{"20060102", "2006-01-02", "2006/01/02", "01/02/2006", "1/2/2006"} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 1990 && t.Year() < 2100 {
			return t
		}
	}
	return modified
}
