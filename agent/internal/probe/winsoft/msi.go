package winsoft

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"vigia/agent/internal/winreg"
	"vigia/internal/inventory"
)

const (
	installerData = `SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData`
	sidSystem     = "S-1-5-18" // products installed for the machine
)

// UnpackGUID turns the way Windows Installer writes a product code in key names, each
// group of digits backwards, into the usual one: "{…}", upper case. "" for anything else.
func UnpackGUID(packed string) string {
	if len(packed) != 32 || strings.Trim(strings.ToUpper(packed), "0123456789ABCDEF") != "" {
		return ""
	}
	var b strings.Builder
	b.WriteByte('{')
	at := 0
	for i, n := range [...]int{8, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2} {
		for j := n - 1; j >= 0; j-- {
			b.WriteByte(packed[at+j])
		}
		at += n
		if i < 3 || i == 4 {
			b.WriteByte('-')
		}
	}
	b.WriteByte('}')
	return strings.ToUpper(b.String())
}

// installerProducts returns the codes of every product that Windows Installer knows.
func (m Machine) installerProducts() map[string]bool {
	known := map[string]bool{}
	_ = m.eachProduct(func(_, code string, _ winreg.Key) error { // what cannot be read is not known
		known[code] = true
		return nil
	})
	return known
}

func (m Machine) eachProduct(fn func(sid, code string, props winreg.Key) error) error {
	return winreg.Each(m.Local, installerData, func(sid string, user winreg.Key) error {
		return winreg.Each(user, "Products", func(packed string, product winreg.Key) error {
			code := UnpackGUID(packed)
			if code == "" {
				return nil
			}
			props, err := product.Open("InstallProperties")
			if errors.Is(err, fs.ErrNotExist) {
				return nil // advertised, not installed
			}
			if err != nil {
				return err
			}
			defer props.Close()
			return fn(sid, code, props)
		})
	})
}

// products tells each product once for each who has it.
func (m Machine) products(ctx context.Context) ([]inventory.Program, error) {
	list, err := m.profiles()
	if err != nil {
		return nil, err
	}
	users := map[string]string{}
	for _, p := range list {
		users[strings.ToUpper(p.sid)] = p.user
	}
	var found []inventory.Program
	err = m.eachProduct(func(sid, code string, props winreg.Key) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, ok := m.product(code, props)
		if !ok {
			return nil
		}
		if !strings.EqualFold(sid, sidSystem) {
			p.Scope, p.User = inventory.ScopeUser, users[strings.ToUpper(sid)]
			if p.User == "" {
				p.User = sid
			}
		}
		if file := m.cleanPath(winreg.Text(props, "LocalPackage")); file != "" && m.Signer != nil {
			p.Signer = m.Signer(ctx, file)
		}
		found = append(found, p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the products of Windows Installer: %w", err)
	}
	if len(found) == 0 {
		if _, err := m.Local.Open(installerData); errors.Is(err, fs.ErrNotExist) {
			return nil, absent("products of Windows Installer")
		}
	}
	return found, nil
}

// product reads what the package said, and what the Uninstall key of the same code adds:
// whether it is shown, and in which view it stands.
func (m Machine) product(code string, props winreg.Key) (inventory.Program, bool) {
	p, ok := m.entry(code, props)
	p.Source, p.Scope = SourceMSI, inventory.ScopeMachine
	for path, arch := range m.views() {
		k, err := m.Local.Open(path + `\` + code)
		if err != nil {
			continue
		}
		shown, named := m.entry(code, k)
		k.Close()
		if !ok && named { // a product that shows its name there only
			shown.Source, shown.Scope = p.Source, p.Scope
			p, ok = shown, true
		}
		p.Arch = arch
		p.Hidden = p.Hidden || shown.Hidden
		if p.Path == "" {
			p.Path = shown.Path
		}
	}
	p.Requested = !p.Hidden
	return p, ok
}
