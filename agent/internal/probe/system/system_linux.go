package system

import (
	"context"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

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
