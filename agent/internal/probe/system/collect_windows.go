package system

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v3/host"
	"golang.org/x/sys/windows"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/winreg"
	"vigia/agent/internal/wmi"
	"vigia/internal/inventory"
)

// Windows fills the section system on the running machine.
func Windows(ask wmi.Asker) probe.Probe {
	return probe.Probe{
		Source: Source, Section: inventory.SectionSystem, Timeout: 90 * time.Second, LiveOnly: true,
		Registry: []string{`HKLM\` + keyUpdate + `\RebootRequired`, `HKLM\` + keyServicing + `\RebootPending`, `HKLM\` + keyFirewallGP,
			`HKLM\` + keyFirewall + `\DomainProfile`, `HKLM\` + keyFirewall + `\StandardProfile`, `HKLM\` + keyFirewall + `\PublicProfile`},
		Collect: func(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
			s := &part.System
			w := windowsFacts{local: winreg.Machine(), ask: ask, now: env.Now}
			err := w.collect(ctx, s)
			if s.Name == "" {
				return 0, err
			}
			s.Arch = runtime.GOARCH
			if arch, archErr := host.KernelArch(); archErr == nil {
				s.Arch = goArch(arch)
			}
			if boot, bootErr := host.BootTimeWithContext(ctx); bootErr == nil && boot > 0 {
				s.BootedAt = time.Unix(int64(boot), 0).UTC().Truncate(time.Minute)
			}
			s.Locale = systemLocale()
			if w.text(keyControl+`\ProductOptions`, "ProductType") != "LanmanNT" {
				users, usersErr := localAccounts()
				s.Users, err = users, errors.Join(err, usersErr)
			}
			if err != nil {
				err = fmt.Errorf("%w: %w", probe.ErrPartial, err)
			}
			return 1 + len(s.Users) + len(s.Hotfixes) + len(s.Features), err
		},
	}
}

// systemLocale is the language of the system, such as es-MX.
func systemLocale() string {
	names, err := windows.GetSystemPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil || len(names) == 0 {
		return ""
	}
	return names[0]
}
