package system

import (
	"encoding/binary"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// bootTime finds btime in the text of /proc/stat, cut to the minute because the kernel
// computes it anew from a clock that is set; zero when it is not there.
func bootTime(stat string) time.Time {
	for line := range strings.Lines(stat) {
		if rest, ok := strings.CutPrefix(line, "btime "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			if err != nil || n <= 0 {
				return time.Time{}
			}
			return time.Unix(n, 0).UTC().Truncate(time.Minute)
		}
	}
	return time.Time{}
}

// secureBoot reads an EFI variable as efivarfs shows it: four bytes of attributes,
// then one of value. "" when it is none.
func secureBoot(variable []byte) string {
	switch {
	case len(variable) != 5:
		return ""
	case variable[4] == 1:
		return "on"
	}
	return "off"
}

// zoneFromLink reads the IANA name off the target of /etc/localtime.
func zoneFromLink(target string) string {
	_, zone, ok := strings.Cut(target, "zoneinfo/")
	if !ok {
		return ""
	}
	for _, variant := range [...]string{"posix/", "right/"} {
		zone = strings.TrimPrefix(zone, variant)
	}
	return zone
}

// elfArch names the architecture of an ELF file by its first 20 bytes, in Go's words;
// "" when it is none.
func elfArch(header []byte) string {
	if len(header) < 20 || string(header[:4]) != "\x7fELF" {
		return ""
	}
	var order binary.ByteOrder = binary.LittleEndian
	if header[5] == 2 {
		order = binary.BigEndian
	}
	switch order.Uint16(header[18:]) {
	case 3:
		return "386"
	case 21:
		return "ppc64le"
	case 22:
		return "s390x"
	case 40:
		return "arm"
	case 62:
		return "amd64"
	case 183:
		return "arm64"
	case 243:
		return "riscv64"
	case 258:
		return "loong64"
	}
	return ""
}

// goArch turns what uname calls a machine into Go's word; an unknown one stays.
func goArch(uname string) string {
	switch uname {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	case "i386", "i486", "i586", "i686":
		return "386"
	case "armv6l", "armv7l", "armv8l":
		return "arm"
	case "":
		return runtime.GOARCH
	}
	return uname
}

// initName turns the name of the program behind /sbin/init, or of process 1, into that
// of the init system; "" when it is none that this package knows.
func initName(program string) string {
	switch program {
	case "systemd", "runit", "openrc-init", "dinit", "upstart":
		return strings.TrimSuffix(program, "-init")
	case "init":
		return "sysvinit"
	case "runit-init":
		return "runit"
	case "s6-svscan", "s6-linux-init":
		return "s6"
	case "busybox":
		return "busybox"
	}
	return ""
}
