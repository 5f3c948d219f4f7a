package system

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"golang.org/x/sys/unix"

	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

const maxFile = 4 << 20 // of the files in /etc read here

// collect fills s from the files of fsys, and from the kernel where that is the one
// running.
func collect(_ context.Context, fsys *rootfs.FS, s *inventory.System) error {
	s.OS = "linux"
	if err := release(fsys, s); err != nil {
		return err
	}
	users, err := accounts(fsys)
	if err != nil {
		return err
	}
	s.Users = users
	s.Timezone, s.Locale = timezone(fsys), locale(fsys)
	s.InstalledAt = installedAt(fsys)
	s.Init = initSystem(fsys)
	s.RebootPending = fsys.Exists("/run/reboot-required") || fsys.Exists("/var/run/reboot-required")
	if !fsys.Live() {
		s.Arch = imageArch(fsys)
		return nil
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return fmt.Errorf("uname: %w", err)
	}
	s.Kernel, s.Arch = unix.ByteSliceToString(u.Release[:]), goArch(unix.ByteSliceToString(u.Machine[:]))
	if stat, err := fsys.ReadFile("/proc/stat", 8<<20); err == nil {
		s.BootedAt = bootTime(string(stat))
	}
	variable, err := fsys.ReadFile("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", 64)
	if err == nil {
		s.SecureBoot = secureBoot(variable)
	}
	return nil
}

// release reads os-release, where os-release(5) says it is.
func release(fsys *rootfs.FS, s *inventory.System) error {
	text, err := fsys.ReadFile("/etc/os-release", 64<<10)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = fsys.ReadFile("/usr/lib/os-release", 64<<10)
	}
	if errors.Is(err, fs.ErrNotExist) {
		s.Name = "Linux" // as os-release(5) has it for such a system
		return nil
	}
	if err != nil {
		return err
	}
	v, err := parseAssignments(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("reading os-release: %w", err)
	}
	s.Name = cmp.Or(v["PRETTY_NAME"], v["NAME"], "Linux")
	s.Distribution = cmp.Or(v["ID"], "linux")
	s.Version, s.SupportEnds = v["VERSION_ID"], v["SUPPORT_END"]
	return nil
}

// accounts needs passwd; the other two files are refinements.
func accounts(fsys *rootfs.FS) ([]inventory.Account, error) {
	defs, err := fsys.ReadFile("/etc/login.defs", maxFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	uids, err := parseLoginDefs(bytes.NewReader(defs))
	if err != nil {
		return nil, fmt.Errorf("reading /etc/login.defs: %w", err)
	}
	groups, err := fsys.ReadFile("/etc/group", maxFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	admin, err := parseGroup(bytes.NewReader(groups))
	if err != nil {
		return nil, fmt.Errorf("reading /etc/group: %w", err)
	}
	passwd, err := fsys.ReadFile("/etc/passwd", maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // an image without accounts
	}
	if err != nil {
		return nil, err
	}
	list, err := parsePasswd(bytes.NewReader(passwd), uids, admin)
	if err != nil {
		return nil, fmt.Errorf("reading /etc/passwd: %w", err)
	}
	return list, nil
}

// timezone prefers the link, which is what programs go by.
func timezone(fsys *rootfs.FS) string {
	if target, err := fsys.Readlink("/etc/localtime"); err == nil {
		if zone := zoneFromLink(target); zone != "" {
			return zone
		}
	}
	return fsys.ReadText("/etc/timezone")
}

func locale(fsys *rootfs.FS) string {
	for _, name := range [...]string{"/etc/locale.conf", "/etc/default/locale"} {
		text, err := fsys.ReadFile(name, 64<<10)
		if err != nil {
			continue
		}
		if v, err := parseAssignments(bytes.NewReader(text)); err == nil {
			if lang := cmp.Or(v["LC_ALL"], v["LANG"]); lang != "" {
				return lang
			}
		}
	}
	return ""
}

// initSystem asks the running system by its marks, then goes by what /sbin/init is.
func initSystem(fsys *rootfs.FS) string {
	if fsys.Live() {
		switch {
		case fsys.Exists("/run/systemd/system"):
			return "systemd"
		case fsys.Exists("/run/openrc"):
			return "openrc"
		}
		return initName(fsys.ReadText("/proc/1/comm"))
	}
	program, err := fsys.Resolve("/sbin/init")
	if err != nil {
		return ""
	}
	return initName(path.Base(program))
}

// imageArch goes by the program that every system has.
func imageArch(fsys *rootfs.FS) string {
	for _, name := range [...]string{"/bin/sh", "/usr/bin/env", "/sbin/init"} {
		f, err := fsys.Open(name)
		if err != nil {
			continue
		}
		header := make([]byte, 20)
		n, _ := f.Read(header)
		f.Close()
		if arch := elfArch(header[:n]); arch != "" {
			return arch
		}
	}
	return ""
}
