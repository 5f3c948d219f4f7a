package winsoft

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/winreg"
	"vigia/internal/inventory"
)

const (
	appxAllUsers   = `SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore`
	packages       = `Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages`
	packageFolders = `SOFTWARE\Classes\Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\PackageRepository\Packages`
	maxManifest    = 4 << 20
)

// PackageName is the full name of a package: Name_Version_Arch_Resource_Publisher.
type PackageName struct{ Name, Version, Arch, Resource, PublisherID string }

// ParsePackageName takes a full name apart.
func ParsePackageName(full string) (PackageName, bool) {
	f := strings.Split(full, "_")
	if len(f) != 5 || f[0] == "" || f[1] == "" || len(f[4]) != 13 {
		return PackageName{}, false
	}
	return PackageName{f[0], f[1], goArch(f[2]), f[3], f[4]}, true
}

func goArch(arch string) string {
	switch strings.ToLower(arch) {
	case "x64":
		return "amd64"
	case "x86":
		return "386"
	case "arm64", "arm":
		return strings.ToLower(arch)
	}
	return "" // neutral
}

// Manifest is what AppxManifest.xml says of a package.
type Manifest struct {
	Identity struct {
		Name                  string `xml:"Name,attr"`
		Publisher             string `xml:"Publisher,attr"`
		Version               string `xml:"Version,attr"`
		ProcessorArchitecture string `xml:"ProcessorArchitecture,attr"`
		ResourceID            string `xml:"ResourceId,attr"`
	} `xml:"Identity"`
	Properties struct {
		DisplayName          string `xml:"DisplayName"`
		PublisherDisplayName string `xml:"PublisherDisplayName"`
		Framework            bool   `xml:"Framework"`
		ResourcePackage      bool   `xml:"ResourcePackage"`
	} `xml:"Properties"`
}

// ParseManifest reads an AppxManifest.xml.
func ParseManifest(r io.Reader) (*Manifest, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxManifest {
		return nil, fmt.Errorf("a manifest of more than %d bytes", maxManifest)
	}
	var m Manifest
	if err := xml.NewDecoder(bytes.NewReader(b)).Decode(&m); err != nil {
		return nil, fmt.Errorf("reading a manifest: %w", err)
	}
	if m.Identity.Name == "" {
		return nil, errors.New("reading a manifest: no Identity")
	}
	return &m, nil
}

// apps gathers packages of everybody and of each user.
func (m Machine) apps(_ context.Context, env *probe.Env) ([]inventory.Program, error) {
	var found []inventory.Program
	seen, own := map[string]bool{}, map[string]bool{} // own are families that Windows or the maker of the PC brought
	stores := 0
	for _, store := range [...]string{"Applications", "InboxApplications"} {
		err := winreg.Each(m.Local, appxAllUsers+`\`+store, func(full string, k winreg.Key) error {
			stores++
			if p, ok := m.app(full, manifestDir(m.Expand(winreg.Text(k, "Path"))), ""); ok && !seen[full] {
				seen[full], own[family(full)] = true, true
				p.Base, p.Requested = true, false
				found = append(found, p)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading provisioned packages: %w", err)
		}
	}
	users, err := m.perUser(env, SourceAppX, hiveClasses, func(p profile, root winreg.Key) ([]inventory.Program, error) {
		var mine []inventory.Program
		err := winreg.Each(root, packages, func(full string, k winreg.Key) error {
			stores++
			a, ok := m.app(full, m.Expand(winreg.Text(k, "PackageRootFolder")), winreg.Text(k, "DisplayName"))
			if ok {
				a.Scope, a.User = inventory.ScopeUser, p.user
				a.Base = own[family(full)]
				a.Requested = a.Requested && !a.Base
				mine = append(mine, a)
			}
			return nil
		})
		return mine, err
	})
	if err != nil {
		return nil, err
	}
	if stores == 0 && len(users) == 0 {
		return nil, absent("packaged apps")
	}
	return append(found, users...), nil
}

// family is what all versions of a package share.
func family(full string) string {
	n, _ := ParsePackageName(full)
	return strings.ToLower(n.Name + "_" + n.PublisherID)
}

// manifestDir takes the name of the manifest or bundle off the end of a path.
func manifestDir(path string) string {
	if strings.HasSuffix(strings.ToLower(path), ".xml") {
		if i := strings.LastIndexByte(path, '\\'); i > 0 {
			path = path[:i]
		}
		if strings.HasSuffix(strings.ToLower(path), `\appxmetadata`) { // of a bundle, which has no manifest of its own
			path = path[:strings.LastIndexByte(path, '\\')]
		}
	}
	return path
}

// app describes one package by its full name, its manifest and what the registry shows.
func (m Machine) app(full, dir, shown string) (inventory.Program, bool) {
	n, ok := ParsePackageName(full)
	if !ok {
		return inventory.Program{}, false
	}
	if dir == "" {
		if k, err := m.Local.Open(packageFolders + `\` + full); err == nil {
			dir = m.Expand(winreg.Text(k, "Path"))
			k.Close()
		}
	}
	p := inventory.Program{
		Name: n.Name, Version: n.Version, Arch: n.Arch, Source: SourceAppX, Scope: inventory.ScopeMachine,
		Path: dir, Origin: packageOrigin(n.PublisherID), Hidden: n.Resource != "" && n.Resource != "neutral" && n.Resource != "~",
	}
	if literal(shown) {
		p.Name = shown
	}
	if dir != "" {
		m.fromManifest(&p, dir)
	}
	p.Requested = !p.Hidden
	return p, true
}

// fromManifest adds what the manifest says; one that cannot be read costs nothing else.
func (m Machine) fromManifest(p *inventory.Program, dir string) {
	f, err := os.Open(filepath.Join(dir, "AppxManifest.xml"))
	if err != nil {
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return
	}
	mf, err := ParseManifest(f)
	if err != nil {
		return
	}
	if literal(mf.Properties.DisplayName) {
		p.Name = mf.Properties.DisplayName
	}
	p.Publisher = commonName(mf.Identity.Publisher)
	if literal(mf.Properties.PublisherDisplayName) {
		p.Publisher = mf.Properties.PublisherDisplayName
	}
	p.Hidden = p.Hidden || mf.Properties.Framework || mf.Properties.ResourcePackage
	if info, err := f.Stat(); err == nil {
		p.InstalledAt = info.ModTime().UTC()
	}
}

// literal reports text that is meant to be read, not the name of a text in a resource.
func literal(text string) bool {
	return text != "" && !strings.HasPrefix(text, "ms-resource:") && !strings.HasPrefix(text, "@{")
}

// commonName finds the CN of a distinguished name such as CN="A, B", O=C.
func commonName(dn string) string {
	for rest := dn; rest != ""; {
		key, value, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		if strings.HasPrefix(value, `"`) {
			value, rest, _ = strings.Cut(value[1:], `"`)
			rest = strings.TrimLeft(rest, ", ")
		} else {
			value, rest, _ = strings.Cut(value, ",")
		}
		if strings.EqualFold(strings.TrimSpace(key), "CN") {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// packageOrigin names Microsoft's own publishers by their hash, which Windows computes
// from the certificate that a package must be signed with.
func packageOrigin(publisherID string) string {
	switch strings.ToLower(publisherID) {
	case "cw5n1h2txyewy":
		return "Microsoft Windows"
	case "8wekyb3d8bbwe":
		return "Microsoft"
	}
	return ""
}
