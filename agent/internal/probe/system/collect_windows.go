package system

import (
	"context"
	"fmt"
	"time"

	"github.com/shirou/gopsutil/v3/host"

	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// collect fills s with what gopsutil tells without walking processes. Accounts and
// pending reboots need the registry and are not told here.
func collect(ctx context.Context, _ *rootfs.FS, s *inventory.System) error {
	name, family, version, err := host.PlatformInformationWithContext(ctx)
	if err != nil {
		return fmt.Errorf("reading the version of Windows: %w", err)
	}
	s.OS, s.Name, s.Version, s.Distribution = "windows", name, version, "windows"
	if family != "" {
		s.Distribution = "windows-" + family
	}
	if s.Kernel, err = host.KernelVersionWithContext(ctx); err != nil {
		return fmt.Errorf("reading the kernel's version: %w", err)
	}
	arch, err := host.KernelArch()
	if err != nil {
		return fmt.Errorf("reading the architecture: %w", err)
	}
	s.Arch = goArch(arch)
	if boot, err := host.BootTimeWithContext(ctx); err == nil && boot > 0 {
		s.BootedAt = time.Unix(int64(boot), 0).UTC().Truncate(time.Minute)
	}
	return nil
}
