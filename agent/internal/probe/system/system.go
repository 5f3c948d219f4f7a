// Package system owns what the agent tells of the operating system and how it is set
// up (source "system"): which one, since when, in which zone and language, whether it
// waits for a reboot, and who can sign in. It reads files only; it never looks at
// environments, command lines, people's names or their documents.
package system

import (
	"context"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// Source of this package.
const Source = string(inventory.SectionSystem)

// Probes returns the probes of this package.
func Probes() []probe.Probe { return []probe.Probe{System()} }

// System fills the section system. Under another root it tells what the files there
// tell: no kernel, no time of boot, no Secure Boot.
func System() probe.Probe {
	return probe.Probe{
		Source: Source, Section: inventory.SectionSystem, Timeout: 5 * time.Second,
		Watch: []string{
			"/etc/os-release", "/etc/passwd", "/etc/group", "/etc/localtime", "/etc/timezone",
			"/etc/default/locale", "/etc/locale.conf", "/run/reboot-required",
		},
		Collect: func(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
			fsys, err := rootfs.Open(env.Root)
			if err != nil {
				return 0, err
			}
			defer fsys.Close()
			if err := collect(ctx, fsys, &part.System); err != nil {
				return 0, err
			}
			return 1 + len(part.System.Users), nil
		},
	}
}
